/*
 * Reads QEMU's log while the machine runs, so that the first exception of a chain is known when
 * the machine has stopped and shows only what the last one left.
 *
 * An exception is a line "check_exception old: 0xffffffff new 0xe" (not of INT n), a line that
 * begins "     0: v=0e e=0002 i=0 cpl=0 IP=" and the registers. CPUs write without regard to each
 * other and do not say who they are, and the second line is written in three pieces: so pieces are
 * put together by what is in them, the registers by RIP and RSP.
 */
#include "run/exception_log.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* A long mode CPU has written so much to the stack at most before it runs the handler: five
   registers and the error code, from a multiple of 16 on [Intel SDM vol. 3 §6.14.2]. */
#define FRAME_BYTES_MAX 64

#define EFER_LMA (UINT64_C(1) << 10)

static bool starts_with(const char *text, const char *start)
{
    return strncmp(text, start, strlen(start)) == 0;
}

/* Moves *text behind the label and the number, if that is what it starts with. An address has 16
   digits, and what another CPU writes behind it may begin with one more, as "check" does. */
static bool take_number(const char **text, const char *label, int base, uint64_t *number)
{
    const char *start = *text + strlen(label);
    char digits[16 + 1] = "";
    char *end;

    if (!starts_with(*text, label) || !isxdigit((unsigned char)*start))
        return false;
    strncpy(digits, start, sizeof(digits) - 1);
    *number = strtoull(digits, &end, base);
    *text = start + (end - digits);
    return end > digits;
}

static bool is_contributory(uint32_t vector)
{
    return vector == EXCEPTION_DIVIDE_ERROR ||
           (vector >= EXCEPTION_INVALID_TSS && vector <= EXCEPTION_PROTECTION);
}

/* [Intel SDM vol. 3 table 6-5 "Conditions for Generating a Double Fault"] */
static uint32_t delivered_vector(const struct exception_check *check)
{
    bool is_double = (is_contributory(check->during) && is_contributory(check->raised)) ||
                     (check->during == EXCEPTION_PAGE_FAULT &&
                      (is_contributory(check->raised) || check->raised == EXCEPTION_PAGE_FAULT));

    return is_double ? EXCEPTION_DOUBLE_FAULT : check->raised;
}

static bool is_same_place(const struct registers *registers, uint64_t rip, uint64_t rsp)
{
    /* QEMU cuts the registers of 32-bit code to what that sees. */
    uint64_t mask = registers->bits == 64 ? UINT64_MAX : UINT32_MAX;

    return registers->rip == (rip & mask) && registers->general[REGISTERS_RSP] == (rsp & mask);
}

/* Forgets the first of the items if there are as many as there may be. */
static void make_room(void *items, size_t *count, size_t item_bytes)
{
    if (*count == EXCEPTION_LOG_CPUS)
        memmove(items, (char *)items + item_bytes, --*count * item_bytes);
}

static bool take_check(struct exception_log *log, const char *line)
{
    uint64_t during;
    uint64_t raised;

    if (!take_number(&line, "check_exception old: ", 16, &during) ||
        !take_number(&line, " new ", 16, &raised))
        return false;
    make_room(log->checks, &log->check_count, sizeof(log->checks[0]));
    log->checks[log->check_count++] =
        (struct exception_check){.during = (uint32_t)during, .raised = (uint32_t)raised};
    return true;
}

/* Gives exception the newest check that leads to its vector. */
static void use_check(struct exception_log *log, struct exception *exception)
{
    for (size_t i = log->check_count; i-- > 0;) {
        struct exception_check *check = &log->checks[i];

        if (delivered_vector(check) != exception->vector)
            continue;
        exception->during = check->during;
        exception->raised = check->raised;
        memmove(check, check + 1, (--log->check_count - i) * sizeof(*check));
        return;
    }
}

static bool has_error_code(uint32_t vector)
{
    static const uint32_t with_error_code = 1u << 8 | 1u << 10 | 1u << 11 | 1u << 12 | 1u << 13 |
                                            1u << 14 | 1u << 17 | 1u << 21 | 1u << 29 | 1u << 30;

    return with_error_code >> vector & 1;
}

static void add_place(struct exception_log *log, uint32_t vector, uint64_t rip, uint64_t rsp)
{
    make_room(log->places, &log->place_count, sizeof(log->places[0]));
    log->places[log->place_count++] =
        (struct exception_place){.rip = rip, .rsp = rsp, .vector = vector};
}

