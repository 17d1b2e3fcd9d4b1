/*
 * The disk image: the contract between the tool, which writes it, and the loader, which reads it.
 *
 * This header is the only definition of the format; the tool and the loader both compile it. All
 * numbers are little-endian, all fields naturally aligned, all padding is spelt out.
 *
 *   LBA 0                the master boot record: stage 1, disk signature, partition table
 *   LBA 1                struct image_header, the only variable bytes outside the partitions
 *   LBA 2 ...            stage 2 and the loader core: constant bytes
 *   partition 0xEF       the EFI system partition: a FAT volume that holds \EFI\BOOT\BOOTX64.EFI,
 *                        constant as well; not active. Not there in an image for BIOSes alone
 *   partition 0xDA       struct image_plan and its records, then the payload; active
 *
 * Offsets inside the plan count bytes from the start of the 0xDA partition.
 */
#ifndef BOOTIMAGE_IMAGE_H
#define BOOTIMAGE_IMAGE_H

#include <stddef.h>
#include <stdint.h>

#define IMAGE_SECTOR_BYTES 512
#define IMAGE_HEADER_LBA 1
#define IMAGE_STAGE2_LBA 2
/* The first partition begins here or later: some firmware takes the first track for itself. */
#define IMAGE_FIRST_PARTITION_LBA 64
/* Partitions begin at multiples of this many sectors: one 4 KiB block of a modern disk. */
#define IMAGE_PARTITION_ALIGN_SECTORS 8
/* One cylinder of 16 heads and 63 sectors: SeaBIOS boots no smaller disk from virtio or AHCI. */
#define IMAGE_MINIMUM_BYTES (16 * 63 * IMAGE_SECTOR_BYTES)

/* Code that a master boot record has room for before the disk signature. */
#define IMAGE_STAGE1_BYTES 440
#define IMAGE_PARTITION_ACTIVE 0x80
/* "Non-FS data" in the list of partition types: no operating system looks into it. */
#define IMAGE_PARTITION_TYPE_PAYLOAD 0xDA
/* The EFI system partition of a disk with a master boot record [UEFI §5.2.2 "OS Types"]. */
#define IMAGE_PARTITION_TYPE_EFI 0xEF
#define IMAGE_MBR_SIGNATURE 0xAA55

/* One entry of the partition table; a byte array for each number, as 446 is not a multiple of 4. */
struct image_partition {
    uint8_t status;       /* 0: IMAGE_PARTITION_ACTIVE or 0 */
    uint8_t chs_first[3]; /* 1: head, sector | cylinder bits 8-9 << 6, cylinder bits 0-7 */
    uint8_t type;         /* 4 */
    uint8_t chs_last[3];  /* 5: as chs_first */
    uint8_t first_lba[4]; /* 8 */
    uint8_t sectors[4];   /* 12 */
};

/* LBA 0, the master boot record. */
struct image_mbr {
    uint8_t stage1[IMAGE_STAGE1_BYTES];   /* 0 */
    uint8_t disk_signature[4];            /* 440: never 0 */
    uint8_t reserved[2];                  /* 444: 0 */
    struct image_partition partitions[4]; /* 446: the payload's, the EFI system partition, none */
    uint8_t boot_signature[2];            /* 510: IMAGE_MBR_SIGNATURE */
};

#define IMAGE_FORMAT_VERSION 1
#define IMAGE_HEADER_MAGIC "BOOTIMG" /* 8 bytes with the 0 at the end */

