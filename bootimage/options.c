/*
 * Before the first step: the user's words become a struct options.
 *
 * Each option is one row of a table, which says for which commands it is, and one case of
 * take_option(). Only the words are looked at here; what they name is opened by other modules.
 */
#include "options.h"

#include "number.h"
#include "request.h"

#include <getopt.h>
#include <stddef.h>
#include <string.h>

const char options_usage[] =
    "usage: bootimage [OPTIONS] KERNEL\n"
    "       bootimage runner [OPTIONS] KERNEL [QEMU ARGUMENTS...]\n"
    "       bootimage inspect [OPTIONS] FILE\n"
    "       bootimage verify [-q] IMAGE\n"
    "\n"
    "Makes a disk image that boots KERNEL, any freestanding x86 ELF executable.\n"
    "`bootimage runner` makes a temporary image and boots it in QEMU; all that follows\n"
    "KERNEL goes to QEMU, and QEMU's exit status is that of the command.\n"
    "`bootimage inspect` tells what is planned for FILE, a kernel or an image;\n"
    "`bootimage verify` checks that IMAGE, a file or a disk, is whole.\n"
    "\n"
    "  -o, --output=IMAGE    the image; default: bootimage-<name>.bin beside KERNEL,\n"
    "                        <name> being its file name without .elf (only to make one)\n"
    "      --cmdline=STRING  the command line that the kernel is given\n"
    "      --protocol=NAME   how the kernel is entered: plain, plain32, multiboot1,\n"
    "                        multiboot2, pvh, linux or linux16; default: as its header\n"
    "                        or note says, else as its ELF class says\n"
    "      --module=FILE[=NAME][,ARGUMENTS]\n"
    "                        give the kernel this file, too; any number of times; a\n"
    "                        backslash takes the = or , after it for part of FILE or NAME\n"
    "      --with-elf        give the kernel its own ELF file, with all its sections\n"
    "      --base=ADDRESS    where to map the lowest page of a position-independent kernel\n"
    "      --kaslr           map a position-independent kernel at a random address\n"
    "      --stack-size=SIZE bytes of the kernel's stack, such as 64K; default: as the\n"
    "                        kernel's note asks, else 64K\n"
    "      --firmware=NAME   what the image boots on: bios, uefi or both (the default);\n"
    "                        runner: what QEMU has, bios (the default) or uefi\n"
    "      --ovmf=FILE       runner: the UEFI firmware's code; default: as QEMU's firmware\n"
    "                        descriptors say\n"
    "      --sign=KEY --cert=CERTIFICATE\n"
    "                        sign the UEFI loader for Secure Boot, by sbsign; both PEM\n"
    "      --json            inspect: tell it as JSON\n"
    "  -q, --quiet           only say what is wrong (not for inspect)\n"
    "      --help            show this and exit\n"
    "      --version         show versions and exit\n"
    "\n"
    "Exit status: 0 done, 1 failed, 2 wrong usage.\n";

static const struct {
    const char *name;
    enum command command;
} commands[] = {
    {"runner", COMMAND_RUNNER},
    {"inspect", COMMAND_INSPECT},
    {"verify", COMMAND_VERIFY},
};

#define ALL_COMMANDS (COMMAND_PACKAGE | COMMAND_RUNNER | COMMAND_INSPECT | COMMAND_VERIFY)
/* Those that plan an image of a kernel. */
#define PLANNING_COMMANDS (COMMAND_PACKAGE | COMMAND_RUNNER | COMMAND_INSPECT)

/* From 256 on where there is no short option. */
enum {
    OPTION_CMDLINE = 256,
    OPTION_BASE,
    OPTION_CERT,
    OPTION_FIRMWARE,
    OPTION_KASLR,
    OPTION_JSON,
    OPTION_MODULE,
    OPTION_OVMF,
    OPTION_PROTOCOL,
    OPTION_SIGN,
    OPTION_STACK_SIZE,
    OPTION_WITH_ELF,
    OPTION_HELP,
    OPTION_VERSION
};

/* As bootinfo.h promises. */
#define COMMAND_LINE_MAXIMUM_BYTES 65535u

