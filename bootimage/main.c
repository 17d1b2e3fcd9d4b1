/*
 * bootimage: makes a disk image that boots a kernel ELF.
 *
 * Here the other modules' texts become output: nothing else prints or exits, but for run and test,
 * which pass on what a guest says as it comes (run/session.c). The story of an image:
 * options.c reads the user's words, kernel.c the kernel, protocol.c finds how it boots,
 * request.c what it asks for, plan.c plans the image, image.c writes it, atomic_file.c gives it its
 * name.
 */
#include "atomic_file.h"
#include "error.h"
#include "image.h"
#include "image_reader.h"
#include "inspect.h"
#include "kernel.h"
#include "loader_blob.h"
#include "options.h"
#include "plan.h"
#include "protocol.h"
#include "request.h"
#include "run/boot.h"
#include "runner.h"
#include "temporary.h"
#include "verify.h"

#include "bootimage/bootinfo.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#define EXIT_USAGE 2

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

static void print_warnings(struct error *error)
{
    for (size_t i = 0; i < error->warning_count; i++)
        fprintf(stderr, "bootimage: warning: %s\n", error->warnings[i]);
    error_forget_warnings(error);
}

/* All that the image is made from, and that it must not replace. */
struct sources {
    struct atomic_file_source *list;
    size_t count;
};

static void add_modules(struct sources *sources, const struct module_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        const struct input *file = &list->modules[i].source;

        sources->list[sources->count++] =
            (struct atomic_file_source){file->device, file->inode, "a module"};
    }
}

static bool sources_of(struct sources *sources, const struct options *options,
                       const struct kernel *kernel, struct error *error)
{
    const size_t most = options->modules.count + kernel->modules.count + 1;

    *sources = (struct sources){.list = calloc(most, sizeof(*sources->list))};
    if (!sources->list)
        return error_out_of_memory(error);
    sources->list[sources->count++] =
        (struct atomic_file_source){kernel->source.device, kernel->source.inode, "the kernel"};
    add_modules(sources, &kernel->modules);
    add_modules(sources, &options->modules);
    return true;
}

static void print_result(const struct options *options, const struct kernel *kernel,
                         const struct plan *plan, const char *path)
{
    size_t count = options->modules.count + kernel->modules.count;

    printf("%s: %" PRIu64 " bytes, %" PRIu64 " of them loaded from %s", path, plan->image_bytes,
           plan->payload_bytes, options->file);
    if (count > 0)
        printf(" and %zu module%s", count, count > 1 ? "s" : "");
    putchar('\n');
}

static bool write_image(const struct options *options, const struct kernel *kernel,
                        const struct plan *plan, struct error *error)
{
    struct sources sources = {0};
    struct atomic_file file;
    bool done = false;
    char *path = options->output ? strdup(options->output) : default_output(options->file);

    if (!path) {
        error_out_of_memory(error);
        goto out;
    }
    if (!sources_of(&sources, options, kernel, error) ||
        !atomic_file_open(&file, path, sources.list, sources.count, error))
        goto out;
    if (image_write(plan, file.fd, path, error))
        done = atomic_file_commit(&file, error);
    else
        atomic_file_abandon(&file);
    if (done && !options->quiet)
        print_result(options, kernel, plan, path);
out:
    free(sources.list);
    free(path);
    return done;
}

static bool run_image(const struct options *options, const struct plan *plan, struct error *error)
{
    const bool is_uefi = options->firmware == OPTIONS_FIRMWARE_UEFI;
    struct ovmf ovmf = {0};
    struct runner runner = {.variables = -1, .arguments = options->qemu_arguments};

    if (is_uefi) {
        if (!ovmf_find(&ovmf, options->machine.ovmf, error))
            goto out;
        runner.ovmf = &ovmf;
        if (ovmf.variables && (runner.variables = runner_copy_variables(&ovmf, error)) < 0)
            goto out;
    }
    runner.image = temporary_file(error);
    if (runner.image < 0)
        goto out;
    if (image_write(plan, runner.image, "temporary image (in TMPDIR)", error)) {
        runner.display = runner_choose_display(options->qemu_arguments, is_uefi);
        print_warnings(error);
        if (runner.display == RUNNER_CURSES && !options->quiet) {
            fputs(RUNNER_CURSES_NOTICE, stderr);
            /* QEMU clears the screen at once. */
            sleep(2);
        }
        runner_exec(&runner, error);
    }
    close(runner.image);
out:
    if (runner.variables >= 0)
        close(runner.variables);
    ovmf_free(&ovmf);
    return false;
}

