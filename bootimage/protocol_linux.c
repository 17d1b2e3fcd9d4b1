/*
 * Linux, as a bzImage: not an ELF file, but a boot sector and real-mode code with a header, behind
 * which the kernel lies [Linux "The Linux/x86 Boot Protocol"]. It is entered in 32-bit protected
 * mode at the start of that, with the header in a struct boot_params; the real-mode code is left
 * out.
 *
 * A file with an older header, as of iPXE and memdisk, is entered in its real-mode code, on a BIOS.
 * A vmlinux is an ELF file with the note of PVH: protocol_pvh.c.
 */
#include "protocol.h"

#include "physical.h"

#include "bootimage/image.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Offsets in the file, and so in the boot sector ["The Real-Mode Kernel Header"]. */
#define HEADER PLAN_LINUX_HEADER_OFFSET
#define SETUP_SECTORS 0x1f1
#define BOOT_FLAG 0x1fe
#define JUMP_LENGTH 0x201
#define MAGIC 0x202
#define VERSION 0x206
#define LOAD_FLAGS 0x211
#define CODE32_START 0x214
#define ALIGNMENT 0x230
#define RELOCATABLE 0x234
#define MORE_LOAD_FLAGS 0x236
#define COMMAND_LINE_BYTES 0x238
#define PREFERRED_PADDR 0x258
#define INIT_BYTES 0x260
#define HANDOVER_OFFSET 0x264
#define START_BYTES 0x300

#define MAGIC_HDRS 0x53726448u
#define LOADED_HIGH 0x01u
#define EFI_HANDOVER_64 0x08u
#define MORE_LOAD_FLAGS_VERSION 0x20cu
/* From the 32-bit entry, to which the offset leads, to the 64-bit one. */
#define HANDOVER_64 0x200u
#define SECTOR_BYTES 512u
#define USUAL_SETUP_SECTORS 4u /* where the number is 0 */
#define OLDEST_VERSION 0x20au
#define OLDEST_VERSION_16 0x202u
/* Of what the real-mode area has room for, below the stack. */
#define MOST_SETUP_BYTES 0xa000u
/* Of the command line, where the header does not tell. */
#define USUAL_LINE_BYTES 255u
#define LINE_BYTES_VERSION 0x206u
#define ONE_MIB 0x100000u

/* The first bytes of the file. */
struct image {
    uint8_t start[START_BYTES];
};

static uint16_t u16(const struct image *image, size_t offset)
{
    uint16_t value;

    memcpy(&value, image->start + offset, sizeof(value));
    return value;
}

static uint32_t u32(const struct image *image, size_t offset)
{
    uint32_t value;

    memcpy(&value, image->start + offset, sizeof(value));
    return value;
}

static bool read_start(struct image *image, const struct kernel *kernel, struct error *error)
{
    return kernel->class == 0 && kernel->file.bytes >= START_BYTES &&
           input_read(&kernel->file, kernel->fd, image->start, START_BYTES, 0, error) &&
           u16(image, BOOT_FLAG) == IMAGE_MBR_SIGNATURE && u32(image, MAGIC) == MAGIC_HDRS;
}

static enum protocol_mark recognise_from(unsigned oldest, const struct kernel *kernel, char *reason,
                                         struct error *error)
{
    struct image image;

    if (!read_start(&image, kernel, error))
        return error->text ? PROTOCOL_BROKEN_MARK : PROTOCOL_NO_MARK;
    const unsigned version = u16(&image, VERSION);
    if (version < oldest)
        return PROTOCOL_NO_MARK;
    snprintf(reason, PROTOCOL_REASON_BYTES, "boot header of Linux, version %u.%02u", version >> 8,
             version & 0xff);
    return PROTOCOL_MARKED;
}

static enum protocol_mark recognise(const struct kernel *kernel, char *reason, struct error *error)
{
    return recognise_from(OLDEST_VERSION, kernel, reason, error);
}

static enum protocol_mark recognise_16(const struct kernel *kernel, char *reason,
                                       struct error *error)
{
    return recognise_from(0, kernel, reason, error);
}

static bool check_version(const struct kernel *kernel, const struct image *image,
                          struct error *error)
{
    const unsigned version = u16(image, VERSION);

