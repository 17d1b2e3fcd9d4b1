/*
 * Before the first step: each option, for which commands it is, and what its value becomes.
 *
 * Only the words are looked at here; what they name is opened by other modules. Next: options.c
 * has read all words and asks what must fit together.
 */
#include "option_table.h"

#include "number.h"
#include "request.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* As bootinfo.h promises. */
#define COMMAND_LINE_MAXIMUM_BYTES 65535u
/* isa-debug-exit makes QEMU's exit status of a code by (code << 1) | 1, of which 8 bits are left.
 */
#define EXIT_CODE_MAXIMUM 0x7Fu
#define GDB_PORT 1234

bool option_add_text(struct options_texts *list, const char *text, struct error *error)
{
    const char **more = realloc(list->texts, (list->count + 1) * sizeof(*more));

    if (!more)
        return error_out_of_memory(error);
    list->texts = more;
    list->texts[list->count++] = text;
    return true;
}

bool option_own_text(struct options *options, char *text, struct error *error)
{
    char **more = realloc(options->own_texts, (options->own_text_count + 1) * sizeof(*more));

    if (more)
        options->own_texts = more;
    if (!more || !text) {
        free(text);
        return error_out_of_memory(error);
    }
    options->own_texts[options->own_text_count++] = text;
    return true;
}

bool option_note(struct options *options, const struct option_row *row, const char *value,
                 struct error *error)
{
    char *text = NULL;

    if ((row->commands & (COMMAND_PACKAGE | COMMAND_RUN)) != (COMMAND_PACKAGE | COMMAND_RUN) ||
        row->letter || strcmp(row->name, "firmware") == 0)
        return true;
    if (asprintf(&text, "--%s%s%s", row->name, value ? "=" : "", value ? value : "") < 0)
        text = NULL;
    return option_own_text(options, text, error) &&
           option_add_text(&options->plan_words, text, error);
}

/* One of some names; its number goes to *number. */
static bool take_name(const char *option, const char *value, const char *const names[],
                      unsigned int *number, const char *wanted, struct error *error)
{
    for (unsigned int i = 0; names[i]; i++) {
        if (strcmp(value, names[i]) == 0) {
            *number = i;
            return true;
        }
    }
    return error_set(error, "--%s is %s; give %s [option-name]", option, value, wanted);
}

static bool take_flag(bool *flag, const char *option, const char *value, struct error *error)
{
    static const char *const names[] = {"no", "yes", "false", "true", "off", "on", NULL};
    unsigned int number = 1;

    if (value && !take_name(option, value, names, &number, "yes or no", error))
        return false;
    *flag = number % 2 == 1;
    return true;
}

static bool take_seconds(uint64_t *seconds, const char *option, const char *value,
                         struct error *error)
{
    if (number_parse(value, seconds) && *seconds <= UINT32_MAX)
        return true;
    return error_set(error, "--%s is %s; give whole seconds, such as 60 [option-seconds]", option,
                     value);
}

static bool take_exit_code(uint8_t *code, const char *option, const char *value,
                           struct error *error)
{
    uint64_t number;

    if (number_parse(value, &number) && number > 0 && number <= EXIT_CODE_MAXIMUM) {
        *code = (uint8_t)number;
        return true;
    }
    return error_set(error,
                     "--%s is %s; give 1 to 0x7f, as QEMU's exit status tells no other codes apart "
                     "[exit-code]",
                     option, value);
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
    const bool has_machine = options->command & (COMMAND_RUNNER | COMMAND_RUN | COMMAND_TEST);

    options->firmware = OPTIONS_FIRMWARE_DEFAULT;
    for (int i = OPTIONS_FIRMWARE_BIOS; i <= OPTIONS_FIRMWARE_BOTH; i++) {
        if (strcmp(name, names[i]) == 0)
            options->firmware = (enum options_firmware)i;
    }
    if (options->firmware != OPTIONS_FIRMWARE_DEFAULT &&
        !(has_machine && options->firmware == OPTIONS_FIRMWARE_BOTH))
        return true;
    return error_set(error, "--firmware is %s; give %s [firmware-name]", name,
                     has_machine ? "bios or uefi" : "bios, uefi or both");
}

static bool take_disk(struct options *options, const char *name, struct error *error)
{
    static const char *const names[] = {
        [OPTIONS_DISK_VIRTIO] = "virtio", [OPTIONS_DISK_AHCI] = "ahci", [OPTIONS_DISK_IDE] = "ide",
        [OPTIONS_DISK_NVME] = "nvme",     [OPTIONS_DISK_USB] = "usb",   NULL,
    };
    unsigned int number = 0;

    if (!take_name("disk", name, names, &number, "ide, ahci, virtio, nvme or usb", error))
        return false;
    options->machine.disk = (enum options_disk)number;
    return true;
}

