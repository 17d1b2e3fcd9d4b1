/*
 * The framebuffer, when the kernel asks for one or the screen shows no text: after all that may
 * fail for want of memory, as not every firmware prints in a video mode. Next it is mapped.
 */
#include "video.h"

#include "loader.h"
#include "log.h"
#include "request.h"

#include <string.h>

#define USUAL_WIDTH 1024
#define USUAL_HEIGHT 768

/* 0: no size fits the wish less well. */
static uint64_t size_rank(const struct video_mode *wished, const struct video_mode *mode)
{
    const uint64_t pixels = (uint64_t)mode->width * mode->height;

    if (mode->width == wished->width && mode->height == wished->height)
        return UINT64_MAX;
    if (mode->width <= wished->width && mode->height <= wished->height)
        return UINT64_MAX / 2 + pixels;
    return UINT64_MAX / 2 - pixels;
}

static uint32_t bits_rank(const struct video_mode *wished, const struct video_mode *mode)
{
    return mode->bits_per_pixel == wished->bits_per_pixel ? UINT32_MAX : mode->bits_per_pixel;
}

bool video_is_better(const struct plan_request *wish, const struct video_mode *candidate,
                     const struct video_mode *best)
{
    struct video_mode wished = {USUAL_WIDTH, USUAL_HEIGHT, 0};

    if (wish && wish->words[0])
        wished.width = (uint32_t)wish->words[0];
    if (wish && wish->words[1])
        wished.height = (uint32_t)wish->words[1];
    if (wish)
        wished.bits_per_pixel = (uint32_t)wish->words[2];
    if (best->width == 0)
        return true;
    uint64_t rank = size_rank(&wished, candidate), best_rank = size_rank(&wished, best);
    if (rank != best_rank)
        return rank > best_rank;
    return bits_rank(&wished, candidate) > bits_rank(&wished, best);
}

/* The screen's EDID lies in memory that is the firmware's: the kernel gets a copy of it, behind
   that of the struct. */
static void tell(struct loader *loader, const struct bootinfo_framebuffer *framebuffer)
{
    uint64_t edid_bytes = framebuffer->edid ? framebuffer->edid_bytes : 0;
    uint64_t paddr = memory_map_take_pages(&loader->map, sizeof(*framebuffer) + edid_bytes);
    struct bootinfo_framebuffer *told = (struct bootinfo_framebuffer *)(uintptr_t)paddr;

    *told = *framebuffer;
    told->address = address_space_vaddr(&loader->space, framebuffer->paddr);
    told->edid_bytes = edid_bytes;
    if (edid_bytes > 0) {
        memcpy(told + 1, (const void *)(uintptr_t)framebuffer->edid, edid_bytes);
        told->edid = address_space_vaddr(&loader->space, paddr + sizeof(*told));
    }
    loader->info->framebuffers = address_space_vaddr(&loader->space, paddr);
    loader->info->framebuffer_count = 1;
}

void video_start(struct loader *loader)
{
    struct plan_request *wish = request_find(&loader->plan, BOOTINFO_REQUEST_FRAMEBUFFER);
    struct bootinfo_framebuffer *framebuffer = &loader->framebuffer;

    if (!firmware_set_video(wish, framebuffer)) {
        *framebuffer = (struct bootinfo_framebuffer){0};
        if (wish && !request_give_up(wish))
            fail(ERROR_NO_FRAMEBUFFER, {"width", wish->words[0]}, {"height", wish->words[1]},
                 {"bits", wish->words[2]});
        return;
    }
    loader->info->flags &= ~BOOTINFO_TEXT_SCREEN;
    memory_map_set(&loader->map, framebuffer->paddr, framebuffer->bytes,
                   BOOTINFO_MEMORY_FRAMEBUFFER);
    tell(loader, framebuffer);
}
