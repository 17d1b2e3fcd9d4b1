"""What memory does, tried out by kernels: accesses that must fault, and memory that must be free.
"""

import re

import machine
import suite

RIGHTS_CHECKS = 20
FILL_CHECKS = 3

# Types of bootinfo.h, and those of the firmware's list (the same numbers up to 5).
USABLE, RESERVED, ACPI, NVS, BAD, LOADER, KERNEL, MODULE = range(1, 9)

PAGE_BYTES = 4096
KIB = 2**10
MIB = 2**20


class RightsTest(suite.BootTest):
    """kernels/rights.c."""

    def check_rights(self, kernel, **how):
        self.assertEqual(self.boot(kernel, **how)[1], RIGHTS_CHECKS)

    def test_linked_high(self):
        self.check_rights("rights-high")

    def test_linked_low_at_another_address_than_its_physical_one(self):
        self.check_rights("rights-low")

    def test_a_cpu_without_nx(self):
        self.check_rights("rights-high", cpu="qemu64,-nx")

    def test_a_cpu_with_everything(self):
        self.check_rights("rights-high", cpu="max")

class FillTest(suite.BootTest):
    """kernels/fill.c: usable memory is nobody's."""

    def check_fill(self, memory_mib, **how):
        values, count = self.boot("fill", memory=f"{memory_mib}M", **how)
        self.assertEqual(count, FILL_CHECKS)
        self.assertGreater(int(values["usable"], 16), (memory_mib - 2) * MIB)
        self.assertEqual(int(values["usable_low"], 16), 632 * KIB,
                         "all below 640 KiB but page 0 and the EBDA")

    def test_32_mib(self):
        self.check_fill(32)

    def test_256_mib(self):
        self.check_fill(256)

    def test_256_mib_with_pci_express(self):
        self.check_fill(256, machine="q35")


class FirmwareMapTest(suite.BootTest):
    """The memory map against the list that SeaBIOS itself prints on port 0x402."""

    def maps(self, **how):
        """(firmware's list, kernel's map) of one boot, each of (base, end, type)."""
        log = self.folder / "seabios"
        image = self.package(self.kernel("contract-high"))
        with machine.Machine(image, arguments=[
                "-chardev", f"file,id=seabios,path={machine.comma_escaped(log)}",
                "-device", "isa-debugcon,iobase=0x402,chardev=seabios"], **how) as guest:
            self.check_report(guest)
            report = guest.debugcon()
        printed = log.read_text(encoding="latin-1").rpartition("e820 map has ")[2]
        firmware = [(int(base, 16), int(end, 16), int(kind)) for base, end, kind in re.findall(
            r"^ +\d+: ([0-9a-f]+) - ([0-9a-f]+) = (\d+)", printed, re.M)]
        kernel = [(int(base, 16), int(base, 16) + int(size, 16), int(kind)) for base, size, kind in
                  re.findall(r"^# range = (\S+) (\S+) (\d)$", report, re.M)]
        self.assertGreater(len(firmware), 3, printed)
        return firmware, kernel

    def check_complete(self, **how):
        """Byte by byte, between all ends of ranges."""
        firmware, kernel = self.maps(**how)
        points = sorted({point for base, end, _ in firmware + kernel for point in (base, end)} |
                        {PAGE_BYTES})
        for base, end in zip(points, points[1:]):
            was, now = ({kind for start, stop, kind in ranges if start <= base and end <= stop}
                        for ranges in (firmware, kernel))
            where = f"[{base:#x}, {end:#x}) was {was}, is {now}"
            self.assertLessEqual(len(now), 1, where)
            if end <= PAGE_BYTES:
                self.assertEqual(now, {RESERVED}, where)
            elif was == {USABLE} and end - base >= PAGE_BYTES:
                self.assertTrue(now <= {USABLE, LOADER, KERNEL, MODULE} and now, where)
            elif was == {USABLE}:
                self.assertTrue(now, where)
            else:
                self.assertEqual(now, was, where)

    def test_pc(self):
        self.check_complete(memory="128M")

    def test_q35_above_4_gib(self):
        self.check_complete(machine="q35", memory="5G")


if __name__ == "__main__":
    suite.main()
