/*
 * The boot information: the contract between the bootimage loader and a kernel.
 *
 * This is the only header a kernel needs, and it needs it only if it wants to know more than
 * "I am running", or to ask for something: any freestanding x86-64 ELF boots without it. C11, C++17
 * and assembly (.S) can include it. The manual page bootinfo(7) is made from it.
 *
 * THE MACHINE AT ENTRY
 *
 *   The loader jumps to e_entry in 64-bit long mode, privilege level 0, on the boot processor, the
 *   one that the firmware ran on. Its APIC id is in struct bootinfo.
 *
 *   RDI          virtual address of struct bootinfo
 *   RSP          top of the stack, minus 8: RSP + 8 is a multiple of 16 and the quadword at RSP is
 *                0, as after a call from nowhere. The stack is 64 KiB, or what was asked for; the
 *                page below it is not mapped.
 *   others       the other general registers are 0
 *   RFLAGS       0x2: interrupts off, direction up
 *   CR0          PE, MP, ET, NE, WP and PG set, EM and TS clear
 *   CR3          the root of the page tables, without PCID and cache flags
 *   CR4          PAE, OSFXSR and OSXMMEXCPT set, LA57 with 5 levels of page tables, nothing else
 *   EFER         LME and LMA set, and NXE where the CPU has it
 *   PAT          entry 4 is write-combining and entry 5 write-protected; the others are as after a
 *                reset: write-back, write-through, uncached minus, uncached
 *   x87, SSE     usable and clean: FCW is 0x37F, MXCSR is 0x1F80
 *   GDT          null, 64-bit code (0x08), data (0x10); CS is 0x08, SS, DS and ES are 0x10, FS and
 *                GS are null and all their bases are 0. It lies in memory of type
 *                BOOTINFO_MEMORY_LOADER.
 *   IDT, LDT, TR none: any exception resets the machine until the kernel loads an IDT
 *   DR7          no breakpoint is armed
 *   A20          open
 *   PICs         all lines masked, no interrupt in service
 *   NMI          masked by bit 7 of port 0x70, where the machine has that: a kernel opens it when
 *                it has an IDT
 *   APIC         as the firmware left it; BOOTINFO_X2APIC tells its mode
 *   other CPUs   stopped as the firmware left them, or parked if the kernel asked for them
 *   firmware     left: no call to the BIOS or to boot services is possible. It still owns what the
 *                memory map says, system management mode, and on UEFI its run-time services.
 *
 * WHAT IS MAPPED
 *
 *   the kernel   each PT_LOAD at its p_vaddr with its own rights, nothing else executable. Pages
 *                that two segments share have the rights of both; what lies in PT_GNU_RELRO is
 *                read-only. Where these addresses meet one of the other maps below, the kernel's
 *                own mapping is the one that counts. A position-independent kernel (ET_DYN, or
 *                ET_EXEC with DF_1_PIE, as GNU ld has it where it is not linked at 0) linked
 *                below 1 MiB is mapped as if BOOTINFO_KERNEL_BASE were 0, or where it asks to be,
 *                or at a random place if that was asked for; bootinfo.kernel_slide says how far its
 *                addresses are above those in the ELF file.
 *   0x1000 to 4 GiB, one to one
 *                readable and writable, not executable; memory and device registers alike. Page 0
 *                is not mapped. One page of type BOOTINFO_MEMORY_LOADER is executable and not
 *                writable here: the code that made the jump, and in which other CPUs wait. With
 *                BOOTINFO_REQUEST_IDENTITY 0, that page is all that is mapped one to one.
 *   bootinfo.physical_memory + p, for all RAM
 *                readable and writable, not executable, in the largest pages that the CPU has.
 *                With 4 levels of page tables this is BOOTINFO_PHYSICAL_MEMORY and RAM up to 64
 *                TiB, with 5 levels BOOTINFO_PHYSICAL_MEMORY_5 and all RAM.
 *   the stack    below BOOTINFO_STACK_TOP; the stacks of the other CPUs below it, each with a page
 *                below that is not mapped
 *   framebuffers at bootinfo.physical_memory + p, and one to one where that is mapped:
 *                write-combining, not executable
 *   what was asked for by BOOTINFO_REQUEST_MAP and BOOTINFO_REQUEST_RECURSIVE
 *
 *   Nothing else. A page that a segment of the kernel maps read-only is read-only in all other
 *   maps, too. All memory is mapped write-back; the CPU's memory type range registers keep
 *   device registers uncached.
 *
 *   Every address in struct bootinfo is virtual, and lies in the map at
 *   bootinfo.physical_memory, unless its name ends in _paddr or its comment says where. The page
 *   tables, the stacks, the GDT and the boot information itself are of type
 *   BOOTINFO_MEMORY_LOADER: a kernel may use that memory once it needs none of them any more,
 *   and every CPU that it wants has come. Nothing of the firmware has to be kept but what
 *   the memory map says.
 *
 * KERNELS WITHOUT PAGING
 *
 *   Since 1.3. An ELF file for the 80386 is entered at e_entry in flat 32-bit protected mode with
 *   paging off, at its physical addresses. Every address in struct bootinfo is physical then, and
 *   below 4 GiB; physical_memory and page_levels are 0.
 *
 *   EBX          address of struct bootinfo
 *   ESP          leads to 0, the return address, and behind it to the address of struct bootinfo,
 *                as a C function finds its argument, at a multiple of 16
 *   others       all of them are 0
 *   EFLAGS       0x2
 *   CR0          PE and ET set, all others clear; CR4 and EFER are 0
 *   segments     CS is flat 32-bit code, all others are flat data
 *
 *   The rest of the machine is as above. Such a kernel may ask for CONTRACT, STACK, MEMORY,
 *   FRAMEBUFFER and KERNEL_FILE.
 *
 * REQUESTS
 *
 *   A kernel asks with ELF notes of the name "bootimage", one for each request:
 *
 *       BOOTIMAGE_REQUEST(BOOTINFO_REQUEST_STACK, 0x20000)
 *       BOOTIMAGE_REQUEST(BOOTINFO_REQUEST_MAP, 0xffffc00000000000, 0xfed00000, 0x1000,
 *                         BOOTINFO_MAP_WRITABLE | BOOTINFO_MAP_UNCACHED)
 *
 *   at file scope, in C, C++ and .S alike; no semicolon is needed. The arguments are numbers for
 *   the assembler: without a suffix, no sizeof, no variable. The note goes into the section
 *   .note.bootimage, which a linker script must keep. Byte by byte, for any language: 4-byte
 *   numbers 10 (length of the name), 8 * n (length of the words), type; the 12 bytes
 *   "bootimage\0\0\0"; then n words of 8 bytes, all little-endian, at an address that is a
 *   multiple of 4, in a section of type SHT_NOTE.
 *
 *   The bootimage tool reads the notes, refuses what cannot be, and says why; what depends on the
 *   machine is refused at boot with an error number. BOOTINFO_REQUEST_OPTIONAL added to the type
 *   makes it a wish: where it cannot be met, or is not known, the boot goes on without it.
 *   bootinfo.requests tells what became of each. Words that are left out are 0. A kernel has at
 *   most 1,024 notes. A map that it asks for may not meet its segments, another map, or what the
 *   loader maps: the first 4 GiB one to one, all RAM at bootinfo.physical_memory, the stacks.
 *
 * VERSIONS
 *
 *   Everything is of version 1.0 unless it says otherwise. A newer minor version only adds:
 *   fields at the end of structs, types of memory, requests. So a kernel for an older one boots
 *   on a newer loader; a kernel that cannot do without newer fields says so by
 *   BOOTINFO_REQUEST_CONTRACT, and an older bootimage refuses to make its image.
 */
