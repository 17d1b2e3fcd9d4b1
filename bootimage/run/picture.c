/*
 * The first step from pixels to text: the file becomes a picture. Its sizes are not believed: the
 * pixels have to be there. screen_picture.c looks for characters in it.
 */
#include "run/picture.h"

#define MOST_PIXELS_EACH_WAY 0x10000u
#define COLORS_255 255u
#define PIXEL_BYTES 3u

struct header {
    const uint8_t *next, *end;
};

static bool is_space(uint8_t byte)
{
    return byte == ' ' || (byte >= '\t' && byte <= '\r');
}

/* White space, and comments from '#' to the line's end. */
static void skip_space(struct header *header)
{
    while (header->next < header->end && (is_space(*header->next) || *header->next == '#')) {
        if (*header->next == '#') {
            while (header->next < header->end && *header->next != '\n')
                header->next++;
        } else {
            header->next++;
        }
    }
}

/* A number from 1 on, and the byte of white space behind it. */
static bool read_number(struct header *header, uint32_t *number)
{
    *number = 0;
    skip_space(header);
    while (header->next < header->end && *header->next >= '0' && *header->next <= '9') {
        *number = *number * 10 + *header->next++ - '0';
        if (*number > MOST_PIXELS_EACH_WAY)
            return false;
    }
    return *number > 0 && header->next < header->end && is_space(*header->next++);
}

/* What is left when each pixel of another colour takes away one: a majority vote. */
static uint32_t background_of(const struct picture *picture)
{
    uint32_t background = 0;
    size_t left = 0;

    for (size_t y = 0; y < picture->height; y++) {
        for (size_t x = 0; x < picture->width; x++) {
            uint32_t color = picture_color(picture, x, y);

            if (left == 0)
                background = color;
            if (color == background)
                left++;
            else
                left--;
        }
    }
    return background;
}

bool picture_read(struct picture *picture, const uint8_t *ppm, size_t bytes)
{
    struct header header = {ppm, ppm + bytes};
    uint32_t width, height, colors;

    if (bytes < 2 || ppm[0] != 'P' || ppm[1] != '6')
        return false;
    header.next += 2;
    if (!read_number(&header, &width) || !read_number(&header, &height) ||
        !read_number(&header, &colors) || colors != COLORS_255 ||
        (uint64_t)width * height > (size_t)(header.end - header.next) / PIXEL_BYTES)
        return false;
    *picture = (struct picture){.width = width, .height = height, .pixels = header.next};
    picture->background = background_of(picture);
    return true;
}
