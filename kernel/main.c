/*
 * The minimal kernel: says hello, then what it learnt from the loader. It runs after entry.c on a
 * cleared screen, with exceptions reported; then the machine halts.
 */
#include "console.h"
#include "kernel.h"

#include <stddef.h>
#include <stdint.h>

#define MIB (1024 * 1024)
#define KIB 1024

/* Every address in the boot information is virtual and mapped (bootinfo.h). */
static const void *main_pointer(uint64_t vaddr)
{
    return (const void *)(uintptr_t)vaddr;
}

static const char *main_memory_type(uint32_t type)
{
    static const char *const names[] = {
        [BOOTINFO_MEMORY_USABLE] = "usable",
        [BOOTINFO_MEMORY_RESERVED] = "reserved",
        [BOOTINFO_MEMORY_ACPI_RECLAIMABLE] = "ACPI tables",
        [BOOTINFO_MEMORY_ACPI_NVS] = "ACPI NVS",
        [BOOTINFO_MEMORY_BAD] = "bad",
        [BOOTINFO_MEMORY_LOADER] = "loader",
        [BOOTINFO_MEMORY_KERNEL] = "kernel",
        [BOOTINFO_MEMORY_MODULE] = "module",
        [BOOTINFO_MEMORY_FRAMEBUFFER] = "framebuffer",
        [BOOTINFO_MEMORY_EFI_RUNTIME] = "EFI run-time services",
    };

    if (type >= sizeof(names) / sizeof(names[0]) || !names[type])
        return "reserved (unknown type)";
    return names[type];
}

static void main_print_memory(const struct bootinfo *info)
{
    const struct bootinfo_memory_range *map = main_pointer(info->memory_map);
    uint64_t usable_bytes = 0;

    for (uint64_t i = 0; i < info->memory_map_count; i++) {
        if (map[i].type == BOOTINFO_MEMORY_USABLE)
            usable_bytes += map[i].bytes;
    }
    console_print("Memory: %lu MiB usable, %lu ranges\n", usable_bytes / MIB,
                  info->memory_map_count);
    for (uint64_t i = 0; i < info->memory_map_count; i++)
        console_print("  0x%016lx-0x%016lx %10lu KiB  %s\n", map[i].base_paddr,
                      map[i].base_paddr + map[i].bytes - 1, map[i].bytes / KIB,
                      main_memory_type(map[i].type));
}

static void main_print_screen(const struct bootinfo *info)
{
    const struct bootinfo_framebuffer *framebuffer = main_pointer(info->framebuffers);

    if (framebuffer)
        console_print("Screen: %ux%u, %u bits per pixel\n", framebuffer->width, framebuffer->height,
                      (unsigned int)framebuffer->bits_per_pixel);
    else
        console_print("Screen: %s\n", info->flags & BOOTINFO_TEXT_SCREEN ? "text" : "none");
}

void kernel_main(const struct bootinfo *info)
{
    console_set_color(SCREEN_RED);
    console_print("Hello World!\n");
    console_keep_above();

    console_set_color(SCREEN_LIGHT_GREY);
    console_print("Loader: %s %s\n", (const char *)main_pointer(info->loader_name),
                  (const char *)main_pointer(info->loader_version));
    main_print_screen(info);
    main_print_memory(info);
    console_print("Command line: %s\n", (const char *)main_pointer(info->command_line));
}