/* LBA 1, one sector. */
struct image_header {
    uint8_t magic[8];        /* 0: IMAGE_HEADER_MAGIC */
    uint32_t format_version; /* 8: IMAGE_FORMAT_VERSION */
    uint32_t crc32;          /* 12: CRC-32 of the 512 bytes with this field 0 */
    uint64_t image_id;       /* 16: hash of all content; the same in the plan of this image */
    uint64_t image_sectors;  /* 24: sectors from LBA 0 to the end of the payload, no padding */
    uint64_t plan_lba;       /* 32: first sector of the 0xDA partition */
    uint64_t plan_bytes;     /* 40: struct image_plan and all its records */
    uint32_t stage2_sectors; /* 48: sectors of stage 2, from IMAGE_STAGE2_LBA */
    uint32_t stage2_sum;     /* 52: checksum_words() of these sectors */
    uint32_t esp_lba;        /* 56: first sector of the 0xEF partition; 0: there is none */
    uint32_t esp_sectors;    /* 60 */
    uint64_t esp_xxh64;      /* 64: XXH64, seed 0, of these sectors */
    uint8_t reserved[440];   /* 72: 0 */
};

#define IMAGE_PLAN_MAGIC "BOOTPLN" /* 8 bytes with the 0 at the end */

/* The start of the 0xDA partition; the records follow at once and fill plan_bytes exactly. */
struct image_plan {
    uint8_t magic[8];         /* 0: IMAGE_PLAN_MAGIC */
    uint32_t format_version;  /* 8: IMAGE_FORMAT_VERSION */
    uint32_t reserved;        /* 12: 0 */
    uint64_t image_id;        /* 16: as in the header */
    uint64_t plan_bytes;      /* 24: this struct and all records */
    uint64_t partition_bytes; /* 32: the plan and the payload */
    uint64_t xxh64;           /* 40: XXH64, seed 0, of plan_bytes with this field 0 */
};

/* A loader refuses a required record of a type it does not know, and skips any other such. */
#define PLAN_RECORD_REQUIRED 0x0001

enum plan_record_type {
    PLAN_PROTOCOL = 1,         /* struct plan_protocol: exactly one */
    PLAN_REGION = 2,           /* struct plan_region: the next segments and mappings lie in it */
    PLAN_SEGMENT = 3,          /* struct plan_segment */
    PLAN_MAPPING = 4,          /* struct plan_mapping */
    PLAN_COMMAND_LINE = 5,     /* struct plan_command_line: at most one */
    PLAN_MODULE = 6,           /* struct plan_module: in the order that the kernel is told */
    PLAN_REQUEST = 7,          /* struct plan_request: as the kernel is told, overrides included */
    PLAN_TLS = 8,              /* struct plan_tls: at most one */
    PLAN_RELOCATIONS = 9,      /* struct plan_relocations */
    PLAN_RANDOM_BASE = 10,     /* struct plan_random_base: at most one */
    PLAN_EXTENT = 11,          /* struct plan_extent: at most one */
    PLAN_SECTION_HEADERS = 12, /* struct plan_section_headers: at most one */
    PLAN_SECTION = 13,         /* struct plan_section: behind the headers, by rising index */
    PLAN_EFI_ENTRY = 14,       /* struct plan_efi_entry: at most one */
    PLAN_LINUX = 15,           /* struct plan_linux: at most one */
    PLAN_PATCHES = 16,         /* struct plan_patches */
    PLAN_LIMINE = 17,          /* struct plan_limine: at most one */
};

/* Every record begins with this, at a multiple of 8 bytes. */
struct plan_record {
    uint16_t type;  /* 0: enum plan_record_type */
    uint16_t flags; /* 2: PLAN_RECORD_REQUIRED or 0 */
    uint32_t bytes; /* 4: the whole record, a multiple of 8 */
};

/* Boot protocols; a number is never reused. */
enum plan_protocol_number {
    PLAN_PROTOCOL_PLAIN = 1,   /* 64-bit ELF, entered in long mode with a struct bootinfo */
    PLAN_PROTOCOL_PLAIN32 = 2, /* 32-bit ELF, entered without paging with a struct bootinfo */
    PLAN_PROTOCOL_MULTIBOOT1 = 3,
    PLAN_PROTOCOL_MULTIBOOT2 = 4,
    PLAN_PROTOCOL_LIMINE = 6,  /* 64-bit ELF, entered in long mode; its requests are answered */
    PLAN_PROTOCOL_LINUX = 7,   /* a bzImage, without its real-mode code */
    PLAN_PROTOCOL_LINUX16 = 8, /* the same with its real-mode code, which calls the BIOS */
    PLAN_PROTOCOL_PVH = 5,     /* as a guest of Xen, without paging */
};

