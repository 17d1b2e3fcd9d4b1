/*
 * PC Screen Fonts of both versions, sound ones and such as nobody should make.
 */
#include "support.h"

#include "run/screen_font.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#define FILE_BYTES 8192
#define HEADER_1_BYTES 4u
#define HEADER_2_BYTES 32u

static uint8_t file[FILE_BYTES];
static size_t file_bytes;
static char path[SUPPORT_PATH_BYTES];
static struct screen_font font;
static struct error error;

static void put(const void *data, size_t bytes)
{
    assert_true(file_bytes + bytes <= FILE_BYTES);
    memcpy(file + file_bytes, data, bytes);
    file_bytes += bytes;
}

/* Two glyphs of 10 by 2: with bits behind the tenth, and blank but for those. */
static void put_font_2(uint32_t flags)
{
    const uint32_t header[] = {0x864ab572, 0, HEADER_2_BYTES, flags, 2, 4, 2, 10};
    static const uint8_t glyphs[] = {0x80, 0x7F, 0x01, 0x80, 0, 0x3F, 0, 0x01};

    file_bytes = 0;
    put(header, sizeof(header));
    put(glyphs, sizeof(glyphs));
}

/* 256 glyphs of 8 by 2, whose bits are their numbers. */
static void put_font_1(uint8_t mode)
{
    const uint8_t header[] = {0x36, 0x04, mode, 2};

    file_bytes = 0;
    put(header, sizeof(header));
    for (unsigned int i = 0; i < (mode & 1 ? 512u : 256u); i++) {
        const uint8_t glyph[] = {(uint8_t)i, (uint8_t)(i >> 8)};

        put(glyph, sizeof(glyph));
    }
}

static bool open_file(void)
{
    int fd = support_temporary_file();

    snprintf(path, sizeof(path), "/dev/fd/%d", fd);
    assert_int_equal(write(fd, file, file_bytes), file_bytes);
    bool done = screen_font_open(&font, path, &error);
    close(fd);
    return done;
}

static void assert_opens(void)
{
    if (!open_file())
        fail_msg("%s", error.text);
}

static void assert_refused(const char *message)
{
    char text[256];

    assert_false(open_file());
    assert_null(font.glyphs);
    snprintf(text, sizeof(text), "%s: %s", path, message);
    support_assert_error(&error, text);
}

static void assert_damaged(const char *what)
{
    char text[256];

    snprintf(text, sizeof(text), "is damaged: %s; copy or make the font again [font-damaged]",
             what);
    assert_refused(text);
}

static void the_built_in_font(void **state)
{
    (void)state;
    assert_true(screen_font_built_in(&font, &error));
    assert_int_equal(font.width, 8);
    assert_int_equal(font.height, 16);
    for (uint32_t i = ' '; i < 0x7F; i++) {
        assert_int_equal(screen_font_look(&font, i), i);
        assert_int_equal(screen_font_read(&font, font.glyphs + i * font.glyph_bytes), i);
    }
    assert_int_equal(screen_font_read(&font, font.glyphs + 0x7F * font.glyph_bytes), 0);
    assert_int_equal(screen_font_look(&font, 0x7F), 0);
    assert_int_equal(screen_font_look(&font, 0xFC), 0);
    assert_int_equal(screen_font_look(&font, '\n'), 0);
    screen_font_close(&font);
    screen_font_close(&font);
}

static void version_2_with_characters(void **state)
{
    static const uint8_t bits[] = {0x80, 0x40, 0x01, 0x80};
    static const uint8_t blank[4];

    (void)state;
    put_font_2(1);
    put("\xD0\x90"
        "A\xFE"
        "A\xCC\x81\xFF\xC2\xA0\xFF",
        11);
    assert_opens();
    assert_int_equal(font.width, 10);
    assert_int_equal(font.height, 2);
    assert_int_equal(screen_font_read(&font, bits), 'A');
    assert_int_equal(screen_font_look(&font, 'A'), 'A');
    assert_int_equal(screen_font_look(&font, 0x0410), 'A');
    assert_int_equal(screen_font_look(&font, 0x0301), 0);
    assert_int_equal(screen_font_read(&font, blank), ' ');
    assert_int_equal(screen_font_look(&font, 0xA0), ' ');
    assert_int_equal(screen_font_look(&font, ' '), ' ');
    screen_font_close(&font);
}

