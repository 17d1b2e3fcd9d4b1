/*
 * What both Multiboot protocols tell in the same words.
 */
#ifndef BOOTLOADER_CORE_MULTIBOOT_H
#define BOOTLOADER_CORE_MULTIBOOT_H

#include "loader.h"

/* Who loads the kernel. */
extern const char multiboot_loader_name[];
#define MULTIBOOT_LOADER_NAME_BYTES sizeof("bootimage " BOOTIMAGE_VERSION)

/* KiB of RAM from address 0, at most 640, and from 1 MiB, up to the first hole. */
uint32_t multiboot_lower_kib(const struct memory_map *map);
uint32_t multiboot_upper_kib(const struct memory_map *map);

/* An entry of the memory map [Multiboot §3.3 "Boot information format", mmap_addr]; both have these
   20 bytes, with a number before or behind. */
struct multiboot_memory {
    uint64_t paddr; /* 0 */
    uint64_t bytes; /* 8 */
    uint32_t type;  /* 16: 1 usable, 3 ACPI, 4 NVS, 5 bad; all others are reserved */
};

struct multiboot_memory multiboot_memory_of(const struct bootinfo_memory_range *range);

/* What only a BIOS tells of. */
struct multiboot_bios {
    struct firmware_apm apm; /* of version 0: there is none */
    struct firmware_vbe vbe;
    bool has_vbe;
};

/* Ask it, while it is there: sets loader->bios, to memory of the loader. The video mode is set. */
void multiboot_ask_bios(struct loader *loader);

/* Types of framebuffers, and of what their colours are made. */
#define MULTIBOOT_FRAMEBUFFER_RGB 1u
#define MULTIBOOT_FRAMEBUFFER_TEXT 2u

struct multiboot_framebuffer {
    uint64_t paddr;
    uint32_t pitch;         /* bytes of a row */
    uint32_t width, height; /* pixels, or characters */
    uint8_t bits_per_pixel; /* 16 for text */
    uint8_t type;           /* MULTIBOOT_FRAMEBUFFER_ */
    uint8_t colours[6];     /* position and number of bits of red, green and blue */
};

/* The framebuffer of the screen, or its text mode. False: there is neither. */
bool multiboot_framebuffer_of(const struct loader *loader, struct multiboot_framebuffer *told);

#endif
