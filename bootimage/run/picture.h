/*
 * The pixels of a guest's screen, a binary PPM as QEMU writes it [PPM "Description"].
 */
#ifndef BOOTIMAGE_RUN_PICTURE_H
#define BOOTIMAGE_RUN_PICTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct picture {
    size_t width, height;
    const uint8_t *pixels; /* of three bytes each */
    uint32_t background;   /* the colour of most pixels, if there is one of more than half */
};

/* The picture points into ppm. False if that is none, or not of 8 bits per colour, or empty. */
bool picture_read(struct picture *picture, const uint8_t *ppm, size_t bytes);

/* A colour as a number, for comparisons. */
static inline uint32_t picture_color(const struct picture *picture, size_t x, size_t y)
{
    const uint8_t *pixel = picture->pixels + 3 * (y * picture->width + x);

    return (uint32_t)pixel[0] << 16 | (uint32_t)pixel[1] << 8 | pixel[2];
}

#endif
