/*
 * The screen by the Graphics Output Protocol [UEFI §12.9 "Graphics Output Protocol"]. There is no
 * text mode: the framebuffer that the screen shows is told to every kernel, and a kernel that asks
 * for a size gets the mode that comes closest to it.
 */
#include "../core/video.h"
#include "../core/plan.h"
#include "uefi.h"

#include <bootimage/bootinfo.h>

#include <stdbool.h>

/* A block of 128 bytes and as many more as its one byte can count. */
#define MOST_EDID_BYTES 0x8000u

/* The mask as shift and width; a mask of 0 has neither. */
static void describe_mask(uint32_t mask, uint8_t *shift, uint8_t *bits)
{
    *shift = 0;
    *bits = 0;
    if (mask == 0)
        return;
    for (; !(mask & 1); mask >>= 1)
        ++*shift;
    for (; mask & 1; mask >>= 1)
        ++*bits;
}

/* The screen whose framebuffer was found. */
static EFI_GRAPHICS_OUTPUT_PROTOCOL *screen;

/* False: no pixels in memory. */
static bool describe_format(const EFI_GRAPHICS_OUTPUT_MODE_INFORMATION *mode,
                            struct bootinfo_framebuffer *framebuffer)
{
    EFI_PIXEL_BITMASK masks = {0xff, 0xff00, 0xff0000, 0xff000000};
    uint32_t all;

    switch (mode->PixelFormat) {
    case PixelRedGreenBlueReserved8BitPerColor:
        break;
    case PixelBlueGreenRedReserved8BitPerColor:
        masks = (EFI_PIXEL_BITMASK){0xff0000, 0xff00, 0xff, 0xff000000};
        break;
    case PixelBitMask:
        masks = mode->PixelInformation;
        break;
    case PixelBltOnly:
    case PixelFormatMax:
    default:
        return false;
    }
    all = masks.RedMask | masks.GreenMask | masks.BlueMask | masks.ReservedMask;
    framebuffer->bits_per_pixel = all >> 24 ? 32 : all >> 16 ? 24 : 16;
    describe_mask(masks.RedMask, &framebuffer->red_shift, &framebuffer->red_bits);
    describe_mask(masks.GreenMask, &framebuffer->green_shift, &framebuffer->green_bits);
    describe_mask(masks.BlueMask, &framebuffer->blue_shift, &framebuffer->blue_bits);
    return true;
}

/* All but its address. */
static bool describe_mode(const EFI_GRAPHICS_OUTPUT_MODE_INFORMATION *mode,
                          struct bootinfo_framebuffer *framebuffer)
{
    *framebuffer = (struct bootinfo_framebuffer){0};
    if (!describe_format(mode, framebuffer))
        return false;
    framebuffer->width = mode->HorizontalResolution;
    framebuffer->height = mode->VerticalResolution;
    framebuffer->pitch_bytes = mode->PixelsPerScanLine * (framebuffer->bits_per_pixel / 8u);
    framebuffer->bytes = (uint64_t)framebuffer->pitch_bytes * framebuffer->height;
    return framebuffer->bytes > 0;
}

static bool describe(EFI_GRAPHICS_OUTPUT_PROTOCOL *gop, struct bootinfo_framebuffer *framebuffer)
{
    const EFI_GRAPHICS_OUTPUT_PROTOCOL_MODE *mode = gop->Mode;

    if (!mode || !mode->Info || !mode->FrameBufferBase || !describe_mode(mode->Info, framebuffer))
        return false;
    framebuffer->paddr = mode->FrameBufferBase;
    return true;
}

/* What the firmware says of a mode of the screen; false: nothing, or it has no pixels in memory. */
static bool query(EFI_GRAPHICS_OUTPUT_PROTOCOL *gop, UINT32 number,
                  struct bootinfo_framebuffer *mode)
{
    EFI_GRAPHICS_OUTPUT_MODE_INFORMATION *info;
    UINTN bytes;

    if (EFI_ERROR(gop->QueryMode(gop, number, &bytes, &info)))
        return false;
    bool is_one = describe_mode(info, mode);
    uefi.services->FreePool(info);
    return is_one;
}

