/*
 * Limine: a 64-bit ELF file at the top of the address space, whose loaded bytes carry requests that
 * the loader answers [Limine "The Limine Boot Protocol"]. limine.c finds them. What a request asks
 * for becomes what bootinfo.h's notes ask for, where these have the same; limine_module.c reads the
 * files that a kernel names itself.
 */
#include "protocol.h"

#include "base.h"
#include "limine.h"
#include "limine_module.h"
#include "loaded.h"
#include "relocation.h"
#include "request.h"
#include "virtual.h"

#include "bootimage/bootinfo.h"
#include "bootimage/image.h"

#include <elf.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LATEST_REVISION 3u
#define LEAST_VADDR BOOTINFO_KERNEL_BASE
/* What a kernel may be linked below, to be mapped by as much above LEAST_VADDR. */
#define LINKED_MOST (0 - LEAST_VADDR)
#define MODE_4_LEVELS 0u
#define MODE_5_LEVELS 1u
#define MP_X2APIC 1u

/* Starts a message about a request: the file, its name and its places. */
#define REQUEST_FORMAT "%s: the Limine request `%s' at 0x%" PRIx64 " (file offset 0x%" PRIx64 ") "
#define REQUEST_ARGUMENTS(kernel, request)                                                         \
    (kernel)->path, name_of(request), (request)->vaddr, (request)->file_offset

static const char *name_of(const struct limine_request *request)
{
    return request->feature ? request->feature->name : "of an unknown feature";
}

/* Recognition. */

static enum protocol_mark refuse_lost(const struct kernel *kernel, struct error *error)
{
    struct limine_lost lost;

    if (!limine_find_lost(&lost, kernel, error))
        return PROTOCOL_BROKEN_MARK;
    if (!lost.feature)
        return PROTOCOL_NO_MARK;
    error_set(error,
              "%s: the Limine request `%s' at file offset 0x%" PRIx64
              " lies in the section %s, which no segment loads, and so nobody could answer it; put "
              "the section into a PT_LOAD in the linker script, with KEEP() [limine-not-loaded]",
              kernel->path, lost.feature->name, lost.file_offset, lost.section);
    return PROTOCOL_BROKEN_MARK;
}

static enum protocol_mark describe(const struct kernel *kernel, const struct limine *limine,
                                   char *reason, struct error *error)
{
    const struct limine_request *first = limine->requests;

    if (!limine->tag.file_offset && !first && limine_list_section(kernel).bytes == 0)
        return refuse_lost(kernel, error);
    if (kernel->class != ELFCLASS64) {
        error_set(error,
                  "%s: carries requests of the Limine boot protocol, which enters 64-bit kernels, "
                  "in a 32-bit ELF file; build the kernel with -m64 [limine-class]",
                  kernel->path);
        return PROTOCOL_BROKEN_MARK;
    }
    if (limine->tag.file_offset)
        snprintf(reason, PROTOCOL_REASON_BYTES,
                 "Limine base revision tag at file offset 0x%" PRIx64 ", revision %" PRIu64,
                 limine->tag.file_offset, limine->revision);
    else if (first)
        snprintf(reason, PROTOCOL_REASON_BYTES, "Limine request `%s' at file offset 0x%" PRIx64,
                 name_of(first), first->file_offset);
    else
        snprintf(reason, PROTOCOL_REASON_BYTES, "list of Limine requests, section .limine_reqs");
    return PROTOCOL_MARKED;
}

static enum protocol_mark recognise(const struct kernel *kernel, char *reason, struct error *error)
{
    struct limine limine = {0};
    enum protocol_mark mark = PROTOCOL_NO_MARK;

    if (kernel->class == 0)
        return PROTOCOL_NO_MARK;
    if (!limine_find(&limine, kernel, true, error))
        mark = PROTOCOL_BROKEN_MARK;
    else
        mark = describe(kernel, &limine, reason, error);
    limine_free(&limine);
    return mark;
}

/* Addresses. */

static bool check_addresses(const struct kernel *kernel, struct error *error)
{
    const struct kernel_segment *first = &kernel->segments[0];

    if (first->vaddr >= LEAST_VADDR)
        return true;
    return error_set(error,
                     "%s: segment %" PRIu32 " is linked at 0x%" PRIx64
                     ", and a kernel that carries Limine's requests has to be at 0x%llx or above; "
                     "correct the address in the linker script [limine-address]",
                     kernel->path, first->index, first->vaddr - kernel->slide, LEAST_VADDR);
}

/* A kernel that may be moved, and is linked low, goes to the top [Limine "Memory Layout at Entry"].
 */
