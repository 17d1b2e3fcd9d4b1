"""Writes loader_blob.c: the bytes of loader.bin as an array, so that the tool needs no file.

usage: embed.py LOADER_BIN LOADER_BLOB_C
"""

import sys

SECTOR_BYTES = 512
STAGE2_LBA = 2


def main(source, target):
    with open(source, "rb") as file:
        data = file.read()
    if len(data) % SECTOR_BYTES or len(data) <= STAGE2_LBA * SECTOR_BYTES:
        sys.exit(f"{source}: {len(data)} bytes are not stage 1, a header and stage 2, in sectors")
    rows = [data[i : i + 16] for i in range(0, len(data), 16)]
    with open(target, "w", encoding="ascii") as file:
        file.write('#include "loader_blob.h"\n\nconst uint8_t loader_blob[] = {\n')
        file.writelines("    " + "".join(f"{byte}," for byte in row) + "\n" for row in rows)
        file.write("};\nconst size_t loader_blob_bytes = sizeof(loader_blob);\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
