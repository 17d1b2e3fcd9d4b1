/*
 * bootimage: makes a disk image that boots a kernel ELF.
 *
 * Here the user's words become options, and the other modules' texts become output: nothing else
 * prints or exits. The story of an image: kernel.c reads the kernel, protocol.c finds how it boots,
 * plan.c plans the image, image.c writes it, atomic_file.c gives it its name.
 */
#include "atomic_file.h"
#include "error.h"
#include "image.h"
#include "kernel.h"
#include "loader_blob.h"
#include "plan.h"
#include "protocol.h"
#include "runner.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#define EXIT_USAGE 2

static const char usage[] =
    "usage: bootimage [OPTIONS] KERNEL\n"
    "       bootimage runner [OPTIONS] KERNEL [QEMU ARGUMENTS...]\n"
    "\n"
    "Makes a disk image that boots KERNEL, a freestanding x86-64 ELF executable.\n"
    "`bootimage runner` makes a temporary image and boots it in QEMU; all that follows\n"
    "KERNEL goes to QEMU, and QEMU's exit status is that of the command.\n"
    "\n"
    "  -o, --output=IMAGE    the image; default: bootimage-<name>.bin beside KERNEL,\n"
    "                        <name> being its file name without .elf (not for runner)\n"
    "      --cmdline=STRING  the command line that the kernel is given\n"
    "  -q, --quiet           only say what is wrong\n"
    "      --help            show this and exit\n"
    "      --version         show versions and exit\n"
    "\n"
    "Exit status: 0 done, 1 failed, 2 wrong usage.\n";

struct options {
    const char *kernel;
    const char *output; /* NULL: the default */
    const char *command_line;
    char **qemu_arguments; /* what follows KERNEL, for runner */
    bool quiet;
    bool runner;
    bool help;
    bool version;
};

enum { OPTION_CMDLINE = 256, OPTION_HELP, OPTION_VERSION };

static const struct option long_options[] = {
    {"output", required_argument, NULL, 'o'},
    {"cmdline", required_argument, NULL, OPTION_CMDLINE},
    {"quiet", no_argument, NULL, 'q'},
    {"help", no_argument, NULL, OPTION_HELP},
    {"version", no_argument, NULL, OPTION_VERSION},
    {NULL, 0, NULL, 0},
};

static bool wrong_option(int character, char *argument, struct error *error)
{
    const char *what = character == ':' ? "needs an argument" : "is unknown or takes no argument";

    /* getopt_long() says which short option it was, but of a long one only where it stood. */
    if (optopt > 0 && optopt < 256)
        return error_set(error, "option -%c %s; see bootimage --help [wrong-option]", optopt, what);
    return error_set(error, "option %s %s; see bootimage --help [wrong-option]", argument, what);
}

static bool parse_option(struct options *options, int character, struct error *error)
{
    switch (character) {
    case 'o':
        options->output = optarg;
        if (options->runner)
            return error_set(
                error, "runner keeps no image, so has no -o; see bootimage --help [runner-output]");
        if (strcmp(optarg, "-") == 0)
            return error_set(
                error,
                "an image cannot go to standard output; name a file with -o [output-standard]");
        if (*optarg == 0)
            return error_set(error, "-o is empty; name a file with it [output-empty]");
        return true;
    case OPTION_CMDLINE:
        options->command_line = optarg;
        for (const char *text = optarg; *text; text += error_utf8_length(text)) {
            if (error_utf8_length(text) == 0)
                return error_set(error,
                                 "--cmdline is not valid UTF-8 at byte %zu; kernels are "
                                 "promised UTF-8 [cmdline-utf8]",
                                 (size_t)(text - optarg));
        }
        return true;
    case 'q':
        options->quiet = true;
        return true;
    case OPTION_HELP:
        options->help = true;
        return true;
    case OPTION_VERSION:
        options->version = true;
        return true;
    default:
        return false;
    }
}

/* Own options end at KERNEL for the runner, where the rest is QEMU's, and may follow it else. */
static bool parse_options(struct options *options, int count, char **words, struct error *error)
{
    const char *letters = options->runner ? "+:o:q" : ":o:q";
    int character;

    opterr = 0;
    while ((character = getopt_long(count, words, letters, long_options, NULL)) != -1) {
        if (character == ':' || character == '?')
            return wrong_option(character, words[optind - 1], error);
        if (!parse_option(options, character, error))
            return false;
        if (options->help || options->version)
            return true;
    }
    if (optind >= count)
        return error_set(error, "no KERNEL given; see bootimage --help [no-kernel]");
    options->kernel = words[optind++];
    if (!options->runner && optind < count)
        return error_set(
            error,
            "unexpected argument %s: one KERNEL at a time; see bootimage --help [extra-argument]",
            words[optind]);
    if (options->runner && optind < count && strcmp(words[optind], "--") == 0)
        optind++;
    options->qemu_arguments = words + optind;
    return true;
}

