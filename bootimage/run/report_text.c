/*
 * The report as people read it: what happened and where comes first, then what shows how it came to
 * that.
 */
#include "run/report.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define REGISTERS_PER_LINE 4
/* 0x and 16 digits, and two blanks. */
#define REGISTER_WIDTH 20

static const char *string_of(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

/* A source file's path, from the working directory on where it lies in that. */
static void print_path(const char *file, FILE *output)
{
    char path[PATH_MAX], folder[PATH_MAX];
    size_t bytes;

    if (!realpath(file, path) || !getcwd(folder, sizeof(folder))) {
        fputs(file, output);
        return;
    }
    bytes = strlen(folder);
    if (strncmp(path, folder, bytes) == 0 && path[bytes] == '/')
        fputs(path + bytes + 1, output);
    else
        fputs(path, output);
}

/* map_page+0x1f (kernel/paging.c:42); of a function that is inlined into it, write_entry in
   map_page+0x1f (...) */
static void print_place(const json_t *place, FILE *output)
{
    const char *function = string_of(place, "function");
    const char *symbol = string_of(place, "symbol");
    const char *file = string_of(place, "file");
    const json_t *line = json_object_get(place, "line");

    if (function && symbol && json_is_true(json_object_get(place, "inlined"))) {
        fprintf(output, "%s in ", function);
        function = symbol;
    }
    if (!function)
        function = symbol;
    if (function)
        fprintf(output, "%s+0x%llx", function,
                (unsigned long long)json_integer_value(json_object_get(place, "offset")));
    else
        fputs(string_of(place, "vaddr"), output);
    if (!file)
        return;
    fputs(" (", output);
    print_path(file, output);
    if (json_is_integer(line))
        fprintf(output, ":%" JSON_INTEGER_FORMAT, json_integer_value(line));
    fputc(')', output);
}

static void print_head(const json_t *root, FILE *output)
{
    const char *event = string_of(root, "event");
    const json_t *where = json_object_get(root, "where");

    fprintf(output, "bootimage: %s: %s", string_of(root, "file"), string_of(root, "what"));
    if (event)
        fprintf(output, ": %s", event);
    if (json_is_object(where)) {
        fputs(", at ", output);
        print_place(where, output);
    }
    fputc('\n', output);
}

static void print_exceptions(const json_t *root, FILE *output)
{
    const json_t *exceptions = json_object_get(root, "exceptions");
    size_t i;
    json_t *exception;

    if (json_array_size(exceptions) == 0)
        return;
    fputs("  exceptions, the first one first:\n", output);
    json_array_foreach(exceptions, i, exception)
    {
        const char *reason = string_of(exception, "reason");

        fprintf(output, "    %s", string_of(exception, "text"));
        if (reason)
            fprintf(output, " (%s)", reason);
        fprintf(output, ", at %s", string_of(exception, "vaddr"));
        if (json_is_object(json_object_get(exception, "where"))) {
            fputc(' ', output);
            print_place(json_object_get(exception, "where"), output);
        }
        fputc('\n', output);
    }
}

static void print_cpus(const json_t *root, FILE *output)
{
    const json_t *cpus = json_object_get(root, "cpus");
    size_t i;
    json_t *cpu;

    if (json_array_size(cpus) < 2)
        return;
    fputs("  CPUs:\n", output);
    json_array_foreach(cpus, i, cpu)
    {
        fprintf(output, "    %zu %s, at ", i, string_of(cpu, "state"));
        print_place(json_is_object(json_object_get(cpu, "where")) ? json_object_get(cpu, "where")
                                                                  : cpu,
                    output);
        fputc('\n', output);
    }
}

static void print_registers(const json_t *root, FILE *output)
{
    json_t *registers = json_object_get(root, "registers");
    const char *name;
    json_t *value;
    size_t count = 0;
    int blanks = 0;

    if (!json_is_object(registers))
        return;
    fputs("  registers:", output);
    json_object_foreach(registers, name, value)
    {
        if (count++ % REGISTERS_PER_LINE == 0)
            fputs("\n    ", output);
        else
            fprintf(output, "%*s", blanks, "");
        fprintf(output, "%-6s %s", name, json_string_value(value));
        blanks = REGISTER_WIDTH - (int)json_string_length(value);
    }
    fputc('\n', output);
}

static void print_stack(const json_t *root, FILE *output)
{
    const json_t *stack = json_object_get(root, "stack");
    size_t i;
    json_t *frame;

    if (json_array_size(stack) == 0)
        return;
    fputs("  call stack:\n", output);
    json_array_foreach(stack, i, frame)
    {
        fprintf(output, "    %2zu ", i);
        print_place(frame, output);
        if (strcmp(string_of(frame, "by"), "exception-frame") == 0)
            fputs(", where an exception came", output);
        fputc('\n', output);
    }
}

static void print_code(const json_t *root, FILE *output)
{
    const json_t *source = json_object_get(root, "source");
    const json_t *code = json_object_get(root, "code");

    if (json_is_object(source)) {
        fputs("  source, ", output);
        print_path(string_of(source, "file"), output);
        fprintf(output, ":\n    %" JSON_INTEGER_FORMAT " | %s\n",
                json_integer_value(json_object_get(source, "line")), string_of(source, "text"));
    }
    if (json_is_object(code))
        fprintf(output, "  instruction bytes at %s:\n    %s\n", string_of(code, "vaddr"),
                string_of(code, "bytes"));
}

static void print_words(const json_t *root, FILE *output)
{
    const json_t *words = json_object_get(root, "stack_words");
    size_t i;
    json_t *word;

    if (json_array_size(words) == 0)
        return;
    fputs("  end of the stack:\n", output);
    json_array_foreach(words, i, word)
    {
        const char *symbol = string_of(word, "symbol");

        fprintf(output, "    %s: %s%s%s\n", string_of(word, "vaddr"), string_of(word, "value"),
                symbol ? "  " : "", symbol ? symbol : "");
    }
}

static void print_list(const json_t *list, const char *title, const char *before, FILE *output)
{
    size_t i;
    json_t *text;

    if (json_array_size(list) == 0)
        return;
    fprintf(output, "  %s:\n", title);
    json_array_foreach(list, i, text)
        fprintf(output, "    %s%s\n", before, json_string_value(text));
}

void report_print(const json_t *root, FILE *output)
{
    const json_t *address = json_object_get(root, "address");

    print_head(root, output);
    print_exceptions(root, output);
    print_cpus(root, output);
    print_registers(root, output);
    print_stack(root, output);
    print_code(root, output);
    print_words(root, output);
    if (json_is_object(address))
        fprintf(output, "  address %s belongs to %s\n", string_of(address, "vaddr"),
                string_of(address, "belongs_to"));
    print_list(json_object_get(root, "serial"), "last lines of the serial port", "| ", output);
    print_list(json_object_get(root, "unknown"), "not known", "", output);
}