static bool place(struct kernel *kernel, struct error *error)
{
    const uint64_t start = placement_page_start(&kernel->segments[0]);

    if (kernel->position_independent && start < LINKED_MOST &&
        !request_override(kernel, BOOTINFO_REQUEST_BASE, LEAST_VADDR + start, error))
        return false;
    if (!base_choose(kernel, error))
        return false;
    kernel->anywhere = true;
    kernel->together = true;
    return check_addresses(kernel, error) && virtual_check_segments(kernel, error);
}

/* Which requests count. */

static bool check_tag(const struct kernel *kernel, const struct limine *limine, struct error *error)
{
    if (limine->second_tag.file_offset)
        return error_set(error,
                         "%s: has a second Limine base revision tag at 0x%" PRIx64
                         " (file offset 0x%" PRIx64 "), the first is at 0x%" PRIx64
                         "; take one of them away [limine-tag-twice]",
                         kernel->path, limine->second_tag.vaddr, limine->second_tag.file_offset,
                         limine->tag.vaddr);
    if (limine->start.file_offset && limine->end.file_offset &&
        limine->start.vaddr > limine->end.vaddr)
        return error_set(error,
                         "%s: its marker for the start of Limine's requests, at 0x%" PRIx64
                         ", lies behind that for their end, at 0x%" PRIx64
                         "; sort the sections in the linker script [limine-markers]",
                         kernel->path, limine->start.vaddr, limine->end.vaddr);
    if (limine->revision > LATEST_REVISION)
        error_warn(error,
                   "%s: asks for revision %" PRIu64 " of Limine, and is told that it gets %u; a "
                   "kernel that insists on its own stops then: build it for %u "
                   "[limine-base-revision]",
                   kernel->path, limine->revision, LATEST_REVISION, LATEST_REVISION);
    if (limine->unaligned_count > 0)
        error_warn(error,
                   "%s: what looks like a Limine request lies at 0x%" PRIx64
                   " (file offset 0x%" PRIx64
                   "), no multiple of 8, and is not answered; align it [limine-unaligned]",
                   kernel->path, limine->unaligned.vaddr, limine->unaligned.file_offset);
    return true;
}

/* Takes out those that the markers leave out [Limine "Requests Delimiters"]. */
static void drop_outside(const struct kernel *kernel, struct limine *limine, struct error *error)
{
    size_t kept = 0;

    for (size_t i = 0; i < limine->request_count; i++) {
        const struct limine_request *request = &limine->requests[i];

        if (limine_is_between_markers(limine, request->vaddr))
            limine->requests[kept++] = *request;
        else
            error_warn(error,
                       REQUEST_FORMAT "does not lie between the markers for start and end, and is "
                                      "not answered; put it between them [limine-outside]",
                       REQUEST_ARGUMENTS(kernel, request));
    }
    limine->request_count = kept;
}

/* The addresses of the requests, up to a 0, in place of those that were found [Limine "Limine
   Requests Section"]. */
static bool read_list(const struct kernel *kernel, struct limine *limine, struct error *error)
{
    const struct limine_list list = limine_list_section(kernel);

    if (limine->revision > 0 || list.bytes == 0)
        return true;
    limine->request_count = 0;
    for (uint64_t at = 0; at + sizeof(uint64_t) <= list.bytes; at += sizeof(uint64_t)) {
        const uint64_t vaddr = list.vaddr + kernel->slide + at;
        struct limine_request request;
        uint64_t word;

        if (!loaded_segment(kernel, vaddr, sizeof(word)))
            return error_set(error,
                             "%s: its section .limine_reqs, at 0x%" PRIx64
                             ", is not loaded; put it into a PT_LOAD in the linker script "
                             "[limine-list]",
                             kernel->path, list.vaddr);
        if (!loaded_word(kernel, vaddr, &word, error))
            return false;
        if (word == 0)
            return true;
        if (!limine_request_at(&request, kernel, word - kernel->slide, error))
            return error->text
                       ? false
                       : error_set(error,
                                   "%s: its section .limine_reqs names 0x%" PRIx64
                                   ", and no segment has a Limine request there; correct the list "
                                   "[limine-list]",
                                   kernel->path, word);
        if (!limine_add(limine, &request, error))
            return false;
    }
    return true;
}

/* Whether all of it is there, once, and known. */
static bool check_request(const struct kernel *kernel, const struct limine *limine, size_t index,
                          struct error *error)
{
    const struct limine_request *request = &limine->requests[index];
    const uint64_t bytes = request->feature ? request->feature->bytes : LIMINE_REQUEST_BYTES;