/* bootimage-<name>.bin beside the kernel. */
static char *default_output(const char *kernel)
{
    const char *slash = strrchr(kernel, '/');
    const char *name = slash ? slash + 1 : kernel;
    size_t folder_bytes = (size_t)(name - kernel);
    size_t name_bytes = strlen(name);
    size_t bytes = strlen(kernel) + sizeof("bootimage-.bin");
    char *path = malloc(bytes);

    if (name_bytes > 4 && strcmp(name + name_bytes - 4, ".elf") == 0)
        name_bytes -= 4;
    if (path)
        snprintf(path, bytes, "%.*sbootimage-%.*s.bin", (int)folder_bytes, kernel, (int)name_bytes,
                 name);
    return path;
}

static void print_warnings(const struct error *error)
{
    for (size_t i = 0; i < error->warning_count; i++)
        fprintf(stderr, "bootimage: warning: %s\n", error->warnings[i]);
}

static bool write_image(const struct options *options, const struct kernel *kernel,
                        const struct plan *plan, struct error *error)
{
    struct atomic_file_source source = {kernel->device, kernel->inode};
    struct atomic_file file;
    bool done = false;
    char *path = options->output ? strdup(options->output) : default_output(options->kernel);

    if (!path)
        return error_out_of_memory(error);
    if (!atomic_file_open(&file, path, &source, error))
        goto out;
    if (image_write(plan, file.fd, path, error))
        done = atomic_file_commit(&file, error);
    else
        atomic_file_abandon(&file);
    if (done && !options->quiet)
        printf("%s: %" PRIu64 " bytes, %" PRIu64 " of them loaded from %s\n", path,
               plan->image_bytes, plan->payload_bytes, options->kernel);
out:
    free(path);
    return done;
}

static bool run_image(const struct options *options, const struct plan *plan, struct error *error)
{
    int fd = runner_temporary_file(error);

    if (fd < 0)
        return false;
    if (image_write(plan, fd, "temporary image (in TMPDIR)", error)) {
        enum runner_display display = runner_choose_display(options->qemu_arguments);

        print_warnings(error);
        if (display == RUNNER_CURSES && !options->quiet) {
            fputs("bootimage: QEMU takes this terminal now; to leave it, press Alt+2, type quit "
                  "and press Enter\n",
                  stderr);
            /* QEMU clears the screen at once. */
            sleep(2);
        }
        runner_exec(fd, display, options->qemu_arguments, error);
    }
    close(fd);
    return false;
}

static bool package(const struct options *options, struct error *error)
{
    struct plan_options plan_options = {
        .command_line = options->command_line,
        .loader = loader_blob,
        .loader_bytes = loader_blob_bytes,
    };
    struct kernel kernel;
    struct plan plan;
    bool done = false;

    if (!kernel_open(&kernel, options->kernel, error))
        return false;
    if (plan_build(&plan, &kernel, protocol_find(&kernel), &plan_options, error)) {
        done = options->runner ? run_image(options, &plan, error)
                               : write_image(options, &kernel, &plan, error);
        plan_free(&plan);
    }
    kernel_close(&kernel);
    return done;
}

/* What was printed counts as done only when it has arrived. */
static bool flush_output(struct error *error)
{
    if (fflush(stdout) == 0 && !ferror(stdout))
        return true;
    return error_set(error, "cannot write to standard output: %s [standard-output]",
                     strerror(errno));
}

/* A file that takes the place of a closed standard stream would get our messages. */
static bool open_standard_streams(void)
{
    int fd;

    do {
        fd = open("/dev/null", O_RDONLY);
    } while (fd >= 0 && fd <= STDERR_FILENO);
    if (fd >= 0)
        close(fd);
    return fd >= 0;
}

/* A write beyond RLIMIT_FSIZE shall fail like any other. By a handler, as QEMU would inherit it if
   the signal were ignored. */
static void no_action(int number)
{
    (void)number;
}

int main(int count, char **words)
{
    struct options options = {.runner = count > 1 && strcmp(words[1], "runner") == 0};
    struct error error = {0};
    int status = EXIT_SUCCESS;

    if (!open_standard_streams())
        return EXIT_FAILURE;
    signal(SIGXFSZ, no_action);
    if (!parse_options(&options, count - options.runner, words + options.runner, &error)) {
        status = EXIT_USAGE;
    } else if (options.help) {
        fputs(usage, stdout);
    } else if (options.version) {
        printf("bootimage %s\nlibelf %s\nxxHash %d.%d.%d (built in)\n", BOOTIMAGE_VERSION,
               BOOTIMAGE_LIBELF_VERSION, XXH_VERSION_MAJOR, XXH_VERSION_MINOR, XXH_VERSION_RELEASE);
    } else if (!package(&options, &error)) {
        status = EXIT_FAILURE;
    }
    if (status == EXIT_SUCCESS && !flush_output(&error))
        status = EXIT_FAILURE;
    print_warnings(&error);
    if (error.text)
        fprintf(stderr, "bootimage: %s\n", error.text);
    error_free(&error);
    return status;
}
