/*
 * What the user's words ask for.
 */
#ifndef BOOTIMAGE_OPTIONS_H
#define BOOTIMAGE_OPTIONS_H

#include "error.h"
#include "esp.h"
#include "module.h"

#include <stdbool.h>
#include <stdint.h>

/* What to do: the first word, where it is one of these. Bits, so that options.c can say by a set of
   them what an option is for. */
enum command {
    COMMAND_PACKAGE = 1, /* no word: make an image */
    COMMAND_RUNNER = 2,
    COMMAND_INSPECT = 4,
    COMMAND_VERIFY = 8,
};

/* Strings are the user's own, and live as long as the program. */
/* What the image boots on, and what the runner boots it with. */
enum options_firmware {
    OPTIONS_FIRMWARE_DEFAULT, /* an image for both; the runner has a BIOS */
    OPTIONS_FIRMWARE_BIOS,
    OPTIONS_FIRMWARE_UEFI,
    OPTIONS_FIRMWARE_BOTH,
};

struct options {
    enum command command;
    const char *file;   /* the kernel, or an image */
    const char *output; /* NULL: the default */
    const char *command_line;
    const char *protocol;       /* NULL: as the kernel is marked */
    struct module_list modules; /* their files not yet looked at */
    enum options_firmware firmware;
    struct esp_signer signer; /* NULL: not signed */
    const char *ovmf;         /* for runner; NULL: to be looked for */
    bool with_elf;
    bool random_base;
    uint64_t base;         /* 0: not given */
    uint64_t stack_bytes;  /* 0: as the kernel asks */
    char **qemu_arguments; /* what follows the kernel, for runner */
    const char *planning;  /* the name of an option that was given for the plan, or NULL */
    bool quiet;
    bool json;
    bool help;
    bool version;
};

extern const char options_usage[];

/* words[0] is the program's name. Fails where the usage is wrong. Give back with options_free() in
   either case. */
bool options_parse(struct options *options, int count, char **words, struct error *error);

void options_free(struct options *options);

#endif
