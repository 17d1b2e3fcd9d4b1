/*
 * Kernel files that are compressed, as distributions ship them: by gzip, or LZ4.
 */
#ifndef BOOTIMAGE_COMPRESSED_H
#define BOOTIMAGE_COMPRESSED_H

#include "error.h"

#include <stdbool.h>

/* If the file behind *fd is compressed, *fd becomes a file with its content, and the old one is
   closed. path is for messages. */
bool compressed_open(int *fd, const char *path, struct error *error);

#endif