#ifndef BOOTIMAGE_BOOTINFO_H
#define BOOTIMAGE_BOOTINFO_H

/* The contract's version: the major in bits 16-31, the minor in bits 0-15. */
#define BOOTINFO_VERSION 0x00010004

/* Requests: the type of the note, then its words. Each at most once, but for MAP. All of 1.1. */
#define BOOTINFO_REQUEST_CONTRACT 1 /* version: the least that the kernel can do with */
#define BOOTINFO_REQUEST_STACK 2    /* bytes: of each stack, rounded up to 4096; at most 1 GiB */
#define BOOTINFO_REQUEST_MEMORY 3   /* bytes: the least usable memory, in all, without the kernel */
#define BOOTINFO_REQUEST_IDENTITY 4 /* 0: no one-to-one map of the first 4 GiB; 1: the default */
#define BOOTINFO_REQUEST_MAP 5      /* vaddr, paddr, bytes, BOOTINFO_MAP_; all page-aligned */
#define BOOTINFO_REQUEST_LEVELS 6   /* 4 (the default) or 5 levels of page tables */
/* Entry of the root table that points to that table itself: 1 to 255 or 384 to 509 */
#define BOOTINFO_REQUEST_RECURSIVE 7
/* width, height, bits per pixel that are preferred, 0 for any: the mode that comes closest is set.
   A kernel that asks for none finds the screen as the firmware has it: text on a BIOS, a
   framebuffer on UEFI. */