    for (size_t i = 0; i < index; i++) {
        const struct limine_request *other = &limine->requests[i];

        if (other->id[0] == request->id[0] && other->id[1] == request->id[1])
            return error_set(error,
                             REQUEST_FORMAT "is there twice, also at 0x%" PRIx64
                                            " (file offset 0x%" PRIx64
                                            "), and may be once; take one of them away "
                                            "[limine-twice]",
                             REQUEST_ARGUMENTS(kernel, request), other->vaddr, other->file_offset);
    }
    if (!loaded_segment(kernel, request->vaddr + kernel->slide, bytes))
        return error_set(error,
                         REQUEST_FORMAT "takes %" PRIu64
                                        " bytes, and its segment ends before them; "
                                        "define all of it [limine-cut]",
                         REQUEST_ARGUMENTS(kernel, request), bytes);
    if (!request->feature)
        error_warn(error,
                   REQUEST_FORMAT "(0x%016" PRIx64 ", 0x%016" PRIx64
                                  ") is not known, and is not answered [limine-unknown]",
                   REQUEST_ARGUMENTS(kernel, request), request->id[0], request->id[1]);
    return true;
}

/* What they ask for. */

struct reading {
    struct kernel *kernel;
    const struct limine_request *request;
    struct plan_limine *record;
    struct error *error;
};

/* A word of the request; 0 where its revision has none. */
static bool read_field(const struct reading *reading, uint64_t offset, uint64_t *word)
{
    const uint64_t vaddr = reading->request->vaddr + reading->kernel->slide + offset;

    if (!loaded_segment(reading->kernel, vaddr, sizeof(*word)))
        return error_set(reading->error,
                         REQUEST_FORMAT "is of a revision with a field at byte %" PRIu64
                                        ", and its segment ends before; define all of it "
                                        "[limine-cut]",
                         REQUEST_ARGUMENTS(reading->kernel, reading->request), offset);
    return loaded_word(reading->kernel, vaddr, word, reading->error);
}

static bool read_stack(const struct reading *reading)
{
    uint64_t bytes;

    if (!read_field(reading, LIMINE_FIELDS, &bytes))
        return false;
    if (bytes > REQUEST_STACK_MAXIMUM)
        return error_set(reading->error,
                         REQUEST_FORMAT "asks for 0x%" PRIx64 " bytes; ask for no more than 1 GiB "
                                        "[limine-stack]",
                         REQUEST_ARGUMENTS(reading->kernel, reading->request), bytes);
    return bytes <= REQUEST_STACK_BYTES ||
           request_override(reading->kernel, BOOTINFO_REQUEST_STACK, bytes, reading->error);
}

/* [Limine "Paging Mode Feature"] */
static bool read_paging_mode(const struct reading *reading)
{
    uint64_t revision, mode, most, least = MODE_4_LEVELS;

    if (!read_field(reading, LIMINE_REVISION, &revision) ||
        !read_field(reading, LIMINE_FIELDS, &mode))
        return false;
    most = mode;
    if (revision > 0 && (!read_field(reading, LIMINE_FIELDS + 8, &most) ||
                         !read_field(reading, LIMINE_FIELDS + 16, &least)))
        return false;
    if (least > MODE_5_LEVELS || least > most)
        return error_set(reading->error,
                         REQUEST_FORMAT "allows modes from %" PRIu64 " (min_mode) to %" PRIu64
                                        " (max_mode), and x86-64 has 0 and 1; correct them "
                                        "[limine-paging-mode]",
                         REQUEST_ARGUMENTS(reading->kernel, reading->request), least, most);
    if (least == MODE_5_LEVELS)
        return request_override(reading->kernel, BOOTINFO_REQUEST_LEVELS, 5, reading->error);
    if (mode == MODE_4_LEVELS || most == MODE_4_LEVELS)
        return true;
    return request_override(reading->kernel, BOOTINFO_REQUEST_LEVELS | BOOTINFO_REQUEST_OPTIONAL, 5,
                            reading->error);
}

static bool read_mp(const struct reading *reading)
{
    uint64_t flags;

    if (!read_field(reading, LIMINE_FIELDS, &flags))
        return false;
    reading->record->flags |= flags & MP_X2APIC ? PLAN_LIMINE_X2APIC : 0;
    return request_override(reading->kernel, BOOTINFO_REQUEST_CPUS, 1, reading->error);
}

/* A wish for any mode. */
static bool read_framebuffer(const struct reading *reading)
{
    return request_override(reading->kernel,
                            BOOTINFO_REQUEST_FRAMEBUFFER | BOOTINFO_REQUEST_OPTIONAL, 0,
                            reading->error);
}

static bool read_entry(const struct reading *reading)
{
    return read_field(reading, LIMINE_FIELDS, &reading->kernel->entry_vaddr);
}

static bool read_file(const struct reading *reading)
{
    const char *slash = strrchr(reading->kernel->path, '/');

    reading->kernel->file_name = slash ? slash + 1 : reading->kernel->path;
    return request_override(reading->kernel, BOOTINFO_REQUEST_KERNEL_FILE, 1, reading->error);
}

static bool read_modules(const struct reading *reading)
{
    return limine_module_read(reading->kernel, reading->request, reading->error);
}

