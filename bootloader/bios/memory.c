/*
 * The BIOS's memory map: int 15h E820, and behind it the older E801 and 88h for the memory above 1
 * MiB; what lies below is known from stage 2. Below 1 MiB the BIOS and the loader work until the
 * last call of the one and the jump of the other.
 */
#include "../core/firmware.h"
#include "../core/log.h"
#include "../core/memory_map.h"
#include "bios.h"
#include "bios_call.h"

#include <stdbool.h>
#include <string.h>

#define SYSTEM_SERVICES 0x15
#define E820 0xe820
#define E820_SMAP 0x534d4150
#define E820_LEAST_BYTES 20
#define E801 0xe801
#define MEMORY_88 0x8800
#define STATUS_UNSUPPORTED 0x86
#define STATUS_INVALID 0x80 /* the same, on the oldest machines */
#define ONE_MIB 0x100000ull
#define SIXTEEN_MIB 0x1000000ull
#define FOUR_GIB 0x100000000ull
#define LOW_MEMORY_TOP 0xa0000
/* No machine has as many; a BIOS that never ends its list does. */
#define E820_MOST_ENTRIES 10000

/* [ACPI §15.1 "INT 15H, E820H - Query System Address Map"] */
struct e820_entry {
    uint64_t base;       /* 0 */
    uint64_t bytes;      /* 8 */
    uint32_t type;       /* 16 */
    uint32_t attributes; /* 20: ignored, as BIOSes leave junk here */
};
_Static_assert(sizeof(struct e820_entry) == 24, "e820_entry");

/* Types of E820; 1 to 5 are those of bootinfo.h. */
static uint32_t memory_type(uint32_t e820_type)
{
    return e820_type <= BOOTINFO_MEMORY_BAD ? e820_type : BOOTINFO_MEMORY_RESERVED;
}

/* Ask for the next entry. False: there is none; *failed tells why. */
static bool next_entry(uint32_t *continuation, bool *failed)
{
    struct e820_entry *entry = (void *)bios_buffer;
    struct bios_registers registers = {
        .eax = E820,
        .ebx = *continuation,
        .ecx = sizeof(*entry),
        .edx = E820_SMAP,
        .es = (uint16_t)((uintptr_t)entry >> 4),
    };

    bios_call(SYSTEM_SERVICES, &registers);
    *continuation = registers.ebx;
    if (bios_failed(&registers))
        return false; /* the end of the list, for some BIOSes */
    *failed = registers.eax != E820_SMAP || registers.ecx < E820_LEAST_BYTES;
    return !*failed;
}

/* All of E820. False: the BIOS does not have it, or lost its way in the middle of it. */
static bool add_e820(struct memory_map *map)
{
    const struct e820_entry *entry = (const void *)bios_buffer;
    uint32_t continuation = 0;
    bool failed = false;

    memset(bios_buffer, 0, sizeof(*entry)); /* once: some BIOSes expect to find the last entry */
    for (int i = 0; i < E820_MOST_ENTRIES && next_entry(&continuation, &failed); i++) {
        memory_map_add(map, entry->base, entry->bytes, memory_type(entry->type));
        if (continuation == 0)
            break;
    }
    return !failed && map->count > 0;
}

/*
 * KiB from 1 to 16 MiB, and blocks of 64 KiB from 16 MiB. Memory up to 4 GiB makes no sense, as the
 * BIOS itself lies at its end.
 */
static bool add_e801(struct memory_map *map)
{
    struct bios_registers registers = {.eax = E801};

    bios_call(SYSTEM_SERVICES, &registers);
    if (bios_failed(&registers))
        return false;
    bool in_cx = (registers.ecx | registers.edx) & 0xffff; /* some BIOSes answer in AX and BX */
    uint64_t kib = (in_cx ? registers.ecx : registers.eax) & 0xffff;
    uint64_t blocks = (in_cx ? registers.edx : registers.ebx) & 0xffff;

    if (kib == 0 || kib > (SIXTEEN_MIB - ONE_MIB) >> 10)
        return false;
    if (SIXTEEN_MIB + (blocks << 16) >= FOUR_GIB)
        return false;
    memory_map_add(map, ONE_MIB, kib << 10, BOOTINFO_MEMORY_USABLE);
    if (kib == (SIXTEEN_MIB - ONE_MIB) >> 10)
        memory_map_add(map, SIXTEEN_MIB, blocks << 16, BOOTINFO_MEMORY_USABLE);
    return true;
}

/* KiB from 1 MiB. */
static bool add_88(struct memory_map *map)
{
    struct bios_registers registers = {.eax = MEMORY_88};

    bios_call(SYSTEM_SERVICES, &registers);
    /* Carry alone says nothing: some BIOSes set it with an answer. */
    if (bios_failed(&registers) && (bios_status(&registers) == STATUS_UNSUPPORTED ||
                                    bios_status(&registers) == STATUS_INVALID))
        return false;
    uint64_t kib = registers.eax & 0xffff;
    memory_map_add(map, ONE_MIB, kib << 10, BOOTINFO_MEMORY_USABLE);
    return kib > 0;
}

void firmware_memory_map(struct memory_map *map)
{
    size_t storage_bytes = low_memory_end - (uintptr_t)bios_map_storage;

    *map = (struct memory_map){
        .ranges = (void *)bios_map_storage,
        .capacity = storage_bytes / sizeof(*map->ranges),
    };
    if (!add_e820(map)) {
        map->count = 0;
        memory_map_add(map, 0, low_memory_end, BOOTINFO_MEMORY_USABLE);
        if (!add_e801(map) && !add_88(map))
            fail(ERROR_NO_MEMORY_MAP, {"entries", map->count});
    }
    /* Whatever the map says: the extended BIOS data area is the firmware's, to 640 KiB. */
    if (low_memory_end < LOW_MEMORY_TOP)
        memory_map_add(map, low_memory_end, LOW_MEMORY_TOP - low_memory_end,
                       BOOTINFO_MEMORY_RESERVED);
    memory_map_retype(map, 0, ONE_MIB, BOOTINFO_MEMORY_USABLE, MEMORY_LEASED);
}