#define BOOTINFO_REQUEST_FRAMEBUFFER 8
#define BOOTINFO_REQUEST_CPUS 9         /* 1: start the other CPUs and park them */
#define BOOTINFO_REQUEST_KERNEL_FILE 10 /* 1: load the kernel's ELF file, with all its sections */
#define BOOTINFO_REQUEST_RANDOM_BASE 11 /* 1: map the kernel at a random address; ET_DYN only */
#define BOOTINFO_REQUEST_BASE 12        /* vaddr: where the lowest page of an ET_DYN is mapped */
/* Added to the type: go on without it where it cannot be. */
#define BOOTINFO_REQUEST_OPTIONAL 0x10000

/* Rights and caching of BOOTINFO_REQUEST_MAP. At most one of the two ways of caching. */
#define BOOTINFO_MAP_WRITABLE 0x1
#define BOOTINFO_MAP_EXECUTABLE 0x2
#define BOOTINFO_MAP_UNCACHED 0x4
#define BOOTINFO_MAP_WRITE_COMBINING 0x8

/* A note, laid out by the assembler. */
#define BOOTINFO_NOTE_NAME "bootimage"
#ifdef __ASSEMBLER__
/* clang-format off */
#define BOOTIMAGE_REQUEST(type, ...)                                                               \
    .pushsection .note.bootimage, "a", @note;                                                      \
    .balign 4;                                                                                     \
    .long 10, 8882f - 8881f, type;                                                                 \
    .ascii "bootimage\0\0\0";                                                                      \
    8881: .quad __VA_ARGS__;                                                                       \
    8882: .popsection
/* clang-format on */
#else
#define BOOTINFO_TEXT_(...) #__VA_ARGS__
#define BOOTINFO_TEXT(...) BOOTINFO_TEXT_(__VA_ARGS__)
#define BOOTIMAGE_REQUEST(type, ...)                                                               \
    __asm__(".pushsection .note.bootimage, \"a\", @note\n"                                         \
            ".balign 4\n"                                                                          \
            ".long 10, 8882f - 8881f, " BOOTINFO_TEXT(                                             \
                type) "\n"                                                                         \
                      ".ascii \"bootimage\\0\\0\\0\"\n"                                            \
                      "8881: .quad " BOOTINFO_TEXT(__VA_ARGS__) "\n"                               \
                                                                "8882: .popsection\n");
#endif

#ifndef __ASSEMBLER__

#include <stdint.h>

