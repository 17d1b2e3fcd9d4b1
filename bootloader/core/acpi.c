/*
 * ACPI's tables, from the root pointer that the firmware named to the list of CPUs. Nothing in them
 * is believed: a table counts when all of it lies in memory that the map tells of and its bytes add
 * up to 0, and what it says of lengths and places is checked again. Next the CPUs are given stacks.
 */
#include "acpi.h"

#include "memory_map.h"

#include <stddef.h>
#include <string.h>

#define FOUR_GIB 0x100000000ull
/* The largest known tables have some 100 KiB; to add up junk of 4 GiB would look like a hang. */
#define MOST_TABLE_BYTES 0x100000u

/* [ACPI §5.2.5.3 "Root System Description Pointer (RSDP) Structure"] */
#define RSDP_SIGNATURE "RSD PTR "
#define RSDP_REVISION 15
#define RSDP_RSDT 16
#define RSDP_XSDT 24
#define RSDP_BYTES_1 20
#define RSDP_BYTES_2 36
#define RSDP_REVISION_2 2

/* [ACPI §5.2.6 "System Description Table Header"]; RSDT and XSDT are lists of addresses behind it.
 */
#define HEADER_SIGNATURE_BYTES 4
#define HEADER_LENGTH 4
#define HEADER_BYTES 36

/* [ACPI §5.2.12 "Multiple APIC Description Table (MADT)"] */
#define MADT_ENTRIES 44
#define ENTRY_TYPE 0
#define ENTRY_LENGTH 1
#define ENTRY_HEADER_BYTES 2
#define ENTRY_LOCAL_APIC 0
#define LOCAL_APIC_PROCESSOR 2
#define LOCAL_APIC_ID 3
#define LOCAL_APIC_FLAGS 4
#define LOCAL_APIC_BYTES 8
#define LOCAL_APIC_ALL 0xff /* the id that means all of them */
#define ENTRY_IO_APIC 1
#define IO_APIC_ADDRESS 4
#define IO_APIC_BYTES 12
#define ENTRY_X2APIC 9
#define X2APIC_ID 4
#define X2APIC_FLAGS 8
#define X2APIC_PROCESSOR 12
#define X2APIC_BYTES 16
#define X2APIC_ALL 0xffffffff
#define FLAG_ENABLED 0x1u

static uint32_t load32(const uint8_t *at)
{
    uint32_t value;

    memcpy(&value, at, sizeof(value));
    return value;
}

static uint64_t load64(const uint8_t *at)
{
    uint64_t value;

    memcpy(&value, at, sizeof(value));
    return value;
}

static bool sum_is_0(const uint8_t *at, uint32_t bytes)
{
    uint8_t sum = 0;

    for (uint32_t i = 0; i < bytes; i++)
        sum = (uint8_t)(sum + at[i]);
    return sum == 0;
}

/* Does one range of the map have all of it, below 4 GiB? To read elsewhere might be to read from a
   device. */
static bool is_memory(const struct memory_map *map, uint64_t paddr, uint64_t bytes)
{
    if (paddr == 0 || paddr >= FOUR_GIB || bytes > FOUR_GIB - paddr)
        return false;
    for (size_t i = 0; i < map->count; i++) {
        uint64_t base = map->ranges[i].base_paddr;

        if (paddr >= base && paddr - base < map->ranges[i].bytes)
            return bytes <= map->ranges[i].bytes - (paddr - base);
    }
    return false;
}

static struct acpi_table table_at(uint64_t paddr, const char *signature,
                                  const struct memory_map *map)
{
    const struct acpi_table none = {NULL, 0};

    if (!is_memory(map, paddr, HEADER_BYTES))
        return none;
    const uint8_t *start = (const uint8_t *)(uintptr_t)paddr;
    uint32_t bytes = load32(start + HEADER_LENGTH);

    if (memcmp(start, signature, HEADER_SIGNATURE_BYTES) || bytes < HEADER_BYTES ||
        bytes > MOST_TABLE_BYTES || !is_memory(map, paddr, bytes) || !sum_is_0(start, bytes))
        return none;
    return (struct acpi_table){start, bytes};
}

