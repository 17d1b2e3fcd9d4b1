/*
 * Text on a screen, whatever shows it: rows of cells that are written one after the other, and that
 * scroll. vga.c and framebuffer.c show a cell.
 */
#ifndef KERNEL_SCREEN_H
#define KERNEL_SCREEN_H

#include <stdint.h>

/* The colours of VGA. */
enum screen_color {
    SCREEN_BLACK,
    SCREEN_BLUE,
    SCREEN_GREEN,
    SCREEN_CYAN,
    SCREEN_RED,
    SCREEN_MAGENTA,
    SCREEN_BROWN,
    SCREEN_LIGHT_GREY,
    SCREEN_DARK_GREY,
    SCREEN_LIGHT_BLUE,
    SCREEN_LIGHT_GREEN,
    SCREEN_LIGHT_CYAN,
    SCREEN_LIGHT_RED,
    SCREEN_LIGHT_MAGENTA,
    SCREEN_YELLOW,
    SCREEN_WHITE,
};
#define SCREEN_COLORS 16

/* More of them are not used. */
#define SCREEN_MOST_ROWS 100
#define SCREEN_MOST_COLUMNS 240

struct screen_cell {
    uint8_t character; /* of ASCII, printable */
    uint8_t color;     /* enum screen_color, on black */
};

/* What shows cells. */
struct screen {
    unsigned int rows, columns;
    /* Nothing is on it any more, and it shows what is drawn from now on. */
    void (*clear)(void);
    void (*draw)(unsigned int row, unsigned int column, struct screen_cell cell);
    /* NULL: it has no cursor. */
    void (*move_cursor)(unsigned int row, unsigned int column);
};

/* Use this screen from now on, blank; NULL: none. What is written before goes to the text screen of
   VGA, if there is one. */
void screen_use(const struct screen *screen);

/* Rows above the one that the next character goes to stay when the screen scrolls. */
void screen_keep_above(void);

/* Writes one byte of UTF-8 text; '\n' begins a row. What is not in ASCII shows as '?'. */
void screen_put(char character, enum screen_color color);

/* Moves the cursor to where the next character goes. */
void screen_move_cursor(void);

#endif