/* Of a protocol without paging, every address in the plan is physical: the regions have paddr equal
   to vaddr and below 4 GiB, may not move and have no mappings. */

struct plan_protocol {
    struct plan_record record; /* 0 */
    uint32_t protocol;         /* 8: enum plan_protocol_number */
    uint32_t reserved;         /* 12: 0 */
    uint64_t entry_vaddr;      /* 16: in an executable mapping; without paging in a region */
    uint64_t stack_bytes;      /* 24: multiple of 4096, at most 1 GiB */
    uint64_t slide;            /* 32: how far all addresses in the plan are above the ELF file's */
};

#define PLAN_PADDR_ANYWHERE UINT64_MAX
/* The region may be placed elsewhere when its physical address is not free. */
#define PLAN_REGION_MOVABLE 0x1
/* Bytes of the region that no segment fills may be anything. */
#define PLAN_REGION_NOT_CLEARED 0x2

/* Pages that lie together in virtual and in physical memory. Bytes that no segment fills are 0. The
   regions of a plan are sorted by their virtual addresses and share no page. */
struct plan_region {
    struct plan_record record; /* 0 */
    uint64_t vaddr;            /* 8: page-aligned */
    uint64_t bytes;            /* 16: multiple of 4096, not 0 */
    uint64_t paddr;            /* 24: page-aligned, below 4 GiB and with paging not below 1 MiB; or
                                      PLAN_PADDR_ANYWHERE */
    uint32_t flags;            /* 32: PLAN_REGION_ */
    uint32_t staging_page;     /* 36: 0; the loader notes here where it has loaded the region */
};

/* File bytes of one PT_LOAD; the segments of a region are sorted and share no byte. */
struct plan_segment {
    struct plan_record record; /* 0 */
    uint64_t payload_offset;   /* 8: multiple of 512, from the start of the partition */
    uint64_t file_bytes;       /* 16: may be 0 */
    uint64_t vaddr;            /* 24: inside the region */
    uint64_t xxh64;            /* 32: XXH64, seed 0, of the file bytes */
    uint32_t index;            /* 40: program header, for messages */
    uint32_t reserved;         /* 44: 0 */
};

#define PLAN_WRITABLE 0x1
#define PLAN_EXECUTABLE 0x2

/* Rights of some pages of the region; the mappings of a region are sorted and share no page. */
struct plan_mapping {
    struct plan_record record; /* 0 */
    uint64_t vaddr;            /* 8: page-aligned */
    uint64_t bytes;            /* 16: multiple of 4096, not 0 */
    uint32_t rights;           /* 24: PLAN_WRITABLE, PLAN_EXECUTABLE */
    uint32_t reserved;         /* 28: 0 */
};

struct plan_command_line {
    struct plan_record record; /* 0 */
    uint64_t text_bytes;       /* 8: with the 0 at its end */
    char text[];               /* 16: padded with 0 to a multiple of 8 */
};

/* The module is the kernel's own ELF file. */
#define PLAN_MODULE_KERNEL_FILE 0x1

struct plan_module {
    struct plan_record record; /* 0 */
    uint64_t payload_offset;   /* 8: multiple of 512, from the start of the partition */
    uint64_t bytes;            /* 16: of the file; may be 0 */
    uint64_t xxh64;            /* 24: XXH64, seed 0, of the file */
    uint32_t flags;            /* 32: PLAN_MODULE_KERNEL_FILE */
    uint32_t name_bytes;       /* 36: with the 0 at its end */
    uint32_t arguments_bytes;  /* 40: with the 0 at its end */
    uint32_t reserved;         /* 44: 0 */
    char text[];               /* 48: name, arguments; padded with 0 to a multiple of 8 */
};