/* struct bootinfo, magic: "BOOTINFO" in memory. */
#define BOOTINFO_MAGIC 0x4f464e49544f4f42ull

/* Where all RAM is mapped with 4 levels of page tables, and with 5. */
#define BOOTINFO_PHYSICAL_MEMORY 0xffff800000000000ull
#define BOOTINFO_PHYSICAL_MEMORY_5 0xff00000000000000ull
/* The end of the boot processor's stack. */
#define BOOTINFO_STACK_TOP 0xffffff8000000000ull
/* Where a position-independent kernel linked at 0 is mapped that asks for no other place. */
#define BOOTINFO_KERNEL_BASE 0xffffffff80000000ull

/* Types of memory. Treat a type you do not know as BOOTINFO_MEMORY_RESERVED. */
#define BOOTINFO_MEMORY_USABLE 1u           /* free RAM, page-aligned */
#define BOOTINFO_MEMORY_RESERVED 2u         /* never to be touched as RAM */
#define BOOTINFO_MEMORY_ACPI_RECLAIMABLE 3u /* RAM once the ACPI tables have been read */
#define BOOTINFO_MEMORY_ACPI_NVS 4u         /* kept by the firmware */
#define BOOTINFO_MEMORY_BAD 5u              /* RAM that is broken */
#define BOOTINFO_MEMORY_LOADER 6u           /* stacks, page tables, GDT, boot information */
#define BOOTINFO_MEMORY_KERNEL 7u           /* the kernel's own segments */
#define BOOTINFO_MEMORY_MODULE 8u           /* modules, and the kernel's file; since 1.1 */
#define BOOTINFO_MEMORY_FRAMEBUFFER 9u      /* since 1.1 */
#define BOOTINFO_MEMORY_EFI_RUNTIME 10u     /* RAM of UEFI's run-time services; since 1.2 */

/* One range of physical memory. The ranges of a map are sorted and disjoint; neighbours of one type
   are merged. What no range covers is not RAM. */
struct bootinfo_memory_range {
    uint64_t base_paddr; /* 0 */
    uint64_t bytes;      /* 8: not 0 */
    uint32_t type;       /* 16: BOOTINFO_MEMORY_ */
    uint32_t reserved;   /* 20: 0 */
};

/* A file that came with the kernel, in the order in which the tool was given them. It begins on a
   page of its own, and zeros fill its last page. Since 1.1. */
struct bootinfo_module {
    uint64_t address;   /* 0: of its first byte; 0 when it is empty */
    uint64_t bytes;     /* 8: of the file, without the zeros behind it */
    uint64_t name;      /* 16: address of a C string in UTF-8 */
    uint64_t arguments; /* 24: address of a C string in UTF-8; empty when there are none */
};

/* A request as the loader understood it: of the kernel's notes, or of an option of the tool, which
   overrides them. Since 1.1. */
struct bootinfo_request {
    uint32_t type;     /* 0: BOOTINFO_REQUEST_, with BOOTINFO_REQUEST_OPTIONAL as it was asked */
    uint32_t met;      /* 4: 1 if it was, 0 if it was optional and could not be */
    uint64_t words[4]; /* 8: those that were left out are 0 */
};

/* Pixels that the screen shows. Since 1.1. */
struct bootinfo_framebuffer {
    uint64_t address;        /* 0: of the first pixel of the top line; write-combining */
    uint64_t paddr;          /* 8: the same, physical */
    uint64_t bytes;          /* 16: pitch_bytes * height */
    uint32_t width;          /* 24: pixels */
    uint32_t height;         /* 28: lines */
    uint32_t pitch_bytes;    /* 32: from one line to the next */
    uint16_t bits_per_pixel; /* 36: 16, 24 or 32 */
    uint8_t red_shift;       /* 38: lowest bit of red in a pixel, read as a little-endian number */
    uint8_t red_bits;        /* 39 */
    uint8_t green_shift;     /* 40 */
    uint8_t green_bits;      /* 41 */
    uint8_t blue_shift;      /* 42 */
    uint8_t blue_bits;       /* 43 */
    uint32_t reserved;       /* 44: 0 */
    uint64_t edid;           /* 48: address of the screen's EDID; 0: unknown */
    uint64_t edid_bytes;     /* 56 */
};

