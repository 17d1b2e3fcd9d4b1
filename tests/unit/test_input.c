/*
 * Files that change while they are read: each ends in one text that blames the file itself, and
 * none in a signal or in an image of mixed bytes.
 */
#include "support.h"

#include "image.h"
#include "input.h"
#include "plan.h"
#include "protocol.h"

#include "bootimage/image.h"
#include "core/checksum.h"

#include <elf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BYTES (3 * INPUT_BUFFER_BYTES + 17)
#define CHANGED                                                                                    \
    "%s: changed while it was read; wait until nothing writes to it any more, and run bootimage "  \
    "again [input-changed]"

static uint8_t *content;
static int fd;
static char path[SUPPORT_PATH_BYTES];

static int set_up(void **state)
{
    (void)state;
    fd = support_temporary_file();
    content = malloc(BYTES);
    assert_non_null(content);
    for (size_t i = 0; i < BYTES; i++)
        content[i] = (uint8_t)(i * 13 + i / 256);
    assert_int_equal(pwrite(fd, content, BYTES, 0), BYTES);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    free(content);
    return close(fd);
}

static void assert_changed(struct error *error)
{
    char text[sizeof(CHANGED) + sizeof(path)];

    snprintf(text, sizeof(text), CHANGED, path);
    support_assert_error(error, text);
}

/* Gives the file a byte that it had not, and the time that it had. */
static void change_byte(const struct input *file)
{
    struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, file->modified};

    assert_int_equal(pwrite(fd, "!", 1, BYTES - 1), 1);
    assert_int_equal(futimens(fd, times), 0);
}

static void hash_of_a_piece(void **state)
{
    static const struct {
        uint64_t offset;
        uint64_t bytes;
    } cases[] = {{0, 0},     {0, 1},     {7, INPUT_BUFFER_BYTES}, {1, INPUT_BUFFER_BYTES + 1},
                 {0, BYTES}, {BYTES, 0}, {BYTES - 1, 1}};
    struct input file = support_input(fd, path);
    struct error error = {0};
    struct input_reader reader;

    (void)state;
    assert_true(input_reader_open(&reader, &error));
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct input_piece piece = {&file, cases[i].offset, cases[i].bytes};
        uint64_t hash;

        assert_true(input_hash(&reader, piece, &hash, &error));
        assert_int_equal(hash, checksum_xxh64(content + piece.offset, piece.bytes));
    }
    input_reader_close(&reader);
}

static void failure_to_read_is_told(void **state)
{
    struct input file = support_input(fd, path);
    struct error error = {0};
    uint8_t byte;
    char text[sizeof(path) + 100];

    (void)state;
    snprintf(text, sizeof(text),
             "%s: cannot read: Bad file descriptor; copy it to a disk that works [input-read]",
             path);
    assert_false(input_read(&file, -1, &byte, 1, 0, &error));
    support_assert_error(&error, text);
    assert_false(input_unchanged(&file, -1, &error));
    support_assert_error(&error, text);
}

static void shorter_before_and_while_it_is_read(void **state)
{
    struct input file = support_input(fd, path);
    struct input_piece piece = {&file, 0, BYTES};
    struct error error = {0};
    struct input_reader reader;
    uint64_t hash;

    (void)state;
    assert_true(input_reader_open(&reader, &error));
    assert_int_equal(input_next(&reader, &piece, &error), INPUT_BUFFER_BYTES);
    assert_int_equal(ftruncate(fd, BYTES - 1), 0);
    assert_false(input_hash(&reader, piece, &hash, &error));
    assert_changed(&error);
    input_reader_close(&reader);

    assert_true(input_reader_open(&reader, &error));
    assert_false(input_hash(&reader, piece, &hash, &error));
    assert_changed(&error);
    input_reader_close(&reader);
}

static void another_file_of_the_same_name(void **state)
{
    char name[] = "/tmp/bootimage-unit-XXXXXX";
    struct error error = {0};
    struct input_reader reader;
    uint64_t hash;

    (void)state;
    close(mkstemp(name));
    struct input file = support_input(fd, path);
    file.path = name;
    snprintf(path, sizeof(path), "%s", name);
    assert_true(input_reader_open(&reader, &error));
    assert_false(input_hash(&reader, (struct input_piece){&file, 0, 1}, &hash, &error));
    assert_changed(&error);
    assert_int_equal(unlink(name), 0);
    assert_false(input_hash(&reader, (struct input_piece){&file, 0, 1}, &hash, &error));
    assert_changed(&error);
    input_reader_close(&reader);
}

