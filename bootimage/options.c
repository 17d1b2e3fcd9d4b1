/*
 * Before the first step: the user's words become a struct options.
 *
 * option_table.c has the options. The words are read first and taken last, as the project file
 * (config.c) comes between: it is found by the kernel's name, and words override it.
 */
#include "options.h"

#include "config.h"
#include "option_table.h"

#include <ctype.h>
#include <getopt.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name;
    enum command command;
} commands[] = {
    {"runner", COMMAND_RUNNER}, {"inspect", COMMAND_INSPECT}, {"verify", COMMAND_VERIFY},
    {"run", COMMAND_RUN},       {"test", COMMAND_TEST},
};

/* Long options have their place in the table behind this, which is no letter. */
#define FIRST_ROW 256

/* An option as it was given. */
struct word {
    const struct option_row *row;
    const char *value; /* NULL: none */
};

/* The words in their order. */
struct words {
    struct word *options;
    size_t option_count;
    char **operands;
    size_t operand_count;
};

/* The tables of getopt_long(). */
static void fill_tables(struct option *long_options, char *letters)
{
    size_t end = strlen(letters);

    for (size_t i = 0; i < option_table_count; i++) {
        const struct option_row *row = &option_table[i];
        const int has_argument = row->kind == OPTION_COMMAND ? no_argument
                                 : row->kind == OPTION_FLAG || row->kind == OPTION_NUMBER
                                     ? optional_argument
                                     : required_argument;

        long_options[i] = (struct option){row->name, has_argument, NULL, FIRST_ROW + (int)i};
        if (row->letter == 0)
            continue;
        letters[end++] = (char)row->letter;
        if (has_argument == required_argument)
            letters[end++] = ':';
    }
}

static const struct option_row *row_of(int found)
{
    size_t row = 0;

    if (found >= FIRST_ROW)
        return &option_table[found - FIRST_ROW];
    while (option_table[row].letter != found)
        row++;
    return &option_table[row];
}

static bool wrong_option(int character, const char *argument, struct error *error)
{
    const char *what = character == ':' ? "needs an argument" : "is unknown or takes no argument";

    /* getopt_long() says which short option it was, but of a long one only where it stood. */
    if (optopt > 0 && optopt < FIRST_ROW)
        return error_set(error, "option -%c %s; see bootimage --help [wrong-option]", optopt, what);
    return error_set(error, "option %s %s; see bootimage --help [wrong-option]", argument, what);
}

/* Whether the option is for the command; keeps in mind whether it is for a plan. */
static bool check_command(struct options *options, const struct option_row *row,
                          struct error *error)
{
    const char *name = "";

    if (row->commands == OPTION_PLANNING_COMMANDS && row->kind != OPTION_CONFIG)
        options->planning = row->name;
    if (row->commands & (int)options->command)
        return true;
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
        if (commands[i].command == options->command)
            name = commands[i].name;
    }
    return error_set(error,
                     "bootimage%s%s has no option --%s; see bootimage --help [option-elsewhere]",
                     *name ? " " : "", name, row->name);
}

/* Whether a word is a number, and so the value of an option before it that may have one. */
static bool is_number(const char *word)
{
    const char *end = word;

    while (end && isdigit((unsigned char)*end))
        end++;
    return end && end > word && *end == 0;
}

/* Reads all options, and the operands up to --, or to the first one for runner. */
static bool read_words(struct words *read, struct options *options, int count, char **words,
                       const struct option *long_options, const char *letters, struct error *error)
{
    int found;

    while ((found = getopt_long(count, words, letters, long_options, NULL)) != -1) {
        if (found == ':' || found == '?')
            return wrong_option(found, words[optind - 1], error);
        if (found == 1) {
            read->operands[read->operand_count++] = optarg;
            continue;
        }
        struct word word = {row_of(found), optarg};
        if (word.row->kind == OPTION_NUMBER && !word.value && is_number(words[optind]))
            word.value = words[optind++];
        if (!check_command(options, word.row, error))
            return false;
        if (word.row->kind == OPTION_COMMAND || word.row->kind == OPTION_CONFIG)
            word.row->take(options, word.value, error);
        else
            read->options[read->option_count++] = word;
        if (options->help || options->version)
            return true;
    }
    return true;
}

static void forget_plan_words(struct options_texts *list, const char *name)
{
    size_t kept = 0;

    for (size_t i = 0; i < list->count; i++) {
        if (strncmp(list->texts[i] + strlen("--"), name, strlen(name)) != 0)
            list->texts[kept++] = list->texts[i];
    }
    list->count = kept;
}

/* A base of the words overrides a random one of the project file, and the other way round. */
static void override_base(struct options *options, const struct words *words)
{
    for (size_t i = 0; i < words->option_count; i++) {
        if (strcmp(words->options[i].row->name, "base") == 0) {
            options->random_base = false;
            forget_plan_words(&options->plan_words, "kaslr");
        }
        if (strcmp(words->options[i].row->name, "kaslr") == 0) {
            options->base = 0;
            forget_plan_words(&options->plan_words, "base=");
        }
    }
}

