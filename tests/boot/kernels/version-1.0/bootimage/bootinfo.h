/*
 * The boot information: the contract between the bootimage loader and a kernel.
 *
 * This is the only header a kernel needs, and it needs it only if it wants to know more than
 * "I am running": any freestanding x86-64 ELF boots without it. C11 and C++17 can include it.
 *
 * THE MACHINE AT ENTRY
 *
 *   The loader jumps to e_entry in 64-bit long mode, privilege level 0, on the boot processor.
 *
 *   RDI          virtual address of struct bootinfo
 *   RSP          top of a stack of 64 KiB, minus 8: RSP + 8 is a multiple of 16 and the quadword at
 *                RSP is 0, as after a call from nowhere. The page below the stack is not mapped.
 *   others       the other general registers are 0
 *   RFLAGS       0x2: interrupts off, direction up
 *   CR0          PE, MP, ET, NE, WP and PG set, EM and TS clear
 *   CR4          PAE, OSFXSR and OSXMMEXCPT set, nothing else
 *   EFER         LME and LMA set, and NXE where the CPU has it
 *   x87, SSE     usable and clean: FCW is 0x37F, MXCSR is 0x1F80
 *   GDT          null, 64-bit code (0x08), data (0x10); CS is 0x08, SS, DS and ES are 0x10, FS and
 *                GS are null. It lies in memory of type BOOTINFO_MEMORY_LOADER.
 *   IDT, LDT, TR none: any exception resets the machine until the kernel loads an IDT
 *   A20          open
 *   PICs         all lines masked
 *
 * WHAT IS MAPPED
 *
 *   the kernel   each PT_LOAD at its p_vaddr with its own rights, nothing else executable. Pages
 *                that two segments share have the rights of both. Where these addresses meet one of
 *                the other maps below, the kernel's own mapping is the one that counts.
 *   0x1000 to 4 GiB, one to one
 *                readable and writable, not executable; memory and device registers alike. Page 0
 *                is not mapped. One page of type BOOTINFO_MEMORY_LOADER is executable and not
 *                writable here: the code that made the jump.
 *   BOOTINFO_PHYSICAL_MEMORY + p, for all RAM up to p = 64 TiB
 *                readable and writable, not executable. Pages that a segment of the kernel maps
 *                read-only are read-only here and in the map above, too.
 *   the stack    below BOOTINFO_STACK_TOP
 *
 *   Every address in struct bootinfo is virtual, and lies in the map at BOOTINFO_PHYSICAL_MEMORY,
 *   unless its name ends in _paddr. The page tables, the stack, the GDT and the boot information
 *   itself are of type BOOTINFO_MEMORY_LOADER: a kernel may use that memory once it needs none of
 *   them any more. Nothing of the firmware has to be kept but what the memory map says.
 */
#ifndef BOOTIMAGE_BOOTINFO_H
#define BOOTIMAGE_BOOTINFO_H

#include <stdint.h>

/* struct bootinfo, magic: "BOOTINFO" in memory. */
#define BOOTINFO_MAGIC 0x4f464e49544f4f42ull
/* The contract's version: the major in bits 16-31, the minor in bits 0-15. A newer minor only adds
   fields at the end and memory types. */
#define BOOTINFO_VERSION 0x00010000u

/* Where all RAM is mapped, and the end of the stack. */
#define BOOTINFO_PHYSICAL_MEMORY 0xffff800000000000ull
#define BOOTINFO_STACK_TOP 0xffffff8000000000ull

/* Types of memory. Treat a type you do not know as BOOTINFO_MEMORY_RESERVED. */
#define BOOTINFO_MEMORY_USABLE 1u           /* free RAM, page-aligned */
#define BOOTINFO_MEMORY_RESERVED 2u         /* never to be touched as RAM */
#define BOOTINFO_MEMORY_ACPI_RECLAIMABLE 3u /* RAM once the ACPI tables have been read */
#define BOOTINFO_MEMORY_ACPI_NVS 4u         /* kept by the firmware */
#define BOOTINFO_MEMORY_BAD 5u              /* RAM that is broken */
#define BOOTINFO_MEMORY_LOADER 6u           /* stack, page tables, GDT, boot information */
#define BOOTINFO_MEMORY_KERNEL 7u           /* the kernel's own segments */

/* One range of physical memory. The ranges of a map are sorted and disjoint; neighbours of one type
   are merged. What no range covers is not RAM. */
struct bootinfo_memory_range {
    uint64_t base_paddr; /* 0 */
    uint64_t bytes;      /* 8: not 0 */
    uint32_t type;       /* 16: BOOTINFO_MEMORY_ */
    uint32_t reserved;   /* 20: 0 */
};

struct bootinfo {
    uint64_t magic;              /* 0: BOOTINFO_MAGIC */
    uint32_t version;            /* 8: BOOTINFO_VERSION of the loader */
    uint32_t size_bytes;         /* 12: of this struct as the loader filled it */
    uint64_t loader_name;        /* 16: address of a C string, such as "bootimage" */
    uint64_t loader_version;     /* 24: address of a C string, such as "0.1.0" */
    uint64_t command_line;       /* 32: address of a C string in UTF-8; empty when none was given */
    uint64_t command_line_bytes; /* 40: its length without the 0 at its end */
    uint64_t memory_map;         /* 48: address of struct bootinfo_memory_range[] */
    uint64_t memory_map_count;   /* 56: how many ranges */
    uint64_t physical_memory;    /* 64: BOOTINFO_PHYSICAL_MEMORY */
    uint64_t kernel_vaddr;       /* 72: lowest page of the kernel's segments, virtual */
    uint64_t kernel_paddr;       /* 80: the physical address of that page */
    uint64_t stack_top;          /* 88: BOOTINFO_STACK_TOP */
    uint64_t stack_bytes;        /* 96 */
    uint32_t boot_drive;         /* 104: BIOS drive number, such as 0x80 */
    uint32_t disk_signature;     /* 108: of the master boot record that was booted */
    /* Time stamp counter, in its own ticks, when each step of the boot began. */
    uint64_t tsc_stage1; /* 112: the first instruction at 0x7C00 */
    uint64_t tsc_stage2; /* 120: stage 2, loaded */
    uint64_t tsc_loader; /* 128: the loader core, in long mode */
    uint64_t tsc_load;   /* 136: reading the kernel's segments */
    uint64_t tsc_map;    /* 144: building page tables and this struct */
    uint64_t tsc_enter;  /* 152: the jump */
};

#endif
