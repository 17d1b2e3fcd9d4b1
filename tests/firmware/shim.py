"""Boots behind a hostile BIOS: disks that begin with shim.asm, and what the tests of it share.

A case is a table row: its name, the settings of the shim that it changes, and what must come of it.
Every case also asserts that the shim saw nothing that no BIOS can be asked for.
"""

import re
import struct

import machine
import suite
from image_file import SECTOR_BYTES, ImageFile, error_table

# As in shim.asm.
SHIM_SECTORS = 32
RESIDENT_PADDR = 0x90000
COMPLAINT = "shim: "
JUNK = 0xA5C3
PASS, ANSWER, ABSENT = range(3)
(TRASH_UPPER, TRASH_KNOWN, TRASH_MORE, TRASH_GDT, TRASH_DIRECTION, TRASH_INTERRUPT_ON,
 TRASH_INTERRUPT_OFF) = (1 << bit for bit in range(7))

# An entry of E820: base, bytes, type, attributes.
ENTRY = struct.Struct("<QQII")

# Errors that stage 1 names by number and the status of the BIOS alone.
WITHOUT_WORDS = ("STAGE1_READ", "STAGE1_DRIVE")


def each(cases):
    """Decorator of a method of a ShimTest: one test for each case {name: arguments}."""
    def mark(check):
        check.cases = cases
        return check
    return mark


def case_test(check, arguments):
    def test(self):
        check(self, **arguments)
    return test


class Shim:
    """The assembled shim, and where its settings and counters lie."""

    def __init__(self):
        self.data = bytearray(suite.build_path("SHIM").read_bytes())
        lines = suite.build_path("SHIM_MAP").read_text().splitlines()
        found = (re.fullmatch(r" *([0-9A-F]+) +([0-9A-F]+) +([\w.]+)", line) for line in lines)
        self.symbols = {row[3]: (int(row[1], 16), int(row[2], 16)) for row in found if row}

    def set(self, **settings):
        for name, value in settings.items():
            offset, _ = self.symbols[f"config.{name}"]
            struct.pack_into("<Q", self.data, offset, value)

    def set_entries(self, entries):
        """The list that E820 gives."""
        offset, _ = self.symbols["e820_entries"]
        room = self.symbols["resident_end"][0] - offset
        assert len(entries) * ENTRY.size <= room, "too many entries"
        for i, (base, size, kind, *attributes) in enumerate(entries):
            ENTRY.pack_into(self.data, offset + i * ENTRY.size, base, size, kind,
                            *(attributes or [1]))
        self.set(e820=ANSWER, e820_count=len(entries))

    def set_bytes(self, name, data):
        offset, _ = self.symbols[name]
        self.data[offset:offset + len(data)] = data

    def counter(self, guest, name):
        _, offset = self.symbols[f"seen.{name}"]
        return struct.unpack("<Q", guest.memory(RESIDENT_PADDR + offset, 8))[0]


class ShimTest(suite.BootTest):
    def __init_subclass__(cls, **arguments):
        super().__init_subclass__(**arguments)
        for method, check in list(vars(cls).items()):
            for case, settings in getattr(check, "cases", {}).items():
                name = "test_{}_{}".format(method, re.sub(r"\W+", "_", case))
                assert not hasattr(cls, name), name
                setattr(cls, name, case_test(check, settings))

    def disk(self, kernel, entries=None, settings=None, change=None):
        """A disk of the shim and an image of the kernel. The settings may depend on the image; it
        is unchanged but for what change() does to it."""
        image = ImageFile(self.package(self.kernel(kernel)))
        if change:
            change(image)
        self.shim = Shim()
        self.shim.set(image_sectors=image.image_sectors, disk_sectors=image.image_sectors)
        if entries is not None:
            self.shim.set_entries(entries)
        settings = dict(settings or {})
        for name in {"rsdp"} & settings.keys():
            self.shim.set_bytes(name, settings.pop(name))
        self.shim.set(**{name: value(image) if callable(value) else value
                         for name, value in settings.items()})
        data = image.path.read_bytes()
        path = self.folder / "disk.bin"
        with open(path, "wb") as file:
            file.write(self.shim.data)
            assert file.tell() == SHIM_SECTORS * SECTOR_BYTES
            file.write(data)
        return path

    def check_shim(self, guest, met, not_met):
        """No complaint; these quirks were met, and those were not."""
        self.assertNotIn(COMPLAINT, guest.debugcon())
        self.assertEqual(self.shim.counter(guest, "complaints"), 0)
        for name in met:
            self.assertGreater(self.shim.counter(guest, name), 0, name)
        for name in not_met:
            self.assertEqual(self.shim.counter(guest, name), 0, name)

    def check_boots(self, kernel="contract-high", entries=None, met=(), not_met=(), change=None,
                    processors="1", **settings):
        """The kernel boots and all that it checks holds. Gives its values and its report."""
        with machine.Machine(self.disk(kernel, entries, settings, change),
                             processors=processors) as guest:
            values, _ = self.check_report(guest)
            self.check_shim(guest, met, not_met)
            return values, guest.debugcon()

    def check_error(self, error, told="", kernel="contract-high", entries=None, met=(),
                    not_met=(), change=None, **settings):
        """The loader stops with this error, and its line ends with what is told."""
        number, text = error_table()[error]
        with machine.Machine(self.disk(kernel, entries, settings, change)) as guest:
            _, line = guest.wait_for_error()
            if error in WITHOUT_WORDS:
                self.assertEqual(line, f"bootimage: E{number} {told}")
            else:
                self.assertRegex(line, rf"^bootimage: E{number} {text}.*{told}")
            self.check_shim(guest, met, not_met)
            self.assertEqual(guest.debugcon().strip(), line, "nothing but this line")
