/*
 * Reading ELF files: what a sound one comes out as, and that no broken one does harm.
 *
 * The messages for broken files are compared in tests/cli/test_bad_input.py. Here is what needs one
 * process: every truncation and thousands of mutations, under the sanitizers, each with its plan.
 */
#include "support.h"

#include "plan.h"
#include "protocol.h"

#include "bootimage/image.h"

#include <elf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MUTATIONS 6000

/* A kernel file with three segments, not in the order of their addresses. */
struct kernel_file {
    Elf64_Ehdr header;
    Elf64_Phdr segments[3];
    uint8_t data[64];
};

static const struct kernel_file sound = {
    .header =
        {
            .e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB, EV_CURRENT},
            .e_type = ET_EXEC,
            .e_machine = EM_X86_64,
            .e_version = EV_CURRENT,
            .e_entry = 0x100010,
            .e_phoff = offsetof(struct kernel_file, segments),
            .e_ehsize = sizeof(Elf64_Ehdr),
            .e_phentsize = sizeof(Elf64_Phdr),
            .e_phnum = 3,
        },
    .segments =
        {
            {
                .p_type = PT_LOAD,
                .p_flags = PF_R | PF_W,
                .p_offset = offsetof(struct kernel_file, data) + 32,
                .p_vaddr = 0x102000,
                .p_paddr = 0x202000,
                .p_filesz = 8,
                .p_memsz = 0x2000,
            },
            {
                .p_type = PT_LOAD,
                .p_flags = PF_R | PF_X,
                .p_offset = offsetof(struct kernel_file, data),
                .p_vaddr = 0x100000,
                .p_paddr = 0x200000,
                .p_filesz = 32,
                .p_memsz = 32,
            },
            {.p_type = PT_GNU_STACK, .p_flags = PF_R | PF_W},
        },
    .data = {0xf4, 0xeb, 0xfd, [32] = 'd', 'a', 't', 'a'},
};

static int file = -1;
static char file_path[64];

static int open_file(void **state)
{
    (void)state;
    file = support_temporary_file();
    /* The file has no name; this one leads to it as long as it is open. */
    snprintf(file_path, sizeof(file_path), "/dev/fd/%d", file);
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

/* Whatever the file holds: either a kernel, and then perhaps a plan, or one text. */
static bool survives(void)
{
    static const uint8_t loader[3 * IMAGE_SECTOR_BYTES];
    struct plan_options options = {.loader = loader, .loader_bytes = sizeof(loader)};
    struct error error = {0};
    struct kernel kernel;
    struct plan plan;
    bool done = false;

    if (kernel_open(&kernel, file_path, &error)) {
        done = plan_build(&plan, &kernel, &protocol_plain, &options, &error);
        if (done)
            plan_free(&plan);
        kernel_close(&kernel);
    }
    assert_int_equal(done, error.text == NULL);
    error_free(&error);
    return done;
}

static void sound_kernel_is_read(void **state)
{
    struct error error = {0};
    struct kernel kernel;

    (void)state;
    put_file(&sound, sizeof(sound));
    assert_true(kernel_open(&kernel, file_path, &error));
    assert_string_equal(kernel.path, file_path);
    assert_int_equal(kernel.class, ELFCLASS64);
    assert_int_equal(kernel.machine, EM_X86_64);
    assert_int_equal(kernel.type, ET_EXEC);
    assert_int_equal(kernel.entry_vaddr, 0x100010);
    assert_false(kernel.has_interpreter || kernel.has_dynamic_table);
    assert_int_equal(kernel.segment_count, 2);

    const struct kernel_segment *code = &kernel.segments[0];
    assert_int_equal(code->vaddr, 0x100000);
    assert_int_equal(code->paddr, 0x200000);
    assert_int_equal(code->memory_bytes, 32);
    assert_int_equal(code->file_bytes, 32);
    assert_int_equal(code->file_offset, offsetof(struct kernel_file, data));
    assert_int_equal(code->index, 1);
    assert_true(code->executable && !code->writable);

    const struct kernel_segment *data = &kernel.segments[1];
    assert_int_equal(data->vaddr, 0x102000);
    assert_int_equal(data->memory_bytes, 0x2000);
    assert_int_equal(data->file_bytes, 8);
    assert_int_equal(data->file_offset, offsetof(struct kernel_file, data) + 32);
    assert_int_equal(data->index, 0);
    assert_true(data->writable && !data->executable);
    kernel_close(&kernel);
    assert_null(error.text);
}

/* What another protocol may take is no business of kernel.c. */
static void foreign_kernels_are_read(void **state)
{
    struct kernel_file foreign = sound;
    struct error error = {0};
    struct kernel kernel;

    (void)state;
    foreign.header.e_machine = EM_386;
    foreign.header.e_type = ET_DYN;
    foreign.header.e_entry = 7;
    foreign.segments[0].p_vaddr = 0;
    foreign.segments[1].p_vaddr = 0x800000000000;
    foreign.segments[2].p_type = PT_DYNAMIC;
    put_file(&foreign, sizeof(foreign));
    assert_true(kernel_open(&kernel, file_path, &error));
    assert_int_equal(kernel.machine, EM_386);
    assert_int_equal(kernel.type, ET_DYN);
    assert_true(kernel.has_dynamic_table);
    kernel_close(&kernel);
}

static void class_32_is_read(void **state)
{
    struct {
        Elf32_Ehdr header;
        Elf32_Phdr segment;
        uint8_t data[4];
    } small = {
        .header =
            {
                .e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS32, ELFDATA2LSB,
                            EV_CURRENT},
                .e_type = ET_EXEC,
                .e_machine = EM_386,
                .e_version = EV_CURRENT,
                .e_phoff = sizeof(Elf32_Ehdr),
                .e_phentsize = sizeof(Elf32_Phdr),
                .e_phnum = 1,
            },
        .segment = {.p_type = PT_LOAD, .p_offset = 84, .p_vaddr = ~0u, .p_filesz = 4, .p_memsz = 4},
        .data = "abc",
    };
    struct error error = {0};
    struct kernel kernel;

    (void)state;
    put_file(&small, sizeof(small));
    assert_true(kernel_open(&kernel, file_path, &error));
    assert_int_equal(kernel.class, ELFCLASS32);
    assert_int_equal(kernel.segments[0].vaddr, UINT32_MAX);
    assert_int_equal(kernel.segments[0].file_offset, 84);
    kernel_close(&kernel);
}