static bool take_options(struct options *options, const struct words *words, struct error *error)
{
    if (options->command != COMMAND_VERIFY && !config_read(options, error))
        return false;
    override_base(options, words);
    for (size_t i = 0; i < words->option_count; i++) {
        const struct word *word = &words->options[i];

        if (!word->row->take(options, word->value, error) ||
            !option_note(options, word->row, word->value, error))
            return false;
    }
    return true;
}

/* What must fit together. */
static bool check_options(const struct options *options, struct error *error)
{
    const bool has_machine = options->command & (COMMAND_RUN | COMMAND_TEST);

    if (!options->signer.key != !options->signer.certificate)
        return error_set(error, "--sign and --cert go together: a private key and its certificate; "
                                "give both [sign-alone]");
    if (options->signer.key && options->firmware == OPTIONS_FIRMWARE_BIOS &&
        options->command == COMMAND_PACKAGE)
        return error_set(error,
                         "--sign signs the loader for UEFI, which --firmware=bios leaves out; "
                         "leave out one of them [sign-bios]");
    if (options->machine.ovmf && options->firmware != OPTIONS_FIRMWARE_UEFI)
        return error_set(error, "--ovmf is of no use without --firmware=uefi; give both "
                                "[ovmf-without-uefi]");
    if (options->gdb_port && options->random_base)
        return error_set(error, "--gdb wants to know where the kernel is mapped, and --kaslr lets "
                                "nobody know; leave out one of them [gdb-kaslr]");
    if (has_machine && options->outputs.screenshot_at_s && !options->outputs.screenshot &&
        !options->outputs.record)
        return error_set(error, "--screenshot-at is of no use without --screenshot; give both "
                                "[screenshot-at-alone]");
    return true;
}

/* What is no option: the file, and what follows it. tail is behind --, or behind runner's kernel.
 */
static bool take_operands(struct options *options, const struct words *words, char **tail,
                          struct error *error)
{
    if (words->operand_count == 0)
        return error_set(error, "no file given; see bootimage --help [no-file]");
    options->file = words->operands[0];
    if (words->operand_count > 1)
        return error_set(
            error,
            "unexpected argument %s: one file at a time; see bootimage --help [extra-argument]",
            words->operands[1]);
    options->qemu_arguments = tail;
    if (options->command == COMMAND_RUNNER && *tail && strcmp(*tail, "--") == 0)
        options->qemu_arguments++;
    else if (*tail && !(options->command & (COMMAND_RUNNER | COMMAND_RUN | COMMAND_TEST)))
        return error_set(
            error,
            "unexpected argument %s: one file at a time; see bootimage --help [extra-argument]",
            *tail);
    return true;
}

static enum command find_command(const char *word)
{
    for (size_t i = 0; word && i < sizeof(commands) / sizeof(commands[0]); i++) {
        if (strcmp(word, commands[i].name) == 0)
            return commands[i].command;
    }
    return COMMAND_PACKAGE;
}

/* Where getopt_long() stopped is the kernel for runner, or the word behind --. */
static char **take_tail(const struct options *options, struct words *read, char **rest)
{
    const bool takes_first =
        options->command == COMMAND_RUNNER ||
        (!(options->command & (COMMAND_RUN | COMMAND_TEST)) && read->operand_count == 0);

    if (takes_first && *rest)
        read->operands[read->operand_count++] = *rest++;
    return rest;
}

static bool parse(struct options *options, struct words *read, int count, char **words,
                  struct error *error)
{
    /* Own options end at the kernel for runner, where the rest is QEMU's, and may follow it else,
       up to --. A ':' has getopt_long() tell a missing argument from an unknown option. */
    struct option long_options[OPTION_TABLE_MOST + 1];
    char letters[3 * OPTION_TABLE_MOST + 3];
    char **tail;

    memset(long_options, 0, sizeof(long_options));
    memset(letters, 0, sizeof(letters));
    strcpy(letters, options->command == COMMAND_RUNNER ? "+:" : "-:");
    fill_tables(long_options, letters);
    opterr = 0;
    if (!read_words(read, options, count, words, long_options, letters, error))
        return false;
    if (options->help || options->version)
        return true;
    tail = take_tail(options, read, words + optind);
    return take_operands(options, read, tail, error) && take_options(options, read, error) &&
           check_options(options, error);
}

bool options_parse(struct options *options, int count, char **words, struct error *error)
{
    struct words read = {0};
    bool done = false;

    *options = (struct options){
        .command = find_command(count > 1 ? words[1] : NULL),
        .expectations = {.timeout_s = OPTIONS_TIMEOUT_S, .success_code = OPTIONS_SUCCESS_CODE},
    };
    if (options->command != COMMAND_PACKAGE) {
        count--;
        words++;
    }
    read.options = calloc((size_t)count + 1, sizeof(*read.options));
    read.operands = calloc((size_t)count + 1, sizeof(*read.operands));
    if (read.options && read.operands)
        done = parse(options, &read, count, words, error);
    else
        error_out_of_memory(error);
    free(read.options);
    free(read.operands);
    return done;
}

void options_free(struct options *options)
{
    module_free(&options->modules);
    free(options->extra_words.texts);
    free(options->plan_words.texts);
    free(options->expectations.serial.texts);
    free(options->expectations.screen.texts);
    free(options->expectations.fonts.texts);
    for (size_t i = 0; i < options->own_text_count; i++)
        free(options->own_texts[i]);
    free(options->own_texts);
}
