/*
 * The screen half of the console. It may assume nothing: what is printed before screen_use() goes
 * to the text screen of VGA, so that a panic is seen wherever it comes from.
 *
 * The cells are kept here as well, as some screens are slow to read: to scroll, only those are
 * drawn that change.
 */
#include "screen.h"

#include "vga.h"

#include <stdbool.h>
#include <stddef.h>

static bool screen_is_chosen;
static const struct screen *screen_used; /* NULL: none */
static struct screen_cell screen_cells[SCREEN_MOST_ROWS][SCREEN_MOST_COLUMNS];
/* Where the next character goes. A full row has a column behind its last: it wraps when more comes.
 */
static unsigned int screen_row;
static unsigned int screen_column;
/* Rows above this one do not scroll. */
static unsigned int screen_top;

static const struct screen_cell screen_blank = {' ', SCREEN_LIGHT_GREY};

static unsigned int screen_least(unsigned int a, unsigned int b)
{
    return a < b ? a : b;
}

static unsigned int screen_rows(void)
{
    return screen_least(screen_used->rows, SCREEN_MOST_ROWS);
}

static unsigned int screen_columns(void)
{
    return screen_least(screen_used->columns, SCREEN_MOST_COLUMNS);
}

void screen_use(const struct screen *screen)
{
    screen_is_chosen = true;
    screen_used = screen;
    screen_row = 0;
    screen_column = 0;
    screen_top = 0;
    for (unsigned int row = 0; row < SCREEN_MOST_ROWS; row++) {
        for (unsigned int column = 0; column < SCREEN_MOST_COLUMNS; column++)
            screen_cells[row][column] = screen_blank;
    }
    if (!screen)
        return;
    screen->clear();
    screen_move_cursor();
}

static void screen_set(unsigned int row, unsigned int column, struct screen_cell cell)
{
    struct screen_cell *shown = &screen_cells[row][column];

    if (shown->character == cell.character && shown->color == cell.color)
        return;
    *shown = cell;
    screen_used->draw(row, column, cell);
}

static void screen_scroll(void)
{
    for (unsigned int row = screen_top; row < screen_rows(); row++) {
        for (unsigned int column = 0; column < screen_columns(); column++)
            screen_set(row, column,
                       row + 1 < screen_rows() ? screen_cells[row + 1][column] : screen_blank);
    }
}

static void screen_new_row(void)
{
    screen_column = 0;
    if (screen_row < screen_rows() - 1)
        screen_row++;
    else
        screen_scroll();
}

void screen_keep_above(void)
{
    screen_top = screen_row;
}

void screen_put(char character, enum screen_color color)
{
    struct screen_cell cell = {(uint8_t)character, (uint8_t)color};

    if (!screen_is_chosen)
        screen_use(&vga_screen);
    if (!screen_used)
        return;
    if (cell.character == '\n') {
        screen_new_row();
        return;
    }
    /* The bytes 0x80 to 0xBF only continue a character of UTF-8: one '?' for all of it. */
    if (cell.character >= 0x80 && cell.character < 0xC0)
        return;
    if (cell.character < ' ' || cell.character > '~')
        cell.character = '?';
    if (screen_column == screen_columns())
        screen_new_row();
    screen_set(screen_row, screen_column, cell);
    screen_column++;
}

void screen_move_cursor(void)
{
    if (screen_used && screen_used->move_cursor)
        screen_used->move_cursor(screen_row, screen_least(screen_column, screen_columns() - 1));
}
