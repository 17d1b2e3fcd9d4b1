/*
 * The framebuffer that a kernel asks for, by the video BIOS [VBE-3 §4 "VBE Functions"]. The mode
 * list is walked with suspicion: single modes fail, fields are 0, and what was offered cannot be
 * set. While nothing fits, the screen stays in text mode.
 */
#include "../core/video.h"
#include "../core/firmware.h"
#include "../core/plan.h"
#include "bios.h"
#include "bios_call.h"

#include <bootimage/bootinfo.h>

#include <string.h>

#define VIDEO_SERVICES 0x10
#define VIDEO_SET_TEXT 0x0003
#define VBE_INFO 0x4f00
#define VBE_MODE_INFO 0x4f01
#define VBE_SET_MODE 0x4f02
#define VBE_GET_MODE 0x4f03
#define VBE_INTERFACE 0x4f0a
#define VBE_EDID 0x4f15
#define VBE_DONE 0x004f
#define VBE_READ_EDID 0x0001
#define VBE_LEAST_VERSION 0x0200
#define VBE_VERSION_3 0x0300
#define MODE_LINEAR 0x4000
#define VBE_MODE_NUMBER 0x1ff
#define MODE_LIST_END 0xffff
#define MODE_TRIED 0xfffe
/* Supported, in colour, graphics, with a linear framebuffer. */
#define ATTRIBUTES 0x0099
#define MODEL_DIRECT_COLOR 6
#define LEAST_PADDR 0x100000u
#define EDID_BYTES 128

/* Where in the buffer for BIOS calls: the list of modes may lie inside the information block. */
#define INFO_OFFSET 0x000
#define MODE_OFFSET 0x200
#define EDID_OFFSET 0x400
#define LIST_OFFSET 0x800
#define MOST_MODES 1024

/* [VBE-3 §4.3 "Function 00h - Return VBE Controller Information"]; 32-bit fields are not aligned.
 */
struct vbe_info {
    char signature[4];   /* 0: "VBE2" in, "VESA" out */
    uint16_t version;    /* 4 */
    uint16_t oem[2];     /* 6 */
    uint16_t ability[2]; /* 10 */
    uint16_t modes[2];   /* 14: offset, segment */
    uint8_t rest[494];
};
_Static_assert(sizeof(struct vbe_info) == 512, "vbe_info");

/* Size and position of red, green and blue. */
struct vbe_masks {
    uint8_t red_bits, red_shift, green_bits, green_shift, blue_bits, blue_shift;
};

/* [VBE-3 §4.4 "Function 01h - Return VBE Mode Information"] */
struct vbe_mode {
    uint16_t attributes;                 /* 0 */
    uint8_t windows[14];                 /* 2 */
    uint16_t pitch_bytes, width, height; /* 16, 18, 20 */
    uint8_t cell[2], planes, bits;       /* 22, 24, 25 */
    uint8_t banks, model, more[3];       /* 26, 27, 28 */
    struct vbe_masks masks;              /* 31 */
    uint8_t reserved_mask[2], direct;    /* 37, 39 */
    uint32_t paddr;                      /* 40 */
    uint8_t off_screen[6];               /* 44 */
    uint16_t linear_pitch_bytes;         /* 50: from version 3.0 on */
    uint8_t linear_pages[2];             /* 52 */
    struct vbe_masks linear_masks;       /* 54 */
    uint8_t rest[196];
};
_Static_assert(sizeof(struct vbe_mode) == 256, "vbe_mode");

/* Is a mode of ours set? */
static bool is_set;

static bool call_with(struct bios_registers *registers)
{
    bios_call(VIDEO_SERVICES, registers);
    return (registers->eax & 0xffff) == VBE_DONE;
}

/* With ES:DI at an offset in the buffer. */
static bool call(uint32_t function, uint32_t ebx, uint32_t ecx, uint32_t offset)
{
    struct bios_registers registers = {
        .eax = function,
        .ebx = ebx,
        .ecx = ecx,
        .edi = offset,
        .es = (uint16_t)((uintptr_t)bios_buffer >> 4),
    };

    return call_with(&registers);
}

static bool ask_controller(void)
{
    struct vbe_info *info = (void *)(bios_buffer + INFO_OFFSET);

    memset(info, 0, sizeof(*info));
    memcpy(info->signature, "VBE2", sizeof(info->signature));
    return call(VBE_INFO, 0, 0, INFO_OFFSET) &&
           memcmp(info->signature, "VESA", sizeof(info->signature)) == 0;
}

/* Copy the list of modes. Returns the version; 0: there is no VBE that knows framebuffers. */
static uint16_t list_modes(void)
{
    const struct vbe_info *info = (const void *)(bios_buffer + INFO_OFFSET);
    uint16_t *list = (void *)(bios_buffer + LIST_OFFSET);
    unsigned int count = 0;

    if (!ask_controller() || info->version < VBE_LEAST_VERSION)
        return 0;
    const uint16_t *from = (const void *)(((uintptr_t)info->modes[1] << 4) + info->modes[0]);
    for (; count < MOST_MODES - 1 && *from != MODE_LIST_END; from++)
        list[count++] = *from;
    list[count] = MODE_LIST_END;
    return info->version;
}

/* Masks of some BIOSes are 0, such as the Dell OptiPlex 3020's: then the usual ones of the depth.
 */
static struct vbe_masks masks_of(const struct vbe_mode *mode, uint16_t version)
{
    const struct vbe_masks usual_16 = {5, 11, 6, 5, 5, 0}, usual = {8, 16, 8, 8, 8, 0};
    const struct vbe_masks *masks = version >= VBE_VERSION_3 && mode->linear_masks.red_bits
                                        ? &mode->linear_masks
                                        : &mode->masks;

