/*
 * Boot protocols: how a loaded kernel is entered. One file and one row in the table for each.
 */
#ifndef BOOTLOADER_CORE_PROTOCOL_H
#define BOOTLOADER_CORE_PROTOCOL_H

#include "loader.h"

/* A protocol's two steps. `prepare` may still fail and changes nothing that the firmware needs;
   `enter` takes the machine from the firmware and jumps. */
struct protocol {
    uint32_t number; /* enum plan_protocol_number */
    void (*prepare)(struct loader *loader);
    void (*enter)(struct loader *loader);
};

/* The protocol of this number; fails when this loader does not know it. */
const struct protocol *protocol_find(uint32_t number);

/* protocol_plain.c: 64-bit ELF, entered in long mode with a struct bootinfo. */
void protocol_plain_prepare(struct loader *loader);
void protocol_plain_enter(struct loader *loader);

#endif
