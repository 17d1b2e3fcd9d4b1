/*
 * A machine in words: what QEMU is started with, for run and test.
 *
 * The machine has nothing but what stands here (-nodefaults), so that it is the same everywhere.
 * Its disk is never written: what a guest writes goes to a file of QEMU's that has no name.
 * machine.c starts QEMU with these words; what the user adds comes last, and so counts more.
 */
#include "run/qemu.h"

#include "number.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEFAULT_MEMORY "256M"

static bool add_text(struct qemu_command *command, char *text)
{
    char **more = realloc(command->words, (command->count + 2) * sizeof(*more));

    if (!more || !text) {
        command->words = more ? more : command->words;
        free(text);
        return false;
    }
    command->words = more;
    command->words[command->count++] = text;
    command->words[command->count] = NULL;
    return true;
}

/* An option and its value, or a word alone where the format is NULL. */
__attribute__((format(printf, 3, 4))) static bool add(struct qemu_command *command,
                                                      const char *option, const char *format, ...)
{
    va_list arguments;
    char *text;
    int length;

    if (!add_text(command, strdup(option)))
        return false;
    if (!format)
        return true;
    va_start(arguments, format);
    length = vasprintf(&text, format, arguments);
    va_end(arguments);
    return add_text(command, length < 0 ? NULL : text);
}

/* A path as it stands in an option of QEMU, where commas separate. */
static char *escape_commas(const char *path)
{
    char *escaped = malloc(2 * strlen(path) + 1);
    char *end = escaped;

    if (!escaped)
        return NULL;
    for (; *path; path++) {
        if (*path == ',')
            *end++ = ',';
        *end++ = *path;
    }
    *end = '\0';
    return escaped;
}

static bool add_drive(struct qemu_command *command, const char *how, const char *path)
{
    char *escaped = escape_commas(path);
    bool done = escaped && add(command, "-drive", "%s,format=raw,file=%s", how, escaped);

    free(escaped);
    return done;
}

static const char *machine_type(const struct qemu_setup *setup)
{
    const char *type = setup->options->machine.type;

    return type ? type : setup->ovmf ? "q35" : "pc";
}

bool qemu_is_q35(const struct qemu_setup *setup)
{
    return strstr(machine_type(setup), "q35");
}

/* QEMU takes a number alone for MiB. */
uint64_t qemu_memory_bytes(const struct options *options)
{
    const char *size = options->machine.memory ? options->machine.memory : DEFAULT_MEMORY;
    uint64_t bytes;

    if (number_parse(size, &bytes))
        return bytes < UINT32_MAX ? bytes << 20 : 0;
    return number_parse_bytes(size, &bytes) ? bytes : 0;
}

/* Memory that outlives QEMU, as the file that it is can still be read. */
static bool add_memory(struct qemu_command *command, const struct qemu_setup *setup,
                       const struct qemu_lines *lines)
{
    const char *size = setup->options->machine.memory;

    if (!add(command, "-m", "%s", size ? size : DEFAULT_MEMORY))
        return false;
    return !lines->ram ||
           (add(command, "-object", "memory-backend-file,id=ram,share=on,mem-path=%s,size=%" PRIu64,
                lines->ram, lines->ram_bytes) &&
            add(command, "-machine", "memory-backend=ram"));
}

static bool add_machine(struct qemu_command *command, const struct qemu_setup *setup)
{
    const struct options_machine *machine = &setup->options->machine;

    return add(command, "-nodefaults", NULL) && add(command, "-no-user-config", NULL) &&
           add(command, "-machine", "%s", machine_type(setup)) &&
           add(command, "-accel", setup->with_kvm ? "kvm" : "tcg") &&
           (!machine->cpu || add(command, "-cpu", "%s", machine->cpu)) &&
           (!machine->smp || add(command, "-smp", "%s", machine->smp)) &&
           add(command, "-vga", "std") &&
           (!setup->display || add(command, "-display", "%s", setup->display));
}

/* OVMF in flash memory; variables that it writes are gone with the run. */
static bool add_firmware(struct qemu_command *command, const struct ovmf *ovmf)
{
    return !ovmf || (add_drive(command, "if=pflash,unit=0,readonly=on", ovmf->code) &&
                     (!ovmf->variables ||
                      add_drive(command, "if=pflash,unit=1,snapshot=on", ovmf->variables)));
}

/* SeaBIOS reads virtio-blk and AHCI many times faster than IDE. On q35 the machine's own
   controller, which has the bus ide.0, is AHCI. */