/* A kernel with one segment, or one module: planned, changed, written. */
static void assert_image_refused(bool as_module, void (*change)(const struct input *))
{
    static const uint8_t loader[3 * IMAGE_SECTOR_BYTES];
    struct kernel_segment segments[] = {{.vaddr = 0x100000,
                                         .paddr = 0x100000,
                                         .memory_bytes = BYTES,
                                         .file_bytes = as_module ? 0 : BYTES,
                                         .executable = true}};
    struct kernel kernel = support_kernel(segments, 1);
    char name[] = "m", none[] = "";
    struct module module = {.name = name, .arguments = none, .file = support_input(fd, path)};
    struct module_list list = {&module, as_module};
    struct plan_options options = {
        .modules = &list, .loader = loader, .loader_bytes = sizeof(loader)};
    struct error error = {0};
    struct plan plan;
    int image = support_temporary_file();

    kernel.file = support_input(fd, path);
    assert_true(plan_build(&plan, &kernel, &protocol_plain, &options, &error));
    assert_int_equal(plan.piece_count, 1);
    change(&module.file);
    assert_false(image_write(&plan, image, "image", &error));
    assert_changed(&error);
    plan_free(&plan);
    close(image);
}

static void cut(const struct input *file)
{
    (void)file;
    assert_int_equal(ftruncate(fd, 5), 0);
}

static void shorter_between_plan_and_image(void **state)
{
    (void)state;
    assert_image_refused(false, cut);
}

static void module_shorter_between_plan_and_image(void **state)
{
    (void)state;
    assert_image_refused(true, cut);
}

static void other_bytes_of_the_same_time(void **state)
{
    (void)state;
    assert_image_refused(false, change_byte);
}

static void other_module_bytes_of_the_same_time(void **state)
{
    (void)state;
    assert_image_refused(true, change_byte);
}

/* Cut at any place after it was opened: the plan fails, or has nothing to do with what is gone. */
static void kernel_cut_after_it_was_opened(void **state)
{
    struct {
        Elf64_Ehdr header;
        Elf64_Phdr load;
    } start = {
        .header = {.e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB,
                               EV_CURRENT},
                   .e_type = ET_EXEC,
                   .e_machine = EM_X86_64,
                   .e_version = EV_CURRENT,
                   .e_entry = 0x100000,
                   .e_phoff = sizeof(Elf64_Ehdr),
                   .e_phentsize = sizeof(Elf64_Phdr),
                   .e_phnum = 1},
        .load = {.p_type = PT_LOAD,
                 .p_flags = PF_R | PF_X,
                 .p_vaddr = 0x100000,
                 .p_paddr = 0x100000,
                 .p_filesz = BYTES,
                 .p_memsz = BYTES},
    };
    static const uint8_t loader[3 * IMAGE_SECTOR_BYTES];
    struct plan_options options = {.loader = loader, .loader_bytes = sizeof(loader)};
    static const off_t sizes[] = {0, 1, 63, 64, 119, 120, 4096, 8192, BYTES - 1};

    (void)state;
    snprintf(path, sizeof(path), "/dev/fd/%d", fd);
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        struct error error = {0};
        struct kernel kernel;
        struct plan plan;

        assert_int_equal(pwrite(fd, content, BYTES, 0), BYTES);
        assert_int_equal(pwrite(fd, &start, sizeof(start), 0), sizeof(start));
        assert_true(kernel_open(&kernel, path, &error));
        assert_int_equal(ftruncate(fd, sizes[i]), 0);
        assert_false(plan_build(&plan, &kernel, &protocol_plain, &options, &error));
        assert_changed(&error);
        kernel_close(&kernel);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(hash_of_a_piece, set_up, tear_down),
        cmocka_unit_test_setup_teardown(failure_to_read_is_told, set_up, tear_down),
        cmocka_unit_test_setup_teardown(shorter_before_and_while_it_is_read, set_up, tear_down),
        cmocka_unit_test_setup_teardown(another_file_of_the_same_name, set_up, tear_down),
        cmocka_unit_test_setup_teardown(shorter_between_plan_and_image, set_up, tear_down),
        cmocka_unit_test_setup_teardown(module_shorter_between_plan_and_image, set_up, tear_down),
        cmocka_unit_test_setup_teardown(other_bytes_of_the_same_time, set_up, tear_down),
        cmocka_unit_test_setup_teardown(other_module_bytes_of_the_same_time, set_up, tear_down),
        cmocka_unit_test_setup_teardown(kernel_cut_after_it_was_opened, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
