/*
 * The sections of the kernel's ELF file, for protocols that hand them over.
 */
#ifndef BOOTLOADER_CORE_SECTIONS_H
#define BOOTLOADER_CORE_SECTIONS_H

#include <stdint.h>

struct loader;

struct sections {
    uint64_t paddr; /* of the headers */
    uint32_t count; /* 0: there are none */
    uint32_t header_bytes;
    uint32_t names_index;
};

/* Load the headers and what no segment has loaded, each checked, and tell each header where its
   section lies. Sets loader->sections. Fails when one is damaged, or when memory is short. */
void sections_load(struct loader *loader);

#endif
