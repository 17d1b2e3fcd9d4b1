"""What the tests know of an image: where its parts lie (bootloader/include/bootimage/image.h), and
the loader's table of errors (bootloader/core/errors.h), read from the source.
"""

import pathlib
import re
import struct

SECTOR_BYTES = 512
HEADER_LBA = 1
STAGE2_LBA = 2

# struct image_header, struct image_plan, struct plan_record, struct plan_segment behind it.
HEADER = struct.Struct("<8sIIQQQQII")
PLAN = struct.Struct("<8sIIQQQQ")
RECORD = struct.Struct("<HHI")
SEGMENT = struct.Struct("<QQQQII")
PLAN_SEGMENT = 3

SOURCE = pathlib.Path(__file__).resolve().parents[2]


class ImageFile:
    """An image that a test changes before it boots it."""

    def __init__(self, path):
        self.path = path
        data = path.read_bytes()
        (magic, _, _, _, self.image_sectors, self.plan_lba, self.plan_bytes, self.stage2_sectors,
         _) = HEADER.unpack_from(data, HEADER_LBA * SECTOR_BYTES)
        assert magic == b"BOOTIMG\0"
        self.plan_offset = self.plan_lba * SECTOR_BYTES
        assert data[self.plan_offset:self.plan_offset + 8] == b"BOOTPLN\0"
        self.segments = list(self._segments(data))

    def _segments(self, data):
        """(offset in the image, bytes) of each segment that has bytes in the file."""
        at = self.plan_offset + PLAN.size
        end = self.plan_offset + self.plan_bytes
        while at < end:
            kind, _, size = RECORD.unpack_from(data, at)
            if kind == PLAN_SEGMENT:
                offset, file_bytes, *_ = SEGMENT.unpack_from(data, at + RECORD.size)
                if file_bytes:
                    yield self.plan_offset + offset, file_bytes
            at += size

    def overwrite(self, offset, data):
        with open(self.path, "r+b") as file:
            file.seek(offset)
            file.write(data)

    def flip(self, offset):
        """Change one byte."""
        with open(self.path, "r+b") as file:
            file.seek(offset)
            byte = file.read(1)[0]
            file.seek(offset)
            file.write(bytes([byte ^ 0x10]))

    def cut(self, sectors):
        """Leave only the first sectors."""
        with open(self.path, "r+b") as file:
            file.truncate(sectors * SECTOR_BYTES)


def error_table():
    """{name: (number, text)} of every error that the loader can name."""
    source = (SOURCE / "bootloader/core/errors.h").read_text()
    rows = re.findall(r'X\((\d+), (\w+), "([^"]*)"', source)
    return {name: (int(number), text) for number, name, text in rows}
