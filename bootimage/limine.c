/*
 * Second step, for kernels of the Limine boot protocol: their requests are found on the host, so
 * that nothing has to be looked for at boot. They lie anywhere among the loaded bytes, at multiples
 * of 8, and are known by their first words.
 */
#include "limine.h"

#include "loaded.h"

#include "bootimage/image.h"

#include <gelf.h>
#include <stdlib.h>
#include <string.h>

#define STEP 8u
/* The longest mark is of 4 words. */
#define MARK_BYTES 32u

static const uint64_t request_magic[2] = {0xc7b1dd30df4c8b88, 0x0a82e883a194f07b};
static const uint64_t tag_magic[2] = {0xf9562b2d5c95a6c8, 0x6a7b384944536bdc};
static const uint64_t start_marker[4] = {0xf6b8f4b39de7d1ae, 0xfab91a6940fcb9cf, 0x785c6ed015d3e316,
                                         0x181e920a7852b9d9};
static const uint64_t end_marker[2] = {0xadc0e0531bb10d03, 0x9572709f31764c62};

/* [Limine "Feature List"] */
/* clang-format off */
static const struct limine_feature features[] = {
    {{0xf55038d8e2a1202f, 0x279426fcf5f59740}, "bootloader info", PLAN_LIMINE_BOOTLOADER_INFO, 48},
    {{0x4b161536e598651e, 0xb390ad4a2f1f303a}, "executable command line", PLAN_LIMINE_COMMAND_LINE, 48},
    {{0x8c2f75d90bef28a8, 0x7045a4688eac00c3}, "firmware type", PLAN_LIMINE_FIRMWARE_TYPE, 48},
    {{0x224ef0460a8e8926, 0xe1cb0fc25f46ea3d}, "stack size", PLAN_LIMINE_STACK_SIZE, 56},
    {{0x48dcf1cb8ad2b852, 0x63984e959a98244b}, "HHDM", PLAN_LIMINE_HHDM, 48},
    {{0x9d5827dcd881dd75, 0xa3148604f6fab11b}, "framebuffer", PLAN_LIMINE_FRAMEBUFFER, 48},
    {{0x95c1a0edab0944cb, 0xa4e5cb3842f7488a}, "paging mode", PLAN_LIMINE_PAGING_MODE, 56},
    {{0x95a67b819a1b857e, 0xa0b61b723b6a73e0}, "MP", PLAN_LIMINE_MP, 56},
    {{0x67cf3d9d378a806f, 0xe304acdfc50c3c62}, "memory map", PLAN_LIMINE_MEMORY_MAP, 48},
    {{0x13d86c035a1cd3e1, 0x2b0caa89d8f3026a}, "entry point", PLAN_LIMINE_ENTRY_POINT, 56},
    {{0xad97e90e83f1ed67, 0x31eb5d1c5ff23b69}, "executable file", PLAN_LIMINE_EXECUTABLE_FILE, 48},
    {{0x3e7e279702be32af, 0xca1c4f3bd1280cee}, "module", PLAN_LIMINE_MODULE, 48},
    {{0xc5e77b6b397e7b43, 0x27637845accdcf3c}, "RSDP", PLAN_LIMINE_RSDP, 48},
    {{0x9e9046f11e095391, 0xaa4a520fefbde5ee}, "SMBIOS", PLAN_LIMINE_SMBIOS, 48},
    {{0x5ceba5163eaaf6d6, 0x0a6981610cf65fcc}, "EFI system table", PLAN_LIMINE_EFI_SYSTEM_TABLE, 48},
    {{0x7df62a431d6872d5, 0xa4fcdfb3e57306c8}, "EFI memory map", PLAN_LIMINE_EFI_MEMORY_MAP, 48},
    {{0x502746e184c088aa, 0xfbc5ec83e6327893}, "date at boot", PLAN_LIMINE_DATE_AT_BOOT, 48},
    {{0x71ba76863cc55f63, 0xb2644a48c516a487}, "executable address", PLAN_LIMINE_EXECUTABLE_ADDRESS, 48},
    {{0x6b50ad9bf36d13ad, 0xdc4c7e88fc759e17}, "bootloader performance", PLAN_LIMINE_PERFORMANCE, 48},
    {{0xb40ddb48fb54bac7, 0x545081493f81ffb7}, "device tree blob", 0, 48},
    {{0x1369359f025525f9, 0x2ff2a56178391bb6}, "RISC-V BSP hart ID", 0, 48},
};
/* clang-format on */

static const struct limine_feature *feature_of(const uint64_t id[2])
{
    for (size_t i = 0; i < sizeof(features) / sizeof(features[0]); i++) {
        if (features[i].id[0] == id[0] && features[i].id[1] == id[1])
            return &features[i];
    }
    return NULL;
}