/* The line up to the stack pointer. *line moves behind it. */
static bool take_record(struct exception_log *log, const char **line)
{
    const char *text = *line + strspn(*line, " ");
    uint64_t number, vector, error_code, is_software, cpl, selector, rip, pc, rsp;

    if (!take_number(&text, "", 10, &number) || !take_number(&text, ": v=", 16, &vector) ||
        !take_number(&text, " e=", 16, &error_code) ||
        !take_number(&text, " i=", 10, &is_software) || !take_number(&text, " cpl=", 10, &cpl) ||
        !take_number(&text, " IP=", 16, &selector) || !take_number(&text, ":", 16, &rip) ||
        !take_number(&text, " pc=", 16, &pc) || !take_number(&text, " SP=", 16, &selector) ||
        !take_number(&text, ":", 16, &rsp))
        return false;
    *line = text;
    if (vector >= EXCEPTION_COUNT) {
        add_place(log, (uint32_t)vector, rip, rsp);
        return true;
    }
    struct exception exception = {
        .vector = (uint8_t)vector,
        .raised = (uint32_t)vector,
        .during = EXCEPTION_NONE,
        .cpl = (unsigned int)cpl,
        .is_software = is_software != 0,
        .has_error_code = is_software == 0 && has_error_code((uint32_t)vector),
        .registers = {.rip = rip},
    };
    exception.registers.general[REGISTERS_RSP] = rsp;
    if (exception.has_error_code)
        exception.error_code = (uint32_t)error_code;
    if (!exception.is_software)
        use_check(log, &exception);
    make_room(log->pending, &log->pending_count, sizeof(exception));
    log->pending[log->pending_count++] = exception;
    return true;
}

/* Whether the CPU wrote to the stack, or read its entry of the IDT, for the vector. */
static bool is_page_fault_of_delivery(const struct exception *exception, uint32_t vector)
{
    const struct registers *registers = &exception->registers;
    uint64_t entry_bytes = registers->efer & EFER_LMA ? 16 : 8;
    uint64_t entry = registers->idt + vector * entry_bytes;
    uint64_t below_stack = registers->general[REGISTERS_RSP] - registers->cr2;

    if (exception->error_code & EXCEPTION_PAGE_WRITE)
        return below_stack > 0 && below_stack <= FRAME_BYTES_MAX;
    return registers->cr2 >= entry && registers->cr2 - entry < entry_bytes;
}

/* Whether the error code names the vector's entry of the IDT: by its number, or, in QEMU's long
   mode (7.2), by twice that. */
static bool is_protection_of_delivery(const struct exception *exception, uint32_t vector)
{
    uint32_t index = exception->error_code >> EXCEPTION_SELECTOR_INDEX_SHIFT;

    return exception->error_code & EXCEPTION_SELECTOR_IS_IDT &&
           (index == vector || index == 2 * vector);
}

/* QEMU's check forgets what makes no double fault: the delivery of an interrupt, of an invalid
   opcode and the like. That such a delivery failed shows in the exception that came of it. */
static uint32_t find_during(const struct exception_log *log, const struct exception *exception)
{
    const struct registers *registers = &exception->registers;
    bool has_selector =
        exception->vector >= EXCEPTION_INVALID_TSS && exception->vector <= EXCEPTION_PROTECTION;

    if (exception->during != EXCEPTION_NONE || exception->is_software)
        return exception->during;
    for (size_t i = log->place_count; i-- > 0;) {
        const struct exception_place *place = &log->places[i];

        if (!is_same_place(registers, place->rip, place->rsp))
            continue;
        if ((has_selector && is_protection_of_delivery(exception, place->vector)) ||
            (exception->vector == EXCEPTION_PAGE_FAULT &&
             is_page_fault_of_delivery(exception, place->vector)))
            return place->vector;
    }
    return EXCEPTION_NONE;
}

/* The registers of one CPU are there: of an exception, or of something else. */
static void end_dump(struct exception_log *log)
{
    struct registers registers;
    size_t bytes = log->dump_bytes;

    log->dump_bytes = 0;
    if (!registers_parse(&registers, log->dump, bytes))
        return;
    for (size_t i = 0; i < log->pending_count; i++) {
        struct exception *pending = &log->pending[i];
        uint64_t rip = pending->registers.rip;
        uint64_t rsp = pending->registers.general[REGISTERS_RSP];

        if (!is_same_place(&registers, rip, rsp))
            continue;
        pending->registers = registers;
        pending->during = find_during(log, pending);
        pending->sequence = ++log->count;
        log->kept[log->count % EXCEPTION_LOG_KEPT] = *pending;
        add_place(log, pending->vector, rip, rsp);
        memmove(pending, pending + 1, (--log->pending_count - i) * sizeof(*pending));
        return;
    }
}