/* States of a CPU. */
#define BOOTINFO_CPU_ABSENT 0u /* could not be started */
#define BOOTINFO_CPU_BOOT 1u   /* the boot processor, which runs the kernel */
#define BOOTINFO_CPU_PARKED 2u /* waits for goto_address */

/* A CPU. The boot processor is the first, behind it come, each once, those that the ACPI tables
   (MADT) list as enabled, in their order; without tables there is no other. A parked CPU waits,
   interrupts off, until goto_address is not 0; then it jumps there, in the machine state of THE
   MACHINE AT ENTRY but for RDI, which holds the virtual address of its own struct bootinfo_cpu,
   RSP, for which it has a stack of its own, and its local APIC, which is as after an INIT, in the
   mode of the boot processor's. Its memory type range registers are those of the boot processor.
   Write `argument` first and goto_address last, as one store of 8
   bytes. Since 1.1. */
struct bootinfo_cpu {
    uint32_t apic_id;               /* 0: of its local APIC, 32 bits in x2APIC mode */
    uint32_t processor_id;          /* 4: ACPI processor UID */
    uint32_t state;                 /* 8: BOOTINFO_CPU_ */
    uint32_t reserved;              /* 12: 0 */
    uint64_t stack_top;             /* 16: end of its stack, as mapped; RSP + 8 at its entry */
    uint64_t argument;              /* 24: 0, the kernel's to use */
    volatile uint64_t goto_address; /* 32: 0; see above */
    uint64_t padding[3];            /* 40: each CPU has a cache line of its own */
};

/* bootinfo.firmware. */
#define BOOTINFO_FIRMWARE_BIOS 1u
#define BOOTINFO_FIRMWARE_UEFI 2u

/* bootinfo.flags. */
#define BOOTINFO_X2APIC 0x1u /* all local APICs are in x2APIC mode */
/* The screen shows the VGA text of 80 columns and 25 lines at 0xB8000. Since 1.2. */
#define BOOTINFO_TEXT_SCREEN 0x2u

/* bootinfo.random_source: where random_seed comes from. */
#define BOOTINFO_RANDOM_CLOCKS 0u /* only the TSC and the real-time clock: can be guessed */
#define BOOTINFO_RANDOM_RDRAND 1u
#define BOOTINFO_RANDOM_RDSEED 2u