static bool take_accelerator(struct options *options, const char *name, struct error *error)
{
    static const char *const names[] = {
        [OPTIONS_ACCELERATOR_TCG] = "tcg",
        [OPTIONS_ACCELERATOR_KVM] = "kvm",
        [OPTIONS_ACCELERATOR_AUTO] = "auto",
        NULL,
    };
    unsigned int number = 0;

    if (!take_name("accel", name, names, &number, "tcg, kvm or auto", error))
        return false;
    options->machine.accelerator = (enum options_accelerator)number;
    return true;
}

static bool take_gdb(struct options *options, const char *port, struct error *error)
{
    options->gdb_port = GDB_PORT;
    if (!port || (number_parse(port, &options->gdb_port) && options->gdb_port > 0 &&
                  options->gdb_port <= UINT16_MAX))
        return true;
    return error_set(error, "--gdb is %s; give a TCP port, 1 to 65535 [gdb-port]", port);
}

static bool take_module(struct options *options, const char *value, struct error *error)
{
    return module_add(&options->modules, value, error);
}

/* Options that only keep what they were given. */
#define TAKE_TEXT(name, member)                                                                    \
    static bool take_##name(struct options *options, const char *value, struct error *error)       \
    {                                                                                              \
        (void)error;                                                                               \
        options->member = value;                                                                   \
        return true;                                                                               \
    }
#define TAKE_MORE(name, member)                                                                    \
    static bool take_##name(struct options *options, const char *value, struct error *error)       \
    {                                                                                              \
        return option_add_text(&options->member, value, error);                                    \
    }
#define TAKE_FLAG(name, text, member)                                                              \
    static bool take_##name(struct options *options, const char *value, struct error *error)       \
    {                                                                                              \
        return take_flag(&options->member, text, value, error);                                    \
    }
#define TAKE_SECONDS(name, text, member)                                                           \
    static bool take_##name(struct options *options, const char *value, struct error *error)       \
    {                                                                                              \
        return take_seconds(&options->member, text, value, error);                                 \
    }
#define TAKE_EXIT_CODE(name, text, member)                                                         \
    static bool take_##name(struct options *options, const char *value, struct error *error)       \
    {                                                                                              \
        return take_exit_code(&options->member, text, value, error);                               \
    }

TAKE_TEXT(protocol, protocol)
TAKE_TEXT(key, signer.key)
TAKE_TEXT(certificate, signer.certificate)
TAKE_TEXT(ovmf, machine.ovmf)
TAKE_TEXT(qemu, machine.qemu)
TAKE_TEXT(machine, machine.type)
TAKE_TEXT(cpu, machine.cpu)
TAKE_TEXT(memory, machine.memory)
TAKE_TEXT(smp, machine.smp)
TAKE_TEXT(display, machine.display)
TAKE_TEXT(symbols, symbols)
TAKE_TEXT(crash_report, outputs.crash_report)
TAKE_TEXT(screenshot, outputs.screenshot)
TAKE_TEXT(record, outputs.record)
TAKE_TEXT(junit, outputs.junit)
TAKE_TEXT(svg, outputs.svg)
TAKE_TEXT(config, config)
TAKE_MORE(qemu_argument, extra_words)
TAKE_MORE(expect_serial, expectations.serial)
TAKE_MORE(expect_screen, expectations.screen)
TAKE_MORE(font, expectations.fonts)
TAKE_FLAG(with_elf, "with-elf", with_elf)
TAKE_FLAG(kaslr, "kaslr", random_base)
TAKE_FLAG(json, "json", json)
TAKE_FLAG(quiet, "quiet", quiet)
TAKE_FLAG(verbose, "verbose", verbose)
TAKE_FLAG(tap, "tap", outputs.tap)
TAKE_FLAG(profile, "profile", outputs.profile)
TAKE_FLAG(help, "help", help)
TAKE_FLAG(version, "version", version)
TAKE_SECONDS(timeout, "timeout", expectations.timeout_s)
TAKE_SECONDS(screenshot_at, "screenshot-at", outputs.screenshot_at_s)
TAKE_EXIT_CODE(success_code, "success-code", expectations.success_code)
TAKE_EXIT_CODE(expect_exit, "expect-exit", expectations.exit_code)

