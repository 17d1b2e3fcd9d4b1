/*
 * After packaging, or in its place: collects what inspect tells of a kernel or an image.
 *
 * A kernel has been planned just as for its image. Of an image all is checked that is shown: its
 * header and its plan; verify.c looks at the payload.
 */
#include "inspect.h"

#include "image.h"
#include "image_reader.h"

#include <gelf.h>
#include <stdlib.h>

static bool write_model(const struct inspection *inspection, bool as_json, FILE *output,
                        struct error *error)
{
    json_t *root = inspect_model(inspection);

    if (!root)
        return error_out_of_memory(error);
    if (as_json) {
        json_dumpf(root, output, JSON_INDENT(2));
        fputc('\n', output);
    } else {
        inspect_print_text(root, output);
    }
    json_decref(root);
    return true;
}

bool inspect_kernel(const struct kernel *kernel, const struct plan *plan, const char *reason,
                    bool as_json, FILE *output, struct error *error)
{
    struct inspection inspection = {
        .path = kernel->path,
        .reason = reason,
        .image_bytes = plan->image_bytes,
        .plan = {plan->records, plan->records_bytes},
        .elf = kernel->elf,
    };

    image_fill_mbr(&inspection.mbr, plan);
    image_fill_header(&inspection.header, plan);
    return write_model(&inspection, as_json, output, error);
}

/* The kernel's ELF file, when the image carries it; else NULL in *bytes. */
static bool read_kernel_file(const struct image_reader *reader, char **bytes, size_t *size,
                             struct error *error)
{
    struct plan_view plan = image_reader_plan(reader);
    const struct plan_record *record = NULL;

    *bytes = NULL;
    while ((record = plan_reader_find(plan, record, PLAN_MODULE))) {
        const struct plan_module *module = (const void *)record;
        uint64_t start = reader->header.plan_lba * IMAGE_SECTOR_BYTES + module->payload_offset;

        if (!(module->flags & PLAN_MODULE_KERNEL_FILE) || module->bytes == 0)
            continue;
        *size = module->bytes;
        *bytes = malloc(module->bytes);
        if (!*bytes)
            return error_out_of_memory(error);
        return image_reader_read(reader, start, *bytes, *size, error);
    }
    return true;
}

static bool inspect_reader(const struct image_reader *reader, bool as_json, FILE *output,
                           struct error *error)
{
    struct inspection inspection = {
        .path = reader->path,
        .is_image = true,
        .mbr = reader->mbr,
        .header = reader->header,
        .image_bytes = image_reader_bytes(reader),
        .plan = image_reader_plan(reader),
    };
    char *file;
    size_t file_bytes;

    bool done = read_kernel_file(reader, &file, &file_bytes, error);
    if (done) {
        if (file && elf_version(EV_CURRENT) != EV_NONE)
            inspection.elf = elf_memory(file, file_bytes);
        done = write_model(&inspection, as_json, output, error);
        if (inspection.elf)
            elf_end(inspection.elf);
    }
    free(file);
    return done;
}

bool inspect_image(const char *path, bool as_json, FILE *output, struct error *error)
{
    struct image_reader reader;

    if (!image_reader_open(&reader, path, error))
        return false;
    bool done =
        image_reader_load_plan(&reader, error) && inspect_reader(&reader, as_json, output, error);
    image_reader_close(&reader);
    return done;
}
