/*
 * The checks of the image's header; next the front end gets its disk ready for the plan.
 */
#include "header.h"

#include "checksum.h"
#include "log.h"

#include <string.h>

static uint32_t checksum(const struct image_header *header)
{
    struct image_header copy = *header;

    copy.crc32 = 0;
    return checksum_crc32(&copy, sizeof(copy));
}

bool header_is_there(const struct image_header *header)
{
    return memcmp(header->magic, IMAGE_HEADER_MAGIC, sizeof(header->magic)) == 0;
}

bool header_is_sound(const struct image_header *header)
{
    return header_is_there(header) && checksum(header) == header->crc32 &&
           header->format_version == IMAGE_FORMAT_VERSION;
}

void header_check(const struct image_header *header)
{
    uint32_t found = checksum(header);

    if (!header_is_there(header) || found != header->crc32)
        fail(ERROR_HEADER_DAMAGED, {"checksum", found}, {"expected", header->crc32});
    if (header->format_version != IMAGE_FORMAT_VERSION)
        fail(ERROR_HEADER_DAMAGED, {"format", header->format_version});
}