static void version_1_with_characters(void **state)
{
    (void)state;
    for (uint8_t mode = 2; mode <= 5; mode++) {
        put_font_1(mode);
        for (unsigned int i = 0; i < (mode & 1 ? 512u : 256u); i++) {
            const uint16_t entries[] = {(uint16_t)(0x2000 + i), 0xFFFE, 'A', 0xFFFF};

            put(entries, sizeof(entries));
        }
        assert_opens();
        assert_int_equal(font.glyph_count, mode & 1 ? 512 : 256);
        assert_int_equal(screen_font_read(&font, (const uint8_t[]){0x41, 0}), 0x2041);
        assert_int_equal(screen_font_read(&font, (const uint8_t[]){0x41, 1}),
                         mode & 1 ? 0x2141 : 0);
        assert_int_equal(screen_font_look(&font, 0x2041), 0x2041);
        assert_int_equal(screen_font_look(&font, 'A'), 0);
        screen_font_close(&font);
    }
}

static void without_characters_it_is_code_page_437(void **state)
{
    (void)state;
    put_font_1(0);
    assert_opens();
    assert_int_equal(screen_font_read(&font, (const uint8_t[]){'A', 0}), 'A');
    assert_int_equal(screen_font_read(&font, (const uint8_t[]){0x81, 0}), 0xFC);
    assert_int_equal(screen_font_read(&font, (const uint8_t[]){0xDB, 0}), 0x2588);
    assert_int_equal(screen_font_read(&font, (const uint8_t[]){0x01, 0}), 0);
    assert_int_equal(screen_font_read(&font, (const uint8_t[]){0x7F, 0}), 0);
    screen_font_close(&font);
}

static void characters_that_no_text_has_are_not_read(void **state)
{
    static const uint16_t end = 0xFFFF, odd[] = {7, 0x9F, 0xD800, 0xFFFF};

    (void)state;
    put_font_1(2);
    put(odd, sizeof(odd));
    put(odd, sizeof(odd));
    for (unsigned int i = 2; i < 256; i++)
        put(&end, sizeof(end));
    assert_opens();
    assert_int_equal(screen_font_read(&font, (const uint8_t[]){1, 0}), 0);
    screen_font_close(&font);
}

static void compressed_fonts(void **state)
{
    (void)state;
    put_font_2(0);
    int fd = support_temporary_file();
    gzFile packed = gzdopen(dup(fd), "wb");
    assert_int_equal(gzwrite(packed, file, (unsigned int)file_bytes), file_bytes);
    gzclose(packed);
    snprintf(path, sizeof(path), "/dev/fd/%d", fd);
    assert_true(screen_font_open(&font, path, &error));
    assert_int_equal(font.glyph_count, 2);
    screen_font_close(&font);

    assert_int_equal(ftruncate(fd, lseek(fd, 0, SEEK_END) - 4), 0);
    assert_false(screen_font_open(&font, path, &error));
    assert_non_null(strstr(error.text, ": cannot read: it ends too early; copy the font again "
                                       "[font-read]"));
    error_free(&error);

    assert_int_equal(pwrite(fd, "\xFF\xFF\xFF\xFF", 4, 12), 4);
    assert_false(screen_font_open(&font, path, &error));
    assert_non_null(strstr(error.text, "; copy the font again [font-read]"));
    error_free(&error);
    close(fd);
}

