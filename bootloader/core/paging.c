/*
 * Page tables with 4 or 5 levels: filled so that the first to map an address keeps it.
 */
#include "paging.h"

#include "cpu.h"
#include "memory_map.h"

#define ENTRY_PRESENT 0x001ull
#define ENTRY_WRITABLE 0x002ull
#define ENTRY_PWT 0x008ull
#define ENTRY_PCD 0x010ull
#define ENTRY_LARGE 0x080ull
/* The third bit that chooses an entry of the PAT, in pages of 4 KiB and in larger ones. */
#define ENTRY_PAT 0x080ull
#define ENTRY_LARGE_PAT 0x1000ull
#define ENTRY_NO_EXECUTE 0x8000000000000000ull
#define ENTRY_ADDRESS 0x000ffffffffff000ull

#define TABLE_ENTRIES 512

/* What is left to be mapped. */
struct span {
    uint64_t vaddr;
    uint64_t paddr;
    uint64_t bytes;
};

/* Bytes that one entry maps in a table of this level; level 0 has the pages of 4 KiB. */
static uint64_t entry_bytes(unsigned int level)
{
    return MEMORY_PAGE_BYTES << (9 * level);
}

static uint64_t *table_at(uint64_t entry)
{
    return (uint64_t *)(uintptr_t)(entry & ENTRY_ADDRESS);
}

static uint64_t leaf_entry(const struct paging *paging, unsigned int level, unsigned int flags)
{
    uint64_t entry = ENTRY_PRESENT;

    if (flags & PAGING_WRITABLE)
        entry |= ENTRY_WRITABLE;
    if (!(flags & PAGING_EXECUTABLE) && paging->has_nx)
        entry |= ENTRY_NO_EXECUTE;
    if (flags & PAGING_UNCACHED) /* entry 3 of the PAT */
        entry |= ENTRY_PWT | ENTRY_PCD;
    if (flags & (PAGING_WRITE_COMBINING | PAGING_WRITE_COMBINING_LIMINE)) /* entry 4 */
        entry |= level > 0 ? ENTRY_LARGE_PAT : ENTRY_PAT;
    if (flags & PAGING_WRITE_COMBINING_LIMINE) /* entry 5 */
        entry |= ENTRY_PWT;
    return level > 0 ? entry | ENTRY_LARGE : entry;
}

/* May one entry of this level map the start of the span? */
static bool is_leaf_size(const struct paging *paging, unsigned int level, const struct span *span,
                         unsigned int flags)
{
    unsigned int largest = paging->has_1gib && !(flags & PAGING_NO_1GIB) ? 2 : 1;

    return level <= largest && span->bytes >= entry_bytes(level) &&
           ((span->vaddr | span->paddr) & (entry_bytes(level) - 1)) == 0;
}

static uint64_t new_table(const struct paging *paging)
{
    return memory_map_take_pages(paging->map, MEMORY_PAGE_BYTES) | ENTRY_PRESENT | ENTRY_WRITABLE;
}

/* Move the span behind the entry of this level that maps its start. */
static void skip_entry(struct span *span, unsigned int level)
{
    uint64_t part = entry_bytes(level) - (span->vaddr & (entry_bytes(level) - 1));

    if (part > span->bytes)
        part = span->bytes;
    span->vaddr += part;
    span->paddr += part;
    span->bytes -= part;
}

/* Map what one table covers of the span, and move the span behind it. */
static void fill(const struct paging *paging, uint64_t *table, unsigned int level,
                 struct span *span, unsigned int flags)
{
    unsigned int i = (unsigned int)(span->vaddr / entry_bytes(level)) % TABLE_ENTRIES;

    for (; i < TABLE_ENTRIES && span->bytes > 0; i++) {
        if (!(table[i] & ENTRY_PRESENT)) {
            if (is_leaf_size(paging, level, span, flags))
                table[i] = span->paddr | leaf_entry(paging, level, flags);
            else
                table[i] = new_table(paging);
        }
        if (level == 0 || (table[i] & ENTRY_LARGE))
            skip_entry(span, level);
        else
            fill(paging, table_at(table[i]), level - 1, span, flags);
    }
}

void paging_init(struct paging *paging, struct memory_map *map, const struct cpu_features *cpu,
                 uint32_t levels)
{
    *paging = (struct paging){
        .root_paddr = memory_map_take_pages(map, MEMORY_PAGE_BYTES),
        .map = map,
        .levels = levels,
        .has_nx = cpu->has_nx,
        .has_1gib = cpu->has_1gib,
    };
}

void paging_map(struct paging *paging, uint64_t vaddr, uint64_t paddr, uint64_t bytes,
                unsigned int flags)
{
    struct span span = {vaddr, paddr, bytes};

    fill(paging, table_at(paging->root_paddr), paging->levels - 1, &span, flags);
}

bool paging_map_recursive(struct paging *paging, unsigned int index)
{
    uint64_t *entry = &table_at(paging->root_paddr)[index];

    if (*entry & ENTRY_PRESENT)
        return false;
    *entry = paging->root_paddr | ENTRY_PRESENT | ENTRY_WRITABLE;
    if (paging->has_nx)
        *entry |= ENTRY_NO_EXECUTE;
    return true;
}
