/*
 * The console and its two ends: COM1, and whatever screen there is. What these tests print shows in
 * the test's output, as a comment.
 */
#include "console.h"

#include "io.h"
#include "serial.h"
#include "test.h"

#include <stdint.h>

#define VGA_TEXT ((const volatile uint16_t *)0xB8000)
#define VGA_ROWS 25
#define VGA_CELLS (VGA_ROWS * 80)
#define COM1_LINE_STATUS 0x3FD
#define ALL_SENT 0x40

/* Nothing else prints it. */
#define MARK '~'

/* How many cells of the text screen hold the character. */
static unsigned int count_cells(char character)
{
    unsigned int count = 0;

    for (unsigned int cell = 0; cell < VGA_CELLS; cell++)
        count += (VGA_TEXT[cell] & 0xFF) == (unsigned int)character;
    return count;
}

KERNEL_TEST(console_prints_on_a_text_screen)
{
    unsigned int before = count_cells(MARK);

    if (!(info->flags & BOOTINFO_TEXT_SCREEN))
        return;
    console_print("%c\n", MARK);
    KERNEL_EXPECT(count_cells(MARK) == before + 1);
}

static uint64_t sum_pixels(const struct bootinfo_framebuffer *framebuffer)
{
    const volatile uint64_t *words = (const volatile uint64_t *)framebuffer->address;
    uint64_t sum = 0;

    for (uint64_t i = 0; i < framebuffer->bytes / sizeof(*words); i++)
        sum += words[i];
    return sum;
}

KERNEL_TEST(console_prints_on_a_framebuffer)
{
    const struct bootinfo_framebuffer *framebuffer =
        (const struct bootinfo_framebuffer *)info->framebuffers;
    uint64_t before;

    if (info->framebuffer_count == 0)
        return;
    before = sum_pixels(framebuffer);
    console_print("#");
    KERNEL_EXPECT(sum_pixels(framebuffer) != before);
}

KERNEL_TEST(console_scrolls_a_text_screen)
{
    if (!(info->flags & BOOTINFO_TEXT_SCREEN))
        return;
    console_print("%c\n", MARK);
    for (unsigned int line = 1; line <= VGA_ROWS; line++)
        console_print("line %u\n", line);
    KERNEL_EXPECT(count_cells(MARK) == 0);
}

KERNEL_TEST(console_sends_all_that_it_prints)
{
    console_print("a line that is out before it is judged\n");
    serial_flush();
    KERNEL_EXPECT(inb(COM1_LINE_STATUS) & ALL_SENT);
}