    if (version < OLDEST_VERSION_16)
        return error_set(error,
                         "%s: has a boot header of Linux, version %u.%02u; only 2.02 and later are "
                         "supported; use a newer kernel [linux-version]",
                         kernel->path, version >> 8, version & 0xff);
    if (!(image->start[LOAD_FLAGS] & LOADED_HIGH))
        return error_set(error,
                         "%s: is a zImage, which is loaded below 640 KiB; build a bzImage "
                         "[linux-zimage]",
                         kernel->path);
    return true;
}

/* Where in the file the kernel begins, behind the boot sector and the real-mode code. */
static bool find_kernel(const struct kernel *kernel, const struct image *image, uint64_t *offset,
                        struct error *error)
{
    uint32_t sectors = image->start[SETUP_SECTORS];

    *offset = (uint64_t)((sectors ? sectors : USUAL_SETUP_SECTORS) + 1) * SECTOR_BYTES;
    if (*offset < kernel->file.bytes)
        return true;
    return error_set(error,
                     "%s: is truncated: its kernel begins at offset 0x%" PRIx64
                     ", behind its end at 0x%" PRIx64 "; build it again [linux-truncated]",
                     kernel->path, *offset, kernel->file.bytes);
}

/* The kernel's segments, to be filled. */
static struct kernel_segment *add_segments(struct kernel *kernel, size_t count, struct error *error)
{
    kernel->segments = calloc(count, sizeof(*kernel->segments));
    if (!kernel->segments)
        error_out_of_memory(error);
    else
        kernel->segment_count = count;
    return kernel->segments;
}

/* The kernel, and all memory that it takes before it has looked at the memory map. */
static bool take_segment(struct kernel *kernel, const struct image *image, struct error *error)
{
    const uint32_t align = u32(image, ALIGNMENT);
    bool is_relocatable = image->start[RELOCATABLE] != 0;
    uint64_t paddr = is_relocatable ? u32(image, PREFERRED_PADDR) : u32(image, CODE32_START);
    uint64_t offset;

    if (paddr < ONE_MIB)
        paddr = ONE_MIB;
    if (is_relocatable && (align == 0 || (align & (align - 1)) != 0))
        return error_set(error,
                         "%s: its boot header asks for an alignment of 0x%" PRIx32
                         " (kernel_alignment), which is no power of two; build it again "
                         "[linux-alignment]",
                         kernel->path, align);
    if (!find_kernel(kernel, image, &offset, error))
        return false;
    uint64_t file_bytes = kernel->file.bytes - offset, memory_bytes = u32(image, INIT_BYTES);
    struct kernel_segment *segment = add_segments(kernel, 1, error);
    if (!segment)
        return false;
    *segment = (struct kernel_segment){
        .vaddr = paddr,
        .paddr = paddr,
        .memory_bytes = memory_bytes > file_bytes ? memory_bytes : file_bytes,
        .file_bytes = file_bytes,
        .file_offset = offset,
        .align = 1,
        .writable = true,
        .executable = true,
    };
    if (is_relocatable)
        kernel->extent = (struct kernel_extent){
            .is_movable = true,
            .least_paddr = ONE_MIB,
            .most_paddr = UINT32_MAX,
            .align = align,
        };
    return true;
}

/* The header, as far as it says that it goes, for struct boot_params. */
static bool take_header(struct kernel *kernel, const struct image *image, struct error *error)
{
    size_t end = MAGIC + image->start[JUMP_LENGTH];
    size_t bytes = end - HEADER;
    struct plan_linux *record;

    if (end < INIT_BYTES + 4 || end > START_BYTES)
        return error_set(
            error,
            "%s: its boot header goes from 0x%x to 0x%zx, which cannot be; build it again "
            "[linux-header]",
            kernel->path, HEADER, end);
    record = calloc(1, sizeof(*record) + (bytes + 7) / 8 * 8);
    if (!record)
        return error_out_of_memory(error);
    record->record = (struct plan_record){
        .type = PLAN_LINUX,
        .flags = PLAN_RECORD_REQUIRED,
        .bytes = (uint32_t)(sizeof(*record) + (bytes + 7) / 8 * 8),
    };
    record->header_bytes = (uint32_t)bytes;
    memcpy(record->header, image->start + HEADER, bytes);
    kernel->own_record = &record->record;
    return true;
}

/* The entry on UEFI, where there is one ["EFI Handover Protocol"]. The kernel moves itself then, if
   it has to be elsewhere. */