/* One request, checked by the tool as far as the host can. */
struct plan_request {
    struct plan_record record; /* 0 */
    uint32_t type;             /* 8: BOOTINFO_REQUEST_, and BOOTINFO_REQUEST_OPTIONAL */
    uint32_t met;              /* 12: 1; 0 when the tool found that it cannot be, and passed on */
    uint64_t words[4];         /* 16 */
};

struct plan_tls {
    struct plan_record record; /* 0 */
    uint64_t vaddr;            /* 8: of the file bytes, inside a region */
    uint64_t file_bytes;       /* 16 */
    uint64_t memory_bytes;     /* 24 */
    uint64_t align;            /* 32: a power of two */
};

enum plan_relocations_form {
    PLAN_RELOCATIONS_RELA = 1, /* Elf64_Rela, all of them R_X86_64_RELATIVE */
    PLAN_RELOCATIONS_RELR = 2, /* Elf64_Relr */
};

/* A table of relocations that lies among a region's file bytes. The tool has checked that each of
   its entries patches 8 bytes of the regions. Its own addresses are those of the ELF file. */
struct plan_relocations {
    struct plan_record record; /* 0 */
    uint64_t vaddr;            /* 8: where the table lies, slide included */
    uint64_t bytes;            /* 16 */
    uint32_t form;             /* 24: enum plan_relocations_form */
    uint32_t reserved;         /* 28: 0 */
};

/* The values that its symbols give to relocations, worked out on the host. */
struct plan_patch {
    uint64_t vaddr; /* 0: as in the ELF file: of 8 bytes in a region */
    uint64_t value; /* 8: the loader adds the slide, unless they are absolute */
};

#define PLAN_PATCHES_ABSOLUTE 0x1

struct plan_patches {
    struct plan_record record;   /* 0 */
    uint32_t flags;              /* 8: PLAN_PATCHES_ABSOLUTE or 0 */
    uint32_t count;              /* 12: not 0 */
    struct plan_patch patches[]; /* 16 */
};

/* The loader moves the kernel to a random place, by n * step_bytes with n below `places`; all
   addresses in the plan are those of n = 0. */
struct plan_random_base {
    struct plan_record record; /* 0 */
    uint64_t step_bytes;       /* 8: multiple of 4096 */
    uint64_t places;           /* 16: not 0 */
};

/* Where all regions go, if they may move. */
enum plan_preference {
    PLAN_PREFER_ANY = 0, /* where they are linked if that is free, else anywhere */
    PLAN_PREFER_LOW = 1,
    PLAN_PREFER_HIGH = 2,
};

/* Without paging: all regions may move together, by a multiple of the alignment. */
struct plan_extent {
    struct plan_record record; /* 0 */
    uint64_t least_paddr;      /* 8: of the lowest region */
    uint64_t most_paddr;       /* 16: of the last byte; below 4 GiB */
    uint64_t align;            /* 24: a power of two */
    uint32_t preference;       /* 32: enum plan_preference */
    uint32_t reserved;         /* 36: 0 */
};

/* The section headers of the kernel's ELF file, as they are in it. */
struct plan_section_headers {
    struct plan_record record; /* 0 */
    uint64_t payload_offset;   /* 8: multiple of 512, from the start of the partition */
    uint32_t count;            /* 16: not 0 */
    uint32_t header_bytes;     /* 20: of each: 40 in a 32-bit file, 64 in a 64-bit one */
    uint64_t xxh64;            /* 24: XXH64, seed 0, of all */
    uint32_t names_index;      /* 32: section of the sections' names */
    uint32_t reserved;         /* 36: 0 */
};

/* Where the header lies in a bzImage and in struct boot_params. */
#define PLAN_LINUX_HEADER_OFFSET 0x1f1

/* The real-mode area of PLAN_PROTOCOL_LINUX16, the plan's first region: the first sectors of the
   file, then what the kernel takes for heap and stack, the code that enters it, which is the plan's
   entry, and the command line. */
#define PLAN_LINUX16_PADDR 0x10000u
#define PLAN_LINUX16_BYTES 0x10000u
#define PLAN_LINUX16_STACK 0xe000u
#define PLAN_LINUX16_SWITCH 0xe100u
#define PLAN_LINUX16_LINE 0xf000u

