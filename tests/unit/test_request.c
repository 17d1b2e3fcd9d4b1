/*
 * Notes and requests: what kernel.c makes of the bytes, whatever they are, and what request.c makes
 * of requests that no file can say, or that need a kernel at some address.
 *
 * The messages are compared in tests/cli/test_requests.py. Here is what needs one process: every
 * truncation and thousands of mutations, under the sanitizers, each with its plan.
 */
#include "support.h"

#include "plan.h"
#include "protocol.h"
#include "request.h"

#include "bootimage/bootinfo.h"
#include "bootimage/image.h"

#include <elf.h>
#include <string.h>
#include <unistd.h>

#define MUTATIONS 8000

struct note {
    uint32_t name_bytes;
    uint32_t words_bytes;
    uint32_t type;
    char name[12];
    uint64_t words[4];
};

struct short_note {
    uint32_t name_bytes;
    uint32_t words_bytes;
    uint32_t type;
    char name[12];
    uint64_t word;
};

/* A kernel with notes in a segment and in a section, with PT_TLS and PT_GNU_RELRO. */
struct kernel_file {
    Elf64_Ehdr header;
    Elf64_Phdr segments[5];
    Elf64_Shdr sections[2];
    struct short_note stack;
    struct note map;
    struct short_note cpus;
    uint8_t data[32];
};

#define NOTE_HEAD(type, words) 10, 8 * (words), (type), "bootimage\0\0"

static const struct kernel_file sound = {
    .header =
        {
            .e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB, EV_CURRENT},
            .e_type = ET_EXEC,
            .e_machine = EM_X86_64,
            .e_version = EV_CURRENT,
            .e_entry = 0x100000,
            .e_phoff = offsetof(struct kernel_file, segments),
            .e_shoff = offsetof(struct kernel_file, sections),
            .e_ehsize = sizeof(Elf64_Ehdr),
            .e_phentsize = sizeof(Elf64_Phdr),
            .e_phnum = 5,
            .e_shentsize = sizeof(Elf64_Shdr),
            .e_shnum = 2,
        },
    .segments =
        {
            {
                .p_type = PT_LOAD,
                .p_flags = PF_R | PF_X,
                .p_offset = offsetof(struct kernel_file, data),
                .p_vaddr = 0x100000,
                .p_paddr = 0x100000,
                .p_filesz = 16,
                .p_memsz = 16,
            },
            {
                .p_type = PT_LOAD,
                .p_flags = PF_R | PF_W,
                .p_offset = offsetof(struct kernel_file, data) + 16,
                .p_vaddr = 0x101000,
                .p_paddr = 0x101000,
                .p_filesz = 16,
                .p_memsz = 0x3000,
            },
            {
                .p_type = PT_NOTE,
                .p_offset = offsetof(struct kernel_file, stack),
                .p_filesz = sizeof(struct short_note) + sizeof(struct note),
                .p_align = 4,
            },
            {
                .p_type = PT_TLS,
                .p_vaddr = 0x101000,
                .p_filesz = 8,
                .p_memsz = 16,
                .p_align = 8,
            },
            {.p_type = PT_GNU_RELRO, .p_vaddr = 0x101000, .p_memsz = 0x1000},
        },
    .sections =
        {
            {0},
            {
                .sh_type = SHT_NOTE,
                .sh_offset = offsetof(struct kernel_file, cpus),
                .sh_size = sizeof(struct short_note),
                .sh_addralign = 8,
            },
        },
    .stack = {NOTE_HEAD(BOOTINFO_REQUEST_STACK, 1), 0x20000},
    .map = {NOTE_HEAD(BOOTINFO_REQUEST_MAP | BOOTINFO_REQUEST_OPTIONAL, 4),
            {0xffffc00000000000, 0xfed00000, 0x1000, BOOTINFO_MAP_WRITABLE}},
    .cpus = {NOTE_HEAD(BOOTINFO_REQUEST_CPUS, 1), 1},
    .data = {0xf4, 0xeb, 0xfd},
};

static int file = -1;
static char file_path[SUPPORT_PATH_BYTES];

static int open_file(void **state)
{
    (void)state;
    file = support_temporary_file();
    support_input(file, file_path);
    return 0;
}

static int close_file(void **state)
{
    (void)state;
    return close(file);
}

