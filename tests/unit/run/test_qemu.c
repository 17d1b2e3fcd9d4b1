/*
 * The words that QEMU is started with, for what can be asked for; and the line that a shell takes
 * for them, as a shell takes it.
 */
#include "support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "run/qemu.h"

/* Everything at its default. */
struct machine {
    struct options options;
    struct ovmf ovmf;
    struct qemu_setup setup;
    struct qemu_lines lines;
    struct qemu_command command;
};

static char *no_words[] = {NULL};
static char code_path[] = "/firmware/code.fd";
static char variables_path[] = "/firmware/variables.fd";

/* Copies that may be written to, as those of main() may; free_words() them. */
static char **copy_words(const char *const *words, size_t count)
{
    char **copies = calloc(count + 1, sizeof(*copies));

    assert_non_null(copies);
    for (size_t i = 0; i < count; i++) {
        copies[i] = strdup(words[i]);
        assert_non_null(copies[i]);
    }
    return copies;
}

static void free_words(char **words)
{
    for (size_t i = 0; words[i]; i++)
        free(words[i]);
    free(words);
}

static void set_up(struct machine *machine, enum command command)
{
    *machine = (struct machine){
        .options = {.command = command, .qemu_arguments = no_words},
        .ovmf = {.code = code_path, .variables = variables_path},
        .lines = {.image = "/tmp/kernel.img", .serial = "fd,fd=7", .qmp = 5},
    };
    machine->setup.options = &machine->options;
}

static void make(struct machine *machine)
{
    assert_true(qemu_command(&machine->command, &machine->setup, &machine->lines));
    assert_null(machine->command.words[machine->command.count]);
}

/* How often there is an option with this value, or, for NULL, a word alone. */
static size_t count_of(const struct machine *machine, const char *option, const char *value)
{
    char **words = machine->command.words;
    size_t count = 0;

    for (size_t i = 0; i < machine->command.count; i++) {
        if (strcmp(words[i], option) == 0 &&
            (!value || (words[i + 1] && strcmp(words[i + 1], value) == 0)))
            count++;
    }
    return count;
}

static void assert_has(const struct machine *machine, const char *option, const char *value)
{
    if (count_of(machine, option, value) != 1) {
        char *line = qemu_quote(machine->command.words);

        fail_msg("not once %s %s: %s", option, value ? value : "", line);
    }
}

static void assert_has_not(const struct machine *machine, const char *option)
{
    assert_int_equal(count_of(machine, option, NULL), 0);
}

static void test_has_what_it_judges_by(void **state)
{
    struct machine machine;

    (void)state;
    set_up(&machine, COMMAND_TEST);
    machine.lines.debugcon = "/dev/fd/8";
    machine.lines.log = "/dev/fd/9";
    machine.setup.display = "none";
    make(&machine);
    assert_string_equal(machine.command.words[0], QEMU_PROGRAM);
    assert_has(&machine, "-nodefaults", NULL);
    assert_has(&machine, "-no-user-config", NULL);
    assert_has(&machine, "-machine", "pc");
    assert_has(&machine, "-accel", "tcg");
    assert_has(&machine, "-m", "256M");
    assert_has_not(&machine, "-cpu");
    assert_has_not(&machine, "-smp");
    assert_has(&machine, "-display", "none");
    assert_has(&machine, "-drive",
               "if=none,id=bootimage,snapshot=on,format=raw,file=/tmp/kernel.img");
    assert_int_equal(count_of(&machine, "-drive", NULL), 1);
    assert_has(&machine, "-device", "virtio-blk-pci,drive=bootimage,bootindex=1");
    assert_has(&machine, "-chardev", "fd,fd=7,id=serial");
    assert_has(&machine, "-serial", "chardev:serial");
    assert_has(&machine, "-chardev", "file,id=debugcon,path=/dev/fd/8");
    assert_has(&machine, "-device", "isa-debugcon,iobase=0xe9,chardev=debugcon");
    assert_has(&machine, "-device", "pvpanic");
    assert_has(&machine, "-device", "isa-debug-exit,iobase=0xf4,iosize=0x04");
    assert_has(&machine, "-action", "reboot=shutdown,shutdown=pause,panic=pause");
    assert_has(&machine, "-d", "int,cpu_reset");
    assert_has(&machine, "-D", "/dev/fd/9");
    assert_has(&machine, "-chardev", "socket,id=qmp,fd=5");
    assert_has(&machine, "-mon", "chardev=qmp,mode=control");
    assert_has(&machine, "-S", NULL);
    assert_has_not(&machine, "-gdb");
    assert_has_not(&machine, "-object");
    qemu_free(&machine.command);
    assert_null(machine.command.words);
}

