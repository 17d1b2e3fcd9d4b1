"""Writes loader_blob.c: the bytes of the loaders as arrays, so that the tool needs no file.

usage: embed.py LOADER_BLOB_C LOADER_BIN UEFI_ONLY_BIN KVM_PROBE_BIN [ESP_IMAGE]
"""

import sys

SECTOR_BYTES = 512
STAGE2_LBA = 2


def read(source, least_sectors):
    with open(source, "rb") as file:
        data = file.read()
    if len(data) % SECTOR_BYTES or len(data) < least_sectors * SECTOR_BYTES:
        sys.exit(f"{source}: {len(data)} bytes are not {least_sectors} sectors or more")
    return data


def array(name, data):
    rows = [data[i : i + 16] for i in range(0, len(data), 16)] or [b"\0"]
    yield f"const uint8_t {name}[] = {{\n"
    yield from ("    " + "".join(f"{byte}," for byte in row) + "\n" for row in rows)
    yield f"}};\nconst size_t {name}_bytes = {len(data)};\n"


def main(target, loader, uefi_only, kvm_probe, esp=None):
    with open(target, "w", encoding="ascii") as file:
        file.write('#include "loader_blob.h"\n\n')
        file.writelines(array("loader_blob", read(loader, STAGE2_LBA + 1)))
        file.write("\n")
        file.writelines(array("uefi_only_blob", read(uefi_only, STAGE2_LBA)))
        file.write("\n")
        file.writelines(array("kvm_probe_blob", read(kvm_probe, 1)))
        file.write("\n")
        file.writelines(array("esp_blob", read(esp, 1) if esp else b""))


if __name__ == "__main__":
    main(*sys.argv[1:])
