/*
 * The BIOS front end in long mode, called by stage 2: it checks the image header, which stage 1 has
 * read, starts what the core needs of the firmware, and calls the core.
 */
#include "bios.h"

#include "../core/checksum.h"
#include "../core/firmware.h"
#include "../core/loader.h"
#include "../core/log.h"

#include <string.h>

#define STAGE1_PADDR 0x7c00

static void check_header(void)
{
    struct image_header copy = image_header;

    copy.crc32 = 0;
    uint32_t found = checksum_crc32(&copy, sizeof(copy));
    if (memcmp(copy.magic, IMAGE_HEADER_MAGIC, sizeof(copy.magic)) || found != image_header.crc32)
        fail(ERROR_HEADER_DAMAGED, {"checksum", found}, {"expected", image_header.crc32});
    if (copy.format_version != IMAGE_FORMAT_VERSION)
        fail(ERROR_HEADER_DAMAGED, {"format", copy.format_version});
}

static uint32_t disk_signature(void)
{
    const struct image_mbr *mbr = (const void *)(uintptr_t)STAGE1_PADDR;
    uint32_t signature;

    memcpy(&signature, mbr->disk_signature, sizeof(signature));
    return signature;
}

_Noreturn void bios_main(void)
{
    console_start();
    exceptions_start();
    check_header();
    disk_start(boot_drive, image_header.image_sectors);

    const struct firmware_boot boot = {
        .plan_lba = image_header.plan_lba,
        .plan_bytes = image_header.plan_bytes,
        .image_id = image_header.image_id,
        .boot_drive = boot_drive,
        .disk_signature = disk_signature(),
        .tsc_stage1 = tsc_stage1,
        .tsc_stage2 = tsc_stage2,
    };
    loader_main(&boot);
    firmware_stop();
}