/* A line of registers, or one that means nothing. */
static void add_to_dump(struct exception_log *log, const char *line)
{
    size_t bytes = strlen(line);

    if (starts_with(line, "RAX=") || starts_with(line, "EAX="))
        log->dump_bytes = 0;
    else if (log->dump_bytes == 0)
        return;
    if (bytes + 1 > EXCEPTION_LOG_DUMP_BYTES - log->dump_bytes) {
        log->dump_bytes = 0;
        return;
    }
    memcpy(log->dump + log->dump_bytes, line, bytes);
    log->dump[log->dump_bytes + bytes] = '\n';
    log->dump_bytes += bytes + 1;
    if (starts_with(line, "EFER="))
        end_dump(log);
}

static void triple_fault(struct exception_log *log)
{
    log->is_triple_fault = true;
    log->triple_fault_raised = EXCEPTION_NONE;
    for (size_t i = 0; i < log->check_count; i++) {
        if (log->checks[i].during == EXCEPTION_DOUBLE_FAULT)
            log->triple_fault_raised = log->checks[i].raised;
    }
}

/* What a record ends with is in the registers, too; it may stand before another CPU's words. */
static bool take_end_of_record(const char **line)
{
    uint64_t number;

    return take_number(line, " CR2=", 16, &number) ||
           take_number(line, " env->regs[R_EAX]=", 16, &number);
}

static void read_line(struct exception_log *log, const char *line)
{
    while (take_end_of_record(&line) || take_record(log, &line))
        ;
    if (take_check(log, line))
        return;
    if (starts_with(line, "Triple fault"))
        triple_fault(log);
    else if (starts_with(line, "CPU Reset (CPU 0)"))
        log->is_triple_fault = false;
    else if (log->pending_count > 0)
        add_to_dump(log, line);
}

void exception_log_start(struct exception_log *log)
{
    memset(log, 0, sizeof(*log));
}

void exception_log_feed(struct exception_log *log, const char *bytes, size_t count)
{
    const char *end = bytes + count;

    while (bytes < end) {
        const char *newline = memchr(bytes, '\n', (size_t)(end - bytes));
        size_t part = (size_t)((newline ? newline : end) - bytes);
        size_t room = EXCEPTION_LOG_LINE_BYTES - 1 - log->line_bytes;
        size_t used = part < room ? part : room;

        memcpy(log->line + log->line_bytes, bytes, used);
        log->line_bytes += used;
        bytes += part;
        if (!newline)
            return;
        log->line[log->line_bytes] = 0;
        log->line_bytes = 0;
        read_line(log, log->line);
        bytes++;
    }
}

const struct exception *exception_log_newest(const struct exception_log *log, size_t index)
{
    if (index >= EXCEPTION_LOG_KEPT || index >= log->count)
        return NULL;
    return &log->kept[(log->count - index) % EXCEPTION_LOG_KEPT];
}

bool exception_log_is_triple_fault(const struct exception_log *log, uint32_t *raised)
{
    *raised = log->is_triple_fault ? log->triple_fault_raised : EXCEPTION_NONE;
    return log->is_triple_fault;
}

/* The newest one behind index others that has the vector, at the place if that is given. Moves
 *index behind it. */
static const struct exception *find_older(const struct exception_log *log, size_t *index,
                                          uint32_t vector, const struct registers *place)
{
    const struct exception *exception;

    while ((exception = exception_log_newest(log, (*index)++))) {
        const struct registers *registers = &exception->registers;

        if (exception->vector == vector &&
            (!place || (registers->rip == place->rip &&
                        registers->general[REGISTERS_RSP] == place->general[REGISTERS_RSP])))
            return exception;
    }
    return NULL;
}

size_t exception_log_chain(const struct exception_log *log,
                           const struct exception *chain[EXCEPTION_LOG_KEPT])
{
    size_t index = 0;
    size_t count = 0;
    const struct exception *exception = log->is_triple_fault
                                            ? find_older(log, &index, EXCEPTION_DOUBLE_FAULT, NULL)
                                            : exception_log_newest(log, index++);

    while (exception) {
        memmove(chain + 1, chain, count++ * sizeof(const struct exception *));
        chain[0] = exception;
        exception = find_older(log, &index, exception->during, &exception->registers);
    }
    return count;
}
