/*
 * The Limine boot protocol, as the test kernel reads its specification [Limine "Features", "Feature
 * List"].
 */
#ifndef TESTS_BOOT_KERNELS_LIMINE_LIMINE_H
#define TESTS_BOOT_KERNELS_LIMINE_LIMINE_H

#include <stdint.h>

#define COMMON_MAGIC 0xc7b1dd30df4c8b88, 0x0a82e883a194f07b
#define TAG_MAGIC_1 0x6a7b384944536bdc
/* A response that was never written. */
#define UNTOUCHED 0x5555aaaa5555aaaa

struct request {
    uint64_t id[4];
    uint64_t revision;
    uint64_t response;
    uint64_t fields[3];
};

struct framebuffer {
    uint64_t address, width, height, pitch;
    uint16_t bpp;
    uint8_t memory_model;
    uint8_t red_size, red_shift, green_size, green_shift, blue_size, blue_shift;
    uint8_t unused[7];
    uint64_t edid_size, edid;
    uint64_t mode_count;
    const struct video_mode *const *modes;
};

struct video_mode {
    uint64_t pitch, width, height;
    uint16_t bpp;
    uint8_t memory_model;
    uint8_t red_size, red_shift, green_size, green_shift, blue_size, blue_shift;
};

struct mp_info {
    uint32_t processor_id, lapic_id;
    uint64_t reserved;
    volatile uint64_t goto_address;
    uint64_t extra_argument;
};

struct memmap_entry {
    uint64_t base, length, type;
};

#define USABLE 0u
#define RESERVED 1u
#define ACPI_RECLAIMABLE 2u
#define ACPI_NVS 3u
#define BAD_MEMORY 4u
#define BOOTLOADER_RECLAIMABLE 5u
#define EXECUTABLE_AND_MODULES 6u
#define FRAMEBUFFER 7u

struct internal_module {
    const char *path;
    const char *string;
    uint64_t flags;
};

struct file {
    uint64_t revision;
    const uint8_t *address;
    uint64_t size;
    const char *path, *string;
    uint32_t media_type, unused, tftp_ip, tftp_port, partition_index, mbr_disk_id;
    uint32_t gpt_disk_uuid[4], gpt_part_uuid[4], part_uuid[4];
};

#endif