/* Room for a power of two of requests, and so a new one just after each. */
bool limine_add(struct limine *limine, const struct limine_request *request, struct error *error)
{
    size_t count = limine->request_count;

    if ((count & (count - 1)) == 0) {
        struct limine_request *more =
            reallocarray(limine->requests, count ? 2 * count : 1, sizeof(*more));

        if (!more)
            return error_out_of_memory(error);
        limine->requests = more;
    }
    limine->requests[limine->request_count++] = *request;
    return true;
}

static bool starts(const uint64_t *words, size_t count, const uint64_t *mark, size_t mark_count)
{
    return count >= mark_count && memcmp(words, mark, mark_count * sizeof(*mark)) == 0;
}

/* A mark, or none, with as many words as there are of a mark's. */
static bool add_mark(struct limine *limine, const uint64_t *words, size_t count,
                     struct limine_place place, struct error *error)
{
    if (starts(words, count, request_magic, 2) && count == 4)
        return limine_add(
            limine,
            &(struct limine_request){
                feature_of(words + 2), {words[2], words[3]}, place.vaddr, place.file_offset},
            error);
    if (starts(words, count, tag_magic, 2) && count >= 3) {
        if (limine->tag.file_offset) {
            limine->second_tag = place;
        } else {
            limine->tag = place;
            limine->revision = words[2];
        }
    }
    if (starts(words, count, start_marker, 4))
        limine->start = place;
    if (starts(words, count, end_marker, 2) && !limine->end.file_offset)
        limine->end = place;
    return true;
}

static bool is_mark(uint64_t word)
{
    return word == request_magic[0] || word == tag_magic[0] || word == start_marker[0] ||
           word == end_marker[0];
}

/* Some bytes of the file in a buffer, and where they are loaded. */
struct window {
    const uint8_t *bytes;
    size_t count;
    struct limine_place place;
    bool is_last; /* else what begins in its last words but for one begins the next window, too */
};

static struct limine_place place_in(const struct window *window, size_t at)
{
    return (struct limine_place){window->place.vaddr + at, window->place.file_offset + at};
}

static bool look_at(struct limine *limine, const struct window *window, struct error *error)
{
    const size_t least = window->is_last ? 2 * STEP : MARK_BYTES;

    for (size_t at = 0; at + least <= window->count; at += STEP) {
        uint64_t words[MARK_BYTES / sizeof(uint64_t)];
        size_t rest = window->count - at;

        memcpy(words, window->bytes + at, sizeof(words[0]));
        if (!is_mark(words[0]))
            continue;
        rest = rest < sizeof(words) ? rest : sizeof(words);
        memcpy(words, window->bytes + at, rest);
        if (!add_mark(limine, words, rest / sizeof(words[0]), place_in(window, at), error))
            return false;
    }
    return true;
}

/* A request that the linker has put elsewhere than at a multiple of 8 is one that nobody finds. */
static void look_for_unaligned(struct limine *limine, const struct window *window)
{
    const uint8_t *at = window->bytes, *end = window->bytes + window->count;

    while ((at = memmem(at, (size_t)(end - at), request_magic, sizeof(request_magic)))) {
        const struct limine_place place = place_in(window, (size_t)(at - window->bytes));

        if (place.vaddr % STEP != 0 && limine->unaligned_count++ == 0)
            limine->unaligned = place;
        at++;
    }
}

static bool is_empty(const struct limine *limine)
{
    return limine->request_count == 0 && !limine->tag.file_offset;
}

static bool look_at_segment(struct limine *limine, const struct kernel *kernel,
                            const struct kernel_segment *segment, bool is_hasty,
                            struct input_reader *reader, struct error *error)
{
    const uint64_t skipped = (0 - segment->vaddr) % STEP;
    uint64_t done = skipped;

    while (done < segment->file_bytes && !(is_hasty && !is_empty(limine))) {
        struct input_piece rest = {&kernel->file, segment->file_offset + done,
                                   segment->file_bytes - done};
        uint64_t hole = rest.bytes;

        if (!input_skip_hole(reader, &rest, error))
            return false;
        hole = (hole - rest.bytes) / STEP * STEP;
        if (rest.bytes == 0)
            return true;
        done += hole;
        struct input_piece piece = {&kernel->file, segment->file_offset + done,
                                    segment->file_bytes - done};
        const size_t count = input_next(reader, &piece, error);
        if (count == 0)
            return false;
        const struct window window = {
            .bytes = reader->buffer,
            .count = count,
            .place = {segment->vaddr - kernel->slide + done, segment->file_offset + done},
            .is_last = piece.bytes == 0,
        };
        if (!look_at(limine, &window, error))
            return false;
        if (!is_hasty)
            look_for_unaligned(limine, &window);
        done += window.is_last ? count : count - MARK_BYTES + STEP;
    }
    return true;
}

