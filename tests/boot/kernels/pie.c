/*
 * A position-independent kernel: pointers in its data point where it was mapped, by RELATIVE or
 * RELR relocations as the build links it, and what only relocation writes to is read-only.
 */
#include "page_walk.h"
#include "program_header.h"
#include "report.h"

void _start(const struct bootinfo *info);

#define WORDS 100
static uint64_t words[WORDS];
/* 3 words on, so that a relocation does not patch each word. */
#define POINTERS(n) &words[n], 0, 0
static const uint64_t *volatile writable[] = {POINTERS(0), POINTERS(1), POINTERS(99)};
static void (*const entry[])(const struct bootinfo *info) = {_start};

static uint64_t address(const volatile void *pointer)
{
    return (uint64_t)(uintptr_t)pointer;
}

void _start(const struct bootinfo *info)
{
    struct page page;
    uint64_t cr3;
    void (*const *volatile pointer)(const struct bootinfo *info) = entry;

    report_entered();
    __asm__("mov %%cr3, %0" : "=r"(cr3));
    report_check(writable[0] == &words[0] && writable[3] == &words[1] &&
                     writable[6] == &words[99] && writable[1] == 0 && writable[8] == 0,
                 "pointers in data are relocated");
    report_check(*pointer == _start, "pointers in constants are relocated");
    report_check(info->kernel_slide == address(&__ehdr_start) - program_header_find(PT_LOAD)->vaddr,
                 "kernel_slide is how far the addresses are above the file's");
    report_check(info->kernel_vaddr == address(&__ehdr_start),
                 "kernel_vaddr is where it was mapped");
    report_check(page_find(cr3, address(entry), &page) && !page.writable && !page.executable,
                 "relocated constants are read-only");
    report_check(page_find(cr3, address(writable), &page) && page.writable && !page.executable,
                 "relocated data are writable");
    report_value("kernel_slide", info->kernel_slide);
    report_value("random_source", info->random_source);
    report_done();
}
