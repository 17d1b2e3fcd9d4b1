"""Makes a font of the PC Screen Font format, version 2, of font.txt: and the same as an array in C.

usage: font.py FONT_TXT FONT_PSF FONT_C
"""

import struct
import sys

ROWS = 8
GLYPHS_PER_BAND = 8
FIRST = 0x20
COUNT = 0x80
MAGIC, HEADER_BYTES = 0x864AB572, 32


def read(source):
    """The glyphs from FIRST on, each the bytes of its rows."""
    with open(source, encoding="ascii") as file:
        lines = [line.split() for line in file if line.strip() and not line.startswith("# ")]
    glyphs = []
    for start in range(0, len(lines), ROWS):
        band = lines[start : start + ROWS]
        if len(band) != ROWS or any(len(row) != GLYPHS_PER_BAND for row in band):
            sys.exit(f"{source}: a band of {GLYPHS_PER_BAND} glyphs has not {ROWS} whole rows")
        for column in range(GLYPHS_PER_BAND):
            rows = [row[column] for row in band]
            if any(len(row) != 8 or set(row) - set("#.") for row in rows):
                sys.exit(f"{source}: glyph {len(glyphs)} is not 8 pixels wide")
            glyphs.append([int(row.replace("#", "1").replace(".", "0"), 2) for row in rows])
    if len(glyphs) != COUNT - FIRST:
        sys.exit(f"{source}: {len(glyphs)} glyphs, and {COUNT - FIRST} belong here")
    return glyphs


def main(source, psf, array):
    glyphs = read(source)
    # Control characters look like what the font does not have, the last glyph.
    glyphs = [glyphs[-1]] * FIRST + glyphs
    height = 2 * ROWS
    data = struct.pack("<8I", MAGIC, 0, HEADER_BYTES, 0, COUNT, height, height, 8)
    data += bytes(byte for glyph in glyphs for row in glyph for byte in (row, row))
    with open(psf, "wb") as file:
        file.write(data)
    with open(array, "w", encoding="ascii") as file:
        file.write('#include "font.h"\n\nconst uint8_t font_psf[] = {\n')
        for at in range(0, len(data), 16):
            file.write("    " + "".join(f"{byte}," for byte in data[at : at + 16]) + "\n")
        file.write(f"}};\nconst uint32_t font_psf_bytes = {len(data)};\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