/* The first table of this signature in a list of addresses, RSDT or XSDT. */
static struct acpi_table find_in(const struct acpi_table *list, uint32_t address_bytes,
                                 const char *signature, const struct memory_map *map)
{
    struct acpi_table table = {NULL, 0};

    for (uint32_t at = HEADER_BYTES;
         !table.start && list->start && at < list->bytes && list->bytes - at >= address_bytes;
         at += address_bytes) {
        const uint8_t *address = list->start + at;

        table = table_at(address_bytes == 8 ? load64(address) : load32(address), signature, map);
    }
    return table;
}

/* The XSDT counts where there is one; but where it leads nowhere the older list may still do. */
struct acpi_table acpi_find_madt(uint64_t rsdp_paddr, const struct memory_map *map)
{
    const uint8_t *rsdp = (const uint8_t *)(uintptr_t)rsdp_paddr;
    struct acpi_table madt = {NULL, 0};

    if (rsdp_paddr == 0 || rsdp_paddr > FOUR_GIB - RSDP_BYTES_2 ||
        memcmp(rsdp, RSDP_SIGNATURE, sizeof(RSDP_SIGNATURE) - 1) || !sum_is_0(rsdp, RSDP_BYTES_1))
        return madt;
    if (rsdp[RSDP_REVISION] >= RSDP_REVISION_2 && sum_is_0(rsdp, RSDP_BYTES_2)) {
        const struct acpi_table xsdt = table_at(load64(rsdp + RSDP_XSDT), "XSDT", map);

        madt = find_in(&xsdt, 8, "APIC", map);
    }
    if (!madt.start) {
        const struct acpi_table rsdt = table_at(load32(rsdp + RSDP_RSDT), "RSDT", map);

        madt = find_in(&rsdt, 4, "APIC", map);
    }
    return madt;
}

/* Is the entry a CPU that may be started? */
static bool read_cpu(const uint8_t *entry, struct acpi_cpu *cpu)
{
    uint8_t bytes = entry[ENTRY_LENGTH];

    if (entry[ENTRY_TYPE] == ENTRY_LOCAL_APIC && bytes >= LOCAL_APIC_BYTES) {
        *cpu = (struct acpi_cpu){entry[LOCAL_APIC_ID], entry[LOCAL_APIC_PROCESSOR]};
        return load32(entry + LOCAL_APIC_FLAGS) & FLAG_ENABLED && cpu->apic_id != LOCAL_APIC_ALL;
    }
    if (entry[ENTRY_TYPE] == ENTRY_X2APIC && bytes >= X2APIC_BYTES) {
        *cpu = (struct acpi_cpu){load32(entry + X2APIC_ID), load32(entry + X2APIC_PROCESSOR)};
        return load32(entry + X2APIC_FLAGS) & FLAG_ENABLED && cpu->apic_id != X2APIC_ALL;
    }
    return false;
}

/* The next entry; NULL: there is none, or the table makes no sense from here on. */
static const uint8_t *next_entry(const struct acpi_table *madt, uint32_t *offset)
{
    if (*offset == 0)
        *offset = MADT_ENTRIES;
    if (!madt->start || *offset >= madt->bytes || madt->bytes - *offset < ENTRY_HEADER_BYTES)
        return NULL;
    const uint8_t *entry = madt->start + *offset;
    uint8_t bytes = entry[ENTRY_LENGTH];

    if (bytes < ENTRY_HEADER_BYTES || bytes > madt->bytes - *offset)
        return NULL;
    *offset += bytes;
    return entry;
}

bool acpi_next_cpu(const struct acpi_table *madt, uint32_t *offset, struct acpi_cpu *cpu)
{
    const uint8_t *entry;

    while ((entry = next_entry(madt, offset))) {
        if (read_cpu(entry, cpu))
            return true;
    }
    return false;
}

bool acpi_next_io_apic(const struct acpi_table *madt, uint32_t *offset, uint32_t *paddr)
{
    const uint8_t *entry;

    while ((entry = next_entry(madt, offset))) {
        if (entry[ENTRY_TYPE] == ENTRY_IO_APIC && entry[ENTRY_LENGTH] >= IO_APIC_BYTES) {
            *paddr = load32(entry + IO_APIC_ADDRESS);
            return true;
        }
    }
    return false;
}