/* Those that ask for more than an answer. */
static bool (*const readers[])(const struct reading *reading) = {
    [PLAN_LIMINE_STACK_SIZE] = read_stack,
    [PLAN_LIMINE_PAGING_MODE] = read_paging_mode,
    [PLAN_LIMINE_MP] = read_mp,
    [PLAN_LIMINE_FRAMEBUFFER] = read_framebuffer,
    [PLAN_LIMINE_ENTRY_POINT] = read_entry,
    [PLAN_LIMINE_EXECUTABLE_FILE] = read_file,
    [PLAN_LIMINE_MODULE] = read_modules,
};

static bool read_requests(struct kernel *kernel, const struct limine *limine,
                          struct plan_limine *record, struct error *error)
{
    for (size_t i = 0; i < limine->request_count; i++) {
        const struct limine_request *request = &limine->requests[i];
        const uint32_t number = request->feature ? request->feature->number : 0;
        const struct reading reading = {kernel, request, record, error};

        if (!check_request(kernel, limine, i, error))
            return false;
        if (number == 0)
            continue;
        if (number < sizeof(readers) / sizeof(readers[0]) && readers[number] &&
            !readers[number](&reading))
            return false;
        record->requests[record->count++] =
            (struct plan_limine_request){.vaddr = request->vaddr, .feature = number};
    }
    return true;
}

/* What goes into the plan. */

/* The tag tells the kernel which revision it got, and by a 0 that it is the one it asked for
   [Limine "Base Revisions"]. It is there for the loader as a relocation would be. */
static bool answer_tag(struct kernel *kernel, const struct limine *limine, uint64_t served,
                       struct error *error)
{
    const bool is_served = limine->revision == served;
    const struct kernel_patch patches[] = {
        {limine->tag.vaddr + 8, served, true},
        {limine->tag.vaddr + 16, 0, true},
    };
    const size_t count = is_served ? 2 : 1;

    if (!limine->tag.file_offset)
        return true;
    struct kernel_patch *more =
        reallocarray(kernel->patches, kernel->patch_count + count, sizeof(*more));
    if (!more)
        return error_out_of_memory(error);
    memcpy(more + kernel->patch_count, patches, count * sizeof(*more));
    kernel->patches = more;
    kernel->patch_count += count;
    return true;
}

static bool serve(struct kernel *kernel, const struct limine *limine, struct error *error)
{
    const uint64_t served = limine->revision < LATEST_REVISION ? limine->revision : LATEST_REVISION;
    const size_t bytes =
        sizeof(struct plan_limine) + limine->request_count * sizeof(struct plan_limine_request);
    struct plan_limine *record = calloc(1, bytes);

    if (!record)
        return error_out_of_memory(error);
    free(kernel->own_record);
    kernel->own_record = &record->record;
    record->base_revision = (uint32_t)served;
    if (!read_requests(kernel, limine, record, error) || !virtual_check_entry(kernel, error))
        return false;
    record->record = (struct plan_record){
        .type = PLAN_LIMINE,
        .flags = PLAN_RECORD_REQUIRED,
        .bytes = (uint32_t)(sizeof(*record) + record->count * sizeof(record->requests[0])),
    };
    return answer_tag(kernel, limine, served, error);
}

static bool validate_with(struct kernel *kernel, struct limine *limine, struct error *error)
{
    if (!limine_find(limine, kernel, false, error) || !check_tag(kernel, limine, error) ||
        refuse_lost(kernel, error) != PROTOCOL_NO_MARK)
        return false;
    drop_outside(kernel, limine, error);
    if (!limine_is_between_markers(limine, limine->tag.vaddr)) {
        limine->tag = (struct limine_place){0};
        limine->revision = 0;
    }
    return place(kernel, error) && relocation_read(kernel, error) &&
           read_list(kernel, limine, error) && serve(kernel, limine, error);
}

static bool validate(struct kernel *kernel, struct error *error)
{
    struct limine limine = {0};
    bool done = virtual_check_file(kernel, error) && validate_with(kernel, &limine, error);

    limine_free(&limine);
    return done;
}

static bool validate_options(const struct kernel *kernel, const struct protocol_extras *extras,
                             struct error *error)
{
    return limine_module_check_count(kernel, extras->module_count, error);
}

static bool validate_placement(const struct kernel *kernel, const struct placement *placement,
                               struct error *error)
{
    virtual_warn_rights(kernel, placement, error);
    return true;
}

const struct protocol protocol_limine = {
    .number = PLAN_PROTOCOL_LIMINE,
    .name = "limine",
    .region_flags = PLAN_REGION_MOVABLE,
    .recognise = recognise,
    .validate = validate,
    .validate_options = validate_options,
    .validate_placement = validate_placement,
};
