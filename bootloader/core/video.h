/*
 * The framebuffer that a kernel asks for.
 */
#ifndef BOOTLOADER_CORE_VIDEO_H
#define BOOTLOADER_CORE_VIDEO_H

struct loader;

/* Set the video mode that the kernel asks for, and tell it: sets loader->framebuffer, which has 0
   bytes where there is none. Fails when there is no such mode and the request is not optional. */
void video_start(struct loader *loader);

#endif