/* run and test: *status gets their exit status. */
static bool boot(const struct options *options, const struct kernel *kernel,
                 const struct plan *plan, int *status, struct error *error)
{
    char *name = default_output(options->file);
    struct boot boot = {
        .options = options, .default_image = name, .output = stdout, .errors = stderr};
    bool done;

    if (!name)
        return error_out_of_memory(error);
    print_warnings(error);
    done = plan ? boot_kernel(&boot, kernel, plan, error) : boot_image(&boot, error);
    *status = boot.status;
    free(name);
    return done;
}

/* One of the two options also overrides a note that asks for the other. */
static bool override_base(struct kernel *kernel, const struct options *options, struct error *error)
{
    if (options->base && !options->random_base)
        request_drop(kernel, BOOTINFO_REQUEST_RANDOM_BASE);
    if (options->random_base && !options->base)
        request_drop(kernel, BOOTINFO_REQUEST_BASE);
    return (options->base == 0 ||
            request_override(kernel, BOOTINFO_REQUEST_BASE, options->base, error)) &&
           (!options->random_base ||
            request_override(kernel, BOOTINFO_REQUEST_RANDOM_BASE, 1, error));
}

/* Options that only kernels with requests know. */
static bool check_requests(const struct kernel *kernel, const struct protocol_choice *choice,
                           const struct options *options, struct error *error)
{
    const char *name = options->stack_bytes   ? "stack-size"
                       : options->base        ? "base"
                       : options->random_base ? "kaslr"
                       : options->with_elf    ? "with-elf"
                                              : NULL;

    if (!name || choice->protocol->has_requests)
        return true;
    return error_set(error,
                     "%s: is entered by the protocol %s (%s), which has nothing for --%s; leave it "
                     "out, or give --protocol=%s [option-protocol]",
                     options->file, choice->protocol->name, choice->reason, name,
                     protocol_plain_name(kernel));
}

/* Options stand in for the notes of the kernel. */
static bool override_requests(struct kernel *kernel, const struct options *options,
                              struct error *error)
{
    return (options->stack_bytes == 0 ||
            request_override(kernel, BOOTINFO_REQUEST_STACK, options->stack_bytes, error)) &&
           override_base(kernel, options, error) &&
           (!options->with_elf || request_override(kernel, BOOTINFO_REQUEST_KERNEL_FILE, 1, error));
}

/* The loaders of the image; *own is what to give back with free(). */
static bool choose_loaders(struct plan_options *plan, const struct options *options, uint8_t **own,
                           struct error *error)
{
    const bool is_runner = options->command & (COMMAND_RUNNER | COMMAND_RUN | COMMAND_TEST);
    const bool with_bios = options->firmware != OPTIONS_FIRMWARE_UEFI || is_runner;
    const bool with_uefi = options->firmware != OPTIONS_FIRMWARE_BIOS || is_runner;
    const bool wants_uefi = options->firmware > OPTIONS_FIRMWARE_BIOS || options->signer.key;

    if (wants_uefi && esp_blob_bytes == 0)
        return error_set(error,
                         "this bootimage was built without its loader for UEFI; build it with "
                         "-Duefi=enabled, or give --firmware=bios [firmware-uefi]");
    plan->loader = with_bios ? loader_blob : uefi_only_blob;
    plan->loader_bytes = with_bios ? loader_blob_bytes : uefi_only_blob_bytes;
    if (with_uefi && esp_blob_bytes > 0) {
        plan->esp = esp_blob;
        plan->esp_bytes = esp_blob_bytes;
    }
    if (!options->signer.key)
        return true;
    *own = esp_sign(esp_blob, esp_blob_bytes, &options->signer, error);
    plan->esp = *own;
    return *own;
}

