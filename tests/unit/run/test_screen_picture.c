/*
 * Screens of pixels: what the kernel's own console draws, and what others would, is read back.
 */
#include "support.h"

#include "font.h"
#include "framebuffer.h"
#include "run/picture.h"
#include "run/screen_picture.h"
#include "screen.h"
#include "vga.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* No whole number of cells. */
#define WIDTH 643u
#define HEIGHT 405u
#define PIXELS_AT 15u /* behind the header */
#define PPM_BYTES (PIXELS_AT + 3 * WIDTH * HEIGHT)

static uint8_t ppm[PPM_BYTES];
static uint32_t memory[WIDTH * HEIGHT];
static struct screen_font font;

/* The kernel's console needs one, before a screen is chosen. */
const struct screen vga_screen;

static void paint(size_t left, size_t top, size_t width, size_t height, uint32_t color)
{
    for (size_t y = top; y < top + height; y++) {
        for (size_t x = left; x < left + width; x++) {
            uint8_t *pixel = ppm + PIXELS_AT + 3 * (y * WIDTH + x);

            pixel[0] = (uint8_t)(color >> 16);
            pixel[1] = (uint8_t)(color >> 8);
            pixel[2] = (uint8_t)color;
        }
    }
}

static void start(uint32_t color)
{
    char header[PIXELS_AT + 1];

    assert_int_equal(snprintf(header, sizeof(header), "P6\n%u %u\n255\n", WIDTH, HEIGHT),
                     PIXELS_AT);
    memcpy(ppm, header, PIXELS_AT);
    paint(0, 0, WIDTH, HEIGHT, color);
}

struct hand {
    size_t left, top, scale, gap; /* pixels */
    uint32_t ink, paper;
};

static void draw(struct hand hand, const char *text)
{
    for (; *text; text++) {
        const uint8_t *rows = font.glyphs + (uint8_t)*text * font.glyph_bytes;

        for (size_t y = 0; y < font.height; y++) {
            for (size_t x = 0; x < font.width + hand.gap; x++)
                paint(hand.left + x * hand.scale, hand.top + y * hand.scale, hand.scale, hand.scale,
                      x < font.width && rows[y] & 0x80 >> x ? hand.ink : hand.paper);
        }
        hand.left += (font.width + hand.gap) * hand.scale;
    }
}

static bool shows(const char *text)
{
    return screen_picture_shows(ppm, PPM_BYTES, &font, 1, text);
}

static void assert_prints(const char *text)
{
    char *lines = screen_picture_print(ppm, PPM_BYTES, &font, 1);

    assert_non_null(lines);
    assert_string_equal(lines, text);
    free(lines);
}

/* Rows of the console, one by one. */
static void print(const char *text, enum screen_color color)
{
    for (; *text; text++)
        screen_put(*text, color);
}

static void what_the_console_draws(void **state)
{
    const struct bootinfo_framebuffer framebuffer = {
        .address = (uintptr_t)memory,
        .pitch_bytes = 4 * WIDTH,
        .width = WIDTH,
        .height = HEIGHT,
        .bits_per_pixel = 32,
        .red_shift = 16,
        .red_bits = 8,
        .green_shift = 8,
        .green_bits = 8,
        .blue_bits = 8,
    };

    (void)state;
    start(0);
    screen_use(framebuffer_screen(&framebuffer));
    print("Hello World!\n\n", SCREEN_WHITE);
    print("panic: ", SCREEN_LIGHT_RED);
    print("main.c:17\n", SCREEN_YELLOW);
    print("{|}~ !\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefghijkl"
          "mnopqrstuvwxyz",
          SCREEN_BROWN);
    for (size_t i = 0; i < (size_t)WIDTH * HEIGHT; i++)
        paint(i % WIDTH, i / WIDTH, 1, 1, memory[i]);
    assert_true(shows("Hello World!"));
    assert_true(shows("panic: main.c:17"));
    assert_true(shows("abcdefghijklmnopqrstuvwxyz"));
    assert_true(shows("World! "));
    assert_false(shows("Hello World?"));
    assert_false(shows("HelloWorld"));
    assert_false(shows("über"));
    assert_prints(
        "Hello World!\n\npanic: main.c:17\n"
        "{|}~ !\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefghijk"
        "\nlmnopqrstuvwxyz\n");
}

