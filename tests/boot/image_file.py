"""What the tests know of an image: where its parts lie (bootloader/include/bootimage/image.h), and
the loader's table of errors (bootloader/core/errors.h), read from the source.
"""

import ctypes
import ctypes.util
import pathlib
import re
import struct
import zlib

SECTOR_BYTES = 512
HEADER_LBA = 1
STAGE2_LBA = 2
LOADER_PADDR = 0x7C00  # of LBA 0 when the loader runs
HEADER_CRC32, HEADER_STAGE2_SUM = 12, 52
PLAN_XXH64 = 40

# struct image_header, struct image_plan, struct plan_record, struct plan_segment behind it.
HEADER = struct.Struct("<8sIIQQQQII")
PLAN = struct.Struct("<8sIIQQQQ")
RECORD = struct.Struct("<HHI")
SEGMENT = struct.Struct("<QQQQII")
RECORD_REQUIRED = 1
PLAN_REGION, PLAN_SEGMENT = 2, 3
REGION_PADDR = 24  # of struct plan_region; its flags follow

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

    def regions(self):
        """Offsets in the plan of all struct plan_region."""
        data = self.path.read_bytes()[self.plan_offset:self.plan_offset + self.plan_bytes]
        at = PLAN.size
        while at < len(data):
            kind, _, size = RECORD.unpack_from(data, at)
            if kind == PLAN_REGION:
                yield at
            at += size

    def pin(self, paddr):
        """The only region has to be at this physical address, as for a kernel without paging."""
        at, = self.regions()
        self.replace_in_plan(at + REGION_PADDR, struct.pack("<QI", paddr, 0))

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

    def find_code(self, code):
        """Where the loader has these bytes, which it must have once."""
        data = self.path.read_bytes()[:(STAGE2_LBA + self.stage2_sectors) * SECTOR_BYTES]
        assert data.count(code) == 1, f"{code.hex()}: {data.count(code)} times"
        return LOADER_PADDR + data.index(code)

    def replace_code(self, paddr, new):
        """Put other bytes into stage 2, with the checksums right."""
        data = bytearray(self.path.read_bytes())
        at = paddr - LOADER_PADDR
        data[at:at + len(new)] = new
        start = STAGE2_LBA * SECTOR_BYTES
        stage2 = data[start:start + self.stage2_sectors * SECTOR_BYTES]
        header = HEADER_LBA * SECTOR_BYTES
        struct.pack_into("<I", data, header + HEADER_STAGE2_SUM, words_sum(stage2))
        struct.pack_into("<I", data, header + HEADER_CRC32, 0)
        struct.pack_into("<I", data, header + HEADER_CRC32,
                         zlib.crc32(data[header:header + SECTOR_BYTES]))
        self.path.write_bytes(data)

    def replace_in_plan(self, offset, new):
        """Put other bytes into the plan, at an offset from its start, with the checksum right."""
        data = bytearray(self.path.read_bytes())
        at, end = self.plan_offset, self.plan_offset + self.plan_bytes
        data[at + offset:at + offset + len(new)] = new
        struct.pack_into("<Q", data, at + PLAN_XXH64, 0)
        struct.pack_into("<Q", data, at + PLAN_XXH64, xxh64(data[at:end]))
        self.path.write_bytes(data)

    def cut(self, sectors):
        """Leave only the first sectors."""
        with open(self.path, "r+b") as file:
            file.truncate(sectors * SECTOR_BYTES)


def words_sum(data):
    """checksum_words() of the loader: of words of 32 bits."""
    a = b = 1
    for word, in struct.iter_unpack("<I", data):
        a = (a + word) % 2**32
        b = (b + a) % 2**32
    return a ^ (b << 16 | b >> 16) % 2**32


def xxh64(data):
    library = ctypes.CDLL(ctypes.util.find_library("xxhash"))
    library.XXH64.restype = ctypes.c_uint64
    library.XXH64.argtypes = (ctypes.c_char_p, ctypes.c_size_t, ctypes.c_uint64)
    return library.XXH64(bytes(data), len(data), 0)


def error_table(table="ERROR_TABLE"):
    """{name: (number, text)} of every error that the loader can name; of every warning, with
    WARNING_TABLE."""
    source = (SOURCE / "bootloader/core/errors.h").read_text()
    rows = re.search(rf"#define {table}\(X\)((?:.*\\\n)*.*)", source)[1]
    return {name: (int(number), text)
            for number, name, text in re.findall(r'X\((\d+), (\w+), "([^"]*)"', rows)}
