/*
 * The console's screen on framebuffers of all kinds: read back pixel by pixel.
 */
#include "font.h"
#include "framebuffer.h"
#include "screen.h"
#include "vga.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define CELL_WIDTH 8u
#define CELL_HEIGHT 16u
#define COLUMNS 5u
#define ROWS 3u
/* Not whole cells, and a pitch that is no whole number of pixels. */
#define WIDTH (COLUMNS * CELL_WIDTH + 3)
#define HEIGHT (ROWS * CELL_HEIGHT + 5)
#define PITCH (WIDTH * 4 + 7)
#define UNTOUCHED 0xC3

static _Alignas(4096) uint8_t memory[PITCH * HEIGHT + 64];
static struct bootinfo_framebuffer framebuffer;
static unsigned int vga_draws;

/* Before a screen is chosen. */
static void vga_clear(void)
{
    vga_draws = 0;
}

static void vga_draw(unsigned int row, unsigned int column, struct screen_cell cell)
{
    (void)row;
    (void)column;
    (void)cell;
    vga_draws++;
}

const struct screen vga_screen = {.rows = 25, .columns = 80, .clear = vga_clear, .draw = vga_draw};

static const struct bootinfo_framebuffer formats[] = {
    {.bits_per_pixel = 32,
     .red_shift = 16,
     .red_bits = 8,
     .green_shift = 8,
     .green_bits = 8,
     .blue_shift = 0,
     .blue_bits = 8},
    {.bits_per_pixel = 32,
     .red_shift = 0,
     .red_bits = 8,
     .green_shift = 8,
     .green_bits = 8,
     .blue_shift = 16,
     .blue_bits = 8},
    {.bits_per_pixel = 32,
     .red_shift = 20,
     .red_bits = 10,
     .green_shift = 10,
     .green_bits = 10,
     .blue_shift = 0,
     .blue_bits = 10},
    {.bits_per_pixel = 24,
     .red_shift = 16,
     .red_bits = 8,
     .green_shift = 8,
     .green_bits = 8,
     .blue_shift = 0,
     .blue_bits = 8},
    {.bits_per_pixel = 16,
     .red_shift = 11,
     .red_bits = 5,
     .green_shift = 5,
     .green_bits = 6,
     .blue_shift = 0,
     .blue_bits = 5},
};

static void start(const struct bootinfo_framebuffer *format)
{
    framebuffer = *format;
    framebuffer.address = (uintptr_t)memory;
    framebuffer.width = WIDTH;
    framebuffer.height = HEIGHT;
    /* Pixels of 16 and 32 bits are stored whole: at their own alignment, as machines have them. */
    framebuffer.pitch_bytes = format->bits_per_pixel == 24 ? PITCH : WIDTH * 4 + 8;
    memset(memory, UNTOUCHED, sizeof(memory));
    screen_use(framebuffer_screen(&framebuffer));
}

static uint32_t pixel_at(unsigned int x, unsigned int y)
{
    uint32_t pixel = 0;

    memcpy(&pixel, memory + y * framebuffer.pitch_bytes + x * framebuffer.bits_per_pixel / 8,
           framebuffer.bits_per_pixel / 8);
    return pixel;
}

static uint32_t part(uint32_t value, unsigned int shift, unsigned int bits)
{
    return (bits > 8 ? value << (bits - 8) : value >> (8 - bits)) << shift;
}

static uint32_t color(uint32_t red, uint32_t green, uint32_t blue)
{
    return part(red, framebuffer.red_shift, framebuffer.red_bits) |
           part(green, framebuffer.green_shift, framebuffer.green_bits) |
           part(blue, framebuffer.blue_shift, framebuffer.blue_bits);
}

static void assert_cell(unsigned int row, unsigned int column, char character, uint32_t ink)
{
    const uint8_t *glyph = font_psf + 32 + (uint8_t)character * CELL_HEIGHT;

    for (unsigned int y = 0; y < CELL_HEIGHT; y++) {
        for (unsigned int x = 0; x < CELL_WIDTH; x++)
            assert_int_equal(pixel_at(column * CELL_WIDTH + x, row * CELL_HEIGHT + y),
                             glyph[y] & 0x80 >> x ? ink : 0);
    }
}

static void print(const char *text, enum screen_color ink)
{
    for (; *text; text++)
        screen_put(*text, ink);
}

