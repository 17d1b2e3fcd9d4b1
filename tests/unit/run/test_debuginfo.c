/*
 * Names, files and lines of kernels in many forms, whose sources say what they have to be; and of
 * files that are damaged.
 */
#include "calls_kernel.h"

#include <elf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PLACES 8
#define DAMAGED_FILES 1000
#define DAMAGED_BYTES 24 /* of each, at most */

static const char *const with_lines[] = {
    "frames", "frames-optimised", "debug-frame", "eh-frame",  "high",
    "pie",    "compressed-debug", "32",          "32-frames", "gzip",
};

static void open_calls(struct calls_kernel *calls, const char *name)
{
    if (!calls_open(calls, name))
        fail_msg("there is no %s", calls->path);
}

static void assert_ends(const char *text, const char *end)
{
    assert_non_null(text);
    assert_true(strlen(text) >= strlen(end));
    assert_string_equal(text + strlen(text) - strlen(end), end);
}

static void assert_place(const struct debuginfo_place *place, const char *function,
                         const char *file, const char *text)
{
    assert_string_equal(place->function, function);
    assert_ends(place->file, file);
    assert_int_equal(place->line, calls_line(file, text));
}

static void functions_have_their_lines(void **state)
{
    struct debuginfo_place places[PLACES];
    struct calls_kernel calls;

    (void)state;
    for (size_t i = 0; i < sizeof(with_lines) / sizeof(with_lines[0]); i++) {
        open_calls(&calls, with_lines[i]);
        const uint64_t leaf = calls_symbol(&calls, "leaf");
        const uint64_t at = calls_symbol(&calls, "at_leaf");

        assert_true(debuginfo_is_code(calls.debuginfo, at));
        assert_int_equal(debuginfo_places(calls.debuginfo, at, places, PLACES), 1);
        assert_place(&places[0], "leaf", "calls.c", "MARK(leaf)");
        assert_string_equal(places[0].symbol, "leaf");
        assert_int_equal(places[0].offset, at - leaf);
        assert_false(places[0].is_inlined);

        /* A static function. */
        assert_int_equal(
            debuginfo_places(calls.debuginfo, calls_symbol(&calls, "at_saves"), places, PLACES), 1);
        assert_place(&places[0], "saves", "calls.c", "MARK(saves)");
        calls_close(&calls);
    }
}

static void inlined_functions_come_first(void **state)
{
    struct debuginfo_place places[PLACES];
    struct calls_kernel calls;

    (void)state;
    for (size_t i = 0; i < sizeof(with_lines) / sizeof(with_lines[0]); i++) {
        open_calls(&calls, with_lines[i]);
        const uint64_t at = calls_symbol(&calls, "at_inlined");

        assert_int_equal(debuginfo_places(calls.debuginfo, at, places, PLACES), 2);
        assert_place(&places[0], "inlined", "calls.c", "MARK(inlined)");
        assert_true(places[0].is_inlined);
        assert_place(&places[1], "saves", "calls.c", "here it is inlined");
        assert_false(places[1].is_inlined);
        for (size_t place = 0; place < 2; place++) {
            assert_string_equal(places[place].symbol, "saves");
            assert_int_equal(places[place].offset, at - calls_symbol(&calls, "saves"));
        }

        /* Of more than there is room for, the innermost count. */
        places[1].function = NULL;
        assert_int_equal(debuginfo_places(calls.debuginfo, at, places, 1), 1);
        assert_string_equal(places[0].function, "inlined");
        assert_null(places[1].function);
        assert_int_equal(debuginfo_places(calls.debuginfo, at, places, 0), 0);
        calls_close(&calls);
    }
}

static void data_and_sections_have_names(void **state)
{
    static const char *const names[] = {"eh-frame", "high", "pie", "32", "gzip", "symbols"};
    struct debuginfo_place places[PLACES];
    struct calls_kernel calls;
    uint64_t offset;

    (void)state;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        open_calls(&calls, names[i]);
        const uint64_t table = calls_symbol(&calls, "table");
        const uint64_t constants = calls_symbol(&calls, "constants");

        assert_string_equal(debuginfo_symbol(calls.debuginfo, table + 5, &offset), "table");
        assert_int_equal(offset, 5);
        assert_string_equal(debuginfo_section(calls.debuginfo, table), ".data");
        assert_false(debuginfo_is_code(calls.debuginfo, table));
        assert_int_equal(debuginfo_places(calls.debuginfo, table, places, PLACES), 0);
        assert_string_equal(debuginfo_section(calls.debuginfo, constants), ".rodata");
        assert_false(debuginfo_is_code(calls.debuginfo, constants));
        assert_string_equal(debuginfo_section(calls.debuginfo, calls_symbol(&calls, "_start")),
                            ".text");
        calls_close(&calls);
    }
}