static bool take_efi_entry(struct kernel *kernel, const struct image *image, struct error *error)
{
    const struct kernel_segment *segment = &kernel->segments[0];
    const uint64_t offset = (uint64_t)u32(image, HANDOVER_OFFSET) + HANDOVER_64;

    if (u16(image, VERSION) < MORE_LOAD_FLAGS_VERSION ||
        !(u16(image, MORE_LOAD_FLAGS) & EFI_HANDOVER_64))
        return true;
    if (offset >= segment->file_bytes)
        return error_set(error,
                         "%s: its boot header has an entry for UEFI at offset 0x%" PRIx64
                         " of the kernel (handover_offset), behind its end at 0x%" PRIx64
                         "; build it again [linux-handover]",
                         kernel->path, offset, segment->file_bytes);
    kernel->efi_entry = segment->paddr + offset;
    return true;
}

/* The real-mode area, as image.h lays it out, and the kernel at 1 MiB. */
static bool take_segments_16(struct kernel *kernel, const struct image *image, struct error *error)
{
    uint64_t offset;

    if (!find_kernel(kernel, image, &offset, error))
        return false;
    if (offset > MOST_SETUP_BYTES)
        return error_set(error,
                         "%s: its real-mode code takes 0x%" PRIx64
                         " bytes, more than 0x%x; use another build of it [linux-setup]",
                         kernel->path, offset, MOST_SETUP_BYTES);
    struct kernel_segment *segments = add_segments(kernel, 2, error);
    if (!segments)
        return false;
    segments[0] = (struct kernel_segment){
        .vaddr = PLAN_LINUX16_PADDR,
        .paddr = PLAN_LINUX16_PADDR,
        .memory_bytes = PLAN_LINUX16_BYTES,
        .file_bytes = offset,
        .align = 1,
    };
    segments[1] = (struct kernel_segment){
        .vaddr = ONE_MIB,
        .paddr = ONE_MIB,
        .memory_bytes = kernel->file.bytes - offset,
        .file_bytes = kernel->file.bytes - offset,
        .file_offset = offset,
        .align = 1,
        .index = 1,
    };
    return true;
}

static bool validate_16(struct kernel *kernel, struct error *error)
{
    const uint64_t entry = PLAN_LINUX16_PADDR + PLAN_LINUX16_SWITCH;
    struct image image;

    return read_start(&image, kernel, error) && check_version(kernel, &image, error) &&
           take_segments_16(kernel, &image, error) && physical_place(kernel, &entry, error);
}

static bool validate(struct kernel *kernel, struct error *error)
{
    struct image image;

    if (!read_start(&image, kernel, error) || !check_version(kernel, &image, error) ||
        !take_segment(kernel, &image, error) || !take_header(kernel, &image, error) ||
        !take_efi_entry(kernel, &image, error))
        return false;
    uint64_t entry = kernel->segments[0].paddr;
    kernel->keeps_memory = true;
    return physical_place(kernel, &entry, error);
}

/* What the header says of them. */
static bool validate_options(const struct kernel *kernel, const struct protocol_extras *extras,
                             struct error *error)
{
    struct image image;
    size_t line_bytes = extras->command_line ? strlen(extras->command_line) : 0;

    if (!read_start(&image, kernel, error))
        return false;
    uint32_t most = u16(&image, VERSION) >= LINE_BYTES_VERSION ? u32(&image, COMMAND_LINE_BYTES)
                                                               : USUAL_LINE_BYTES;
    if (line_bytes > most)
        return error_set(
            error,
            "%s: --cmdline takes %zu bytes, but this kernel takes no more than %" PRIu32
            "; shorten it [linux-cmdline]",
            kernel->path, line_bytes, most);
    if (extras->module_count > 1)
        return error_set(
            error,
            "%s: is given %zu modules, but Linux takes one, the initrd; put them into one "
            "file, one behind the other [linux-modules]",
            kernel->path, extras->module_count);
    return true;
}

const struct protocol protocol_linux = {
    .number = PLAN_PROTOCOL_LINUX,
    .name = "linux",
    .recognise = recognise,
    .validate = validate,
    .validate_options = validate_options,
};

const struct protocol protocol_linux16 = {
    .number = PLAN_PROTOCOL_LINUX16,
    .name = "linux16",
    .recognise = recognise_16,
    .validate = validate_16,
    .validate_options = validate_options,
};
