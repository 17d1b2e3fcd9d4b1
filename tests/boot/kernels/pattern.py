"""Write a file in which every sector says where it belongs: pattern.py OUTPUT BYTES.

payload.h has the other half: sector n (from 1) is filled with the quadword n * FACTOR.
"""

import struct
import sys

FACTOR = 0x9E3779B97F4A7C15
SECTOR_BYTES = 512


def main(output, size_bytes):
    with open(output, "wb") as file:
        for sector in range(1, int(size_bytes) // SECTOR_BYTES + 1):
            quad = struct.pack("<Q", sector * FACTOR % 2**64)
            file.write(quad * (SECTOR_BYTES // len(quad)))


main(*sys.argv[1:])
