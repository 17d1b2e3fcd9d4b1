/*
 * The fake machine: see fake_firmware.h. What the loader may not do at all ends the program here.
 */
#include "fake_firmware.h"

#include "fake_cpus.h"

#include "log.h"
#include "memory_map.h"
#include "real_mode.h"

#include <bootimage/image.h>

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define MAP_CAPACITY 16384

struct fake_firmware fake_firmware;

const struct bootinfo_memory_range fake_ranges[FAKE_RANGES] = {
    {0x0, 0x9fc00, BOOTINFO_MEMORY_USABLE, 0},
    {0x9fc00, 0x400, BOOTINFO_MEMORY_RESERVED, 0},
    {0xf0000, 0x10000, BOOTINFO_MEMORY_RESERVED, 0},
    {FAKE_RAM_PADDR, FAKE_RAM_BYTES, BOOTINFO_MEMORY_USABLE, 0},
    {0xfffc0000, 0x40000, BOOTINFO_MEMORY_RESERVED, 0},
    {0x100000000, 0x40000000, BOOTINFO_MEMORY_USABLE, 0},
};

static jmp_buf end;

static _Noreturn void violation(const char *what)
{
    fprintf(stderr, "fake firmware: the loader %s\n", what);
    abort();
}

static void *ram(void)
{
    return (void *)(uintptr_t)FAKE_RAM_PADDR;
}

static void map_ram(void)
{
    static bool is_mapped;

    if (is_mapped)
        return;
    is_mapped = true;
    if (mmap(ram(), FAKE_RAM_BYTES, PROT_READ | PROT_WRITE,
             MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) != ram()) {
        perror("fake firmware: mmap");
        abort();
    }
}

void fake_start(void)
{
    map_ram();
    fake_cpus_start();
    memset(ram(), FAKE_RAM_JUNK, FAKE_RAM_BYTES);
    fake_firmware = (struct fake_firmware){
        .bad_lba = FAKE_NO_LBA,
        .ranges = fake_ranges,
        .range_count = FAKE_RANGES,
        .map_capacity = MAP_CAPACITY,
        .cpu = {.has_nx = true,
                .has_1gib = true,
                .has_5_levels = true,
                .has_apic = true,
                .address_bits = 48},
        .wall_clock_s = 1234567890,
        .described = {.firmware = BOOTINFO_FIRMWARE_BIOS,
                      .rsdp_paddr = FAKE_RSDP_PADDR,
                      .smbios_paddr = 0xf5b00},
        .low_page_paddr = 0x20000,
    };
}

enum fake_end fake_run(void (*step)(void *argument), void *argument)
{
    fake_firmware.printed[0] = '\0';
    fake_firmware.left = false;
    fake_firmware.masked = false;
    fake_firmware.video_set = false;
    fake_firmware.given_back = false;
    fake_firmware.io_apic_paddr = 0;
    switch (setjmp(end)) {
    case FAKE_RETURNED:
        step(argument);
        return FAKE_RETURNED;
    case FAKE_STOPPED:
        return FAKE_STOPPED;
    default:
        return FAKE_ENTERED;
    }
}

unsigned int fake_error(void)
{
    const char *text = fake_firmware.printed, *line_end = strchr(text + (text[0] == '\n'), '\n');
    unsigned int number = 0;

    if (text[0] == '\0')
        return 0;
    if (sscanf(text, "\nbootimage: E%u ", &number) != 1 || !line_end || line_end[1] != '\0')
        violation("printed something that is not one line of an error");
    return number;
}

void fake_empty_map(struct memory_map *map)
{
    static struct bootinfo_memory_range storage[MAP_CAPACITY];

    *map = (struct memory_map){.ranges = storage, .capacity = fake_firmware.map_capacity};
}

uint64_t firmware_read_disk(uint64_t lba, uint64_t bytes, uint64_t paddr)
{
    const uint64_t start = cpu_read_tsc();
    uint64_t sectors = fake_firmware.disk_bytes / IMAGE_SECTOR_BYTES;
    uint64_t count = bytes / IMAGE_SECTOR_BYTES + (bytes % IMAGE_SECTOR_BYTES != 0);

    if (fake_firmware.left)
        violation("reads from a firmware that it left");
    if (lba > sectors || count > sectors - lba)
        fail(ERROR_PLAN_DAMAGED, {"sector", lba}, {"image", sectors}); /* as under a BIOS */
    const uint64_t bad_lba = fake_firmware.bad_lba;
    if (bad_lba - lba < count)
        fail(ERROR_DISK_READ, {"sector", bad_lba});
    if (bytes == 0)
        return 0;
    if (paddr < FAKE_RAM_PADDR || paddr > FAKE_RAM_END || bytes > FAKE_RAM_END - paddr)
        violation("reads to where there is no RAM");
    memcpy((void *)(uintptr_t)paddr, fake_firmware.disk + lba * IMAGE_SECTOR_BYTES, bytes);
    while (cpu_read_tsc() - start < fake_firmware.read_ticks + fake_firmware.copy_ticks)
        ;
    return fake_firmware.copy_ticks;
}

