"""Text on a screen that is a picture: read glyph by glyph."""

import re
import struct


class Picture:
    """A binary PPM, as QEMU's screendump writes it."""

    def __init__(self, data):
        header = re.match(rb"P6\s+(\d+)\s+(\d+)\s+255\s", data)
        self.width, self.height = int(header[1]), int(header[2])
        self._pixels = data[header.end():]

    def cell(self, x, y, width, height):
        """The bytes of a part, pixel by pixel in RGB."""
        return b"".join(self._pixels[3 * (row * self.width + x):3 * (row * self.width + x + width)]
                        for row in range(y, y + height))


def shows(picture, text, width=8, height=19):
    """Does the picture show the text in a font that is not known, of cells of this size (that of EDK
    II's console)? Where it does, each character looks the same wherever it stands, and unlike any
    other; a line that is too long goes on in the next row. The text stands in the middle of the
    screen, in one of the console's modes."""
    whole = picture.width // width, picture.height // height
    for columns, rows in ((80, 25), (100, 31), whole):
        left, top = (picture.width - columns * width) // 2, (picture.height - rows * height) // 2
        cells = [picture.cell(left + width * column, top + height * row, width, height)
                 for row in range(rows) for column in range(columns)]
        for start in range(0, len(cells) - len(text), columns):
            if is_written(cells[start:start + len(text)], text):
                return True
    return False


def is_written(cells, text):
    """Is there one cell for each character, and one character for each cell?"""
    pairs = set(zip(text, cells))
    return len(pairs) == len(set(text)) == len(set(cells))


class Font:
    """A PC Screen Font, version 2."""

    def __init__(self, data):
        (magic, _, start, _, count, size, self.height, self.width) = struct.unpack_from("<8I", data)
        assert magic == 0x864AB572 and self.width == 8 and size == self.height
        glyphs = [data[start + i * size:start + (i + 1) * size] for i in range(count)]
        self._characters = {glyph: chr(i) for i, glyph in reversed(list(enumerate(glyphs)))
                            if 0x20 <= i < 0x7F}

    def read(self, picture, x, y):
        """(character, colour of its ink) of a cell, on black; an AssertionError if it is none."""
        cell = picture.cell(x, y, self.width, self.height)
        pixels = [cell[i:i + 3] for i in range(0, len(cell), 3)]
        inks = set(pixels) - {b"\0\0\0"}
        assert len(inks) <= 1, f"several colours at {x}, {y}"
        rows = bytes(sum(0x80 >> i for i in range(8) if any(pixels[8 * row + i]))
                     for row in range(self.height))
        assert rows in self._characters, f"no glyph at {x}, {y}"
        return self._characters[rows], inks.pop() if inks else None

    def row(self, picture, number):
        """A row of text from the top of the screen, and the set of its colours."""
        cells = [self.read(picture, x, number * self.height)
                 for x in range(0, picture.width - self.width + 1, self.width)]
        return "".join(character for character, _ in cells).rstrip(), \
            {ink for _, ink in cells if ink}