/* The header of Linux, as it is in the file. */
struct plan_linux {
    struct plan_record record; /* 0 */
    uint32_t header_bytes;     /* 8 */
    uint32_t reserved;         /* 12: 0 */
    uint8_t header[];          /* 16: padded with 0 to a multiple of 8 */
};

/* Another entry: of 64-bit code that runs while the boot services of UEFI go on. */
struct plan_efi_entry {
    struct plan_record record; /* 0 */
    uint64_t entry_paddr;      /* 8: in a region */
};

/* What such a header describes and no segment loads; its sh_addr is where the loader puts it. */
struct plan_section {
    struct plan_record record; /* 0 */
    uint64_t payload_offset;   /* 8: multiple of 512, from the start of the partition */
    uint64_t bytes;            /* 16: not 0 */
    uint64_t xxh64;            /* 24: XXH64, seed 0, of the section */
    uint32_t index;            /* 32: below the count of headers */
    uint32_t reserved;         /* 36: 0 */
};

/* Features of Limine that a kernel may ask for; a number is never reused. */
enum plan_limine_feature {
    PLAN_LIMINE_BOOTLOADER_INFO = 1,
    PLAN_LIMINE_COMMAND_LINE = 2,
    PLAN_LIMINE_FIRMWARE_TYPE = 3,
    PLAN_LIMINE_STACK_SIZE = 4,
    PLAN_LIMINE_HHDM = 5,
    PLAN_LIMINE_FRAMEBUFFER = 6,
    PLAN_LIMINE_PAGING_MODE = 7,
    PLAN_LIMINE_MP = 8,
    PLAN_LIMINE_MEMORY_MAP = 9,
    PLAN_LIMINE_ENTRY_POINT = 10,
    PLAN_LIMINE_EXECUTABLE_FILE = 11,
    PLAN_LIMINE_MODULE = 12,
    PLAN_LIMINE_RSDP = 13,
    PLAN_LIMINE_SMBIOS = 14,
    PLAN_LIMINE_EFI_SYSTEM_TABLE = 15,
    PLAN_LIMINE_EFI_MEMORY_MAP = 16,
    PLAN_LIMINE_DATE_AT_BOOT = 17,
    PLAN_LIMINE_EXECUTABLE_ADDRESS = 18,
    PLAN_LIMINE_PERFORMANCE = 19,
};

/* A request among the kernel's bytes; what its fields say has been taken from them by the tool. */
struct plan_limine_request {
    uint64_t vaddr;    /* 0: as in the ELF file, multiple of 8; the request's 48 bytes are loaded */
    uint32_t feature;  /* 8: enum plan_limine_feature */
    uint32_t reserved; /* 12: 0 */
};

/* Local APICs are to be switched to x2APIC mode, if they can be. */
#define PLAN_LIMINE_X2APIC 0x1

struct plan_limine {
    struct plan_record record;             /* 0 */
    uint32_t base_revision;                /* 8: that the kernel is served: 0 to 3 */
    uint32_t flags;                        /* 12: PLAN_LIMINE_X2APIC or 0 */
    uint32_t count;                        /* 16 */
    uint32_t reserved;                     /* 20: 0 */
    struct plan_limine_request requests[]; /* 24: each feature at most once */
};