/* A user who looks at the machine does not want it to end. */
static void run_has_no_exit(void **state)
{
    struct machine machine;

    (void)state;
    set_up(&machine, COMMAND_RUN);
    machine.lines.qmp = -1;
    make(&machine);
    assert_int_equal(count_of(&machine, "-device", "isa-debug-exit,iobase=0xf4,iosize=0x04"), 0);
    assert_has(&machine, "-device", "pvpanic");
    assert_has(&machine, "-action", "reboot=shutdown,shutdown=poweroff,panic=pause");
    assert_has_not(&machine, "-display");
    assert_has_not(&machine, "-mon");
    assert_has_not(&machine, "-S");
    assert_has_not(&machine, "-d");
    assert_int_equal(count_of(&machine, "-chardev", NULL), 1);
    qemu_free(&machine.command);
}

static void kvm_logs_no_exceptions(void **state)
{
    struct machine machine;

    (void)state;
    set_up(&machine, COMMAND_TEST);
    machine.lines.log = "/dev/fd/9";
    machine.setup.with_kvm = true;
    make(&machine);
    assert_has(&machine, "-accel", "kvm");
    assert_has_not(&machine, "-d");
    assert_has_not(&machine, "-D");
    qemu_free(&machine.command);
}

static void disks_are_attached(void **state)
{
    static const struct {
        enum options_disk disk;
        const char *device;
        const char *controller; /* NULL: none is added */
    } cases[] = {
        {OPTIONS_DISK_VIRTIO, "virtio-blk-pci,drive=bootimage,bootindex=1", NULL},
        {OPTIONS_DISK_AHCI, "ide-hd,bus=bootimage-bus.0,drive=bootimage,bootindex=1",
         "ahci,id=bootimage-bus"},
        {OPTIONS_DISK_IDE, "ide-hd,bus=ide.0,drive=bootimage,bootindex=1", NULL},
        {OPTIONS_DISK_NVME, "nvme,serial=bootimage,drive=bootimage,bootindex=1", NULL},
        {OPTIONS_DISK_USB, "usb-storage,bus=bootimage-bus.0,drive=bootimage,bootindex=1",
         "qemu-xhci,id=bootimage-bus"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct machine machine;

        set_up(&machine, COMMAND_RUN);
        machine.options.machine.disk = cases[i].disk;
        make(&machine);
        assert_has(&machine, "-device", cases[i].device);
        assert_int_equal(count_of(&machine, "-device", NULL), cases[i].controller ? 3 : 2);
        if (cases[i].controller)
            assert_has(&machine, "-device", cases[i].controller);
        qemu_free(&machine.command);
    }
}

static void uefi_has_flash_memory(void **state)
{
    static const char code[] = "if=pflash,unit=0,readonly=on,format=raw,file=/firmware/code.fd";
    static const char variables[] =
        "if=pflash,unit=1,snapshot=on,format=raw,file=/firmware/variables.fd";
    struct machine machine;

    (void)state;
    set_up(&machine, COMMAND_TEST);
    machine.setup.ovmf = &machine.ovmf;
    assert_true(qemu_is_q35(&machine.setup));
    make(&machine);
    assert_has(&machine, "-machine", "q35");
    assert_has(&machine, "-drive", code);
    assert_has(&machine, "-drive", variables);
    qemu_free(&machine.command);

    /* One file for both. */
    machine.ovmf.variables = NULL;
    make(&machine);
    assert_has(&machine, "-drive", code);
    assert_int_equal(count_of(&machine, "-drive", NULL), 2);
    qemu_free(&machine.command);
}

static void machine_is_as_asked_for(void **state)
{
    struct machine machine;

    (void)state;
    set_up(&machine, COMMAND_RUN);
    assert_false(qemu_is_q35(&machine.setup));
    machine.options.machine = (struct options_machine){
        .qemu = "/opt/qemu/bin/qemu",
        .type = "pc-q35-7.2",
        .cpu = "max,-avx",
        .memory = "1G",
        .smp = "cpus=4,sockets=2",
    };
    machine.setup.display = "gtk";
    assert_true(qemu_is_q35(&machine.setup));
    make(&machine);
    assert_string_equal(machine.command.words[0], "/opt/qemu/bin/qemu");
    assert_has(&machine, "-machine", "pc-q35-7.2");
    assert_has(&machine, "-cpu", "max,-avx");
    assert_has(&machine, "-m", "1G");
    assert_has(&machine, "-smp", "cpus=4,sockets=2");
    assert_has(&machine, "-display", "gtk");
    qemu_free(&machine.command);
}

static void memory_may_be_a_file(void **state)
{
    struct machine machine;

    (void)state;
    set_up(&machine, COMMAND_TEST);
    machine.lines.ram = "/dev/fd/6";
    machine.lines.ram_bytes = UINT64_C(5) << 30;
    make(&machine);
    assert_has(&machine, "-object",
               "memory-backend-file,id=ram,share=on,mem-path=/dev/fd/6,size=5368709120");
    assert_has(&machine, "-machine", "memory-backend=ram");
    qemu_free(&machine.command);
}

static void gdb_waits_on_this_machine_only(void **state)
{
    struct machine machine;

    (void)state;
    set_up(&machine, COMMAND_RUN);
    machine.options.gdb_port = 1234;
    make(&machine);
    assert_has(&machine, "-gdb", "tcp:127.0.0.1:1234");
    assert_has(&machine, "-S", NULL);
    qemu_free(&machine.command);
    machine.lines.qmp = -1;
    make(&machine);
    assert_has(&machine, "-gdb", "tcp:127.0.0.1:1234");
    assert_has(&machine, "-S", NULL);
    qemu_free(&machine.command);
}

/* They may say otherwise than the words before them. */
static void users_words_come_last(void **state)
{
    static const char *extra[] = {"-device", "virtio-rng-pci"};
    static const char *const all[] = {"-device", "virtio-rng-pci", "-m", "64M", ""};
    char **arguments = copy_words(all + 2, 3);
    struct machine machine;

    (void)state;
    set_up(&machine, COMMAND_TEST);
    machine.options.extra_words = (struct options_texts){extra, 2};
    machine.options.qemu_arguments = arguments;
    make(&machine);
    for (size_t i = 0; i < 5; i++)
        assert_string_equal(machine.command.words[machine.command.count - 5 + i], all[i]);
    qemu_free(&machine.command);
    free_words(arguments);
}

static void commas_in_paths_are_doubled(void **state)
{
    static char code[] = "/x,y/code.fd";
    static char variables[] = ",variables,";
    struct machine machine;

    (void)state;
    set_up(&machine, COMMAND_TEST);
    machine.lines.image = "/tmp/a,b,,c,readonly=on";
    machine.ovmf = (struct ovmf){.code = code, .variables = variables};
    machine.setup.ovmf = &machine.ovmf;
    make(&machine);
    assert_has(&machine, "-drive",
               "if=none,id=bootimage,snapshot=on,format=raw,file=/tmp/a,,b,,,,c,,readonly=on");
    assert_has(&machine, "-drive", "if=pflash,unit=0,readonly=on,format=raw,file=/x,,y/code.fd");
    assert_has(&machine, "-drive", "if=pflash,unit=1,snapshot=on,format=raw,file=,,variables,,");
    qemu_free(&machine.command);
}

static void memory_is_counted(void **state)
{
    static const struct {
        const char *text;
        uint64_t bytes;
    } cases[] = {
        {NULL, 256 << 20},           {"64", 64 << 20},       {"128M", 128 << 20},
        {"4G", UINT64_C(4) << 30},   {"512K", 512 << 10},    {"4294967295", 0},
        {"99999999999999999999", 0}, {"size=1G,slots=2", 0}, {"", 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct options options = {.machine.memory = cases[i].text};

        if (qemu_memory_bytes(&options) != cases[i].bytes)
            fail_msg("%s: %llu", cases[i].text, (unsigned long long)qemu_memory_bytes(&options));
    }
}

/* A shell makes of the line what it was made from. */
static void shell_takes_the_line(void **state)
{
    static const char *const words[] = {
        "printf",      "%s|",          "plain", "two words", "",    "it's", "'",   "''",
        "\"$HOME\"",   "`false`",      "\\",    "a\nb\tc",   "*",   "~",    "#x",  "a;b",
        "a&b|c>d",     "{a,b}",        "!x",    "-",         "a=b", "[a]",  "(b)", "\x01",
        "M\xc3\xa4rz", "/p,a.t:h@%+_",
    };
    char expected[512] = "";
    char output[512] = "";
    const size_t count = sizeof(words) / sizeof(words[0]);
    char **copies = copy_words(words, count);
    char *line = qemu_quote(copies);

    (void)state;
    assert_non_null(line);
    for (size_t i = 2; i < count; i++) {
        strcat(expected, words[i]);
        strcat(expected, "|");
    }
    FILE *shell = popen(line, "r");
    assert_non_null(shell);
    output[fread(output, 1, sizeof(output) - 1, shell)] = 0;
    assert_int_equal(pclose(shell), 0);
    assert_string_equal(output, expected);
    free(line);
    free_words(copies);
}

static void plain_words_are_left_alone(void **state)
{
    static const char *const words[] = {"qemu", "-drive", "if=none,file=/a/b.img",
                                        "a b",  "it's",   ""};
    char **copies = copy_words(words, sizeof(words) / sizeof(words[0]));
    char *line = qemu_quote(copies);

    (void)state;
    assert_string_equal(line, "qemu -drive if=none,file=/a/b.img 'a b' 'it'\\''s' ''");
    free(line);
    free_words(copies);
    line = qemu_quote(no_words);
    assert_string_equal(line, "");
    free(line);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_has_what_it_judges_by),
        cmocka_unit_test(run_has_no_exit),
        cmocka_unit_test(kvm_logs_no_exceptions),
        cmocka_unit_test(disks_are_attached),
        cmocka_unit_test(uefi_has_flash_memory),
        cmocka_unit_test(machine_is_as_asked_for),
        cmocka_unit_test(memory_may_be_a_file),
        cmocka_unit_test(gdb_waits_on_this_machine_only),
        cmocka_unit_test(users_words_come_last),
        cmocka_unit_test(commas_in_paths_are_doubled),
        cmocka_unit_test(memory_is_counted),
        cmocka_unit_test(shell_takes_the_line),
        cmocka_unit_test(plain_words_are_left_alone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
