/*
 * The text screen, as a BIOS leaves it (BOOTINFO_TEXT_SCREEN). It assumes the map of the first 4
 * GiB that the loader leaves (bootinfo.h). Where there is no such screen the writes go nowhere and
 * nobody waits for an answer.
 */
#include "vga.h"

#include "io.h"

#include <stdint.h>

#define VGA_TEXT ((volatile uint16_t *)0xB8000)
#define VGA_ROWS 25
#define VGA_COLUMNS 80

/* The display controller: an index register and the data it selects. */
#define VGA_CRTC_INDEX 0x3D4
#define VGA_CRTC_DATA 0x3D5

enum vga_crtc_register {
    VGA_CURSOR_START = 0x0A, /* bits 0-4: first line of the cursor, bit 5: cursor off */
    VGA_CURSOR_END = 0x0B,   /* bits 0-4: its last line */
    VGA_START_HIGH = 0x0C,   /* the cell that is shown at the top left */
    VGA_START_LOW = 0x0D,
    VGA_CURSOR_HIGH = 0x0E, /* the cell that the cursor is in */
    VGA_CURSOR_LOW = 0x0F,
};

/* An underline in a character cell of 16 lines. */
#define VGA_CURSOR_FIRST_LINE 14
#define VGA_CURSOR_LAST_LINE 15

static void vga_set_register(enum vga_crtc_register index, uint8_t value)
{
    outb(VGA_CRTC_INDEX, (uint8_t)index);
    outb(VGA_CRTC_DATA, value);
}

/* In memory the character comes first, its attribute second; a background of 0 is black. */
static void vga_draw(unsigned int row, unsigned int column, struct screen_cell cell)
{
    VGA_TEXT[row * VGA_COLUMNS + column] =
        (uint16_t)((unsigned int)cell.color << 8 | cell.character);
}

static void vga_clear(void)
{
    const struct screen_cell blank = {' ', SCREEN_LIGHT_GREY};

    for (unsigned int row = 0; row < VGA_ROWS; row++) {
        for (unsigned int column = 0; column < VGA_COLUMNS; column++)
            vga_draw(row, column, blank);
    }
    /* A BIOS menu may have left another page on display, and no cursor. */
    vga_set_register(VGA_START_HIGH, 0);
    vga_set_register(VGA_START_LOW, 0);
    vga_set_register(VGA_CURSOR_START, VGA_CURSOR_FIRST_LINE);
    vga_set_register(VGA_CURSOR_END, VGA_CURSOR_LAST_LINE);
}

static void vga_move_cursor(unsigned int row, unsigned int column)
{
    unsigned int cell = row * VGA_COLUMNS + column;

    vga_set_register(VGA_CURSOR_HIGH, (uint8_t)(cell >> 8));
    vga_set_register(VGA_CURSOR_LOW, (uint8_t)(cell & 0xFF));
}

const struct screen vga_screen = {
    .rows = VGA_ROWS,
    .columns = VGA_COLUMNS,
    .clear = vga_clear,
    .draw = vga_draw,
    .move_cursor = vga_move_cursor,
};
