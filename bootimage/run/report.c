/*
 * A machine that stands still is looked at, and what is found becomes JSON.
 *
 * The parts come from report_chain.c (which exception was first), report_place.c (names and calls)
 * and report_address.c (what an address belongs to); report_text.c makes text of it all. Nothing
 * here may fail for what the guest's memory holds: what is not there is null.
 */
#include "run/report_view.h"

#include "run/escape.h"
#include "run/exception.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define REPORT_FORMAT 1
#define RFLAGS_IF 0x200u
#define CODE_BYTES 16
#define WORDS 16
#define LINES 10
#define LINE_BYTES 256
#define SOURCE_BYTES_MOST (16 << 20)
/* A panic is called by the function that has found the fault. */
#define PANIC_FRAMES 24

static json_t *exceptions_of(const struct report_view *view)
{
    json_t *list = json_array();

    for (size_t i = 0; i < view->chain_count; i++) {
        const struct exception *exception = view->chain[i];
        char name[EXCEPTION_NAME_BYTES];
        char text[EXCEPTION_TEXT_BYTES];
        const char *reason = exception_reason(exception);

        exception_describe(exception, text, sizeof(text));
        json_array_append_new(
            list,
            json_pack("{s:i, s:s, s:o, s:o, s:s, s:o, s:o}", "vector", exception->vector, "name",
                      exception_name(exception->vector, name), "error_code",
                      exception->has_error_code ? report_hex(exception->error_code) : json_null(),
                      "vaddr", report_hex(exception->registers.rip), "text", text, "reason",
                      reason ? json_string(reason) : json_null(), "where",
                      report_place(view, exception->registers.rip)));
    }
    return list;
}

static json_t *registers_of(const struct registers *registers)
{
    json_t *object = json_object();
    const size_t count = registers->bits == 64 ? REGISTERS_GENERAL_COUNT : REGISTERS_R8;
    const char *rip = registers->bits == 64 ? "rip" : "eip";

    for (size_t i = 0; i < count; i++)
        json_object_set_new(object, registers_name((enum registers_general)i, registers->bits),
                            report_hex(registers->general[i]));
    json_object_set_new(object, rip, report_hex(registers->rip));
    json_object_set_new(object, registers->bits == 64 ? "rflags" : "eflags",
                        report_hex(registers->rflags));
    json_object_set_new(object, "cs", report_hex(registers->cs));
    json_object_set_new(object, "ss", report_hex(registers->ss));
    json_object_set_new(object, "cr0", report_hex(registers->cr0));
    json_object_set_new(object, "cr2", report_hex(registers->cr2));
    json_object_set_new(object, "cr3", report_hex(registers->cr3));
    json_object_set_new(object, "cr4", report_hex(registers->cr4));
    json_object_set_new(object, "efer", report_hex(registers->efer));
    return object;
}

static json_t *code_of(const struct report_view *view, uint64_t vaddr)
{
    uint8_t bytes[CODE_BYTES];
    char text[3 * CODE_BYTES + 1] = "";

    for (size_t i = 0; i < CODE_BYTES; i++) {
        if (!report_read(view, vaddr + i, &bytes[i], 1))
            break;
        sprintf(text + strlen(text), i ? " %02x" : "%02x", bytes[i]);
    }
    return *text ? json_pack("{s:o, s:s}", "vaddr", report_hex(vaddr), "bytes", text) : json_null();
}

static json_t *words_of(const struct report_view *view, const struct registers *registers)
{
    const size_t word_bytes = registers->bits == 64 ? 8 : 4;
    json_t *list = json_array();

    for (size_t i = 0; i < WORDS; i++) {
        const uint64_t vaddr = registers->general[REGISTERS_RSP] + i * word_bytes;
        uint64_t word = 0, offset = 0;
        const char *symbol = NULL;
        char *text;
        json_t *row;

        if (!report_read(view, vaddr, &word, word_bytes))
            break;
        if (view->debuginfo && debuginfo_section(view->debuginfo, word - view->slide))
            symbol = debuginfo_symbol(view->debuginfo, word - view->slide, &offset);
        row = json_pack("{s:o, s:o, s:n}", "vaddr", report_hex(vaddr), "value", report_hex(word),
                        "symbol");
        if (symbol && asprintf(&text, "%s+0x%" PRIx64, symbol, offset) >= 0) {
            json_object_set_new(row, "symbol", report_text(text));
            free(text);
        }
        json_array_append_new(list, row);
    }
    return list;
}

/* DWARF may name anything: only a file of a size that sources have is read. */
static FILE *open_source(const char *path)
{
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    struct stat status;
    FILE *file = NULL;

    if (fd < 0)
        return NULL;
    if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode) && status.st_size <= SOURCE_BYTES_MOST)
        file = fdopen(fd, "r");
    if (!file)
        close(fd);
    return file;
}

/* A line of a source file, if the file is there. */
static json_t *source_of(const json_t *where)
{
    const char *path = json_string_value(json_object_get(where, "file"));
    const json_int_t line = json_integer_value(json_object_get(where, "line"));
    FILE *file = path && line > 0 ? open_source(path) : NULL;
    char *text = NULL;
    size_t room = 0;
    ssize_t bytes = 0;
    json_t *source = NULL;

    for (json_int_t i = 0; file && bytes >= 0 && i < line; i++)
        bytes = getline(&text, &room, file);
    if (bytes > 0) {
        text[strcspn(text, "\r\n")] = 0;
        for (char *tab = text; (tab = strchr(tab, '\t'));)
            *tab = ' ';
        source =
            json_pack("{s:s, s:I, s:o}", "file", path, "line", line, "text", report_text(text));
    }
    free(text);
    if (file)
        fclose(file);
    return source ? source : json_null();
}

