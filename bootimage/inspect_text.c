/*
 * The model of inspect_model.c as text for people: one line a thing, its name first.
 *
 * Texts from a file are escaped as in messages, so that a terminal does not act on them.
 */
#include "inspect.h"

#include "protocol.h"

#include <inttypes.h>
#include <stdlib.h>

static const char *string(const json_t *object, const char *key)
{
    const char *value = json_string_value(json_object_get(object, key));

    return value ? value : "";
}

static uint64_t number(const json_t *object, const char *key)
{
    return (uint64_t)json_integer_value(json_object_get(object, key));
}

static uint64_t address(const json_t *object, const char *key)
{
    return strtoull(string(object, key), NULL, 16);
}

static bool is_true(const json_t *object, const char *key)
{
    return json_is_true(json_object_get(object, key));
}

static void print_escaped(const char *raw, FILE *output)
{
    char *escaped = error_escape(raw);

    fputs(escaped ? escaped : "(out of memory)", output);
    free(escaped);
}

/* The name of a line, in a column of its own. */
static void print_name(const char *name, FILE *output)
{
    fprintf(output, "%-16s", name);
}

static void print_range(uint64_t start, uint64_t bytes, FILE *output)
{
    fprintf(output, "[0x%" PRIx64 ", 0x%" PRIx64 ") ", start, start + bytes);
}

static void print_entry(const json_t *root, FILE *output)
{
    const json_t *entry = json_object_get(root, "entry");
    const char *symbol = string(entry, "symbol");

    print_name("entry", output);
    fputs(string(entry, "vaddr"), output);
    if (*symbol) {
        fputc(' ', output);
        print_escaped(symbol, output);
    }
    if (number(entry, "offset"))
        fprintf(output, "+0x%" PRIx64, number(entry, "offset"));
    fputc('\n', output);
}

static void print_start(const json_t *root, FILE *output)
{
    const json_t *protocol = json_object_get(root, "protocol");
    const json_t *random_base = json_object_get(root, "random_base");
    const json_t *command_line = json_object_get(root, "command_line");

    print_name("protocol", output);
    fprintf(output, "%s (%" PRIu64 ")", string(protocol, "name"), number(protocol, "number"));
    if (json_is_string(json_object_get(protocol, "reason")))
        fprintf(output, ", by %s", string(protocol, "reason"));
    fputc('\n', output);
    print_entry(root, output);
    if (protocol_has_requests((uint32_t)number(protocol, "number"))) {
        print_name("stack", output);
        fprintf(output, "%" PRIu64 " bytes\n", number(root, "stack_bytes"));
    }
    if (address(root, "slide")) {
        print_name("slide", output);
        fprintf(output, "%s\n", string(root, "slide"));
    }
    if (json_is_object(random_base)) {
        print_name("random base", output);
        fprintf(output, "%" PRIu64 " places, 0x%" PRIx64 " apart\n", number(random_base, "places"),
                number(random_base, "step_bytes"));
    }
    if (json_is_string(command_line)) {
        print_name("command line", output);
        print_escaped(json_string_value(command_line), output);
        fputc('\n', output);
    }
}

/* "0x... bytes at LBA n, XXH64 ..." of what lies in the payload. */
static void print_payload(const json_t *part, const char *bytes_key, uint64_t partition_lba,
                          FILE *output)
{
    fprintf(output, "%" PRIu64 " bytes at LBA %" PRIu64 ", XXH64 %s\n", number(part, bytes_key),
            partition_lba + number(part, "payload_offset") / IMAGE_SECTOR_BYTES,
            string(part, "xxh64"));
}

static void print_region(const json_t *region, uint64_t partition_lba, FILE *output)
{
    const json_t *item;
    size_t i;

    print_name("region", output);
    print_range(address(region, "vaddr"), number(region, "bytes"), output);
    if (json_is_null(json_object_get(region, "paddr")))
        fputs("at any physical address\n", output);
    else
        fprintf(output, "at physical address %s%s\n", string(region, "paddr"),
                is_true(region, "movable") ? ", or elsewhere" : "");
    json_array_foreach(json_object_get(region, "segments"), i, item)
    {
        fprintf(output, "  %-14s%s at %s, ", "segment", string(item, "rights"),
                string(item, "vaddr"));
        fprintf(output, "program header %" PRIu64 ", ", number(item, "index"));
        print_payload(item, "file_bytes", partition_lba, output);
    }
    json_array_foreach(json_object_get(region, "mappings"), i, item)
    {
        fprintf(output, "  %-14s%s ", "mapping", string(item, "rights"));
        print_range(address(item, "vaddr"), number(item, "bytes"), output);
        fprintf(output, "%" PRIu64 " bytes\n", number(item, "bytes"));
    }
}

