/*
 * Boot protocols: what kind of kernel this is, and so how the loader has to enter it.
 *
 * One file each, protocol_<name>.c, and one row each in protocol.c; the loader has the same. A
 * protocol refuses what it cannot boot, and nothing but main.c's messages comes of it.
 */
#ifndef BOOTIMAGE_PROTOCOL_H
#define BOOTIMAGE_PROTOCOL_H

#include "error.h"
#include "kernel.h"
#include "placement.h"

#include <stdbool.h>
#include <stdint.h>

/* What a look for a protocol's mark has found. */
enum protocol_mark {
    PROTOCOL_NO_MARK,
    PROTOCOL_MARKED,
    PROTOCOL_BROKEN_MARK, /* there is one, but no loader may accept it */
};

#define PROTOCOL_REASON_BYTES 160

/* What comes with a kernel. */
struct protocol_extras {
    const char *command_line; /* NULL: none */
    size_t module_count;
};

struct protocol {
    uint32_t number;       /* enum plan_protocol_number */
    const char *name;      /* for --protocol, and for inspect */
    uint32_t region_flags; /* of each region: PLAN_REGION_MOVABLE or 0 */
    bool has_requests;     /* the kernel may ask, by notes and by options that stand in for them */
    /* Writes to reason, of PROTOCOL_REASON_BYTES, by what the kernel was recognised. Of a broken
       mark error tells what is wrong with it. */
    enum protocol_mark (*recognise)(const struct kernel *kernel, char *reason, struct error *error);
    /* Before the placement: class, machine, type, addresses, entry, relocations, requests. Moves
       what has no addresses of its own to some. */
    bool (*validate)(struct kernel *kernel, struct error *error);
    /* NULL: any command line, and any modules. */
    bool (*validate_options)(const struct kernel *kernel, const struct protocol_extras *extras,
                             struct error *error);
    /* After the placement: physical addresses, rights. NULL: nothing more. */
    bool (*validate_placement)(const struct kernel *kernel, const struct placement *placement,
                               struct error *error);
};

extern const struct protocol protocol_limine;
extern const struct protocol protocol_linux;
extern const struct protocol protocol_linux16;
extern const struct protocol protocol_multiboot1;
extern const struct protocol protocol_multiboot2;
extern const struct protocol protocol_plain;
extern const struct protocol protocol_plain32;
extern const struct protocol protocol_pvh;

struct protocol_choice {
    const struct protocol *protocol;
    char reason[PROTOCOL_REASON_BYTES];
};

/* The first protocol whose mark the kernel carries, or the one of this name unless it is NULL; then
   the kernel has to carry its mark. A broken mark is an error if there is no sound one. */
bool protocol_choose(struct protocol_choice *choice, const struct kernel *kernel, const char *name,
                     struct error *error);

/* The name of the protocol by which the kernel is entered if it carries no mark. */
const char *protocol_plain_name(const struct kernel *kernel);

/* Of the protocol of this number in a plan: its name, "unknown" if there is none, and whether its
   kernels may ask for something, such as a stack. */
const char *protocol_name(uint32_t number);
bool protocol_has_requests(uint32_t number);

#endif
