/*
 * The BIOS front end in long mode, called by stage 2: it checks the image header, which stage 1 has
 * read, starts what the core needs of the firmware, and calls the core.
 */
#include "../core/firmware.h"
#include "../core/header.h"
#include "../core/loader.h"
#include "../pc/serial.h"
#include "bios.h"

#include <string.h>

#define STAGE1_PADDR 0x7c00

static uint32_t disk_signature(void)
{
    const struct image_mbr *mbr = (const void *)(uintptr_t)STAGE1_PADDR;
    uint32_t signature;

    memcpy(&signature, mbr->disk_signature, sizeof(signature));
    return signature;
}

_Noreturn void bios_main(void)
{
    serial_start();
    exceptions_start();
    header_check(&image_header);
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
