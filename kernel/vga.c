/*
 * The text screen, half of the console. It assumes the text mode that the BIOS leaves, and the map
 * of the first 4 GiB that the loader leaves (bootinfo.h). Where there is no such screen, as under
 * UEFI, the writes go nowhere and nobody waits for an answer.
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

/* Where the next character goes. A full row has column VGA_COLUMNS: it wraps when more comes. */
static unsigned int vga_row;
static unsigned int vga_column;
/* Rows above this one do not scroll. */
static unsigned int vga_top;

static void vga_set_register(enum vga_crtc_register index, uint8_t value)
{
    outb(VGA_CRTC_INDEX, (uint8_t)index);
    outb(VGA_CRTC_DATA, value);
}

/* In memory the character comes first, its attribute second. */
static uint16_t vga_cell(uint8_t character, enum vga_color foreground, enum vga_color background)
{
    unsigned int attribute = (unsigned int)background << 4 | (unsigned int)foreground;

    return (uint16_t)(attribute << 8 | character);
}

static void vga_blank_row(unsigned int row)
{
    for (unsigned int column = 0; column < VGA_COLUMNS; column++)
        VGA_TEXT[row * VGA_COLUMNS + column] = vga_cell(' ', VGA_LIGHT_GREY, VGA_BLACK);
}

static void vga_scroll(void)
{
    for (unsigned int i = vga_top * VGA_COLUMNS; i < (VGA_ROWS - 1) * VGA_COLUMNS; i++)
        VGA_TEXT[i] = VGA_TEXT[i + VGA_COLUMNS];
    vga_blank_row(VGA_ROWS - 1);
}

static void vga_new_row(void)
{
    vga_column = 0;
    if (vga_row < VGA_ROWS - 1)
        vga_row++;
    else
        vga_scroll();
}

void vga_clear(void)
{
    for (unsigned int row = 0; row < VGA_ROWS; row++)
        vga_blank_row(row);
    vga_row = 0;
    vga_column = 0;
    vga_top = 0;

    /* A BIOS menu may have left another page on display, and no cursor. */
    vga_set_register(VGA_START_HIGH, 0);
    vga_set_register(VGA_START_LOW, 0);
    vga_set_register(VGA_CURSOR_START, VGA_CURSOR_FIRST_LINE);
    vga_set_register(VGA_CURSOR_END, VGA_CURSOR_LAST_LINE);
    vga_move_cursor();
}

void vga_keep_above(void)
{
    vga_top = vga_row;
}

void vga_put(char character, enum vga_color foreground, enum vga_color background)
{
    uint8_t byte = (uint8_t)character;

    if (byte == '\n') {
        vga_new_row();
        return;
    }
    /* The bytes 0x80 to 0xBF only continue a character of UTF-8: one '?' for all of it. */
    if (byte >= 0x80 && byte < 0xC0)
        return;
    if (byte < ' ' || byte > '~')
        byte = '?';
    if (vga_column == VGA_COLUMNS)
        vga_new_row();
    VGA_TEXT[vga_row * VGA_COLUMNS + vga_column] = vga_cell(byte, foreground, background);
    vga_column++;
}

void vga_move_cursor(void)
{
    unsigned int column = vga_column < VGA_COLUMNS ? vga_column : VGA_COLUMNS - 1;
    unsigned int cell = vga_row * VGA_COLUMNS + column;

    vga_set_register(VGA_CURSOR_HIGH, (uint8_t)(cell >> 8));
    vga_set_register(VGA_CURSOR_LOW, (uint8_t)(cell & 0xFF));
}