struct bootinfo {
    uint64_t magic;              /* 0: BOOTINFO_MAGIC */
    uint32_t version;            /* 8: BOOTINFO_VERSION of the loader */
    uint32_t size_bytes;         /* 12: of this struct as the loader filled it */
    uint64_t loader_name;        /* 16: address of a C string, such as "bootimage" */
    uint64_t loader_version;     /* 24: address of a C string, such as "0.1.0" */
    uint64_t command_line;       /* 32: address of a C string in UTF-8; empty when none was given */
    uint64_t command_line_bytes; /* 40: its length without the 0 at its end; at most 65,535 */
    uint64_t memory_map;         /* 48: address of struct bootinfo_memory_range[] */
    uint64_t memory_map_count;   /* 56: how many ranges */
    uint64_t physical_memory;    /* 64: BOOTINFO_PHYSICAL_MEMORY, or BOOTINFO_PHYSICAL_MEMORY_5 */
    uint64_t kernel_vaddr;       /* 72: lowest page of the kernel's segments, virtual */
    uint64_t kernel_paddr;       /* 80: the physical address of that page */
    uint64_t stack_top;          /* 88: BOOTINFO_STACK_TOP */
    uint64_t stack_bytes;        /* 96 */
    uint32_t boot_drive;         /* 104: BIOS drive number, such as 0x80; 0 on UEFI */
    uint32_t disk_signature;     /* 108: of the master boot record that was booted */
    /* Time stamp counter, in its own ticks, when each step of the boot began. */
    uint64_t tsc_stage1; /* 112: the loader's first instruction */
    uint64_t tsc_stage2; /* 120: stage 2, loaded; on UEFI the disk, found */
    uint64_t tsc_loader; /* 128: the loader core, in long mode */
    uint64_t tsc_load;   /* 136: reading the kernel's segments */
    uint64_t tsc_map;    /* 144: building page tables and this struct */
    uint64_t tsc_enter;  /* 152: the jump */
    /* Since 1.1. */
    uint32_t firmware;          /* 160: BOOTINFO_FIRMWARE_ */
    uint32_t flags;             /* 164: BOOTINFO_X2APIC, BOOTINFO_TEXT_SCREEN */
    uint32_t page_levels;       /* 168: of the page tables: 4 or 5 */
    uint32_t recursive_entry;   /* 172: of the root table, as requested; 0: none */
    uint64_t requests;          /* 176: address of struct bootinfo_request[]; 0: none */
    uint64_t request_count;     /* 184 */
    uint64_t modules;           /* 192: address of struct bootinfo_module[]; 0: none */
    uint64_t module_count;      /* 200: at most 65,536 */
    uint64_t kernel_file;       /* 208: address of the kernel's ELF file; 0: not asked for */
    uint64_t kernel_file_bytes; /* 216 */
    uint64_t kernel_slide;      /* 224: added to the addresses in the ELF file, modulo 2^64 */
    uint64_t tls_template;      /* 232: where the kernel's PT_TLS is mapped; 0: it has none */
    uint64_t tls_file_bytes;    /* 240: of it in the file; zeros follow them */
    uint64_t tls_memory_bytes;  /* 248: of each thread's copy */
    uint64_t tls_align;         /* 256: of each thread's copy: a power of two */
    uint64_t rsdp_paddr;        /* 264: ACPI root pointer, its checksum is right; 0: none */
    uint64_t smbios_paddr;      /* 272: SMBIOS entry point of 32 bits ("_SM_"); 0: none */
    uint64_t smbios3_paddr;     /* 280: SMBIOS entry point of 64 bits ("_SM3_"); 0: none */
    uint64_t framebuffers;      /* 288: address of struct bootinfo_framebuffer[]; 0: none */
    uint64_t framebuffer_count; /* 296: 0 in text mode */
    uint64_t cpus;              /* 304: address of struct bootinfo_cpu[]; 0: not asked for */
    uint64_t cpu_count;         /* 312: with the boot processor; 0: not asked for */
    uint32_t boot_cpu_apic_id;  /* 320: of the boot processor */
    uint32_t random_source;     /* 324: BOOTINFO_RANDOM_ */
    uint8_t random_seed[32];    /* 328 */
    /* 360: the real-time clock when the loader began, in seconds since 1970 as if it were set to
       UTC; 0: it could not be read */
    int64_t wall_clock_s;
    uint64_t efi_system_table_paddr; /* 368: 0 on a BIOS */
    uint64_t efi_memory_map;         /* 376: address of the firmware's last map; 0 on a BIOS */
    uint64_t efi_memory_map_bytes;   /* 384 */
    uint32_t efi_descriptor_bytes;   /* 392: of one entry of it */
    uint32_t efi_descriptor_version; /* 396 */
    /* Since 1.4. Ticks of the time stamp counter between tsc_load and tsc_map, added up. */
    uint64_t ticks_read;  /* 400: for the firmware and the disk */
    uint64_t ticks_copy;  /* 408: of copies from a buffer; 0: all was read to its place */
    uint64_t ticks_check; /* 416: of checksums */
};

#endif /* __ASSEMBLER__ */

#endif
