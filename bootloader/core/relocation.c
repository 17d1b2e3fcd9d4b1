/*
 * Position-independent kernels: a random base moves the addresses of the plan before the placement,
 * and the tables of relocations move the addresses in the loaded bytes after it. The tool has
 * checked each entry; the loader still patches nothing outside the kernel's regions.
 */
#include "relocation.h"

#include "log.h"
#include "plan.h"
#include "random.h"

#include <bootimage/bootinfo.h>

#include <stdbool.h>
#include <string.h>

#define PATCH_BYTES sizeof(uint64_t)
/* [System V ABI x86-64 §4.4 "Relocation"] */
#define R_X86_64_RELATIVE 8
/* Words that one bitmap of RELR stands for. */
#define RELR_BITMAP_WORDS 63

struct rela {
    uint64_t offset; /* 0: an address of the ELF file */
    uint64_t info;   /* 8: type in the lower half */
    uint64_t addend; /* 16 */
};

static void move(struct plan_record *record, uint64_t distance)
{
    void *body = record;

    switch (record->type) {
    case PLAN_PROTOCOL:
        ((struct plan_protocol *)body)->entry_vaddr += distance;
        ((struct plan_protocol *)body)->slide += distance;
        break;
    case PLAN_REGION:
        ((struct plan_region *)body)->vaddr += distance;
        break;
    case PLAN_SEGMENT:
        ((struct plan_segment *)body)->vaddr += distance;
        break;
    case PLAN_MAPPING:
        ((struct plan_mapping *)body)->vaddr += distance;
        break;
    case PLAN_EFI_ENTRY:
        ((struct plan_efi_entry *)body)->entry_paddr += distance;
        break;
    case PLAN_TLS:
        ((struct plan_tls *)body)->vaddr += distance;
        break;
    case PLAN_RELOCATIONS:
        ((struct plan_relocations *)body)->vaddr += distance;
        break;
    }
}

void relocation_move(struct plan *plan, uint64_t distance)
{
    for (struct plan_record *record = plan_next(plan, NULL); record;
         record = plan_next(plan, record))
        move(record, distance);
}

void relocation_choose_base(struct plan *plan, int64_t wall_clock_s)
{
    const struct plan_random_base *base = (const void *)plan_find(plan, NULL, PLAN_RANDOM_BASE);
    uint8_t seed[RANDOM_SEED_BYTES];
    uint64_t number;

    if (!base)
        return;
    if (random_fill(seed, wall_clock_s) == BOOTINFO_RANDOM_CLOCKS)
        warn(WARNING_WEAK_RANDOM);
    memcpy(&number, seed, sizeof(number));
    relocation_move(plan, number % base->places * base->step_bytes);
}

/* What is patched, and how far its addresses move; `region` is where the last patch was. */
struct patches {
    const struct plan *plan;
    const struct plan_region *region;
    uint64_t slide;
};

static bool contains(const struct plan_region *region, uint64_t vaddr, uint64_t bytes)
{
    return region && vaddr >= region->vaddr && bytes <= region->bytes &&
           vaddr - region->vaddr <= region->bytes - bytes;
}

/* The loaded bytes at a virtual address of the kernel. */
static uint8_t *locate(struct patches *patches, uint64_t vaddr, uint64_t bytes)
{
    const struct plan_record *record = NULL;

    while (!contains(patches->region, vaddr, bytes)) {
        record = plan_find(patches->plan, record, PLAN_REGION);
        if (!record)
            fail(ERROR_PLAN_DAMAGED, {"relocation at", vaddr});
        patches->region = (const void *)record;
    }
    return (uint8_t *)(uintptr_t)(plan_load_paddr(patches->region) +
                                  (vaddr - patches->region->vaddr));
}

static void apply_rela(struct patches *patches, const uint8_t *table, uint64_t bytes)
{
    struct rela rela;

    for (uint64_t at = 0; at + sizeof(rela) <= bytes; at += sizeof(rela)) {
        memcpy(&rela, table + at, sizeof(rela));
        if ((uint32_t)rela.info != R_X86_64_RELATIVE)
            fail(ERROR_PLAN_UNKNOWN, {"relocation", (uint32_t)rela.info});
        uint64_t value = rela.addend + patches->slide;
        memcpy(locate(patches, rela.offset + patches->slide, PATCH_BYTES), &value, sizeof(value));
    }
}

static void slide_word(struct patches *patches, uint64_t vaddr)
{
    uint8_t *word = locate(patches, vaddr, PATCH_BYTES);
    uint64_t value;

    memcpy(&value, word, sizeof(value));
    value += patches->slide;
    memcpy(word, &value, sizeof(value));
}

/* An even entry is the address of a word; the bits of an odd one, from bit 1 on, stand for the
   words that follow [ELF gABI "Relative Relocation Table"]. */
static void apply_relr(struct patches *patches, const uint8_t *table, uint64_t bytes)
{
    uint64_t entry, next = 0;

    for (uint64_t at = 0; at + sizeof(entry) <= bytes; at += sizeof(entry)) {
        memcpy(&entry, table + at, sizeof(entry));
        if (!(entry & 1)) {
            next = entry + patches->slide;
            slide_word(patches, next);
            next += PATCH_BYTES;
            continue;
        }
        for (unsigned int i = 0; i < RELR_BITMAP_WORDS; i++) {
            if (entry >> (i + 1) & 1)
                slide_word(patches, next + i * PATCH_BYTES);
        }
        next += RELR_BITMAP_WORDS * PATCH_BYTES;
    }
}

static void apply_patches(struct patches *patches, const struct plan_patches *record)
{
    const uint64_t slide = record->flags & PLAN_PATCHES_ABSOLUTE ? 0 : patches->slide;

    for (uint32_t i = 0; i < record->count; i++) {
        const struct plan_patch *patch = &record->patches[i];
        uint64_t value = patch->value + slide;

        memcpy(locate(patches, patch->vaddr + patches->slide, PATCH_BYTES), &value, sizeof(value));
    }
}

void relocation_apply(const struct plan *plan)
{
    const struct plan_protocol *protocol = (const void *)plan_find(plan, NULL, PLAN_PROTOCOL);
    struct patches patches = {.plan = plan, .slide = protocol->slide};
    const struct plan_record *record = NULL;

    while ((record = plan_find(plan, record, PLAN_RELOCATIONS))) {
        const struct plan_relocations *relocations = (const void *)record;
        const uint8_t *table = locate(&patches, relocations->vaddr, relocations->bytes);

        if (relocations->form == PLAN_RELOCATIONS_RELA)
            apply_rela(&patches, table, relocations->bytes);
        else
            apply_relr(&patches, table, relocations->bytes);
    }
    record = NULL;
    while ((record = plan_find(plan, record, PLAN_PATCHES)))
        apply_patches(&patches, (const void *)record);
}