static void files_that_are_no_font(void **state)
{
    (void)state;
    assert_false(screen_font_open(&font, "/dev/null/font", &error));
    support_assert_error(&error,
                         "/dev/null/font: cannot open: Not a directory; name a font that is "
                         "there and can be read [font-open]");
    assert_false(screen_font_open(&font, "/tmp", &error));
    support_assert_error(&error, "/tmp: cannot read: Is a directory; copy the font again "
                                 "[font-read]");
    assert_false(screen_font_open(&font, "/dev/zero", &error));
    support_assert_error(&error, "/dev/zero: takes 16 MiB or more; no font does [font-too-large]");
    static const char *const contents[] = {"", "6", "\x36\x04", "\x72\xB5\x4A\x86 short", "text"};
    for (size_t i = 0; i < sizeof(contents) / sizeof(contents[0]); i++) {
        file_bytes = 0;
        put(contents[i], strlen(contents[i]));
        assert_refused("is no PC Screen Font; give a file as those in /usr/share/consolefonts "
                       "[font-type]");
    }
}

/* Fields of the second version's header, by their offsets. */
static void headers_that_make_no_sense(void **state)
{
    static const char size[] = "no font has glyphs of its size";
    static const char sense[] = "its header makes no sense";
    static const char end[] = "it ends before its last glyph";
    static const struct {
        size_t offset;
        uint32_t value;
        const char *what;
    } cases[] = {
        {8, 31, sense},         {8, 33, end},          {8, UINT32_MAX, end}, {16, 0, sense},
        {16, 3, end},           {16, UINT32_MAX, end}, {20, 0, size},        {20, 5, size},
        {20, UINT32_MAX, size}, {24, 0, size},         {24, 129, size},      {24, UINT32_MAX, size},
        {28, 0, size},          {28, 65, size},        {28, 8, size},        {28, UINT32_MAX, size},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        put_font_2(0);
        memcpy(file + cases[i].offset, &cases[i].value, sizeof(cases[i].value));
        assert_damaged(cases[i].what);
    }
    put_font_1(0);
    file[3] = 0;
    assert_damaged(size);
    file[3] = 129;
    assert_damaged(size);
    file[3] = 3;
    assert_damaged(end);
    put_font_1(0);
    file[2] = 1;
    assert_damaged(end);
}

static void tables_that_break_off(void **state)
{
    static const char *const tables[] = {
        "", "A", "A\xFF", "A\xFF\xC2", "A\xFF\xED\xA0\x80\xFF", "\xFE", "\xFF\xFE\xFE"};

    (void)state;
    for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
        put_font_2(1);
        put(tables[i], strlen(tables[i]));
        assert_damaged("its table of characters breaks off");
    }
    put_font_1(2);
    assert_damaged("its table of characters breaks off");
    put("\xFF", 1);
    assert_damaged("its table of characters breaks off");
}

/* None of them does harm; the sanitizers look. */
static void fonts_with_a_byte_that_changed(void **state)
{
    (void)state;
    for (size_t at = 0; at < HEADER_2_BYTES + 20; at++) {
        for (unsigned int bit = 0; bit < 8; bit++) {
            put_font_2(1);
            put("A\xFE\xC2\xA0\xFF\xE2\x96\x88\xFF", 9);
            if (at >= file_bytes)
                return;
            file[at] ^= (uint8_t)(1 << bit);
            if (open_file()) {
                uint8_t bits[SCREEN_FONT_MOST_BYTES] = {0};

                screen_font_read(&font, bits);
                screen_font_look(&font, 'A');
                screen_font_close(&font);
            }
            error_free(&error);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_built_in_font),
        cmocka_unit_test(version_2_with_characters),
        cmocka_unit_test(version_1_with_characters),
        cmocka_unit_test(without_characters_it_is_code_page_437),
        cmocka_unit_test(characters_that_no_text_has_are_not_read),
        cmocka_unit_test(compressed_fonts),
        cmocka_unit_test(files_that_are_no_font),
        cmocka_unit_test(headers_that_make_no_sense),
        cmocka_unit_test(tables_that_break_off),
        cmocka_unit_test(fonts_with_a_byte_that_changed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
