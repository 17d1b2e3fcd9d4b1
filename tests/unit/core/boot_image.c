/*
 * boot-image IMAGE: boots an image in the fake machine, up to the jump into the kernel, and prints
 * the loader's line or `entered`. For tests of the tool, whose images the loader has to take.
 */
#include "fake_firmware.h"
#include "loader.h"

#include <bootimage/image.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct firmware_boot boot;

static uint8_t *read_file(const char *path, size_t *bytes)
{
    FILE *stream = fopen(path, "rb");

    if (!stream || fseek(stream, 0, SEEK_END) != 0)
        return NULL;
    *bytes = (size_t)ftell(stream);
    rewind(stream);
    uint8_t *data = malloc(*bytes);
    if (data && fread(data, 1, *bytes, stream) != *bytes) {
        free(data);
        data = NULL;
    }
    fclose(stream);
    return data;
}

static void boot_it(void *argument)
{
    (void)argument;
    loader_main(&boot);
}

int main(int argc, char *argv[])
{
    struct image_header header;
    size_t bytes = 0;
    uint8_t *image = argc == 2 ? read_file(argv[1], &bytes) : NULL;

    if (!image || bytes < IMAGE_MINIMUM_BYTES) {
        fputs("usage: boot-image IMAGE\n", stderr);
        return 2;
    }
    memcpy(&header, image + IMAGE_HEADER_LBA * IMAGE_SECTOR_BYTES, sizeof(header));
    boot = (struct firmware_boot){
        .plan_lba = header.plan_lba,
        .plan_bytes = header.plan_bytes,
        .image_id = header.image_id,
        .boot_drive = 0x80,
    };
    fake_start();
    fake_firmware.disk = image;
    fake_firmware.disk_bytes = header.image_sectors * IMAGE_SECTOR_BYTES;
    bool entered = fake_run(boot_it, NULL) == FAKE_ENTERED;
    puts(entered ? "entered" : fake_firmware.printed + 1);
    free(image);
    return 0;
}
