/*
 * The text screen of VGA: 25 rows of 80 cells at 0xB8000.
 */
#ifndef KERNEL_VGA_H
#define KERNEL_VGA_H

enum vga_color {
    VGA_BLACK,
    VGA_BLUE,
    VGA_GREEN,
    VGA_CYAN,
    VGA_RED,
    VGA_MAGENTA,
    VGA_BROWN,
    VGA_LIGHT_GREY,
    VGA_DARK_GREY,
    VGA_LIGHT_BLUE,
    VGA_LIGHT_GREEN,
    VGA_LIGHT_CYAN,
    VGA_LIGHT_RED,
    VGA_LIGHT_MAGENTA,
    VGA_YELLOW,
    VGA_WHITE,
};

/* Blanks the screen; the next character goes to row 0, column 0. */
void vga_clear(void);

/* Rows above the one that the next character goes to stay when the screen scrolls. */
void vga_keep_above(void);

/* Writes one byte of UTF-8 text; '\n' begins a row. What is not in ASCII shows as '?'. */
void vga_put(char character, enum vga_color foreground, enum vga_color background);

/* Moves the hardware cursor to where the next character goes. */
void vga_move_cursor(void);

#endif
