"""Reads an image as bootimage/image.h defines it, and checks all that must hold for every image."""

import struct
import zlib

SECTOR = 512
MINIMUM_BYTES = 16 * 63 * SECTOR
PROTOCOL, REGION, SEGMENT, MAPPING, COMMAND_LINE, MODULE = 1, 2, 3, 4, 5, 6
REQUEST, TLS, RELOCATIONS, RANDOM_BASE = 7, 8, 9, 10
EXTENT, SECTION_HEADERS, SECTION, EFI_ENTRY, LINUX, PATCHES, LIMINE = 11, 12, 13, 14, 15, 16, 17
RELA, RELR = 1, 2
ANYWHERE = 2**64 - 1
WRITABLE, EXECUTABLE = 1, 2
KERNEL_FILE = 1


class Image:
    """The parts of an image: its header's fields, and the plan's records as tuples by type."""

    def __init__(self, data):
        self.data = data
        self._read_header()
        self._read_partition_table()
        self._read_plan()

    def _read_header(self):
        sector = self.data[SECTOR : 2 * SECTOR]
        (magic, version, crc, self.image_id, self.sectors, self.plan_lba, self.plan_bytes,
         self.stage2_sectors, self.stage2_sum) = struct.unpack_from("<8sIIQQQQII", sector)
        assert magic == b"BOOTIMG\0" and version == 1
        assert crc == zlib.crc32(sector[:12] + bytes(4) + sector[16:])
        self.esp_lba, self.esp_sectors, esp_xxh64 = struct.unpack_from("<IIQ", sector, 56)
        assert sector[72:] == bytes(440)
        assert bool(self.esp_lba) == bool(self.esp_sectors) == bool(esp_xxh64)
        assert len(self.data) == max(MINIMUM_BYTES, self.sectors * SECTOR)
        assert not any(self.data[self.sectors * SECTOR :])
        stage2 = self.data[2 * SECTOR : (2 + self.stage2_sectors) * SECTOR]
        assert self.stage2_sum == words_sum(stage2)
        assert self.plan_lba >= 64 and self.plan_lba % 8 == 0
        first = self.esp_lba or self.plan_lba
        assert first >= 64 and first % 8 == 0 and first >= 2 + self.stage2_sectors
        assert self.plan_lba >= first + self.esp_sectors
        assert not any(self.data[(2 + self.stage2_sectors) * SECTOR : first * SECTOR])

    def _read_partition_table(self):
        self.signature = struct.unpack_from("<I", self.data, 440)[0]
        assert self.signature != 0
        assert self.data[510:512] == b"\x55\xaa"
        self._check_partition(446, 0x80, 0xDA, self.plan_lba, self.sectors - self.plan_lba)
        if self.esp_lba:
            self._check_partition(462, 0, 0xEF, self.esp_lba, self.esp_sectors)
            assert self.data[478:510] == bytes(32)
        else:
            assert self.data[462:510] == bytes(48)

    def _check_partition(self, offset, status, kind, first, sectors):
        found_status, *chs = struct.unpack_from("<B3BB3B", self.data, offset)
        assert found_status == status and chs[3] == kind
        assert struct.unpack_from("<II", self.data, offset + 8) == (first, sectors)
        assert bytes(chs[:3]) == chs_of(first) and bytes(chs[4:]) == chs_of(first + sectors - 1)

    def _read_plan(self):
        start = self.plan_lba * SECTOR
        plan = self.data[start : start + self.plan_bytes]
        magic, version, reserved, image_id, size, partition_bytes, _ = struct.unpack_from(
            "<8sIIQQQQ", plan)
        assert magic == b"BOOTPLN\0" and version == 1 and reserved == 0
        assert image_id == self.image_id and size == self.plan_bytes
        assert partition_bytes == (self.sectors - self.plan_lba) * SECTOR
        self.protocol, self.regions, self.command_line = None, [], None
        self.segments, self.mappings, self.modules, self.kernel_file = [], [], [], None
        self.requests, self.tls, self.relocations, self.random_base = [], None, [], None
        self.linux, self.patches, self.absolute_patches, self.limine = None, [], [], None
        self.extent, self.efi_entry, self.section_headers, self.sections = None, None, None, []
        offset = 48
        while offset < size:
            kind, flags, length = struct.unpack_from("<HHI", plan, offset)
            assert flags == 1 and length % 8 == 0 and length >= 8
            self._add(kind, plan[offset + 8 : offset + length])
            offset += length
        assert offset == size

    def _add(self, kind, body):
        if kind == PROTOCOL:
            assert self.protocol is None
            self.protocol = struct.unpack("<IIQQQ", body)
        elif kind == REGION:
            self.regions.append(struct.unpack("<QQQII", body)[:4])
        elif kind == SEGMENT:
            offset, size, vaddr, _, index, _ = struct.unpack("<QQQQII", body)
            self.segments.append((index, vaddr, self._payload(offset, size)))
        elif kind == MAPPING:
            self.mappings.append(struct.unpack("<QQII", body)[:3])
        elif kind == COMMAND_LINE:
            size = struct.unpack_from("<Q", body)[0]
            assert body[8 + size - 1 :] == bytes(len(body) - 8 - size + 1)
            self.command_line = body[8 : 8 + size - 1]
        elif kind == MODULE:
            self._add_module(body)
        elif kind == REQUEST:
            kind, met, *words = struct.unpack("<II4Q", body)
            self.requests.append((kind, met, words))
        elif kind == RELOCATIONS:
            vaddr, size, form, reserved = struct.unpack("<QQII", body)
            assert reserved == 0
            self.relocations.append((vaddr, size, form))
        elif kind == RANDOM_BASE:
            assert self.random_base is None
            self.random_base = struct.unpack("<QQ", body)
        elif kind == EXTENT:
            assert self.extent is None
            self.extent = struct.unpack("<QQQII", body)[:4]
        elif kind == PATCHES:
            flags, count = struct.unpack_from("<II", body)
            assert count > 0 and len(body) == 8 + 16 * count
            (self.absolute_patches if flags else self.patches).extend(
                struct.iter_unpack("<QQ", body[8:]))
        elif kind == LINUX:
            assert self.linux is None
            size = struct.unpack_from("<I", body)[0]
            self.linux = body[8 : 8 + size]
        elif kind == LIMINE:
            assert self.limine is None
            revision, flags, count, reserved = struct.unpack_from("<IIII", body)
            assert reserved == 0 and len(body) == 16 + 16 * count
            rows = list(struct.iter_unpack("<QII", body[16:]))
            assert all(row[2] == 0 for row in rows)
            self.limine = (revision, flags, {feature: vaddr for vaddr, feature, _ in rows})
            assert len(self.limine[2]) == count
        elif kind == EFI_ENTRY:
            assert self.efi_entry is None
            self.efi_entry = struct.unpack("<Q", body)[0]
        elif kind == SECTION_HEADERS:
            assert self.section_headers is None
            offset, count, size, _, names, _ = struct.unpack("<QIIQII", body)
            self.section_headers = (count, size, names, self._payload(offset, count * size))
        elif kind == SECTION:
            offset, size, _, index, _ = struct.unpack("<QQQII", body)
            self.sections.append((index, self._payload(offset, size)))
        elif kind == TLS:
            assert self.tls is None
            self.tls = struct.unpack("<QQQQ", body)
        else:
            raise AssertionError(f"record of unknown type {kind}")

    def _add_module(self, body):
        offset, size, _, flags, name_bytes, arguments_bytes, _ = struct.unpack_from("<QQQIIII", body)
        end = 40 + name_bytes + arguments_bytes
        name, arguments = body[40 : 40 + name_bytes], body[40 + name_bytes : end]
        assert name.find(b"\0") == name_bytes - 1 and arguments.find(b"\0") == arguments_bytes - 1
        assert body[end:] == bytes(-end % 8)
        data = self._payload(offset, size)
        if flags == KERNEL_FILE:
            assert self.kernel_file is None and arguments == b"\0"
            self.kernel_file, self.kernel_file_name = data, name[:-1].decode()
        else:
            assert flags == 0
            self.modules.append((name[:-1].decode(), arguments[:-1].decode(), data))

    def _payload(self, offset, size):
        assert offset % SECTOR == 0
        start = self.plan_lba * SECTOR + offset
        assert start + size <= self.sectors * SECTOR
        return self.data[start : start + size]


def words_sum(data):
    a = b = 1
    for (word,) in struct.iter_unpack("<I", data):
        a = (a + word) & 0xFFFFFFFF
        b = (b + a) & 0xFFFFFFFF
    return a ^ ((b << 16 | b >> 16) & 0xFFFFFFFF)


def chs_of(lba):
    cylinder, head, sector = lba // (255 * 63), lba // 63 % 255, lba % 63 + 1
    if cylinder > 1023:
        cylinder, head, sector = 1023, 254, 63
    return bytes([head, sector | cylinder >> 8 << 6, cylinder & 0xFF])
