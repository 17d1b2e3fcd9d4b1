/*
 * The firmware's memory. Until it is left, every page is the firmware's to give: so all that the
 * core may take is taken from it beforehand, in a few large pieces, and the firmware keeps a part
 * for its drivers. What boot services hold is usable later, and the core is told so.
 */
#include "../core/log.h"
#include "../core/memory_map.h"
#include "efi_map.h"
#include "uefi.h"

#include <stdbool.h>
#include <string.h>

#define ONE_MIB 0x100000ull
#define FOUR_GIB 0x100000000ull
/* Smaller pieces are not worth a call: there may be thousands. */
#define LEAST_CLAIM_BYTES 0x10000ull
/* What the firmware's drivers are left with: an eighth of the memory below 4 GiB, within these. */
#define LEAST_LEFT_BYTES 0x800000ull
#define MOST_LEFT_BYTES 0x4000000ull
#define LEFT_PART 8
/* The map may grow between two calls, by the calls themselves. */
#define SLACK_DESCRIPTORS 64
/* Each range of the firmware may be split by what the core takes, which is more than this. */
#define RANGES_PER_DESCRIPTOR 4
#define MORE_RANGES 4096
#define LEAVE_TRIES 128

static struct {
    struct efi_map map;
    uint8_t *buffer; /* for the map */
    uint64_t buffer_bytes;
    UINTN key;
    UINT32 descriptor_version;
    uint64_t low_page_paddr;
} memory;

uint64_t memory_take(uint64_t bytes, uint64_t align)
{
    const uint64_t more = align > MEMORY_PAGE_BYTES ? align - MEMORY_PAGE_BYTES : 0;
    uint64_t pages = (bytes + more + MEMORY_PAGE_BYTES - 1) / MEMORY_PAGE_BYTES;
    EFI_PHYSICAL_ADDRESS paddr = FOUR_GIB - 1;

    if (uefi.services->AllocatePages(AllocateMaxAddress, EfiLoaderData, pages, &paddr) !=
        EFI_SUCCESS)
        fail(ERROR_NO_MEMORY, {"bytes", bytes});
    return (paddr + more) & ~(align - 1) & ~(MEMORY_PAGE_BYTES - 1);
}

/* False: the buffer is too small; memory.map.bytes says for what. */
static bool get_map(void)
{
    UINTN bytes = memory.buffer_bytes, descriptor_bytes = 0;
    EFI_STATUS status =
        uefi.services->GetMemoryMap(&bytes, (EFI_MEMORY_DESCRIPTOR *)(void *)memory.buffer,
                                    &memory.key, &descriptor_bytes, &memory.descriptor_version);

    memory.map = (struct efi_map){memory.buffer, bytes, descriptor_bytes};
    if (status != EFI_SUCCESS && status != EFI_BUFFER_TOO_SMALL)
        fail(ERROR_NO_MEMORY_MAP, {"status", status});
    return status == EFI_SUCCESS;
}

/* The firmware's map of now, to a buffer of the firmware's. */
static void get_first_map(void)
{
    while (!get_map()) {
        memory.buffer_bytes = memory.map.bytes + SLACK_DESCRIPTORS * memory.map.descriptor_bytes;
        memory.buffer = (uint8_t *)(uintptr_t)memory_take(memory.buffer_bytes, MEMORY_PAGE_BYTES);
    }
}

static void claim(struct memory_map *map, uint64_t paddr, uint64_t bytes)
{
    EFI_PHYSICAL_ADDRESS address = paddr;

    if (uefi.services->AllocatePages(AllocateAddress, EfiLoaderData, bytes / MEMORY_PAGE_BYTES,
                                     &address) == EFI_SUCCESS)
        memory_map_retype(map, paddr, bytes, MEMORY_LEASED, BOOTINFO_MEMORY_USABLE);
}

/* A free range, without what lies below 1 MiB or above 4 GiB. */
static struct efi_range claimable(uint64_t index)
{
    struct efi_range range = efi_map_range(&memory.map, index);
    uint64_t end = range.paddr + range.bytes;

    if (!range.is_free || end < range.paddr || end <= ONE_MIB || range.paddr >= FOUR_GIB)
        return (struct efi_range){0};
    if (range.paddr < ONE_MIB)
        range.paddr = ONE_MIB;
    if (end > FOUR_GIB)
        end = FOUR_GIB;
    range.bytes = end - range.paddr;
    if (range.bytes < LEAST_CLAIM_BYTES)
        range.bytes = 0;
    return range;
}

