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

struct protocol {
    uint32_t number;       /* enum plan_protocol_number */
    uint32_t region_flags; /* of each region: PLAN_REGION_MOVABLE or 0 */
    bool (*recognise)(const struct kernel *kernel);
    /* Before the placement: class, machine, type, virtual addresses, entry, relocations. Moves what
       has no addresses of its own to some. */
    bool (*validate)(struct kernel *kernel, struct error *error);
    /* After it: physical addresses, rights. */
    bool (*validate_placement)(const struct kernel *kernel, const struct placement *placement,
                               struct error *error);
};

extern const struct protocol protocol_plain;

/* The first protocol that recognises the kernel; never NULL, as the plain one recognises all. */
const struct protocol *protocol_find(const struct kernel *kernel);

#endif
