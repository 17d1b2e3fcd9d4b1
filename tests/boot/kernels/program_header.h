/*
 * The program headers of a kernel, as it finds them in its own memory: linkers put the ELF header
 * into the first segment. The loader's word is compared with them [ELF gABI "Program Header"].
 */
#ifndef TESTS_BOOT_KERNELS_PROGRAM_HEADER_H
#define TESTS_BOOT_KERNELS_PROGRAM_HEADER_H

#include <stdint.h>

#define PT_LOAD 1u
#define PT_TLS 7u
#define PT_GNU_RELRO 0x6474e552u

struct elf_header {
    uint8_t ident[16];
    uint16_t type, machine;
    uint32_t version;
    uint64_t entry, program_headers, section_headers;
    uint32_t flags;
    uint16_t bytes, program_header_bytes, program_header_count;
};

struct program_header {
    uint32_t type, flags;
    uint64_t offset, vaddr, paddr, file_bytes, memory_bytes, align;
};

extern const struct elf_header __ehdr_start __attribute__((visibility("hidden")));

/* The first of this type, or 0. */
static inline const struct program_header *program_header_find(uint32_t type)
{
    const struct elf_header *elf = &__ehdr_start;
    const struct program_header *header =
        (const struct program_header *)((uintptr_t)elf + elf->program_headers);

    for (unsigned i = 0; i < elf->program_header_count; i++, header++) {
        if (header->type == type)
            return header;
    }
    return 0;
}

#endif
