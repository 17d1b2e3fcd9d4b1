/*
 * Which exceptions belong to a crash: the one that came first is the cause, the others came of it.
 *
 * QEMU logs that an exception came while another one was delivered. What it does not log is IRET:
 * so a handler counts as still running if what the CPU pushed for it lies untouched at the bottom
 * of the stack that is in use.
 */
#include "run/report_view.h"

#include <string.h>

/* [Intel SDM vol. 3 §6.14.2 "64-Bit Mode Stack Frame"] */
struct frame {
    uint64_t rip, cs, rflags, rsp, ss;
};

#define GATE_BYTES 16
#define GATE_STACK_OFFSET 4
#define GATE_STACK_MASK 7
#define TASK_RSP0_OFFSET 4
#define TASK_STACK1_OFFSET 0x24
/* No handler has used so much of its stack. */
#define HANDLER_STACK_MOST 0x100000

/* The stack that a gate switches to, or the one that was in use. */
static uint64_t stack_of(const struct report_view *view, const struct exception *exception)
{
    const uint64_t gate = exception->registers.idt + (uint64_t)exception->vector * GATE_BYTES;
    const uint64_t task = view->task_segments[view->cpu];
    uint64_t top = exception->registers.general[REGISTERS_RSP];
    uint8_t number = 0;

    if (!report_read(view, gate + GATE_STACK_OFFSET, &number, 1))
        return top;
    number &= GATE_STACK_MASK;
    if (number > 0)
        report_read(view, task + TASK_STACK1_OFFSET + 8u * (number - 1u), &top, sizeof(top));
    else if (exception->cpl > 0)
        report_read(view, task + TASK_RSP0_OFFSET, &top, sizeof(top));
    return top;
}

/* Whether the handler of an exception runs at a time when RSP is as given. */
static bool is_running(const struct report_view *view, const struct exception *exception,
                       uint64_t rsp)
{
    const uint64_t error_bytes = exception->has_error_code ? 8 : 0;
    uint64_t start = (stack_of(view, exception) & ~(uint64_t)15) - sizeof(struct frame);
    struct frame frame;

    if (exception->registers.bits != 64 || rsp > start - error_bytes ||
        start - rsp > HANDLER_STACK_MOST)
        return false;
    return report_read(view, start, &frame, sizeof(frame)) &&
           frame.rip == exception->registers.rip &&
           frame.rsp == exception->registers.general[REGISTERS_RSP];
}

static void add_first(struct report_view *view, const struct exception *exception)
{
    if (view->chain_count == REPORT_CHAIN_MOST)
        view->chain_count--;
    memmove(view->chain + 1, view->chain, view->chain_count * sizeof(view->chain[0]));
    view->chain[0] = exception;
    view->chain_count++;
}

void report_find_chain(struct report_view *view)
{
    const struct exception_log *log = view->subject->log;
    const struct exception *led[EXCEPTION_LOG_KEPT];
    const struct exception *exception;
    uint64_t rsp = view->cpu_count ? view->cpus[view->cpu].general[REGISTERS_RSP] : 0;
    uint32_t raised;
    size_t led_count = 0;

    if (!log)
        return;
    if (exception_log_is_triple_fault(log, &raised))
        led_count = exception_log_chain(log, led);
    for (size_t i = led_count; i > 0; i--)
        add_first(view, led[i - 1]);
    if (led_count)
        rsp = led[0]->registers.general[REGISTERS_RSP];
    for (size_t i = led_count; (exception = exception_log_newest(log, i)); i++) {
        if (exception->is_software || !is_running(view, exception, rsp))
            continue;
        add_first(view, exception);
        rsp = exception->registers.general[REGISTERS_RSP];
    }
}