#define PACKAGE COMMAND_PACKAGE
#define PLAN OPTION_PLANNING_COMMANDS
#define MACHINE (COMMAND_RUN | COMMAND_TEST)
#define ALL (OPTION_PLANNING_COMMANDS | COMMAND_VERIFY)

const struct option_row option_table[] = {
    {"output", 'o', PACKAGE, OPTION_FILE, take_output},
    {"cmdline", 0, PLAN, OPTION_WORD, take_command_line},
    {"protocol", 0, PLAN, OPTION_WORD, take_protocol},
    {"module", 0, PLAN, OPTION_MODULE, take_module},
    {"with-elf", 0, PLAN, OPTION_FLAG, take_with_elf},
    {"stack-size", 0, PLAN, OPTION_WORD, take_stack_size},
    {"base", 0, PLAN, OPTION_WORD, take_base},
    {"kaslr", 0, PLAN, OPTION_FLAG, take_kaslr},
    {"firmware", 0, PLAN, OPTION_WORD, take_firmware},
    {"sign", 0, PACKAGE | COMMAND_RUNNER | MACHINE, OPTION_FILE, take_key},
    {"cert", 0, PACKAGE | COMMAND_RUNNER | MACHINE, OPTION_FILE, take_certificate},
    {"ovmf", 0, COMMAND_RUNNER | MACHINE, OPTION_FILE, take_ovmf},
    {"qemu", 0, MACHINE, OPTION_WORD, take_qemu},
    {"machine", 0, MACHINE, OPTION_WORD, take_machine},
    {"cpu", 0, MACHINE, OPTION_WORD, take_cpu},
    {"memory", 0, MACHINE, OPTION_WORD, take_memory},
    {"smp", 0, MACHINE, OPTION_WORD, take_smp},
    {"disk", 0, MACHINE, OPTION_WORD, take_disk},
    {"accel", 0, MACHINE, OPTION_WORD, take_accelerator},
    {"display", 0, MACHINE, OPTION_WORD, take_display},
    {"qemu-arg", 0, MACHINE, OPTION_WORD, take_qemu_argument},
    {"symbols", 0, MACHINE, OPTION_FILE, take_symbols},
    {"gdb", 0, MACHINE, OPTION_NUMBER, take_gdb},
    {"crash-report", 0, MACHINE, OPTION_FILE, take_crash_report},
    {"screenshot", 0, MACHINE, OPTION_FILE, take_screenshot},
    {"screenshot-at", 0, MACHINE, OPTION_WORD, take_screenshot_at},
    {"record", 0, MACHINE, OPTION_FILE, take_record},
    {"profile", 0, MACHINE, OPTION_FLAG, take_profile},
    {"svg", 0, MACHINE, OPTION_FILE, take_svg},
    {"timeout", 0, COMMAND_TEST, OPTION_WORD, take_timeout},
    {"success-code", 0, COMMAND_TEST, OPTION_WORD, take_success_code},
    {"expect-exit", 0, COMMAND_TEST, OPTION_WORD, take_expect_exit},
    {"expect-serial", 0, COMMAND_TEST, OPTION_WORD, take_expect_serial},
    {"expect-screen", 0, COMMAND_TEST, OPTION_WORD, take_expect_screen},
    {"font", 0, COMMAND_TEST, OPTION_FILE, take_font},
    {"tap", 0, COMMAND_TEST, OPTION_FLAG, take_tap},
    {"junit", 0, COMMAND_TEST, OPTION_FILE, take_junit},
    {"json", 0, COMMAND_INSPECT | MACHINE, OPTION_FLAG, take_json},
    {"config", 0, PLAN, OPTION_CONFIG, take_config},
    {"verbose", 'v', PLAN & ~COMMAND_INSPECT, OPTION_FLAG, take_verbose},
    {"quiet", 'q', ALL & ~COMMAND_INSPECT, OPTION_FLAG, take_quiet},
    {"help", 0, ALL, OPTION_COMMAND, take_help},
    {"version", 0, ALL, OPTION_COMMAND, take_version},
};
const size_t option_table_count = sizeof(option_table) / sizeof(option_table[0]);

_Static_assert(sizeof(option_table) / sizeof(option_table[0]) <= OPTION_TABLE_MOST, "rows");

const struct option_row *option_find(const char *name)
{
    for (size_t i = 0; i < option_table_count; i++) {
        if (strcmp(option_table[i].name, name) == 0)
            return &option_table[i];
    }
    return NULL;
}