static const struct {
    const char *name;
    int has_argument;
    int letter;
    int commands; /* a set of enum command */
} rows[] = {
    {"output", required_argument, 'o', COMMAND_PACKAGE},
    {"cmdline", required_argument, OPTION_CMDLINE, PLANNING_COMMANDS},
    {"protocol", required_argument, OPTION_PROTOCOL, PLANNING_COMMANDS},
    {"module", required_argument, OPTION_MODULE, PLANNING_COMMANDS},
    {"with-elf", no_argument, OPTION_WITH_ELF, PLANNING_COMMANDS},
    {"stack-size", required_argument, OPTION_STACK_SIZE, PLANNING_COMMANDS},
    {"base", required_argument, OPTION_BASE, PLANNING_COMMANDS},
    {"kaslr", no_argument, OPTION_KASLR, PLANNING_COMMANDS},
    {"firmware", required_argument, OPTION_FIRMWARE, PLANNING_COMMANDS},
    {"sign", required_argument, OPTION_SIGN, COMMAND_PACKAGE | COMMAND_RUNNER},
    {"cert", required_argument, OPTION_CERT, COMMAND_PACKAGE | COMMAND_RUNNER},
    {"ovmf", required_argument, OPTION_OVMF, COMMAND_RUNNER},
    {"json", no_argument, OPTION_JSON, COMMAND_INSPECT},
    {"quiet", no_argument, 'q', COMMAND_PACKAGE | COMMAND_RUNNER | COMMAND_VERIFY},
    {"help", no_argument, OPTION_HELP, ALL_COMMANDS},
    {"version", no_argument, OPTION_VERSION, ALL_COMMANDS},
};

#define ROW_COUNT (sizeof(rows) / sizeof(rows[0]))

/* The tables of getopt_long(). */
static void fill_tables(struct option long_options[ROW_COUNT + 1], char letters[3 * ROW_COUNT])
{
    size_t end = strlen(letters);

    for (size_t i = 0; i < ROW_COUNT; i++) {
        long_options[i] = (struct option){rows[i].name, rows[i].has_argument, NULL, rows[i].letter};
        if (rows[i].letter >= 256)
            continue;
        letters[end++] = (char)rows[i].letter;
        if (rows[i].has_argument == required_argument)
            letters[end++] = ':';
    }
}

static bool wrong_option(int character, const char *argument, struct error *error)
{
    const char *what = character == ':' ? "needs an argument" : "is unknown or takes no argument";

    /* getopt_long() says which short option it was, but of a long one only where it stood. */
    if (optopt > 0 && optopt < 256)
        return error_set(error, "option -%c %s; see bootimage --help [wrong-option]", optopt, what);
    return error_set(error, "option %s %s; see bootimage --help [wrong-option]", argument, what);
}

/* Whether the option is for the command; keeps in mind whether it is for a plan. */
static bool check_command(struct options *options, int letter, struct error *error)
{
    size_t row = 0;
    const char *name = "";

    while (rows[row].letter != letter)
        row++;
    if (rows[row].commands == PLANNING_COMMANDS)
        options->planning = rows[row].name;
    if (rows[row].commands & (int)options->command)
        return true;
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
        if (commands[i].command == options->command)
            name = commands[i].name;
    }
    return error_set(error,
                     "bootimage%s%s has no option --%s; see bootimage --help [option-elsewhere]",
                     *name ? " " : "", name, rows[row].name);
}

static bool take_output(struct options *options, const char *path, struct error *error)
{
    options->output = path;
    if (strcmp(path, "-") == 0)
        return error_set(
            error, "an image cannot go to standard output; name a file with -o [output-standard]");
    if (*path == 0)
        return error_set(error, "-o is empty; name a file with it [output-empty]");
    return true;
}

static bool take_command_line(struct options *options, const char *text, struct error *error)
{
    size_t bytes = strlen(text);

    options->command_line = text;
    if (bytes > COMMAND_LINE_MAXIMUM_BYTES)
        return error_set(error,
                         "--cmdline takes %zu bytes, more than %u; give the kernel a file with it, "
                         "by --module [cmdline-too-long]",
                         bytes, COMMAND_LINE_MAXIMUM_BYTES);
    for (const char *next = text; *next; next += error_utf8_length(next)) {
        if (error_utf8_length(next) == 0)
            return error_set(error,
                             "--cmdline is not valid UTF-8 at byte %zu; kernels are promised "
                             "UTF-8 [cmdline-utf8]",
                             (size_t)(next - text));
    }
    return true;
}

static bool take_stack_size(struct options *options, const char *size, struct error *error)
{
    if (number_parse_bytes(size, &options->stack_bytes) && options->stack_bytes > 0 &&
        options->stack_bytes <= REQUEST_STACK_MAXIMUM)
        return true;
    return error_set(error,
                     "--stack-size is %s; give 1 to 1G bytes, such as 65536, 0x10000 or 64K "
                     "[stack-size]",
                     size);
}

/* What else an address has to be, request.c says of the kernel's own request, too. */
static bool take_base(struct options *options, const char *address, struct error *error)
{
    if (number_parse(address, &options->base) && options->base > 0)
        return true;
    return error_set(
        error, "--base is %s; give an address, such as 0xffffffff80000000 [base-number]", address);
}