static void any_two_colors(void **state)
{
    static const uint32_t colors[][3] = {/* ink, paper, the rest of the screen */
                                         {0xffffff, 0, 0},        {0, 0xffffff, 0xffffff},
                                         {0, 0xaaaaaa, 0},        {0xffffff, 0x0000aa, 0},
                                         {0x010203, 0x010204, 0}, {1, 0, 0},
                                         {0xaaaaaa, 0, 0xaaaaaa}};

    (void)state;
    for (size_t i = 0; i < sizeof(colors) / sizeof(colors[0]); i++) {
        start(colors[i][2]);
        draw((struct hand){.top = 32, .scale = 1, .ink = colors[i][0], .paper = colors[i][1]},
             " Menu: 'y' or _n_ ");
        assert_true(shows("Menu: 'y' or _n_"));
        assert_false(shows("Menu: 'y' or -n-"));
        assert_prints("\n\n Menu: 'y' or _n_\n");
    }
}

static void no_more_than_two_colors(void **state)
{
    (void)state;
    start(0);
    draw((struct hand){.scale = 1, .ink = 0xffffff}, "ce(ls");
    paint(2 * 8 + 2, 2, 1, 1, 0xff0000);
    assert_false(shows("ce(ls"));
    assert_true(shows("ce"));
    assert_prints("ce�ls\n");
}

static void larger_and_spaced(void **state)
{
    (void)state;
    for (size_t scale = 1; scale <= 4; scale++) {
        for (size_t gap = 0; gap <= 1; gap++) {
            const size_t width = (8 + gap) * scale, height = 16 * scale;
            struct hand hand = {.scale = scale, .gap = gap, .ink = 0xaaaaaa, .top = height};

            start(0);
            draw(hand, "Large A-B");
            assert_true(shows("Large A-B"));
            assert_false(shows("Large  A-B"));
            assert_prints("\nLarge A-B\n");
            start(0);
            hand.left = WIDTH % width / 2;
            hand.top = HEIGHT % height / 2;
            draw(hand, "Centre");
            assert_true(shows("Centre"));
            assert_prints("Centre\n");
        }
    }
}

static void text_that_wrapped(void **state)
{
    (void)state;
    start(0);
    draw((struct hand){.left = 78 * 8, .scale = 1, .ink = 0xffffff}, "ab");
    draw((struct hand){.top = 16, .scale = 1, .ink = 0xffffff}, "cd");
    assert_true(shows("abcd"));
    assert_true(shows("ab cd"));
    assert_false(shows("ab.cd"));
}

/* A font of 8 by 2: blank, 'T', a full block, the upper and the lower half of it. */
static struct screen_font open_blocks(void)
{
    static const uint32_t header[] = {FONT_MAGIC, 0, 32, 1, 5, 2, 2, 8};
    static const char rest[] = "\0\0\x7E\0\xFF\xFF\xFF\0\0\xFF"
                               " \xFFT\xFF█\xFF▀\xFF▄\xFF";
    struct screen_font blocks;
    struct error error = {0};
    char path[SUPPORT_PATH_BYTES];
    int fd = support_temporary_file();

    snprintf(path, sizeof(path), "/dev/fd/%d", fd);
    assert_int_equal(write(fd, header, sizeof(header)), sizeof(header));
    assert_int_equal(write(fd, rest, sizeof(rest) - 1), sizeof(rest) - 1);
    assert_true(screen_font_open(&blocks, path, &error));
    close(fd);
    return blocks;
}

/* In inverse a blank is a full block. */
static void blanks_in_inverse_and_blocks(void **state)
{
    struct screen_font blocks = open_blocks();

    (void)state;
    start(0);
    paint(9, 0, 6, 1, 0xffffff);
    paint(16, 0, 8, 2, 0xffffff);
    assert_true(screen_picture_shows(ppm, PPM_BYTES, &blocks, 1, " T█ "));
    assert_true(screen_picture_shows(ppm, PPM_BYTES, &blocks, 1, " T  "));
    assert_false(screen_picture_shows(ppm, PPM_BYTES, &blocks, 1, " T██"));
    assert_false(screen_picture_shows(ppm, PPM_BYTES, &blocks, 1, "█T"));
    paint(0, 2, 8, 1, 0xffffff);
    paint(8, 3, 8, 1, 0xffffff);
    assert_true(screen_picture_shows(ppm, PPM_BYTES, &blocks, 1, "▀▄"));
    assert_false(screen_picture_shows(ppm, PPM_BYTES, &blocks, 1, "▄▀"));
    screen_font_close(&blocks);
}

