/*
 * A kernel with segments that share pages, begin and end anywhere, or are empty: remake.py appends
 * those of the table below to it, each full of its number, from 1 on. It looks whether every byte
 * of their pages is right, and whether each page has the rights of all that lies on it and no
 * others.
 */
#include "page_walk.h"
#include "report.h"

#include <stddef.h>

#define SHARED_VADDR 0xffffffff81000000ull
#define SHARED_PAGES 16u

#define X 1u /* as in ELF files */
#define W 2u
#define R 4u

/* As in remake.py: where it begins behind SHARED_VADDR. */
static const struct {
    uint32_t offset;
    uint32_t bytes;
    uint32_t rights;
} segments[] = {
    {0x0000, 0x800, R},          {0x0800, 0x800, R | W}, {0x1000, 0x7ff, R},
    {0x17ff, 0x801, R},          {0x2000, 0x10, R | X},  {0x2010, 0x20, R},
    {0x3100, 0x100, R | X},      {0x3200, 0x100, R | W}, {0x5123, 0x1eed, R | W},
    {0x7010, 0xff5, R},          {0x8005, 1, R},         {0xa000, 0, R | W | X},
    {0x1400, 0, R | W | X},      {0xb000, 0x1000, R},    {0xc000, 0, R | W},
    {0xc000, 0x1001, R | W | X},
};
#define SEGMENTS (sizeof(segments) / sizeof(segments[0]))

void _start(void);

/* What all segments on a page say together; 0 if it is nobody's. */
static uint32_t rights_of(unsigned page)
{
    uint32_t rights = 0;

    for (size_t i = 0; i < SEGMENTS; i++) {
        if (segments[i].bytes != 0 && segments[i].offset / PAGE_BYTES <= page &&
            (segments[i].offset + segments[i].bytes - 1) / PAGE_BYTES >= page)
            rights |= segments[i].rights;
    }
    return rights;
}

/* The number of the segment that the byte belongs to, or the 0 that fills the page. */
static uint8_t byte_at(uint32_t offset)
{
    for (size_t i = 0; i < SEGMENTS; i++) {
        if (offset - segments[i].offset < segments[i].bytes)
            return (uint8_t)(i + 1);
    }
    return 0;
}

static void check_pages(void)
{
    bool mapped = true, only = true, writable = true, executable = true;
    struct page found;
    uint64_t cr3;

    __asm__("mov %%cr3, %0" : "=r"(cr3));
    for (unsigned page = 0; page < SHARED_PAGES; page++) {
        const uint32_t rights = rights_of(page);
        const bool there = page_find(cr3, SHARED_VADDR + page * PAGE_BYTES, &found);

        only = only && (rights != 0 || !there);
        mapped = mapped && (rights == 0 || there);
        if (rights == 0 || !there)
            continue;
        writable = writable && found.writable == ((rights & W) != 0);
        executable = executable && found.executable == ((rights & X) != 0);
    }
    report_check(mapped, "every page of a segment is mapped");
    report_check(only, "an empty segment has no page");
    report_check(writable, "a page is writable where one of its segments is");
    report_check(executable, "a page is executable where one of its segments is");
}

static void check_bytes(void)
{
    const volatile uint8_t *bytes = (const volatile uint8_t *)SHARED_VADDR;
    bool right = true;

    for (uint32_t at = 0; at < SHARED_PAGES * PAGE_BYTES; at++)
        right = right && (rights_of(at / PAGE_BYTES) == 0 || bytes[at] == byte_at(at));
    report_check(right, "each segment has its bytes, and zeros are around them");
}

void _start(void)
{
    report_entered();
    check_pages();
    check_bytes();
    report_done();
}