static void put_file(const void *data, size_t bytes)
{
    assert_int_equal(ftruncate(file, 0), 0);
    assert_int_equal(pwrite(file, data, bytes, 0), bytes);
}

/* What the plan says of requests is what a loader may rely on, whatever the file was. */
static void check_records(const struct plan *plan)
{
    uint64_t offset = sizeof(struct image_plan);

    while (offset < plan->records_bytes) {
        const struct plan_record *record = (const void *)(plan->records + offset);
        const struct plan_request *request = (const void *)record;
        const struct plan_protocol *protocol = (const void *)record;

        assert_true(record->bytes >= sizeof(*record) && record->bytes % 8 == 0);
        offset += record->bytes;
        if (record->type == PLAN_PROTOCOL)
            assert_true(protocol->stack_bytes % 4096 == 0 && protocol->stack_bytes <= 1u << 30 &&
                        protocol->stack_bytes > 0);
        if (record->type != PLAN_REQUEST)
            continue;
        assert_true(request->met <= 1);
        assert_true(request->met || (request->type & BOOTINFO_REQUEST_OPTIONAL));
        if (request->met)
            assert_in_range(request->type & 0xffff, BOOTINFO_REQUEST_CONTRACT,
                            BOOTINFO_REQUEST_BASE);
    }
    assert_int_equal(offset, plan->records_bytes);
}

/* Whatever the file holds: either a kernel, and then perhaps a plan, or one text. Returns how many
   requests of a plan are met, or -1. */
static int survives(void)
{
    static const uint8_t loader[3 * IMAGE_SECTOR_BYTES];
    struct plan_options options = {.loader = loader, .loader_bytes = sizeof(loader)};
    struct error error = {0};
    struct kernel kernel;
    struct plan plan;
    int met = -1;

    if (kernel_open(&kernel, file_path, &error)) {
        if (plan_build(&plan, &kernel, &protocol_plain, &options, &error)) {
            met = 0;
            for (size_t i = 0; i < kernel.request_count; i++)
                met += kernel.requests[i].met;
            check_records(&plan);
            plan_free(&plan);
        }
        kernel_close(&kernel);
    }
    assert_int_equal(met >= 0, error.text == NULL);
    error_free(&error);
    return met;
}

static void notes_become_requests(void **state)
{
    struct error error = {0};
    struct kernel kernel;

    (void)state;
    put_file(&sound, sizeof(sound));
    assert_true(kernel_open(&kernel, file_path, &error));
    assert_int_equal(kernel.request_count, 2);
    assert_int_equal(kernel.requests[0].type, BOOTINFO_REQUEST_STACK);
    assert_int_equal(kernel.requests[0].word_count, 1);
    assert_int_equal(kernel.requests[0].words[0], 0x20000);
    assert_int_equal(kernel.requests[0].words[1], 0);
    assert_true(kernel.requests[0].met);
    assert_int_equal(kernel.requests[1].type, BOOTINFO_REQUEST_MAP | BOOTINFO_REQUEST_OPTIONAL);
    assert_int_equal(kernel.requests[1].word_count, 4);
    assert_memory_equal(kernel.requests[1].words, sound.map.words, sizeof(sound.map.words));
    assert_int_equal(kernel.tls.vaddr, 0x101000);
    assert_int_equal(kernel.tls.file_bytes, 8);
    assert_int_equal(kernel.tls.memory_bytes, 16);
    assert_int_equal(kernel.tls.align, 8);
    assert_int_equal(kernel.relro.start, 0x101000);
    assert_int_equal(kernel.relro.end, 0x102000);
    kernel_close(&kernel);
    assert_null(error.text);
    assert_int_equal(survives(), 2);
}

static void sections_are_read_without_a_segment(void **state)
{
    struct kernel_file stripped = sound;
    struct error error = {0};
    struct kernel kernel;

    (void)state;
    stripped.segments[2].p_type = PT_NULL;
    put_file(&stripped, sizeof(stripped));
    assert_true(kernel_open(&kernel, file_path, &error));
    assert_int_equal(kernel.request_count, 1);
    assert_int_equal(kernel.requests[0].type, BOOTINFO_REQUEST_CPUS);
    kernel_close(&kernel);
}

