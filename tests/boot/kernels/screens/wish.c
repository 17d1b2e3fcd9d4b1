/*
 * The note of a kernel that prefers a framebuffer of a size, WISH, and goes on without.
 */
#include "bootimage/bootinfo.h"

#define ASK(...) BOOTIMAGE_REQUEST(__VA_ARGS__)
ASK(BOOTINFO_REQUEST_FRAMEBUFFER + BOOTINFO_REQUEST_OPTIONAL, WISH)
