/*
 * The framebuffer that a kernel asks for.
 */
#ifndef BOOTLOADER_CORE_VIDEO_H
#define BOOTLOADER_CORE_VIDEO_H

#include <stdbool.h>
#include <stdint.h>

struct loader;
struct plan_request;

/* What a mode is chosen by. */
struct video_mode {
    uint32_t width, height, bits_per_pixel;
};

/* Does `candidate` come closer to the wish, which may be NULL, than `best`? A best->width of 0:
   there is none yet. The size counts first: the wished one, else the largest that fits into it,
   else the smallest; for any size 1024x768 is wished. Then the bits: the wished ones, else the more
   the better. */
bool video_is_better(const struct plan_request *wish, const struct video_mode *candidate,
                     const struct video_mode *best);

/* Set the video mode that the kernel asks for, and tell it: sets loader->framebuffer, which has 0
   bytes where there is none. Fails when there is no such mode and the request is not optional. */
void video_start(struct loader *loader);

#endif
