/*
 * The kernel as the rest of the tool sees it: who it is, where it is entered, and its segments.
 *
 * kernel.c fills this from an ELF file, tests fill it by hand. Whatever it holds is sound for any
 * boot protocol: ranges do not wrap, file bytes exist. What one protocol refuses stands in its
 * file.
 */
#ifndef BOOTIMAGE_KERNEL_H
#define BOOTIMAGE_KERNEL_H

#include "dynamic.h"
#include "error.h"
#include "input.h"
#include "module.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One PT_LOAD that takes memory. */
struct kernel_segment {
    uint64_t vaddr;
    uint64_t paddr;
    uint64_t memory_bytes; /* not 0; vaddr + memory_bytes is at most UINT64_MAX */
    uint64_t file_bytes;   /* at most memory_bytes */
    uint64_t file_offset;
    uint64_t align; /* p_align, not 0; base.c checks it where it matters */
    uint32_t index; /* program header, for messages */
    bool writable;
    bool executable;
};

/* A table of relocations, or some entries of it, in the loaded memory. */
struct kernel_relocations {
    uint64_t vaddr;
    uint64_t bytes; /* not 0 */
    uint32_t form;  /* enum plan_relocations_form */
};

/* What a relocation by a symbol puts in its place. */
struct kernel_patch {
    uint64_t vaddr; /* as linked */
    uint64_t value; /* as linked, unless it is absolute */
    bool is_absolute;
};

/* The loader adds a number of steps below `places` to all addresses; no places: it does not. */
struct kernel_random {
    uint64_t step_bytes;
    uint64_t places;
};

#define KERNEL_REQUEST_WORDS 4

/* What the kernel asks for: a note, or an option of the tool that stands in for it. */
struct kernel_request {
    uint32_t type;       /* BOOTINFO_REQUEST_, and BOOTINFO_REQUEST_OPTIONAL */
    uint32_t word_count; /* as many as there were, which may be more than are kept */
    uint64_t words[KERNEL_REQUEST_WORDS];
    bool met; /* until request.c finds out that it cannot be */
};

/* PT_TLS: what each thread begins with. */
struct kernel_tls {
    uint64_t vaddr;
    uint64_t file_bytes;   /* in the file bytes of a segment; at most memory_bytes */
    uint64_t memory_bytes; /* 0: there is none */
    uint64_t align;        /* a power of two */
};

/* PT_GNU_RELRO: read-only once the kernel is relocated. end is not below start. */
struct kernel_relro {
    uint64_t start;
    uint64_t end; /* start: there is none */
};

/* XEN_ELFNOTE_PHYS32_ENTRY. */
struct kernel_pvh {
    uint32_t entry_bytes; /* of the note; 0: there is none */
    uint64_t entry_paddr;
};

/* A section that is loaded beside the segments. */
struct kernel_section {
    uint32_t index;
    uint64_t file_offset;
    uint64_t bytes; /* not 0 */
};

/* What a protocol hands over of the ELF file's sections. */
struct kernel_sections {
    uint32_t header_count; /* 0: nothing */
    uint32_t header_bytes; /* of each */
    uint32_t names_index;  /* section of the sections' names */
    uint64_t headers_offset;
    struct kernel_section *loaded;
    size_t loaded_count;
};

/* All segments may move together, in physical memory. */
struct kernel_extent {
    bool is_movable;
    uint64_t least_paddr, most_paddr; /* of the first byte, and of the last one */
    uint64_t align;                   /* a power of two */
    uint32_t preference;              /* enum plan_preference */
};

struct kernel {
    const char *path;    /* as the user gave it, for messages */
    struct input source; /* as it lies on the disk */
    struct input file;   /* the same, or what that was decompressed to */
    uint8_t class;       /* ELFCLASS32 or ELFCLASS64; 0: not an ELF file, but bytes with a header */
    uint16_t machine;    /* e_machine */
    uint16_t type;       /* e_type */
    uint64_t entry_vaddr;
    bool has_interpreter;   /* PT_INTERP */
    bool has_dynamic_table; /* PT_DYNAMIC */
    struct dynamic dynamic; /* of a 64-bit kernel */
    /* ET_DYN, or what ld makes of it where it is not linked at 0: ET_EXEC with DF_1_PIE. */
    bool position_independent;
    struct kernel_segment *segments; /* by rising vaddr */
    size_t segment_count;            /* not 0 in an ELF file */
    struct kernel_tls tls;
    struct kernel_relro relro;
    struct kernel_pvh pvh;
    struct kernel_request *requests; /* in the order of the notes */
    size_t request_count;
    /* Of a position-independent kernel. Where it goes is base.c's choice, what is patched for it
       relocation.c's finding; until then these are 0. */
    uint64_t slide; /* how far all addresses here are above those in the file */
    struct kernel_random random;
    bool anywhere; /* physical addresses mean nothing */
    bool together; /* all segments lie in one piece of physical memory */
    /* Of a kernel that is entered without paging, after physical.c: virtual addresses are physical.
     */
    bool physical;
    struct kernel_extent extent;
    uint64_t efi_entry; /* of 64-bit code while boot services go on; 0: none */
    struct kernel_sections sections;
    /* The kernel clears its memory itself: what no file bytes fill may be anything. */
    bool keeps_memory;
    struct module_list modules; /* files that the kernel itself names; before those of options */
    const char *file_name;      /* of its own file, where it is told that; NULL: none */
    struct plan_record *own_record; /* of its protocol, as it goes into the plan; NULL: none */
    struct kernel_relocations *relocations;
    size_t relocation_count;
    struct kernel_patch *patches;
    size_t patch_count;
    struct Elf *elf; /* NULL where class is 0 */
    int fd;
};

/* Reads the kernel at path; path must outlive it. On failure nothing is left to close. */
bool kernel_open(struct kernel *kernel, const char *path, struct error *error);

void kernel_close(struct kernel *kernel);

#endif
