/*
 * What an address belongs to: told from the kernel's file, the plan, the contract of bootinfo.h,
 * and the page tables of the CPU.
 */
#include "run/report_view.h"

#include "bootimage/bootinfo.h"

#include <inttypes.h>
#include <stdio.h>

#define PAGE_BYTES 4096u
#define TEXT_BYTES 256
/* Stacks of other CPUs lie below the first one; so many are looked through. */
#define STACKS_MOST 256
/* A function that needs so much of the stack may miss the page that guards it. */
#define FRAME_MOST 0x1000000u

struct finding {
    const char *kind;
    char text[TEXT_BYTES];
};

/* The stacks that the loader has made for a kernel with paging [bootinfo.h]. */
static bool find_stack(const struct report_view *view, uint64_t vaddr, uint64_t rsp,
                       struct finding *finding)
{
    const uint64_t bytes = view->protocol ? view->protocol->stack_bytes : 0;
    const uint64_t slot = bytes + PAGE_BYTES;
    const uint64_t below = BOOTINFO_STACK_TOP - vaddr;
    const uint64_t bottom = BOOTINFO_STACK_TOP - bytes;

    if (!view->has_stack || bytes == 0 || vaddr >= BOOTINFO_STACK_TOP)
        return false;
    if (below <= bytes) {
        finding->kind = "stack";
        snprintf(finding->text, TEXT_BYTES, "the stack, 0x%" PRIx64 " bytes below its top", below);
        return true;
    }
    if ((below - 1) % slot >= bytes && below / slot < STACKS_MOST) {
        finding->kind = "guard-page";
        snprintf(finding->text, TEXT_BYTES,
                 "the guard page below the stack of %" PRIu64 " bytes: stack overflow", bytes);
        return true;
    }
    if (vaddr < bottom && bottom - vaddr < FRAME_MOST && rsp < bottom + FRAME_MOST &&
        rsp > bottom - FRAME_MOST) {
        finding->kind = "guard-page";
        snprintf(finding->text, TEXT_BYTES,
                 "nothing, below the guard page of the stack of %" PRIu64 " bytes: stack overflow",
                 bytes);
        return true;
    }
    return false;
}

static bool find_section(const struct report_view *view, uint64_t vaddr, struct finding *finding)
{
    const char *section = NULL;
    const char *symbol = NULL;
    uint64_t offset = 0;

    if (view->debuginfo) {
        section = debuginfo_section(view->debuginfo, vaddr - view->slide);
        symbol = debuginfo_symbol(view->debuginfo, vaddr - view->slide, &offset);
    }
    if (!section)
        return false;
    finding->kind = "section";
    if (symbol)
        snprintf(finding->text, TEXT_BYTES, "the kernel's section %s, %s+0x%" PRIx64, section,
                 symbol, offset);
    else
        snprintf(finding->text, TEXT_BYTES, "the kernel's section %s", section);
    return true;
}

/* The segments that the plan has, of a kernel whose sections are not known. */
static bool find_segment(const struct report_view *view, uint64_t vaddr, struct finding *finding)
{
    const struct plan_record *record = NULL;
    const uint64_t in_file = vaddr - view->slide;

    while (view->subject->plan.start &&
           (record = plan_reader_find(view->subject->plan, record, PLAN_REGION))) {
        const struct plan_region *region = (const void *)record;
        const uint64_t start = region->vaddr - (view->protocol ? view->protocol->slide : 0);

        if (in_file - start < region->bytes) {
            finding->kind = "section";
            snprintf(finding->text, TEXT_BYTES, "the kernel's segments");
            return true;
        }
    }
    return false;
}

static bool find_bootinfo(const struct report_view *view, uint64_t vaddr, struct finding *finding)
{
    const struct found_bootinfo *found = &view->bootinfo;
    const uint64_t paddr =
        vaddr >= found->info.physical_memory ? vaddr - found->info.physical_memory : vaddr;

    if (!view->has_bootinfo || (paddr - found->paddr >= found->info.size_bytes &&
                                vaddr - found->paddr >= found->info.size_bytes))
        return false;
    finding->kind = "bootinfo";
    snprintf(finding->text, TEXT_BYTES, "struct bootinfo");
    return true;
}

json_t *report_address(const struct report_view *view, uint64_t vaddr, uint64_t rsp)
{
    struct finding finding = {.kind = NULL};
    uint8_t byte;

    if (vaddr < PAGE_BYTES && !report_read(view, vaddr, &byte, 1)) {
        finding.kind = "null-page";
        snprintf(finding.text, TEXT_BYTES, "page 0: a null pointer");
    } else if (!find_stack(view, vaddr, rsp, &finding) && !find_section(view, vaddr, &finding) &&
               !find_segment(view, vaddr, &finding) && !find_bootinfo(view, vaddr, &finding)) {
        finding.kind = report_read(view, vaddr, &byte, 1) ? "mapped" : "unmapped";
        snprintf(finding.text, TEXT_BYTES, "%s",
                 *finding.kind == 'm' ? "memory beside the kernel" : "nothing: it is not mapped");
    }
    return json_pack("{s:o, s:o, s:s}", "vaddr", report_hex(vaddr), "belongs_to",
                     report_text(finding.text), "kind", finding.kind);
}
