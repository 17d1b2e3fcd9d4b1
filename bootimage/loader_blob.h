/*
 * The prebuilt loaders, embedded by embed.py: for BIOSes stage 1, a gap of one sector, stage 2; for
 * UEFI the FAT volume with \EFI\BOOT\BOOTX64.EFI.
 */
#ifndef BOOTIMAGE_LOADER_BLOB_H
#define BOOTIMAGE_LOADER_BLOB_H

#include <stddef.h>
#include <stdint.h>

extern const uint8_t loader_blob[];
extern const size_t loader_blob_bytes;

/* In its place, a boot sector for images that have no loader for BIOSes, and the gap. */
extern const uint8_t uefi_only_blob[];
extern const size_t uefi_only_blob_bytes;

/* No loader: the boot sector that kvm.c tries KVM with. */
extern const uint8_t kvm_probe_blob[];
extern const size_t kvm_probe_blob_bytes;

/* 0 bytes: built without UEFI. */
extern const uint8_t esp_blob[];
extern const size_t esp_blob_bytes;

#endif
