/*
 * The EFI system partition: the prebuilt FAT volume that holds \EFI\BOOT\BOOTX64.EFI.
 */
#ifndef BOOTIMAGE_ESP_H
#define BOOTIMAGE_ESP_H

#include "error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How the loader in it gets signed for Secure Boot: paths, PEM. */
struct esp_signer {
    const char *key;
    const char *certificate;
};

/* A copy of the volume in which sbsign has signed the loader; NULL on failure. Give back with
   free(). */
uint8_t *esp_sign(const uint8_t *volume, size_t bytes, const struct esp_signer *signer,
                  struct error *error);

#endif