/* Set the mode that fits best, if it is not set already. */
static void set_mode(EFI_GRAPHICS_OUTPUT_PROTOCOL *gop, const struct plan_request *wish)
{
    struct video_mode best = {0};
    UINT32 best_number = gop->Mode->Mode;

    for (UINT32 i = 0; i < gop->Mode->MaxMode; i++) {
        struct bootinfo_framebuffer found;

        if (!query(gop, i, &found))
            continue;
        const struct video_mode mode = {found.width, found.height, found.bits_per_pixel};
        if (video_is_better(wish, &mode, &best)) {
            best = mode;
            best_number = i;
        }
    }
    if (best.width && best_number != gop->Mode->Mode)
        gop->SetMode(gop, best_number);
}

/* A protocol whose mode was never set does not say what it shows. */
static void start(EFI_GRAPHICS_OUTPUT_PROTOCOL *gop)
{
    EFI_GRAPHICS_OUTPUT_MODE_INFORMATION *info;
    UINTN bytes;

    if (gop->Mode && !EFI_ERROR(gop->QueryMode(gop, gop->Mode->Mode, &bytes, &info)))
        uefi.services->FreePool(info);
    else
        gop->SetMode(gop, 0);
}

/* A screen of its own, not one that stands for several: those have no device path. */
static EFI_GRAPHICS_OUTPUT_PROTOCOL *screen_at(EFI_HANDLE handle)
{
    EFI_GUID graphics = EFI_GRAPHICS_OUTPUT_PROTOCOL_GUID, path = EFI_DEVICE_PATH_PROTOCOL_GUID;
    void *gop, *device;

    if (EFI_ERROR(uefi.services->HandleProtocol(handle, &path, &device)) ||
        EFI_ERROR(uefi.services->HandleProtocol(handle, &graphics, &gop)))
        return NULL;
    return gop;
}

/* The screen's own description of itself; the core copies it while the firmware is there. */
static void read_edid(EFI_HANDLE handle, struct bootinfo_framebuffer *framebuffer)
{
    EFI_GUID guid = EFI_EDID_ACTIVE_PROTOCOL_GUID;
    void *edid;

    if (EFI_ERROR(uefi.services->HandleProtocol(handle, &guid, &edid)))
        return;
    const EFI_EDID_ACTIVE_PROTOCOL *active = edid;
    if (active->SizeOfEdid > MOST_EDID_BYTES)
        return;
    framebuffer->edid = active->SizeOfEdid ? (uintptr_t)active->Edid : 0;
    framebuffer->edid_bytes = framebuffer->edid ? active->SizeOfEdid : 0;
}

static bool wants_mode(const struct plan_request *wish)
{
    return wish && (wish->words[0] || wish->words[1] || wish->words[2]);
}

bool firmware_set_video(const struct plan_request *wish, struct bootinfo_framebuffer *framebuffer)
{
    EFI_GUID graphics = EFI_GRAPHICS_OUTPUT_PROTOCOL_GUID;
    EFI_HANDLE *handles;
    UINTN count = handles_with(&graphics, &handles);
    bool found = false;

    for (UINTN i = 0; i < count && !found; i++) {
        EFI_GRAPHICS_OUTPUT_PROTOCOL *gop = screen_at(handles[i]);

        if (!gop)
            continue;
        start(gop);
        if (!gop->Mode)
            continue;
        if (wants_mode(wish) || !describe(gop, framebuffer))
            set_mode(gop, wish);
        found = describe(gop, framebuffer);
        if (found) {
            screen = gop;
            read_edid(handles[i], framebuffer);
        }
    }
    if (count > 0)
        uefi.services->FreePool(handles);
    return found;
}

bool firmware_next_video(uint32_t *index, struct bootinfo_framebuffer *mode)
{
    while (*index < screen->Mode->MaxMode) {
        if (query(screen, (*index)++, mode))
            return true;
    }
    return false;
}

/* There is no video BIOS. */
bool firmware_describe_vbe(struct firmware_vbe *vbe)
{
    (void)vbe;
    return false;
}