static void failure_leaves_nothing_open(void **state)
{
    struct error error = {0};
    struct kernel kernel;
    int before = dup(file);

    (void)state;
    close(before);
    put_file(&sound, sizeof(sound) - sizeof(sound.data));
    for (int i = 0; i < 3; i++) {
        assert_false(kernel_open(&kernel, file_path, &error));
        error_free(&error);
    }
    int after = dup(file);
    close(after);
    assert_int_equal(before, after);
}

static void no_truncation_does_harm(void **state)
{
    size_t used = offsetof(struct kernel_file, data) + 40;

    (void)state;
    for (size_t bytes = 0; bytes <= sizeof(sound); bytes++) {
        put_file(&sound, bytes);
        assert_int_equal(survives(), bytes >= used);
    }
}

static uint32_t next_random(uint32_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 17;
    *seed ^= *seed << 5;
    return *seed;
}

static void no_mutation_does_harm(void **state)
{
    static const uint8_t edges[] = {0, 1, 2, 0x7f, 0x80, 0xfe, 0xff};
    uint32_t seed = 20;
    size_t good = 0;

    (void)state;
    for (int i = 0; i < MUTATIONS; i++) {
        union {
            struct kernel_file parts;
            uint8_t bytes[sizeof(struct kernel_file)];
        } mutant = {sound};

        for (uint32_t changes = 1 + next_random(&seed) % 4; changes > 0; changes--) {
            size_t place = next_random(&seed) % offsetof(struct kernel_file, data);
            uint32_t value = next_random(&seed);

            mutant.bytes[place] = value & 0x100 ? edges[value % sizeof(edges)] : (uint8_t)value;
        }
        put_file(&mutant, sizeof(mutant));
        good += survives();
    }
    /* Else the mutations are too gentle or too rough to reach what comes late. */
    assert_in_range(good, MUTATIONS / 20, MUTATIONS / 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sound_kernel_is_read),    cmocka_unit_test(foreign_kernels_are_read),
        cmocka_unit_test(class_32_is_read),        cmocka_unit_test(failure_leaves_nothing_open),
        cmocka_unit_test(no_truncation_does_harm), cmocka_unit_test(no_mutation_does_harm),
    };

    return cmocka_run_group_tests(tests, open_file, close_file);
}