/* The firmware keeps the top of the largest range. */
static void claim_memory(struct memory_map *map)
{
    const uint64_t count = efi_map_count(&memory.map);
    uint64_t all = 0, largest = 0, largest_bytes = 0;

    for (uint64_t i = 0; i < count; i++) {
        const struct efi_range range = claimable(i);

        all += range.bytes;
        if (range.bytes > largest_bytes) {
            largest = i;
            largest_bytes = range.bytes;
        }
    }
    uint64_t left = all / LEFT_PART & ~(MEMORY_PAGE_BYTES - 1);
    if (left < LEAST_LEFT_BYTES)
        left = LEAST_LEFT_BYTES;
    if (left > MOST_LEFT_BYTES)
        left = MOST_LEFT_BYTES;
    for (uint64_t i = 0; i < count; i++) {
        struct efi_range range = claimable(i);

        if (i == largest)
            range.bytes -= range.bytes > left ? left : range.bytes;
        if (range.bytes > 0)
            claim(map, range.paddr, range.bytes);
    }
}

/* Any page below 1 MiB that the firmware gives back; best one that is free, as that stays ours. */
static void choose_low_page(void)
{
    EFI_PHYSICAL_ADDRESS paddr = ONE_MIB - 1;

    if (uefi.services->AllocatePages(AllocateMaxAddress, EfiLoaderData, 1, &paddr) == EFI_SUCCESS &&
        paddr > 0) {
        memory.low_page_paddr = paddr;
        return;
    }
    for (uint64_t i = 0; i < efi_map_count(&memory.map); i++) {
        const struct efi_range range = efi_map_range(&memory.map, i);
        uint64_t last = range.paddr + range.bytes - MEMORY_PAGE_BYTES;

        if (range.type == BOOTINFO_MEMORY_USABLE && range.bytes > 0 && last > 0 && last < ONE_MIB)
            memory.low_page_paddr = last;
    }
}

void firmware_memory_map(struct memory_map *map)
{
    choose_low_page();
    get_first_map();
    uint64_t count = efi_map_count(&memory.map);
    uint64_t capacity = count * RANGES_PER_DESCRIPTOR + MORE_RANGES;

    *map = (struct memory_map){
        .ranges =
            (void *)(uintptr_t)memory_take(capacity * sizeof(*map->ranges), MEMORY_PAGE_BYTES),
        .capacity = capacity,
    };
    while (!get_map())
        get_first_map();
    efi_map_add(&memory.map, map);
    claim_memory(map);
    /* The kernel gets the last map, so that is read to memory which it knows to be the loader's. */
    memory.buffer_bytes = 2 * memory.map.bytes + SLACK_DESCRIPTORS * memory.map.descriptor_bytes;
    memory.buffer = (uint8_t *)(uintptr_t)memory_map_take_pages(map, memory.buffer_bytes);
    handover_prepare(map);
}

uint64_t firmware_map_bytes(void)
{
    return memory.buffer_bytes;
}

uint64_t firmware_low_page(void)
{
    return memory.low_page_paddr;
}

/* The key is that of the last map, which any event may make an old one. After a first failure only
   these two functions may be called [UEFI §7.4.6 "EFI_BOOT_SERVICES.ExitBootServices()"]. */
static void exit_boot_services(void)
{
    EFI_STATUS status = EFI_SUCCESS;

    for (int i = 0; i < LEAVE_TRIES; i++) {
        if (!get_map())
            fail(ERROR_LEAVE, {"map bytes", memory.map.bytes});
        status = uefi.services->ExitBootServices(uefi.image, memory.key);
        if (status == EFI_SUCCESS)
            return;
    }
    fail(ERROR_LEAVE, {"status", status});
}

bool firmware_has_services(void)
{
    return true;
}

/* What cannot be given back stays the loader's, as far as the firmware is concerned. */
void firmware_give_back(const struct memory_map *map)
{
    for (size_t i = 0; i < map->count; i++) {
        const struct bootinfo_memory_range *range = &map->ranges[i];

        if (range->type == BOOTINFO_MEMORY_USABLE || range->type == MEMORY_SHADOWED)
            uefi.services->FreePages(range->base_paddr, range->bytes / MEMORY_PAGE_BYTES);
    }
}

uint64_t firmware_stay(void)
{
    return (uintptr_t)uefi.image;
}

void firmware_leave(struct memory_map *map, struct bootinfo *info)
{
    exit_boot_services();
    __asm__ volatile("cli");
    console_leave();
    uefi.services = NULL;
    handover_switch();
    efi_map_add_kept(&memory.map, map);
    info->efi_memory_map = (uintptr_t)memory.buffer;
    info->efi_memory_map_bytes = memory.map.bytes;
    info->efi_descriptor_bytes = (uint32_t)memory.map.descriptor_bytes;
    info->efi_descriptor_version = memory.descriptor_version;
}