/* The last lines, without escape sequences. */
static json_t *serial_of(const struct serial *serial)
{
    size_t bytes;
    const char *tail = serial_tail(serial, &bytes);
    enum escape escape = ESCAPE_NONE;
    char line[LINE_BYTES + 1];
    size_t length = 0;
    json_t *lines = json_array();

    for (size_t i = 0; i <= bytes; i++) {
        bool ends = i == bytes || tail[i] == '\n';

        if (ends && (length > 0 || i < bytes)) {
            line[length] = 0;
            json_array_append_new(lines, report_text(line));
            length = 0;
        } else if (!ends && !escape_hides(&escape, tail[i]) && length < LINE_BYTES) {
            line[length++] = tail[i];
        }
        if (json_array_size(lines) > LINES)
            json_array_remove(lines, 0);
    }
    return lines;
}

static const char *state_of(const struct registers *registers)
{
    if (!registers->is_halted)
        return "running";
    return registers->rflags & RFLAGS_IF ? "halted, waiting for an interrupt"
                                         : "halted with interrupts off";
}

static json_t *cpus_of(const struct report_view *view)
{
    json_t *list = json_array();

    for (size_t i = 0; i < view->cpu_count; i++)
        json_array_append_new(list, json_pack("{s:I, s:s, s:o, s:o}", "cpu", (json_int_t)i, "state",
                                              state_of(&view->cpus[i]), "vaddr",
                                              report_hex(view->cpus[i].rip), "where",
                                              report_place(view, view->cpus[i].rip)));
    return list;
}

static bool is_panic(const json_t *frame)
{
    const char *function = json_string_value(json_object_get(frame, "function"));

    return function && (strstr(function, "panic") || strstr(function, "begin_unwind"));
}

/* Where the report points to: the code itself, else the next known code that called it; of a panic,
   what called the panic. */
static json_t *where_of(const struct report_view *view, const json_t *stack, bool skips_panic)
{
    size_t start = 0;
    json_t *frame;

    for (size_t i = 0; skips_panic && i < PANIC_FRAMES && i < json_array_size(stack); i++) {
        if (is_panic(json_array_get(stack, i)))
            start = i + 1;
    }
    if (start >= json_array_size(stack))
        start = 0;
    for (size_t i = start; i < json_array_size(stack); i++) {
        frame = json_array_get(stack, i);
        if (json_is_string(json_object_get(frame, "symbol")) ||
            json_is_string(json_object_get(frame, "function")))
            return json_incref(frame);
    }
    return view->cpu_count || view->chain_count ? json_incref(json_array_get(stack, 0)) : NULL;
}

/* The registers that it all is about: when the first exception came, or as they stand. */
static const struct registers *registers_in_question(const struct report_view *view)
{
    if (view->chain_count)
        return &view->chain[0]->registers;
    return view->cpu_count ? &view->cpus[view->cpu] : NULL;
}

static json_t *event_of(const struct report_view *view)
{
    char text[EXCEPTION_TEXT_BYTES];

    if (view->chain_count) {
        exception_describe(view->chain[0], text, sizeof(text));
        return json_string(text);
    }
    if (view->cpu_count && strcmp(view->subject->what, "timeout") == 0)
        return json_string(state_of(&view->cpus[view->cpu]));
    return json_null();
}

static json_t *address_of(const struct report_view *view)
{
    const struct exception *first = view->chain_count ? view->chain[0] : NULL;

    if (!first || first->vector != EXCEPTION_PAGE_FAULT)
        return json_null();
    return report_address(view, first->registers.cr2, first->registers.general[REGISTERS_RSP]);
}

static void set(json_t *root, const char *key, json_t *value)
{
    json_object_set_new(root, key, value ? value : json_null());
}

static void fill(json_t *root, const struct report_view *view)
{
    const struct report_subject *subject = view->subject;
    const struct exception *first = view->chain_count ? view->chain[0] : NULL;
    const struct registers *registers = registers_in_question(view);
    json_t *stack = registers ? report_stack(view, registers) : json_array();
    json_t *where = where_of(view, stack, !first && strcmp(subject->what, "panic") == 0);

    set(root, "event", event_of(view));
    set(root, "vector", first ? json_integer(first->vector) : NULL);
    set(root, "error_code", first && first->has_error_code ? report_hex(first->error_code) : NULL);
    set(root, "address", address_of(view));
    set(root, "where", where);
    set(root, "exceptions", exceptions_of(view));
    set(root, "cpu", view->cpu_count ? json_integer((json_int_t)view->cpu) : NULL);
    set(root, "cpus", cpus_of(view));
    set(root, "registers", registers ? registers_of(registers) : NULL);
    set(root, "stack", stack);
    set(root, "source", source_of(where));
    set(root, "code", registers ? code_of(view, registers->cs_base + registers->rip) : NULL);
    set(root, "stack_words", registers ? words_of(view, registers) : NULL);
    set(root, "serial", serial_of(subject->serial));
}

json_t *report_make(const struct report_subject *subject)
{
    struct report_view *view = malloc(sizeof(*view));
    json_t *root = view ? json_pack("{s:i, s:i, s:o, s:s}", "format", REPORT_FORMAT, "status",
                                    (int)subject->status, "file", report_text(subject->name),
                                    "what", subject->what)
                        : NULL;

    if (root) {
        report_open_view(view, subject);
        fill(root, view);
        set(root, "unknown", view->unknown);
        debuginfo_close(view->debuginfo);
    }
    free(view);
    return root;
}