static bool take_firmware(struct options *options, const char *name, struct error *error)
{
    static const char *const names[] = {
        [OPTIONS_FIRMWARE_BIOS] = "bios",
        [OPTIONS_FIRMWARE_UEFI] = "uefi",
        [OPTIONS_FIRMWARE_BOTH] = "both",
    };
    const bool is_runner = options->command == COMMAND_RUNNER;

    for (int i = OPTIONS_FIRMWARE_BIOS; i <= OPTIONS_FIRMWARE_BOTH; i++) {
        if (strcmp(name, names[i]) == 0)
            options->firmware = (enum options_firmware)i;
    }
    if (options->firmware != OPTIONS_FIRMWARE_DEFAULT &&
        !(is_runner && options->firmware == OPTIONS_FIRMWARE_BOTH))
        return true;
    return error_set(error, "--firmware is %s; give %s [firmware-name]", name,
                     is_runner ? "bios or uefi" : "bios, uefi or both");
}

/* argument is NULL for an option without one. */
static bool take_option(struct options *options, int letter, const char *argument,
                        struct error *error)
{
    switch (letter) {
    case 'o':
        return take_output(options, argument, error);
    case OPTION_CMDLINE:
        return take_command_line(options, argument, error);
    case OPTION_PROTOCOL:
        options->protocol = argument;
        return true;
    case OPTION_MODULE:
        return module_add(&options->modules, argument, error);
    case OPTION_WITH_ELF:
        options->with_elf = true;
        return true;
    case OPTION_BASE:
        return take_base(options, argument, error);
    case OPTION_FIRMWARE:
        return take_firmware(options, argument, error);
    case OPTION_SIGN:
        options->signer.key = argument;
        return true;
    case OPTION_CERT:
        options->signer.certificate = argument;
        return true;
    case OPTION_OVMF:
        options->ovmf = argument;
        return true;
    case OPTION_KASLR:
        options->random_base = true;
        return true;
    case OPTION_STACK_SIZE:
        return take_stack_size(options, argument, error);
    case OPTION_JSON:
        options->json = true;
        return true;
    case 'q':
        options->quiet = true;
        return true;
    case OPTION_HELP:
        options->help = true;
        return true;
    default:
        options->version = true;
        return true;
    }
}

/* What is no option: the file, and what follows it. */
static bool take_operands(struct options *options, int count, char **words, struct error *error)
{
    if (count == 0)
        return error_set(error, "no file given; see bootimage --help [no-file]");
    options->file = words[0];
    if (options->command != COMMAND_RUNNER && count > 1)
        return error_set(
            error,
            "unexpected argument %s: one file at a time; see bootimage --help [extra-argument]",
            words[1]);
    if (!options->signer.key != !options->signer.certificate)
        return error_set(error, "--sign and --cert go together: a private key and its certificate; "
                                "give both [sign-alone]");
    if (options->signer.key && options->firmware == OPTIONS_FIRMWARE_BIOS &&
        options->command == COMMAND_PACKAGE)
        return error_set(error,
                         "--sign signs the loader for UEFI, which --firmware=bios leaves out; "
                         "leave out one of them [sign-bios]");
    if (options->ovmf && options->firmware != OPTIONS_FIRMWARE_UEFI)
        return error_set(error, "--ovmf is of no use without --firmware=uefi; give both "
                                "[ovmf-without-uefi]");
    options->qemu_arguments = words + 1;
    if (options->command == COMMAND_RUNNER && count > 1 && strcmp(words[1], "--") == 0)
        options->qemu_arguments++;
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

bool options_parse(struct options *options, int count, char **words, struct error *error)
{
    struct option long_options[ROW_COUNT + 1] = {0};
    /* Own options end at the kernel for the runner, where the rest is QEMU's, and may follow it
       else. A ':' has getopt_long() tell a missing argument from an unknown option. */
    char letters[3 * ROW_COUNT] = ":";
    int letter;

    *options = (struct options){.command = find_command(count > 1 ? words[1] : NULL)};
    if (options->command != COMMAND_PACKAGE) {
        count--;
        words++;
    }
    if (options->command == COMMAND_RUNNER)
        strcpy(letters, "+:");
    fill_tables(long_options, letters);
    opterr = 0;
    while ((letter = getopt_long(count, words, letters, long_options, NULL)) != -1) {
        if (letter == ':' || letter == '?')
            return wrong_option(letter, words[optind - 1], error);
        if (!check_command(options, letter, error) || !take_option(options, letter, optarg, error))
            return false;
        if (options->help || options->version)
            return true;
    }
    return take_operands(options, count - optind, words + optind, error);
}

void options_free(struct options *options)
{
    module_free(&options->modules);
}