void firmware_memory_map(struct memory_map *map)
{
    fake_empty_map(map);
    for (size_t i = 0; i < fake_firmware.range_count; i++) {
        const struct bootinfo_memory_range *range = &fake_firmware.ranges[i];

        memory_map_add(map, range->base_paddr, range->bytes, range->type);
    }
    memory_map_retype(map, 0, 0x100000, BOOTINFO_MEMORY_USABLE, MEMORY_LEASED);
}

void firmware_describe(struct bootinfo *info)
{
    const struct bootinfo *described = &fake_firmware.described;

    info->firmware = described->firmware;
    info->rsdp_paddr = described->rsdp_paddr;
    info->smbios_paddr = described->smbios_paddr;
    info->smbios3_paddr = described->smbios3_paddr;
    info->efi_system_table_paddr = described->efi_system_table_paddr;
}

int64_t firmware_wall_clock(void)
{
    return fake_firmware.wall_clock_s;
}

bool firmware_set_video(const struct plan_request *wish, struct bootinfo_framebuffer *framebuffer)
{
    const struct bootinfo_framebuffer *mode = &fake_firmware.framebuffer;

    if (!wish || mode->width == 0 || (wish->words[0] && wish->words[0] != mode->width) ||
        (wish->words[1] && wish->words[1] != mode->height) ||
        (wish->words[2] && wish->words[2] != mode->bits_per_pixel))
        return false;
    *framebuffer = *mode;
    fake_firmware.video_set = true;
    return true;
}

uint64_t firmware_map_bytes(void)
{
    return 0;
}

uint64_t firmware_low_page(void)
{
    return fake_firmware.low_page_paddr;
}

void firmware_print(const char *text)
{
    size_t used = strlen(fake_firmware.printed);

    if (strlen(text) >= sizeof(fake_firmware.printed) - used)
        violation("prints too much");
    strcpy(fake_firmware.printed + used, text);
}

void firmware_leave(struct memory_map *map, struct bootinfo *info)
{
    (void)map;
    (void)info;
    if (fake_firmware.left)
        violation("leaves the firmware twice");
    fake_firmware.left = true;
}

bool firmware_has_services(void)
{
    return fake_firmware.has_services;
}

void firmware_give_back(const struct memory_map *map)
{
    (void)map;
    if (fake_firmware.left)
        violation("gives memory back to a firmware that is gone");
    fake_firmware.given_back = true;
}

uint64_t firmware_stay(void)
{
    if (!fake_firmware.has_services || fake_firmware.left)
        violation("asks for services that are not there");
    return FAKE_IMAGE_HANDLE;
}

void firmware_mask_interrupts(void)
{
    if (!fake_firmware.left)
        violation("masks interrupts that the firmware needs");
    fake_firmware.masked = true;
}

void firmware_mask_io_apic(uint32_t paddr)
{
    if (!fake_firmware.left)
        violation("masks interrupts that the firmware needs");
    fake_firmware.io_apic_paddr = paddr;
}

uint64_t firmware_tsc_hz(void)
{
    return fake_firmware.tsc_hz;
}

/* The one video mode. */
bool firmware_next_video(uint32_t *index, struct bootinfo_framebuffer *mode)
{
    *mode = fake_firmware.framebuffer;
    return mode->width && (*index)++ == 0;
}

/* The machine has neither. */
bool firmware_describe_vbe(struct firmware_vbe *vbe)
{
    memset(vbe, FAKE_RAM_JUNK, sizeof(*vbe));
    return false;
}

bool firmware_describe_apm(struct firmware_apm *apm)
{
    memset(apm, FAKE_RAM_JUNK, sizeof(*apm));
    return false;
}

_Noreturn void firmware_stop(void)
{
    longjmp(end, FAKE_STOPPED);
}

/* In place of core/cpu.c: the CPU is made up as well. */
struct cpu_features cpu_features(void)
{
    return fake_firmware.cpu;
}

/* In place of core/handover.c, whose code only a kernel's address space can run. */
void handover_copy(const struct handover *handover)
{
    fake_firmware.copied = *handover;
}

void real_mode_copy(uint8_t *place, uint16_t segment, uint16_t stack)
{
    memcpy(place, &segment, sizeof(segment));
    memcpy(place + sizeof(segment), &stack, sizeof(stack));
}

void handover_enter_services(uint64_t entry, const struct handover_services *registers)
{
    fake_firmware.handover = (struct handover){.entry_vaddr = entry};
    fake_firmware.services = *registers;
    longjmp(end, FAKE_ENTERED);
}

void handover_enter(const struct handover *handover)
{
    fake_firmware.handover = *handover;
    longjmp(end, FAKE_ENTERED);
}