/* Nothing that a kernel asks for gets lost: a file cut inside its notes is refused. */
static void no_truncation_does_harm(void **state)
{
    size_t notes_end = offsetof(struct kernel_file, cpus);

    (void)state;
    for (size_t bytes = 0; bytes <= sizeof(sound); bytes++) {
        put_file(&sound, bytes);
        assert_int_equal(survives(), bytes < sizeof(sound) ? -1 : 2);
    }
    /* With the segments at the front, so that only notes are cut. */
    for (size_t bytes = offsetof(struct kernel_file, stack); bytes <= notes_end; bytes++) {
        struct kernel_file moved = sound;

        moved.segments[0].p_offset = moved.segments[1].p_offset = 0;
        put_file(&moved, bytes);
        assert_int_equal(survives(), bytes < notes_end ? -1 : 2);
    }
}

static uint32_t next_random(uint32_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 17;
    *seed ^= *seed << 5;
    return *seed;
}

/* Mutates the notes and the headers from the one of PT_NOTE on. */
static void no_mutation_does_harm(void **state)
{
    static const uint8_t edges[] = {0, 1, 2, 4, 7, 8, 10, 0x7f, 0x80, 0xfe, 0xff};
    size_t headers = offsetof(struct kernel_file, segments) + 2 * sizeof(Elf64_Phdr);
    size_t notes = offsetof(struct kernel_file, stack);
    size_t end = offsetof(struct kernel_file, data);
    uint32_t seed = 21;
    int refused = 0, met[3] = {0};

    (void)state;
    for (int i = 0; i < MUTATIONS; i++) {
        union {
            struct kernel_file parts;
            uint8_t bytes[sizeof(struct kernel_file)];
        } mutant = {sound};
        size_t start = next_random(&seed) % 2 ? headers : notes;

        for (uint32_t changes = 1 + next_random(&seed) % 3; changes > 0; changes--) {
            size_t place = start + next_random(&seed) % (end - start);
            uint32_t value = next_random(&seed);

            mutant.bytes[place] = value & 0x300 ? edges[value % sizeof(edges)] : (uint8_t)value;
        }
        put_file(&mutant, sizeof(mutant));
        int count = survives();
        assert_in_range(count + 1, 0, 3);
        if (count < 0)
            refused++;
        else
            met[count]++;
    }
    /* Else the mutations are too gentle or too rough to reach what comes late. */
    assert_in_range(refused, MUTATIONS / 10, MUTATIONS * 9 / 10);
    assert_true(met[0] > 0 && met[1] > MUTATIONS / 50 && met[2] > MUTATIONS / 50);
}

/* A kernel of one segment, by hand. */
static struct kernel kernel_at(struct kernel_segment *segment, uint64_t vaddr)
{
    *segment = (struct kernel_segment){
        .vaddr = vaddr, .paddr = 0x100000, .memory_bytes = 0x1000, .executable = true};
    return support_kernel(segment, 1);
}

static void add(struct kernel *kernel, uint32_t type, uint64_t word)
{
    struct error error = {0};

    assert_true(request_override(kernel, type & 0xffff, word, &error));
    kernel->requests[kernel->request_count - 1].type = type;
}

static void forget(struct kernel *kernel)
{
    kernel->segments = NULL;
    kernel_close(kernel);
}

static void overrides_replace_all_notes_of_a_type(void **state)
{
    struct kernel_segment segment;
    struct kernel kernel = kernel_at(&segment, 0x100000);
    struct error error = {0};

    (void)state;
    assert_int_equal(request_word(&kernel, BOOTINFO_REQUEST_STACK, 7), 7);
    assert_int_equal(request_stack_bytes(&kernel), 0x10000);
    add(&kernel, BOOTINFO_REQUEST_STACK | BOOTINFO_REQUEST_OPTIONAL, 1);
    add(&kernel, BOOTINFO_REQUEST_CPUS, 1);
    assert_int_equal(request_stack_bytes(&kernel), 4096);
    assert_true(request_override(&kernel, BOOTINFO_REQUEST_STACK, 5000, &error));
    assert_int_equal(kernel.request_count, 2);
    assert_int_equal(kernel.requests[1].type, BOOTINFO_REQUEST_STACK);
    assert_int_equal(request_stack_bytes(&kernel), 8192);
    assert_true(request_check(&kernel, &error) && request_place(&kernel, &error));
    forget(&kernel);
}

