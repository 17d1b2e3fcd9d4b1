/*
 * What the user's words ask for, and the project file.
 */
#ifndef BOOTIMAGE_OPTIONS_H
#define BOOTIMAGE_OPTIONS_H

#include "error.h"
#include "esp.h"
#include "module.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What to do: the first word, where it is one of these. Bits, so that option_table.c can say by a
   set of them what an option is for. */
enum command {
    COMMAND_PACKAGE = 1, /* no word: make an image */
    COMMAND_RUNNER = 2,
    COMMAND_INSPECT = 4,
    COMMAND_VERIFY = 8,
    COMMAND_RUN = 16,
    COMMAND_TEST = 32,
};

/* What the image boots on, and what it is booted with in QEMU. */
enum options_firmware {
    OPTIONS_FIRMWARE_DEFAULT, /* an image for both; a machine has a BIOS */
    OPTIONS_FIRMWARE_BIOS,
    OPTIONS_FIRMWARE_UEFI,
    OPTIONS_FIRMWARE_BOTH,
};

enum options_accelerator {
    OPTIONS_ACCELERATOR_TCG, /* the default: it alone tells of exceptions */
    OPTIONS_ACCELERATOR_KVM,
    OPTIONS_ACCELERATOR_AUTO,
};

/* Where the disk is attached; the default is virtio. */
enum options_disk {
    OPTIONS_DISK_VIRTIO,
    OPTIONS_DISK_AHCI,
    OPTIONS_DISK_IDE,
    OPTIONS_DISK_NVME,
    OPTIONS_DISK_USB,
};

/* Texts of an option that may be given again and again. */
struct options_texts {
    const char **texts;
    size_t count;
};

/* The machine of run and test. Texts are QEMU's own values; NULL: the default. */
struct options_machine {
    const char *qemu; /* the program; NULL: the one on PATH */
    const char *type, *cpu, *memory, *smp, *display;
    enum options_disk disk;
    enum options_accelerator accelerator;
    const char *ovmf; /* NULL: to be looked for */
};

/* What test judges by. */
struct options_expectations {
    uint64_t timeout_s;          /* 0: for ever */
    uint8_t success_code;        /* 1 to 0x7F */
    uint8_t exit_code;           /* 1 to 0x7F; 0: none is expected */
    struct options_texts serial; /* regular expressions */
    struct options_texts screen;
    struct options_texts fonts; /* files that screens are read through */
};

/* What run and test keep. NULL: nothing. */
struct options_outputs {
    const char *crash_report;
    const char *screenshot;
    uint64_t screenshot_at_s; /* 0: at the end */
    const char *record;       /* a folder */
    const char *junit;
    const char *svg;
    bool profile;
    bool tap;
};

/* Texts are the user's own, or of the project file, and live until options_free(). */
struct options {
    enum command command;
    const char *file;   /* the kernel, or an image */
    const char *output; /* NULL: the default */
    const char *command_line;
    const char *protocol;       /* NULL: as the kernel is marked */
    struct module_list modules; /* their files not yet looked at */
    enum options_firmware firmware;
    struct esp_signer signer; /* NULL: not signed */
    bool with_elf;
    bool random_base;
    uint64_t base;                   /* 0: not given */
    uint64_t stack_bytes;            /* 0: as the kernel asks */
    struct options_texts plan_words; /* words that make the same plan */
    const char *planning; /* the name of an option that was given for the plan, or NULL */

    struct options_machine machine;
    struct options_expectations expectations;
    struct options_outputs outputs;
    const char *symbols;              /* an ELF file, for an image; NULL: what the image holds */
    uint64_t gdb_port;                /* 0: none */
    struct options_texts extra_words; /* for QEMU, by --qemu-arg */
    char **qemu_arguments;            /* for QEMU: what follows the kernel, or -- */

    const char *config; /* the project file that was read; NULL: none */
    bool verbose;
    bool quiet;
    bool json;
    bool help;
    bool version;

    char **own_texts; /* what the project file brought */
    size_t own_text_count;
};

#define OPTIONS_TIMEOUT_S 60
#define OPTIONS_SUCCESS_CODE 0x10

/* Two parts of one text. */
extern const char options_usage_image[], options_usage_machine[];

/* words[0] is the program's name. Fails where the usage is wrong, or the project file is. Give back
   with options_free() in either case. */
bool options_parse(struct options *options, int count, char **words, struct error *error);

void options_free(struct options *options);

#endif