static bool package(struct options *options, int *status, struct error *error)
{
    struct plan_options plan_options = {
        .command_line = options->command_line,
        .modules = &options->modules,
    };
    struct protocol_choice choice;
    struct kernel kernel;
    struct plan plan;
    bool done = false;
    uint8_t *own = NULL;

    if (!kernel_open(&kernel, options->file, error))
        return false;
    if (!choose_loaders(&plan_options, options, &own, error))
        goto out;
    if (protocol_choose(&choice, &kernel, options->protocol, error) &&
        check_requests(&kernel, &choice, options, error) && module_look(&options->modules, error) &&
        override_requests(&kernel, options, error) &&
        plan_build(&plan, &kernel, choice.protocol, &plan_options, error)) {
        if (options->command == COMMAND_RUNNER)
            done = run_image(options, &plan, error);
        else if (options->command == COMMAND_INSPECT)
            done = inspect_kernel(&kernel, &plan, choice.reason, options->json, stdout, error);
        else if (options->command & (COMMAND_RUN | COMMAND_TEST))
            done = boot(options, &kernel, &plan, status, error);
        else
            done = write_image(options, &kernel, &plan, error);
        plan_free(&plan);
    }
out:
    free(own);
    kernel_close(&kernel);
    return done;
}

/* Options for the plan come too late for an image. */
static bool check_image_options(const struct options *options, struct error *error)
{
    if (!options->planning)
        return true;
    return error_set(error,
                     "%s: is an image, whose plan is made: --%s would change nothing; leave it "
                     "out, or name the kernel [inspect-image-option]",
                     options->file, options->planning);
}

static bool inspect(struct options *options, int *status, struct error *error)
{
    if (!image_reader_recognise(options->file))
        return package(options, status, error);
    if (!check_image_options(options, error))
        return false;
    return inspect_image(options->file, options->json, stdout, error);
}

static bool verify(const struct options *options, struct error *error)
{
    struct verify_result result;

    static const struct verify_loader loaders[] = {
        {loader_blob, &loader_blob_bytes}, {uefi_only_blob, &uefi_only_blob_bytes}, {NULL, NULL}};

    if (!verify_image(options->file, loaders, &result, error))
        return false;
    if (!options->quiet)
        printf("%s: %" PRIu64 " bytes are as they were made, with %zu segments and %zu modules%s\n",
               options->file, result.checked_bytes, result.segment_count, result.module_count,
               result.own_loader ? "" : ", by another bootimage");
    return true;
}

static bool run_or_test(struct options *options, int *status, struct error *error)
{
    if (!image_reader_recognise(options->file))
        return package(options, status, error);
    return check_image_options(options, error) && boot(options, NULL, NULL, status, error);
}

/* *status gets an exit status that is neither success nor failure. */
static bool run_command(struct options *options, int *status, struct error *error)
{
    if (options->verbose && options->config)
        fprintf(stderr, "bootimage: project file: %s\n", options->config);
    switch (options->command) {
    case COMMAND_INSPECT:
        return inspect(options, status, error);
    case COMMAND_VERIFY:
        return verify(options, error);
    case COMMAND_RUN:
    case COMMAND_TEST:
        return run_or_test(options, status, error);
    case COMMAND_PACKAGE:
    case COMMAND_RUNNER:
    default:
        return package(options, status, error);
    }
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

/* The exit status of what went wrong here. The other numbers of test are verdicts. */
static int failure_of(const struct options *options)
{
    return options->command == COMMAND_TEST ? EXIT_USAGE : EXIT_FAILURE;
}

int main(int count, char **words)
{
    struct options options;
    struct error error = {0};
    int status = EXIT_SUCCESS;

    if (!open_standard_streams())
        return EXIT_FAILURE;
    signal(SIGXFSZ, no_action);
    if (!options_parse(&options, count, words, &error)) {
        status = EXIT_USAGE;
    } else if (options.help) {
        fputs(options_usage_image, stdout);
        fputs(options_usage_machine, stdout);
    } else if (options.version) {
        printf("bootimage %s\nfirmware BIOS%s\njansson %s\nlibelf %s\nxxHash %d.%d.%d (built in)\n",
               BOOTIMAGE_VERSION, esp_blob_bytes > 0 ? ", UEFI" : " (built without UEFI)",
               jansson_version_str(), BOOTIMAGE_LIBELF_VERSION, XXH_VERSION_MAJOR,
               XXH_VERSION_MINOR, XXH_VERSION_RELEASE);
    } else if (!run_command(&options, &status, &error)) {
        status = failure_of(&options);
    }
    if (status == EXIT_SUCCESS && !flush_output(&error))
        status = failure_of(&options);
    print_warnings(&error);
    if (error.text)
        fprintf(stderr, "bootimage: %s\n", error.text);
    options_free(&options);
    error_free(&error);
    return status;
}