/* Of two addresses for a kernel the optional one gives way, whichever comes first. */
static void one_base_gives_way(void **state)
{
    static const struct {
        uint32_t random;
        uint32_t base;
        bool random_met;
        bool base_met;
    } cases[] = {
        {BOOTINFO_REQUEST_OPTIONAL, 0, false, true},
        {0, BOOTINFO_REQUEST_OPTIONAL, true, false},
        {BOOTINFO_REQUEST_OPTIONAL, BOOTINFO_REQUEST_OPTIONAL, true, false},
    };

    (void)state;
    for (size_t i = 0; i < 2 * sizeof(cases) / sizeof(cases[0]); i++) {
        uint32_t random = BOOTINFO_REQUEST_RANDOM_BASE | cases[i / 2].random;
        uint32_t base = BOOTINFO_REQUEST_BASE | cases[i / 2].base;
        struct kernel_segment segment;
        struct kernel kernel = kernel_at(&segment, 0x100000);
        struct error error = {0};

        kernel.type = ET_DYN;
        kernel.position_independent = true;
        if (i % 2)
            add(&kernel, base, 0x200000);
        add(&kernel, random, 1);
        if (i % 2 == 0)
            add(&kernel, base, 0x200000);
        assert_true(request_check(&kernel, &error));
        assert_int_equal(error.warning_count, 1);
        assert_int_equal(request_word(&kernel, BOOTINFO_REQUEST_RANDOM_BASE, 7),
                         cases[i / 2].random_met ? 1 : 7);
        assert_int_equal(request_word(&kernel, BOOTINFO_REQUEST_BASE, 7),
                         cases[i / 2].base_met ? 0x200000 : 7);
        error_free(&error);
        forget(&kernel);
    }
}

/* No map may lie where a kernel may come to lie. */
static void random_kernels_keep_their_addresses(void **state)
{
    static const struct {
        uint64_t vaddr;
        bool met;
    } cases[] = {
        {0xffffff8000000000, false},
        {0xffffffffffdff000, false},
        {0xffffffffffe00000, true},
        {0xfffffeffffff0000, true},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct kernel_segment segment;
        struct kernel kernel = kernel_at(&segment, 0xffffffff80000000);
        struct error error = {0};

        kernel.type = ET_DYN;
        kernel.position_independent = true;
        add(&kernel, BOOTINFO_REQUEST_RANDOM_BASE, 1);
        add(&kernel, BOOTINFO_REQUEST_MAP | BOOTINFO_REQUEST_OPTIONAL, cases[i].vaddr);
        kernel.requests[1].words[2] = 0x1000;
        assert_true(request_check(&kernel, &error) && request_place(&kernel, &error));
        assert_int_equal(kernel.requests[1].met, cases[i].met);
        assert_int_equal(error.warning_count, !cases[i].met);
        error_free(&error);
        forget(&kernel);
    }
}

/* What an optional stack has to leave is not free for a map just because of that. */
static void optional_stack_gives_way_first(void **state)
{
    struct kernel_segment segment;
    struct kernel kernel = kernel_at(&segment, BOOTINFO_STACK_TOP - 0x100000);
    struct error error = {0};

    (void)state;
    add(&kernel, BOOTINFO_REQUEST_MAP, BOOTINFO_STACK_TOP - 0x80000);
    kernel.requests[0].words[2] = 0x1000;
    add(&kernel, BOOTINFO_REQUEST_STACK | BOOTINFO_REQUEST_OPTIONAL, 0x100000);
    assert_true(request_check(&kernel, &error) && request_place(&kernel, &error));
    assert_true(kernel.requests[0].met);
    assert_false(kernel.requests[1].met);
    assert_int_equal(request_stack_bytes(&kernel), 0x10000);
    assert_int_equal(error.warning_count, 1);
    error_free(&error);
    forget(&kernel);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(notes_become_requests),
        cmocka_unit_test(sections_are_read_without_a_segment),
        cmocka_unit_test(no_truncation_does_harm),
        cmocka_unit_test(no_mutation_does_harm),
        cmocka_unit_test(overrides_replace_all_notes_of_a_type),
        cmocka_unit_test(one_base_gives_way),
        cmocka_unit_test(random_kernels_keep_their_addresses),
        cmocka_unit_test(optional_stack_gives_way_first),
    };

    return cmocka_run_group_tests(tests, open_file, close_file);
}