/* Words that are 0 at the end are as good as left out. */
static size_t count_words(const json_t *words)
{
    size_t count = json_array_size(words);

    while (count > 1 &&
           strtoull(json_string_value(json_array_get(words, count - 1)), NULL, 16) == 0)
        count--;
    return count;
}

static void print_request(const json_t *request, FILE *output)
{
    const json_t *words = json_object_get(request, "words");

    print_name("request", output);
    fprintf(output, "%s (%" PRIu64 ")", string(request, "name"), number(request, "type"));
    for (size_t i = 0; i < count_words(words); i++)
        fprintf(output, " %s", json_string_value(json_array_get(words, i)));
    fprintf(output, "%s%s\n", is_true(request, "optional") ? ", optional" : "",
            is_true(request, "met") ? "" : ", cannot be met");
}

static void print_module(const json_t *module, uint64_t partition_lba, FILE *output)
{
    bool is_kernel = is_true(module, "kernel_file");

    print_name(is_kernel ? "kernel's file" : "module", output);
    if (!is_kernel) {
        print_escaped(string(module, "name"), output);
        fputs(", ", output);
    }
    if (*string(module, "arguments")) {
        fputs("arguments ", output);
        print_escaped(string(module, "arguments"), output);
        fputs(", ", output);
    }
    print_payload(module, "bytes", partition_lba, output);
}

static void print_lists(const json_t *root, FILE *output)
{
    uint64_t lba = number(json_object_get(json_object_get(root, "disk"), "partition"), "lba");
    const json_t *tls = json_object_get(root, "tls");
    const json_t *item;
    size_t i;

    json_array_foreach(json_object_get(root, "requests"), i, item) print_request(item, output);
    json_array_foreach(json_object_get(root, "regions"), i, item) print_region(item, lba, output);
    json_array_foreach(json_object_get(root, "relocations"), i, item)
    {
        print_name("relocations", output);
        fprintf(output, "%s at %s, %" PRIu64 " bytes\n", string(item, "form"),
                string(item, "vaddr"), number(item, "bytes"));
    }
    if (json_is_object(tls)) {
        print_name("TLS", output);
        fprintf(output,
                "%" PRIu64 " bytes at %s, then zeros up to %" PRIu64 ", align %" PRIu64 "\n",
                number(tls, "file_bytes"), string(tls, "vaddr"), number(tls, "memory_bytes"),
                number(tls, "align"));
    }
    json_array_foreach(json_object_get(root, "modules"), i, item) print_module(item, lba, output);
}

static void print_disk(const json_t *root, FILE *output)
{
    const json_t *disk = json_object_get(root, "disk");
    const json_t *checksums = json_object_get(root, "checksums");
    const json_t *plan = json_object_get(disk, "plan");
    const json_t *payload = json_object_get(disk, "payload");

    print_name("disk", output);
    fprintf(output, "%" PRIu64 " bytes, signature %s, image id %s\n", number(disk, "bytes"),
            string(disk, "signature"), string(checksums, "image_id"));
    fprintf(output, "  %-14sLBA 0, %" PRIu64 " sectors, stage 2 has sum %s\n", "loader",
            number(json_object_get(disk, "loader"), "sectors"), string(checksums, "stage2_sum"));
    fprintf(output, "  %-14sLBA %d, CRC-32 %s\n", "header", IMAGE_HEADER_LBA,
            string(checksums, "header_crc32"));
    fprintf(output, "  %-14sLBA %" PRIu64 ", %" PRIu64 " bytes, XXH64 %s\n", "plan",
            number(plan, "lba"), number(plan, "bytes"), string(checksums, "plan_xxh64"));
    fprintf(output, "  %-14sLBA %" PRIu64 ", %" PRIu64 " sectors\n", "payload",
            number(payload, "lba"), number(payload, "sectors"));
}

void inspect_print_text(const json_t *root, FILE *output)
{
    bool is_image = string(root, "kind")[0] == 'i';

    print_name(is_image ? "image" : "kernel", output);
    print_escaped(string(root, "file"), output);
    fputc('\n', output);
    print_start(root, output);
    print_lists(root, output);
    print_disk(root, output);
}
