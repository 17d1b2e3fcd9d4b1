/*
 * What the parts of a report share: the machine as it stands, and how its addresses become names.
 */
#ifndef BOOTIMAGE_RUN_REPORT_VIEW_H
#define BOOTIMAGE_RUN_REPORT_VIEW_H

#include "run/debuginfo.h"
#include "run/profile_find.h"
#include "run/report.h"

#include "bootimage/image.h"

#define REPORT_CPUS_MOST 64
#define REPORT_CHAIN_MOST 16

struct report_view {
    const struct report_subject *subject;
    struct debuginfo *debuginfo;          /* NULL: no names */
    const struct plan_protocol *protocol; /* NULL: not known */
    bool has_stack;                       /* it is where bootinfo.h promises it */
    bool has_slide;
    uint64_t slide; /* addresses of the machine are so far above those of the file */
    bool has_bootinfo;
    struct found_bootinfo bootinfo;
    struct registers cpus[REPORT_CPUS_MOST];          /* as they stand */
    uint64_t task_segments[REPORT_CPUS_MOST];         /* addresses; 0: none */
    size_t cpu_count;                                 /* 0: the machine is gone */
    size_t cpu;                                       /* the one that it is about */
    const struct exception *chain[REPORT_CHAIN_MOST]; /* the first one first */
    size_t chain_count;
    json_t *unknown; /* array of texts: what could not be known */
};

/* Its debuginfo is to be closed, and its `unknown` to be given back. */
void report_open_view(struct report_view *view, const struct report_subject *subject);

/* report_chain.c: the exceptions that are being handled as the CPU stands, and those that led to a
   triple fault. */
void report_find_chain(struct report_view *view);

/* report_address.c: what an address belongs to; rsp is that of the code that used it. */
json_t *report_address(const struct report_view *view, uint64_t vaddr, uint64_t rsp);

/* report_place.c: where code is; null if the address is not the kernel's. The second is of all
   functions that are being called, from these registers on. */
json_t *report_place(const struct report_view *view, uint64_t vaddr);
json_t *report_stack(const struct report_view *view, const struct registers *registers);

/* A hexadecimal number as text. */
json_t *report_hex(uint64_t value);

/* Text of the guest's or of a file's, made fit for a terminal. */
json_t *report_text(const char *raw);

bool report_read(const struct report_view *view, uint64_t vaddr, void *bytes, size_t count);

#endif