static void assert_row(unsigned int row, const char *text, uint32_t ink)
{
    for (unsigned int column = 0; column < COLUMNS; column++)
        assert_cell(row, column, text[column], ink);
}

static void characters_have_their_glyphs_and_colors(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
        start(&formats[i]);
        print("Ag", SCREEN_RED);
        print("~\n!", SCREEN_YELLOW);
        assert_cell(0, 0, 'A', color(0xaa, 0, 0));
        assert_cell(0, 1, 'g', color(0xaa, 0, 0));
        assert_cell(0, 2, '~', color(0xff, 0xff, 0x55));
        assert_cell(1, 0, '!', color(0xff, 0xff, 0x55));
        assert_cell(1, 1, ' ', 0);
    }
}

static void the_screen_is_cleared_and_nothing_else_is_touched(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
        start(&formats[i]);
        print("12345123451234512345", SCREEN_WHITE);
        const size_t line_bytes = WIDTH * framebuffer.bits_per_pixel / 8;
        for (size_t at = 0; at < sizeof(memory); at++) {
            size_t line = at / framebuffer.pitch_bytes, x = at % framebuffer.pitch_bytes;

            if (line >= HEIGHT || x >= line_bytes)
                assert_int_equal(memory[at], UNTOUCHED);
        }
        assert_int_equal(pixel_at(WIDTH - 1, HEIGHT - 1), 0);
    }
}

static void rows_scroll_but_those_that_are_kept(void **state)
{
    (void)state;
    start(&formats[0]);
    print("kept.\n", SCREEN_WHITE);
    screen_keep_above();
    print("one..\ntwo..\nthree", SCREEN_WHITE);
    assert_row(0, "kept.", 0xffffff);
    assert_row(1, "two..", 0xffffff);
    assert_row(2, "three", 0xffffff);
    print("f", SCREEN_WHITE); /* a full row wraps */
    assert_row(1, "three", 0xffffff);
    assert_row(2, "f    ", 0xffffff);
}

static void only_what_changes_is_drawn(void **state)
{
    (void)state;
    start(&formats[0]);
    print("same.\nsame.\nsame.", SCREEN_WHITE);
    memset(memory, UNTOUCHED, sizeof(memory));
    print("\n", SCREEN_WHITE);
    for (unsigned int y = 0; y < 2 * CELL_HEIGHT; y++)
        assert_int_equal(memory[y * framebuffer.pitch_bytes], UNTOUCHED);
    assert_row(2, "     ", 0);
}

static void what_is_not_ascii_is_one_question_mark(void **state)
{
    (void)state;
    start(&formats[0]);
    print("\xC3\xBC\xE2\x82\xAC\x01", SCREEN_WHITE);
    assert_row(0, "???  ", 0xffffff);
}

static void pixels_of_a_strange_size_are_no_screen(void **state)
{
    (void)state;
    framebuffer = (struct bootinfo_framebuffer){.width = 640, .height = 480, .bits_per_pixel = 8};
    assert_null(framebuffer_screen(&framebuffer));
    framebuffer = (struct bootinfo_framebuffer){.width = 7, .height = 480, .bits_per_pixel = 32};
    assert_null(framebuffer_screen(&framebuffer));
    screen_use(NULL);
    print("nobody sees it\n", SCREEN_WHITE);
    screen_move_cursor();
}

/* It has to be the first: nothing forgets a screen. */
static void what_comes_first_goes_to_vga(void **state)
{
    (void)state;
    print("early", SCREEN_WHITE);
    assert_int_equal(vga_draws, 5);
}

static void each_character_has_a_glyph_of_its_own(void **state)
{
    (void)state;
    for (unsigned int a = ' '; a < 0x80; a++) {
        for (unsigned int b = a + 1; b < 0x80; b++)
            assert_memory_not_equal(font_psf + 32 + a * CELL_HEIGHT,
                                    font_psf + 32 + b * CELL_HEIGHT, CELL_HEIGHT);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_comes_first_goes_to_vga),
        cmocka_unit_test(characters_have_their_glyphs_and_colors),
        cmocka_unit_test(the_screen_is_cleared_and_nothing_else_is_touched),
        cmocka_unit_test(rows_scroll_but_those_that_are_kept),
        cmocka_unit_test(only_what_changes_is_drawn),
        cmocka_unit_test(what_is_not_ascii_is_one_question_mark),
        cmocka_unit_test(pixels_of_a_strange_size_are_no_screen),
        cmocka_unit_test(each_character_has_a_glyph_of_its_own),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