bool limine_find(struct limine *limine, const struct kernel *kernel, bool is_hasty,
                 struct error *error)
{
    struct input_reader reader;
    bool done = input_reader_open(&reader, error);

    *limine = (struct limine){0};
    for (size_t i = 0; done && i < kernel->segment_count; i++)
        done = look_at_segment(limine, kernel, &kernel->segments[i], is_hasty, &reader, error);
    input_reader_close(&reader);
    return done;
}

void limine_free(struct limine *limine)
{
    free(limine->requests);
    *limine = (struct limine){0};
}

bool limine_is_between_markers(const struct limine *limine, uint64_t vaddr)
{
    return (!limine->start.file_offset || vaddr > limine->start.vaddr) &&
           (!limine->end.file_offset || vaddr < limine->end.vaddr);
}

bool limine_request_at(struct limine_request *request, const struct kernel *kernel, uint64_t vaddr,
                       struct error *error)
{
    uint64_t words[4], offset;

    if (!loaded_offset(kernel, vaddr + kernel->slide, sizeof(words), &offset) ||
        !input_read(&kernel->file, kernel->fd, words, sizeof(words), offset, error))
        return false;
    *request = (struct limine_request){feature_of(words + 2), {words[2], words[3]}, vaddr, offset};
    return starts(words, 4, request_magic, 2);
}

/* Calls back for each section, with its name, until that returns false. */
static void each_section(const struct kernel *kernel,
                         bool (*visit)(void *context, const GElf_Shdr *header, const char *name),
                         void *context)
{
    Elf_Scn *section = NULL;
    GElf_Shdr header;
    size_t names;

    if (!kernel->elf || elf_getshdrstrndx(kernel->elf, &names) != 0)
        return;
    while ((section = elf_nextscn(kernel->elf, section)) != NULL) {
        const char *name =
            gelf_getshdr(section, &header) ? elf_strptr(kernel->elf, names, header.sh_name) : NULL;

        if (name && !visit(context, &header, name))
            return;
    }
}

static bool note_list(void *context, const GElf_Shdr *header, const char *name)
{
    struct limine_list *list = context;

    if (strcmp(name, ".limine_reqs") != 0)
        return true;
    *list = (struct limine_list){header->sh_addr, header->sh_size};
    return false;
}

struct limine_list limine_list_section(const struct kernel *kernel)
{
    struct limine_list list = {0, 0};

    each_section(kernel, note_list, &list);
    return list;
}

struct search {
    const struct kernel *kernel;
    struct limine_lost *lost;
    struct input_reader reader;
    struct error *error;
    bool failed;
};

static bool is_loaded(const struct kernel *kernel, const GElf_Shdr *header)
{
    for (size_t i = 0; i < kernel->segment_count; i++) {
        const struct kernel_segment *segment = &kernel->segments[i];

        if (header->sh_offset >= segment->file_offset &&
            header->sh_offset - segment->file_offset < segment->file_bytes)
            return true;
    }
    return false;
}

/* Constants of debug information are no requests. */
static bool search_section(void *context, const GElf_Shdr *header, const char *name)
{
    struct search *search = context;
    const struct kernel *kernel = search->kernel;
    struct limine found = {0};

    if (header->sh_type != SHT_PROGBITS || strncmp(name, ".debug", 6) == 0 ||
        is_loaded(kernel, header) || header->sh_offset > kernel->file.bytes ||
        header->sh_size > kernel->file.bytes - header->sh_offset)
        return true;
    const struct kernel_segment section = {
        .vaddr = kernel->slide,
        .file_offset = header->sh_offset,
        .file_bytes = header->sh_size,
    };
    search->failed =
        !look_at_segment(&found, kernel, &section, false, &search->reader, search->error);
    for (size_t i = 0; i < found.request_count && !search->lost->feature; i++) {
        search->lost->feature = found.requests[i].feature;
        search->lost->file_offset = found.requests[i].file_offset;
        strncpy(search->lost->section, name, sizeof(search->lost->section) - 1);
    }
    limine_free(&found);
    return !search->failed && !search->lost->feature;
}

bool limine_find_lost(struct limine_lost *lost, const struct kernel *kernel, struct error *error)
{
    struct search search = {.kernel = kernel, .lost = lost, .error = error};

    *lost = (struct limine_lost){0};
    search.failed = !input_reader_open(&search.reader, error);
    if (!search.failed)
        each_section(kernel, search_section, &search);
    input_reader_close(&search.reader);
    return !search.failed;
}