/* The right one, one that reads nothing of it, and one that reads less, in any order. */
static void several_fonts(void **state)
{
    struct screen_font blocks = open_blocks(), less;
    struct error error = {0};

    (void)state;
    assert_true(screen_font_built_in(&less, &error));
    less.characters['t'] = 0;
    start(0);
    draw((struct hand){.scale = 1, .ink = 0xffffff}, "either");
    for (size_t i = 0; i < 3; i++) {
        struct screen_font fonts[3];

        fonts[i] = font;
        fonts[(i + 1) % 3] = less;
        fonts[(i + 2) % 3] = blocks;
        assert_true(screen_picture_shows(ppm, PPM_BYTES, fonts, 3, "either"));
        assert_false(screen_picture_shows(ppm, PPM_BYTES, fonts, 3, "neither"));
        char *lines = screen_picture_print(ppm, PPM_BYTES, fonts, 3);
        assert_string_equal(lines, "either\n");
        free(lines);
    }
    screen_font_close(&less);
    screen_font_close(&blocks);
    assert_false(screen_picture_shows(ppm, PPM_BYTES, NULL, 0, "either"));
}

static void pictures_without_text(void **state)
{
    (void)state;
    start(0x123456);
    assert_prints("");
    for (size_t i = 0; i < (size_t)WIDTH * HEIGHT; i++)
        paint(i % WIDTH, i / WIDTH, 1, 1, (uint32_t)i * 2654435761u);
    assert_prints("");
    assert_false(shows("x"));
}

static void files_that_are_no_picture(void **state)
{
    static const char *const files[] = {
        "",
        "P",
        "P6",
        "P6\n",
        "P6\n8 16\n255",
        "P5\n1 1\n255\n...",
        "P6\n1 1\n65535\n......",
        "P6\n1 1\n254\n...",
        "P6\n0 1\n255\n...",
        "P6\n1 -1\n255\n...",
        "P6\n2 1\n255\n.....",
        "P6\n65537 1\n255\n...",
        "P6\n4294967297 1\n255\n...",
        "P6\n65536 65536\n255\n...",
        "P6\n# 1 1 255",
        "P6\n1 1 255# and no more",
        "P6\n1x1\n255\n...",
    };
    struct picture picture;

    (void)state;
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        /* Just as long, so that the sanitizers see more. */
        const size_t bytes = strlen(files[i]);
        uint8_t *copy = malloc(bytes + 1);

        assert_non_null(copy);
        memcpy(copy + 1, files[i], bytes);
        assert_false(picture_read(&picture, copy + 1, bytes));
        assert_false(screen_picture_shows(copy + 1, bytes, &font, 1, ""));
        char *lines = screen_picture_print(copy + 1, bytes, &font, 1);
        assert_string_equal(lines, "");
        free(lines);
        free(copy);
    }
}

static void headers_of_other_writers(void **state)
{
    static const char header[] = "P6 # made by hand\r\n 8\t# wide\n16 255 ";
    uint8_t file[sizeof(header) - 1 + 3 * 8 * 16];

    (void)state;
    memset(file, 0, sizeof(file));
    memcpy(file, header, sizeof(header) - 1);
    assert_true(screen_picture_shows(file, sizeof(file), &font, 1, " "));
    assert_false(screen_picture_shows(file, sizeof(file) - 1, &font, 1, " "));
    for (size_t y = 0; y < 16; y++) {
        for (size_t x = 0; x < 8; x++)
            memset(file + sizeof(header) - 1 + 3 * (8 * y + x),
                   font.glyphs['&' * font.glyph_bytes + y] & 0x80 >> x ? 0xFF : 0, 3);
    }
    assert_true(screen_picture_shows(file, sizeof(file), &font, 1, "&"));
}

static int open_font(void **state)
{
    struct error error = {0};

    (void)state;
    return screen_font_built_in(&font, &error) ? 0 : -1;
}

static int close_font(void **state)
{
    (void)state;
    screen_font_close(&font);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_the_console_draws),
        cmocka_unit_test(any_two_colors),
        cmocka_unit_test(no_more_than_two_colors),
        cmocka_unit_test(larger_and_spaced),
        cmocka_unit_test(text_that_wrapped),
        cmocka_unit_test(blanks_in_inverse_and_blocks),
        cmocka_unit_test(several_fonts),
        cmocka_unit_test(pictures_without_text),
        cmocka_unit_test(files_that_are_no_picture),
        cmocka_unit_test(headers_of_other_writers),
    };

    return cmocka_run_group_tests(tests, open_font, close_font);
}