#define IMAGE_ASSERT_OFFSET(type, field, offset)                                                   \
    _Static_assert(offsetof(struct type, field) == (offset), #type "." #field)
#define IMAGE_ASSERT_BYTES(type, bytes) _Static_assert(sizeof(struct type) == (bytes), #type)

IMAGE_ASSERT_BYTES(image_partition, 16);
IMAGE_ASSERT_OFFSET(image_mbr, disk_signature, 440);
IMAGE_ASSERT_OFFSET(image_mbr, partitions, 446);
IMAGE_ASSERT_OFFSET(image_mbr, boot_signature, 510);
IMAGE_ASSERT_BYTES(image_mbr, IMAGE_SECTOR_BYTES);
IMAGE_ASSERT_OFFSET(image_header, format_version, 8);
IMAGE_ASSERT_OFFSET(image_header, crc32, 12);
IMAGE_ASSERT_OFFSET(image_header, image_id, 16);
IMAGE_ASSERT_OFFSET(image_header, image_sectors, 24);
IMAGE_ASSERT_OFFSET(image_header, plan_lba, 32);
IMAGE_ASSERT_OFFSET(image_header, plan_bytes, 40);
IMAGE_ASSERT_OFFSET(image_header, stage2_sectors, 48);
IMAGE_ASSERT_OFFSET(image_header, stage2_sum, 52);
IMAGE_ASSERT_OFFSET(image_header, esp_lba, 56);
IMAGE_ASSERT_OFFSET(image_header, esp_xxh64, 64);
IMAGE_ASSERT_BYTES(image_header, IMAGE_SECTOR_BYTES);
IMAGE_ASSERT_OFFSET(image_plan, image_id, 16);
IMAGE_ASSERT_OFFSET(image_plan, plan_bytes, 24);
IMAGE_ASSERT_OFFSET(image_plan, partition_bytes, 32);
IMAGE_ASSERT_OFFSET(image_plan, xxh64, 40);
IMAGE_ASSERT_BYTES(image_plan, 48);
IMAGE_ASSERT_BYTES(plan_record, 8);
IMAGE_ASSERT_OFFSET(plan_protocol, entry_vaddr, 16);
IMAGE_ASSERT_OFFSET(plan_protocol, slide, 32);
IMAGE_ASSERT_BYTES(plan_protocol, 40);
IMAGE_ASSERT_OFFSET(plan_region, paddr, 24);
IMAGE_ASSERT_OFFSET(plan_region, flags, 32);
IMAGE_ASSERT_BYTES(plan_region, 40);
IMAGE_ASSERT_OFFSET(plan_segment, xxh64, 32);
IMAGE_ASSERT_OFFSET(plan_segment, index, 40);
IMAGE_ASSERT_BYTES(plan_segment, 48);
IMAGE_ASSERT_OFFSET(plan_mapping, rights, 24);
IMAGE_ASSERT_BYTES(plan_mapping, 32);
IMAGE_ASSERT_OFFSET(plan_command_line, text, 16);
IMAGE_ASSERT_OFFSET(plan_module, flags, 32);
IMAGE_ASSERT_OFFSET(plan_module, text, 48);
IMAGE_ASSERT_OFFSET(plan_request, words, 16);
IMAGE_ASSERT_BYTES(plan_request, 48);
IMAGE_ASSERT_OFFSET(plan_tls, align, 32);
IMAGE_ASSERT_BYTES(plan_tls, 40);
IMAGE_ASSERT_OFFSET(plan_relocations, form, 24);
IMAGE_ASSERT_BYTES(plan_relocations, 32);
IMAGE_ASSERT_BYTES(plan_random_base, 24);
IMAGE_ASSERT_OFFSET(plan_patches, patches, 16);
IMAGE_ASSERT_BYTES(plan_patch, 16);
IMAGE_ASSERT_OFFSET(plan_extent, preference, 32);
IMAGE_ASSERT_BYTES(plan_extent, 40);
IMAGE_ASSERT_OFFSET(plan_section_headers, xxh64, 24);
IMAGE_ASSERT_BYTES(plan_section_headers, 40);
IMAGE_ASSERT_OFFSET(plan_section, index, 32);
IMAGE_ASSERT_BYTES(plan_section, 40);
IMAGE_ASSERT_BYTES(plan_efi_entry, 16);
IMAGE_ASSERT_OFFSET(plan_linux, header, 16);
IMAGE_ASSERT_OFFSET(plan_limine, count, 16);
IMAGE_ASSERT_OFFSET(plan_limine, requests, 24);
IMAGE_ASSERT_BYTES(plan_limine_request, 16);

#endif