static void nothing_is_known_of_other_addresses(void **state)
{
    static const uint64_t others[] = {
        1, 0x7fff, 0x12345678, 0x7fffffffffff, 0xffff800000000000, UINT64_MAX,
    };
    struct debuginfo_place places[PLACES];
    struct calls_kernel calls;
    uint64_t offset;

    (void)state;
    for (size_t i = 0; i < sizeof(with_lines) / sizeof(with_lines[0]); i++) {
        open_calls(&calls, with_lines[i]);
        /* A kernel at 0 begins with its headers. */
        for (size_t j = strcmp(with_lines[i], "pie") == 0 ? 2 : 0;
             j < sizeof(others) / sizeof(others[0]); j++) {
            assert_false(debuginfo_is_code(calls.debuginfo, others[j]));
            assert_int_equal(debuginfo_places(calls.debuginfo, others[j], places, PLACES), 0);
            assert_null(debuginfo_symbol(calls.debuginfo, others[j], &offset));
            assert_null(debuginfo_section(calls.debuginfo, others[j]));
        }
        calls_close(&calls);
    }
}

static void symbols_do_without_lines(void **state)
{
    struct debuginfo_place places[PLACES];
    struct calls_kernel calls;

    (void)state;
    open_calls(&calls, "symbols");
    const uint64_t at = calls_symbol(&calls, "at_leaf");
    assert_int_equal(debuginfo_places(calls.debuginfo, at, places, PLACES), 1);
    assert_string_equal(places[0].function, "leaf");
    assert_string_equal(places[0].symbol, "leaf");
    assert_int_equal(places[0].offset, at - calls_symbol(&calls, "leaf"));
    assert_null(places[0].file);
    assert_int_equal(places[0].line, 0);
    assert_false(places[0].is_inlined);
    calls_close(&calls);
}

static void stripped_file_has_sections(void **state)
{
    struct debuginfo_place places[PLACES];
    struct calls_kernel calls, stripped;
    uint64_t offset;

    (void)state;
    open_calls(&calls, "eh-frame");
    open_calls(&stripped, "stripped");
    const uint64_t at = calls_symbol(&calls, "at_leaf");
    assert_true(debuginfo_is_code(stripped.debuginfo, at));
    assert_int_equal(debuginfo_places(stripped.debuginfo, at, places, PLACES), 0);
    assert_null(debuginfo_symbol(stripped.debuginfo, at, &offset));
    assert_string_equal(debuginfo_section(stripped.debuginfo, at), ".text");
    calls_close(&stripped);
    calls_close(&calls);
}

/* Bytes with a header are no ELF file. */
static void without_elf_nothing_is_known(void **state)
{
    struct kernel kernel = {.class = 0, .fd = -1};
    struct debuginfo_place places[PLACES];
    struct debuginfo *debuginfo;
    struct error error = {0};
    uint64_t offset;

    (void)state;
    assert_true(debuginfo_open(&debuginfo, &kernel, &error));
    assert_false(debuginfo_is_code(debuginfo, 0x100000));
    assert_int_equal(debuginfo_places(debuginfo, 0x100000, places, PLACES), 0);
    assert_null(debuginfo_symbol(debuginfo, 0x100000, &offset));
    assert_null(debuginfo_section(debuginfo, 0x100000));
    debuginfo_close(debuginfo);
    debuginfo_close(NULL);
}

/* The symbol in the table that is mangled, but has this word in it. */
static uint64_t find_mangled(const struct calls_kernel *calls, const char *word)
{
    const struct kernel_segment *segment = calls->kernel.segments;

    for (size_t i = 0; i < calls->kernel.segment_count; i++, segment++) {
        for (uint64_t vaddr = segment->vaddr; vaddr < segment->vaddr + segment->memory_bytes;
             vaddr++) {
            uint64_t offset;
            const char *symbol = debuginfo_is_code(calls->debuginfo, vaddr)
                                     ? debuginfo_symbol(calls->debuginfo, vaddr, &offset)
                                     : NULL;

            if (symbol && *symbol == '_' && strstr(symbol, word))
                return vaddr;
        }
    }
    fail_msg("%s has no symbol with %s", calls->path, word);
    return 0;
}

