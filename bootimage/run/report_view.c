/*
 * The first look at a machine that stands still: its CPUs, which of them it is about, where the
 * kernel was mapped, and which exceptions came.
 */
#include "run/report_view.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

json_t *report_hex(uint64_t value)
{
    return json_sprintf("0x%" PRIx64, value);
}

json_t *report_text(const char *raw)
{
    char *escaped = error_escape(raw);
    json_t *text = escaped ? json_string(escaped) : NULL;

    free(escaped);
    return text;
}

bool report_read(const struct report_view *view, uint64_t vaddr, void *bytes, size_t count)
{
    return view->cpu_count > 0 &&
           machine_read(view->subject->machine, (unsigned int)view->cpu, vaddr, bytes, count);
}

static void not_known(const struct report_view *view, const char *text)
{
    json_array_append_new(view->unknown, json_string(text));
}

/* The address of each CPU's task segment, which struct registers leaves out. */
static void find_task_segments(struct report_view *view, const char *text)
{
    size_t cpu = 0;

    while (cpu < REPORT_CPUS_MOST && (text = strstr(text, "\nTR ="))) {
        unsigned int selector;

        if (sscanf(text, "\nTR =%x %" SCNx64, &selector, &view->task_segments[cpu]) == 2)
            cpu++;
        text++;
    }
}

static void find_cpus(struct report_view *view)
{
    char *text = machine_monitor(view->subject->machine, "info registers -a");
    const char *rest = text;
    unsigned int number;

    while (rest && view->cpu_count < REPORT_CPUS_MOST &&
           registers_next(&view->cpus[view->cpu_count], &number, &rest))
        view->cpu_count++;
    if (text)
        find_task_segments(view, text);
    free(text);
}

/* Of several CPUs, the one that had the newest exception of a triple fault, or that runs. */
static void choose_cpu(struct report_view *view)
{
    const struct exception_log *log = view->subject->log;
    const struct exception *newest = log ? exception_log_newest(log, 0) : NULL;
    uint32_t raised;

    if (newest && exception_log_is_triple_fault(log, &raised)) {
        for (size_t i = 0; i < view->cpu_count; i++) {
            if (view->cpus[i].rip == newest->registers.rip &&
                view->cpus[i].general[REGISTERS_RSP] == newest->registers.general[REGISTERS_RSP])
                view->cpu = i;
        }
        return;
    }
    while (view->cpu + 1 < view->cpu_count && view->cpus[view->cpu].is_halted)
        view->cpu++;
    if (view->cpu_count && view->cpus[view->cpu].is_halted)
        view->cpu = 0;
}

/* Where the kernel was mapped: as planned, or, at random, as the loader has told it. */
static void find_slide(struct report_view *view)
{
    const struct plan_view plan = view->subject->plan;

    if (!plan.start)
        return;
    view->protocol = (const void *)plan_reader_find(plan, NULL, PLAN_PROTOCOL);
    view->has_stack = view->protocol->protocol == PLAN_PROTOCOL_PLAIN;
    view->slide = view->protocol->slide;
    view->has_slide = true;
    if (!plan_reader_find(plan, NULL, PLAN_RANDOM_BASE))
        return;
    view->has_slide = view->has_bootinfo;
    view->slide = view->bootinfo.info.kernel_slide;
    if (!view->has_slide)
        not_known(view, "names of functions: the kernel was mapped at a random address, and its "
                        "boot information, which tells where, was not found in memory");
}

void report_open_view(struct report_view *view, const struct report_subject *subject)
{
    struct error ignored = {0};

    *view = (struct report_view){.subject = subject, .unknown = json_array()};
    find_cpus(view);
    choose_cpu(view);
    view->has_bootinfo =
        view->cpu_count && machine_find_bootinfo(subject->machine, &view->bootinfo);
    find_slide(view);
    if (subject->kernel && view->has_slide)
        debuginfo_open(&view->debuginfo, subject->kernel, &ignored);
    error_free(&ignored);
    if (!subject->kernel)
        not_known(view, "names of functions: the image does not hold the kernel's file; name it by "
                        "--symbols, or make the image by --with-elf");
    if (view->cpu_count == 0)
        not_known(view,
                  "registers, stack and memory: a write to isa-debug-exit ends QEMU at once; a "
                  "kernel that signals pvpanic before is looked at");
    else if (!subject->log)
        not_known(view, "which exceptions came: KVM does not tell; try --accel=tcg");
    report_find_chain(view);
}