    if (masks->red_bits && masks->green_bits && masks->blue_bits)
        return *masks;
    return mode->bits == 16 ? usual_16 : usual;
}

/* False: the mode is no framebuffer of ours. */
static bool describe(uint16_t number, uint16_t version, struct bootinfo_framebuffer *framebuffer)
{
    struct vbe_mode *mode = (void *)(bios_buffer + MODE_OFFSET);

    memset(mode, 0, sizeof(*mode));
    if (!call(VBE_MODE_INFO, 0, number, MODE_OFFSET) ||
        (mode->attributes & ATTRIBUTES) != ATTRIBUTES || mode->model != MODEL_DIRECT_COLOR ||
        mode->paddr < LEAST_PADDR || mode->width == 0 || mode->height == 0)
        return false;
    if (mode->bits != 16 && mode->bits != 24 && mode->bits != 32)
        return false;
    const struct vbe_masks masks = masks_of(mode, version);
    bool is_linear = version >= VBE_VERSION_3 && mode->linear_pitch_bytes > 0;
    *framebuffer = (struct bootinfo_framebuffer){
        .paddr = mode->paddr,
        .width = mode->width,
        .height = mode->height,
        .pitch_bytes = is_linear ? mode->linear_pitch_bytes : mode->pitch_bytes,
        .bits_per_pixel = mode->bits,
        .red_shift = masks.red_shift,
        .red_bits = masks.red_bits,
        .green_shift = masks.green_shift,
        .green_bits = masks.green_bits,
        .blue_shift = masks.blue_shift,
        .blue_bits = masks.blue_bits,
    };
    framebuffer->bytes = (uint64_t)framebuffer->pitch_bytes * framebuffer->height;
    return framebuffer->pitch_bytes >= mode->width * (mode->bits / 8u);
}

/* The entry of the list that fits the wish best, among those not tried yet; NULL: none is left. */
static uint16_t *find_best(const struct plan_request *wish, uint16_t version,
                           struct bootinfo_framebuffer *best)
{
    uint16_t *found = NULL;
    struct video_mode best_mode = {0};

    for (uint16_t *entry = (void *)(bios_buffer + LIST_OFFSET); *entry != MODE_LIST_END; entry++) {
        struct bootinfo_framebuffer framebuffer;

        if (*entry == MODE_TRIED || !describe(*entry, version, &framebuffer))
            continue;
        const struct video_mode mode = {framebuffer.width, framebuffer.height,
                                        framebuffer.bits_per_pixel};
        if (!video_is_better(wish, &mode, &best_mode))
            continue;
        best_mode = mode;
        *best = framebuffer;
        found = entry;
    }
    return found;
}

static void read_edid(struct bootinfo_framebuffer *framebuffer)
{
    static const uint8_t header[8] = {0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x00};
    uint8_t *edid = bios_buffer + EDID_OFFSET;

    memset(edid, 0, EDID_BYTES);
    if (!call(VBE_EDID, VBE_READ_EDID, 0, EDID_OFFSET) || memcmp(edid, header, sizeof(header)) != 0)
        return;
    framebuffer->edid = (uintptr_t)edid;
    framebuffer->edid_bytes = EDID_BYTES;
}

/* The list is where firmware_set_video() has left it; what could not be set is no mode. */
bool firmware_next_video(uint32_t *index, struct bootinfo_framebuffer *mode)
{
    const uint16_t *list = (const void *)(bios_buffer + LIST_OFFSET);
    const struct vbe_info *info = (const void *)(bios_buffer + INFO_OFFSET);

    while (*index < MOST_MODES && list[*index] != MODE_LIST_END) {
        uint16_t number = list[(*index)++];

        if (number != MODE_TRIED && describe(number, info->version, mode))
            return true;
    }
    return false;
}

bool firmware_set_video(const struct plan_request *wish, struct bootinfo_framebuffer *framebuffer)
{
    const uint16_t version = wish ? list_modes() : 0;
    struct bios_registers text = {.eax = VIDEO_SET_TEXT};
    uint16_t *entry;
    bool has_tried = false;

    if (version == 0)
        return false;
    while ((entry = find_best(wish, version, framebuffer))) {
        if (call(VBE_SET_MODE, *entry | MODE_LINEAR, 0, INFO_OFFSET)) {
            read_edid(framebuffer);
            is_set = true;
            return true;
        }
        *entry = MODE_TRIED;
        has_tried = true;
    }
    if (has_tried) /* who knows what is left of the text */
        bios_call(VIDEO_SERVICES, &text);
    return false;
}

bool firmware_describe_vbe(struct firmware_vbe *vbe)
{
    struct bios_registers mode = {.eax = VBE_GET_MODE}, interface = {.eax = VBE_INTERFACE};

    if (!is_set || !call_with(&mode) || !ask_controller())
        return false;
    *vbe = (struct firmware_vbe){.mode = (uint16_t)mode.ebx};
    memcpy(vbe->controller, bios_buffer + INFO_OFFSET, sizeof(vbe->controller));
    memset(bios_buffer + MODE_OFFSET, 0, sizeof(vbe->mode_info));
    if (!call(VBE_MODE_INFO, 0, mode.ebx & VBE_MODE_NUMBER, MODE_OFFSET))
        return false;
    memcpy(vbe->mode_info, bios_buffer + MODE_OFFSET, sizeof(vbe->mode_info));
    if (call_with(&interface)) {
        vbe->interface_segment = interface.es;
        vbe->interface_offset = (uint16_t)interface.edi;
        vbe->interface_bytes = (uint16_t)interface.ecx;
    }
    return true;
}