static void rust_is_readable(void **state)
{
    static const char *const names[] = {
        "rust-default",
        "rust-default-symbols",
        "rust-v0",
        "rust-v0-symbols",
    };
    struct debuginfo_place places[PLACES];
    struct calls_kernel calls;

    (void)state;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        const bool has_lines = !strstr(names[i], "symbols");

        open_calls(&calls, names[i]);
        const uint64_t at = find_mangled(&calls, "8map_page");
        const size_t count = debuginfo_places(calls.debuginfo, at, places, PLACES);
        assert_in_range(count, 1, PLACES);
        const struct debuginfo_place *outermost = &places[count - 1];
        assert_non_null(strstr(outermost->symbol, "8map_page"));
        if (has_lines || BOOTIMAGE_HAS_IBERTY)
            assert_string_equal(outermost->function, "calls::paging::map_page");
        else
            assert_string_equal(outermost->function, outermost->symbol);
        if (has_lines) {
            assert_ends(outermost->file, "paging.rs");
            assert_in_range(outermost->line, calls_line("paging.rs", "fn map_page"),
                            calls_line("paging.rs", "here a page is mapped"));
        }

        const size_t of_method =
            debuginfo_places(calls.debuginfo, find_mangled(&calls, "3map"), places, PLACES);
        assert_in_range(of_method, 1, PLACES);
        if (has_lines)
            assert_string_equal(places[of_method - 1].function, "calls::paging::Space::map");
        else if (BOOTIMAGE_HAS_IBERTY)
            assert_ends(places[of_method - 1].function, "::map");
        calls_close(&calls);
    }
}

static void ask_all(int fd, uint64_t start, uint64_t end)
{
    struct kernel kernel = {.class = ELFCLASS64, .fd = fd};
    struct debuginfo_place places[PLACES];
    struct debuginfo *debuginfo;
    struct error error = {0};
    uint64_t offset;

    assert_true(debuginfo_open(&debuginfo, &kernel, &error));
    for (uint64_t vaddr = start; vaddr < end; vaddr += 9) {
        debuginfo_symbol(debuginfo, vaddr, &offset);
        debuginfo_section(debuginfo, vaddr);
        assert_in_range(debuginfo_places(debuginfo, vaddr, places, PLACES), 0, PLACES);
    }
    debuginfo_close(debuginfo);
}

/* Wherever a file is damaged, what is asked of it has an end. */
static void damage(const char *name, unsigned int seed)
{
    struct calls_kernel calls;
    struct stat status;

    open_calls(&calls, name);
    const uint64_t start = calls_symbol(&calls, "_start");
    assert_int_equal(fstat(calls.kernel.fd, &status), 0);
    const size_t bytes = (size_t)status.st_size;
    uint8_t *content = malloc(bytes);
    assert_non_null(content);
    srandom(seed);
    for (int i = 0; i < DAMAGED_FILES; i++) {
        int fd = support_temporary_file();

        assert_int_equal(pread(calls.kernel.fd, content, bytes, 0), (ssize_t)bytes);
        for (long left = 1 + random() % DAMAGED_BYTES; left > 0; left--)
            content[(size_t)random() % bytes] ^= (uint8_t)(1 << random() % 8);
        assert_int_equal(pwrite(fd, content, bytes, 0), (ssize_t)bytes);
        ask_all(fd, start - 64, start + 0x200);
        close(fd);
    }
    free(content);
    calls_close(&calls);
}

static void damaged_file_is_no_danger(void **state)
{
    (void)state;
    damage("eh-frame", 1);
    damage("debug-frame", 2);
    damage("compressed-debug", 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(functions_have_their_lines),
        cmocka_unit_test(inlined_functions_come_first),
        cmocka_unit_test(data_and_sections_have_names),
        cmocka_unit_test(nothing_is_known_of_other_addresses),
        cmocka_unit_test(symbols_do_without_lines),
        cmocka_unit_test(stripped_file_has_sections),
        cmocka_unit_test(without_elf_nothing_is_known),
        cmocka_unit_test(rust_is_readable),
        cmocka_unit_test(damaged_file_is_no_danger),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