static bool add_disk(struct qemu_command *command, const struct qemu_setup *setup,
                     const char *image)
{
    static const struct {
        const char *controller, *disk;
    } buses[] = {
        [OPTIONS_DISK_VIRTIO] = {NULL, "virtio-blk-pci"},
        [OPTIONS_DISK_AHCI] = {"ahci,id=bootimage-bus", "ide-hd,bus=bootimage-bus.0"},
        [OPTIONS_DISK_IDE] = {NULL, "ide-hd,bus=ide.0"},
        [OPTIONS_DISK_NVME] = {NULL, "nvme,serial=bootimage"},
        [OPTIONS_DISK_USB] = {"qemu-xhci,id=bootimage-bus", "usb-storage,bus=bootimage-bus.0"},
    };
    const enum options_disk disk = setup->options->machine.disk;

    return add_drive(command, "if=none,id=bootimage,snapshot=on", image) &&
           (!buses[disk].controller || add(command, "-device", "%s", buses[disk].controller)) &&
           add(command, "-device", "%s,drive=bootimage,bootindex=1", buses[disk].disk);
}

/* pvpanic is how a kernel says that it panics; isa-debug-exit ends the machine, so that it is left
   out where a user looks at it. */
static bool add_devices(struct qemu_command *command, const struct qemu_setup *setup,
                        const struct qemu_lines *lines)
{
    return add(command, "-chardev", "%s,id=serial", lines->serial) &&
           add(command, "-serial", "chardev:serial") &&
           (!lines->debugcon ||
            (add(command, "-chardev", "file,id=debugcon,path=%s", lines->debugcon) &&
             add(command, "-device", "isa-debugcon,iobase=0xe9,chardev=debugcon"))) &&
           add(command, "-device", "pvpanic") &&
           (setup->options->command != COMMAND_TEST ||
            add(command, "-device", "isa-debug-exit,iobase=0xf4,iosize=0x04"));
}

/* The machine stops where the guest resets it, switches it off or panics, and can be looked at. */
static bool add_control(struct qemu_command *command, const struct qemu_setup *setup,
                        const struct qemu_lines *lines)
{
    if (!add(command, "-action", "reboot=shutdown,shutdown=%s,panic=pause",
             lines->qmp >= 0 ? "pause" : "poweroff"))
        return false;
    if (lines->log && !setup->with_kvm &&
        !(add(command, "-d", "int,cpu_reset") && add(command, "-D", "%s", lines->log)))
        return false;
    if (setup->options->gdb_port &&
        !add(command, "-gdb", "tcp:127.0.0.1:%u", (unsigned int)setup->options->gdb_port))
        return false;
    if (lines->qmp < 0)
        return !setup->options->gdb_port || add(command, "-S", NULL);
    return add(command, "-chardev", "socket,id=qmp,fd=%d", lines->qmp) &&
           add(command, "-mon", "chardev=qmp,mode=control") && add(command, "-S", NULL);
}

static bool add_users_words(struct qemu_command *command, const struct options *options)
{
    for (size_t i = 0; i < options->extra_words.count; i++) {
        if (!add(command, options->extra_words.texts[i], NULL))
            return false;
    }
    for (size_t i = 0; options->qemu_arguments[i]; i++) {
        if (!add(command, options->qemu_arguments[i], NULL))
            return false;
    }
    return true;
}

bool qemu_command(struct qemu_command *command, const struct qemu_setup *setup,
                  const struct qemu_lines *lines)
{
    const char *program = setup->options->machine.qemu;

    *command = (struct qemu_command){0};
    return add(command, program ? program : QEMU_PROGRAM, NULL) && add_machine(command, setup) &&
           add_memory(command, setup, lines) && add_firmware(command, setup->ovmf) &&
           add_disk(command, setup, lines->image) && add_devices(command, setup, lines) &&
           add_control(command, setup, lines) && add_users_words(command, setup->options);
}

static bool is_plain(const char *word)
{
    const char *end = word;

    while (isalnum((unsigned char)*end) || (*end && strchr("-_=,.:/+@%", *end)))
        end++;
    return *end == 0 && end > word;
}

/* At most this much of a word's line: each of its bytes as '\'', and quotes around it. */
static size_t quoted_bytes(const char *word)
{
    return 4 * strlen(word) + 3;
}

static char *append_word(char *end, const char *word)
{
    if (is_plain(word))
        return stpcpy(end, word);
    *end++ = '\'';
    for (; *word; word++) {
        if (*word == '\'')
            end = stpcpy(end, "'\\''");
        else
            *end++ = *word;
    }
    *end++ = '\'';
    *end = 0;
    return end;
}

char *qemu_quote(char *const *words)
{
    size_t bytes = 1;
    char *line;
    char *end;

    for (size_t i = 0; words[i]; i++)
        bytes += quoted_bytes(words[i]) + 1;
    line = malloc(bytes);
    if (!line)
        return NULL;
    end = line;
    *end = 0;
    for (size_t i = 0; words[i]; i++) {
        if (i > 0)
            *end++ = ' ';
        end = append_word(end, words[i]);
    }
    return line;
}

void qemu_free(struct qemu_command *command)
{
    for (size_t i = 0; i < command->count; i++)
        free(command->words[i]);
    free(command->words);
    *command = (struct qemu_command){0};
}
