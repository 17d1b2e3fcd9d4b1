"""Int 12h and int 15h as BIOSes have them: the memory map in every disorder and in all its
generations, the A20 gate, and what else the loader asks.

The kernel's map is compared with a model that knows nothing of how the loader works."""

import re

import shim
import suite
from shim import ABSENT, ANSWER

PAGE = 4096
KIB = 2**10
MIB = 2**20
LOW_END = shim.RESIDENT_PADDR
EBDA_END = 0xA0000
TOP = 0x0FFE0000        # of the RAM of a machine of 256 MiB

USABLE, RESERVED, ACPI, NVS, BAD, LOADER, KERNEL = range(1, 8)
# What a type forbids: the last wins.
SEVERITY = [USABLE, ACPI, NVS, RESERVED, BAD]

# What SeaBIOS tells of that machine.
MACHINE = [
    (0, 0x9FC00, USABLE),
    (0x9FC00, 0x400, RESERVED),
    (0xF0000, 0x10000, RESERVED),
    (MIB, TOP - MIB, USABLE),
    (TOP, 0x20000, RESERVED),
    (0xFFFC0000, 0x40000, RESERVED),
]
SYSTEM_TRASH = (shim.TRASH_UPPER | shim.TRASH_KNOWN | shim.TRASH_GDT | shim.TRASH_DIRECTION |
                shim.TRASH_INTERRUPT_ON)
NO_E820 = {"e820": ABSENT}
NO_E801 = {**NO_E820, "e801": ABSENT}


def merged(ranges):
    """Sorted (start, end, type) without empty ones, neighbours of one type as one."""
    out = []
    for start, end, kind in sorted(piece for piece in ranges if piece[0] < piece[1]):
        if out and out[-1][1:] == (start, kind):
            start = out.pop()[0]
        out.append((start, end, kind))
    return out


def in_pages(start, end, kind):
    """Usable memory is told in whole pages, without page 0."""
    first = max(-(-start // PAGE) * PAGE, PAGE)
    last = end // PAGE * PAGE
    if kind != USABLE:
        return [(start, end, kind)]
    if first >= last:
        return [(start, end, RESERVED)]
    return [(start, first, RESERVED), (first, last, USABLE), (last, end, RESERVED)]


def expected_map(entries, low_end=LOW_END):
    """What a kernel must be told of these entries: (start, end, type)."""
    claims = [(base, min(base + size, 2**64 - 1), kind if kind in SEVERITY else RESERVED)
              for base, size, kind, *_ in entries if size]
    claims.append((low_end, EBDA_END, RESERVED))
    edges = sorted({edge for start, end, _ in claims for edge in (start, end)})
    pieces = []
    for start, end in zip(edges, edges[1:]):
        kinds = [kind for from_, to, kind in claims if from_ <= start and end <= to]
        if kinds:
            pieces.append((start, end, max(kinds, key=SEVERITY.index)))
    return merged(piece for whole in merged(pieces) for piece in in_pages(*whole))


def told_map(report):
    """The kernel's map, with what the loader took for itself and the kernel as usable again."""
    rows = re.findall(r"^# range = (\S+) (\S+) (\d)$", report, re.MULTILINE)
    ranges = [(int(base, 16), int(base, 16) + int(size, 16), int(kind))
              for base, size, kind in rows]
    assert ranges == sorted(ranges)
    return merged((start, end, USABLE if kind in (LOADER, KERNEL) else kind)
                  for start, end, kind in ranges)


def loader_bytes(report):
    """How much memory is of type LOADER: page tables above all."""
    rows = re.findall(rf"^# range = \S+ (\S+) {LOADER}$", report, re.MULTILINE)
    return sum(int(size, 16) for size in rows)


class MemoryTest(shim.ShimTest):
    def check_map(self, expected, **settings):
        _, report = self.check_boots(**settings)
        self.assertEqual(told_map(report), expected)

    def check_entries(self, entries, low_end=LOW_END, **settings):
        self.check_map(expected_map(entries, low_end), entries=entries, **settings)

    def check_kib(self, kib, **settings):
        """The map of a BIOS that tells only how much there is above 1 MiB."""
        self.check_map(expected_map([(0, LOW_END, USABLE), (MIB, kib * KIB, USABLE)]), **settings)


def usable_slices(count, kinds):
    """RAM above 64 MiB in slices of 64 KiB, of these types in turn; and all the rest as it is."""
    size = 0x10000
    start = 64 * MIB
    end = start + count * size
    return [*MACHINE[:3], (MIB, start - MIB, USABLE),
            *((start + i * size, size, kinds[i % len(kinds)]) for i in range(count)),
            (end, TOP - end, USABLE), *MACHINE[4:]]


class E820Test(MemoryTest):
    @shim.each({
        "as SeaBIOS": {"entries": MACHINE},
        "20 bytes": {"entries": MACHINE, "e820_bytes": 20},
        "attributes 0": {"entries": [(*entry, 0) for entry in MACHINE]},
        "attributes full of junk": {"entries": [(*entry, 0xDEADBEEE) for entry in MACHINE]},
        "unsorted": {"entries": MACHINE[3:] + MACHINE[:3]},
        "backwards": {"entries": MACHINE[::-1]},
        "duplicate": {"entries": MACHINE + MACHINE},
        "split in three": {"entries": [*MACHINE, (32 * MIB, MIB, RESERVED)]},
        "overlapping": {"entries": [
            *MACHINE, (64 * MIB, 8 * MIB, ACPI), (66 * MIB, 2 * MIB, NVS),
            (67 * MIB, 3 * MIB, RESERVED), (60 * MIB, 8 * MIB, BAD), (0, 128 * MIB, USABLE)]},
        "zero length": {"entries": [
            (0, 0, RESERVED), *MACHINE[:4], (80 * MIB, 0, RESERVED), (80 * MIB, 0, USABLE),
            *MACHINE[4:], (MIB, 0, BAD)]},
        "unknown types": {"entries": [
            *MACHINE, (32 * MIB, MIB, 12), (48 * MIB, MIB, 0xEFFFFFFF), (64 * MIB, MIB, 0),
            (80 * MIB, MIB, 6), (96 * MIB, MIB, 7), (112 * MIB, MIB, 0xFFFFFFFF)]},
        "all five types": {"entries": [
            *MACHINE, (32 * MIB, MIB, ACPI), (33 * MIB, MIB, NVS), (34 * MIB, MIB, BAD)]},
        "not page aligned": {"entries": [
            *MACHINE[:3], (MIB, 0x123456, USABLE), (0x223456, 0x10, RESERVED),
            (0x223466, TOP - 0x223466 - 0x7FF, USABLE), (TOP - 0x7FF, 1, USABLE), *MACHINE[5:]]},
        "less than a page": {"entries": [*MACHINE[:3], (MIB, 32 * MIB, USABLE),
                                         (64 * MIB + 0x100, 0xE00, USABLE)]},
        "up to the end of all addresses": {"entries": [
            *MACHINE, (2**64 - PAGE, PAGE, RESERVED), (2**63, 2**64 - 1, RESERVED)]},
        "300 entries of one type": {"entries": usable_slices(294, [USABLE])},
        "300 entries of all types": {"entries": usable_slices(294, [USABLE, NVS, RESERVED, ACPI])},
        "300 entries backwards": {"entries": usable_slices(294, [USABLE, RESERVED])[::-1]},
        "carry at the end": {"entries": MACHINE, "e820_carry_ends": 1},
        "no end": {"entries": MACHINE, "e820_endless": 1},
        "trashed registers": {"entries": MACHINE, "system_trash": SYSTEM_TRASH},
        "trashed registers and carry at the end": {
            "entries": MACHINE, "system_trash": SYSTEM_TRASH, "e820_carry_ends": 1},
        "interrupts off on return": {"entries": MACHINE, "system_trash": shim.TRASH_INTERRUPT_OFF},
    })
    def e820(self, **settings):
        self.check_entries(**settings, met=["e820_calls"], not_met=["e801_calls"])

    @shim.each({
        "no signature at once": {"e820_lost": 0},
        "signature lost at the second entry": {"e820_lost": 1},
        "signature lost at the last entry": {"e820_lost": len(MACHINE) - 1},
        "a short entry": {"e820_short": 3},
        "no entry": {"e820_count": 0, "e820_carry_ends": 1, "e820_lost": 0},
        "absent": NO_E820,
    })
    def fallback(self, **settings):
        self.check_kib(63 * KIB, **{"entries": MACHINE, "e801": ANSWER, "e801_cx": 0x3C00,
                                    "e801_dx": 48 * 16, **settings},
                       met=["e820_calls", "e801_calls"], not_met=["memory_88_calls"])


class OlderTest(MemoryTest):
    """The calls behind E820."""

    @shim.each({
        "in CX and DX": {"kib": 15 * KIB + 32 * KIB, "e801_cx": 0x3C00, "e801_dx": 512},
        "in AX and BX": {"kib": 15 * KIB + 32 * KIB, "e801_ax": 0x3C00, "e801_bx": 512},
        "less than 16 MiB": {"kib": 15 * KIB, "e801_cx": 0x3C00},
        "a hole below 16 MiB": {"kib": 14 * KIB, "e801_cx": 0x3800, "e801_dx": 512},
        "trashed registers": {"kib": 15 * KIB + 32 * KIB, "e801_ax": 0x3C00, "e801_bx": 512,
                              "system_trash": SYSTEM_TRASH},
    })
    def e801(self, **settings):
        self.check_kib(**settings, **NO_E820, e801=ANSWER, met=["e801_calls"],
                       not_met=["memory_88_calls"])

    @shim.each({
        "without E801": {"e801": ABSENT},
        "behind an E801 of nothing": {"e801": ANSWER},
        "behind an E801 of more than 15 MiB below 16": {"e801": ANSWER, "e801_cx": 0x4000,
                                                        "e801_dx": 512},
        "behind an E801 of 4 GiB": {"e801": ANSWER, "e801_cx": 0x3C00, "e801_dx": 0xFFFF},
        "with carry": {"e801": ABSENT, "memory_88_carry": 1},
        "trashed registers": {"e801": ABSENT, "system_trash": SYSTEM_TRASH},
    })
    def function_88(self, **settings):
        self.check_kib(63 * KIB, **NO_E820, memory_88=ANSWER, memory_88_kib=63 * KIB,
                       met=["memory_88_calls"], **settings)

    @shim.each({
        "absent": {"e801": ABSENT, "memory_88": ABSENT},
        "nothing": {"e801": ANSWER, "memory_88": ANSWER},
    })
    def no_map(self, **settings):
        self.check_error("NO_MEMORY_MAP", **NO_E820, **settings, met=["memory_88_calls"])


class LowMemoryTest(MemoryTest):
    @shim.each({
        "least of int 12h": {"low_kib": 320, "low_end": 320 * KIB},
        "least of the EBDA": {"ebda_segment": 0x5000, "low_end": 0x50000},
        "no EBDA": {"ebda_segment": 0},
        "EBDA above 640 KiB": {"ebda_segment": 0xFFFF},
        "not page aligned": {"low_kib": 575, "low_end": 575 * KIB},
    })
    def boots(self, **settings):
        self.check_entries(MACHINE, **settings)

    def test_int_12h_of_more_than_640_kib(self):
        # The shim itself lies at 0x90000: its list says so.
        entries = [(0, LOW_END, USABLE), (LOW_END, EBDA_END - LOW_END, RESERVED), *MACHINE[2:]]
        self.check_entries(entries, low_end=EBDA_END, low_kib=0xFFFF, ebda_segment=0)

    def test_int_12h_of_more_than_640_kib_and_no_e820(self):
        self.check_map(expected_map([(0, EBDA_END, USABLE), (MIB, 63 * MIB, USABLE)], EBDA_END),
                       low_kib=0xFFFF, ebda_segment=0, **NO_E801, memory_88=ANSWER,
                       memory_88_kib=63 * KIB)

    @shim.each({
        "int 12h": {"low_kib": 319},
        "int 12h of nothing": {"low_kib": 0},
        "EBDA": {"ebda_segment": 0x4FFF},
    })
    def too_little(self, **settings):
        self.check_error("LOW_MEMORY", **settings)


class FarAddressTest(MemoryTest):
    TIB = 2**40

    def test_what_is_not_ram_costs_nothing(self):
        """Device registers at 1 TiB and the like get no page tables."""
        _, report = self.check_boots(entries=MACHINE)
        far = [(self.TIB, 16 * MIB, RESERVED), (16 * self.TIB, self.TIB, RESERVED),
               (2**46 - PAGE, PAGE, RESERVED)]
        _, report_with = self.check_boots(entries=MACHINE + far)
        self.assertEqual(loader_bytes(report_with), loader_bytes(report))

    def test_ram_there_costs_the_tables_of_its_own_pages(self):
        """One page of RAM at 512 GiB: a table of each level below the root, and no more."""
        _, report = self.check_boots(entries=MACHINE)
        _, report_with = self.check_boots(entries=[*MACHINE, (self.TIB // 2, PAGE, NVS)])
        self.assertEqual(loader_bytes(report_with) - loader_bytes(report), 3 * PAGE)


class LongMapTest(shim.ShimTest):
    """More entries than fit: 320 KiB of low memory leave room for 2,730 ranges."""

    def test_too_many_entries(self):
        self.check_error("MEMORY_MAP_FULL", low_kib=320, e820=ANSWER, e820_made_up=1,
                         e820_count=2731)

    def test_as_many_as_fit(self):
        """Nothing but reserved ranges: the map is read to its end, and then memory is missing."""
        self.check_error("NO_MEMORY", low_kib=320, e820=ANSWER, e820_made_up=1, e820_count=2000)


class ServiceTest(shim.ShimTest):
    @shim.each({
        "works": {},
        "is absent": {"a20_2401": ABSENT},
        "only says that it works": {"a20_2401": ANSWER},
        "only says that it works and trashes registers": {"a20_2401": ANSWER,
                                                          "system_trash": SYSTEM_TRASH},
    })
    def closed_a20_and_2401(self, **settings):
        self.check_boots(close_a20=1, met=["a20_calls"] if settings else [], **settings)

    def without_fast_gate(self, image):
        """The loader reads and writes a port without meaning in the place of port 0x92."""
        for instruction in (b"\xe4", b"\xe6"):
            image.replace_code(image.find_code(instruction + b"\x92"), instruction + b"\x80")

    def test_a20_by_the_keyboard_controller(self):
        """And anew: each call of SeaBIOS closes it again, as it knows port 0x92 alone."""
        self.check_boots(close_a20=1, a20_2401=ABSENT, change=self.without_fast_gate)

    def without_any_gate(self, image):
        """Nor does the keyboard controller's bit open anything: the loader leaves it 0."""
        self.without_fast_gate(image)
        image.replace_code(image.find_code(b"\xb0\xdf"), b"\xb0\xdd")

    def test_a20_stays_closed(self):
        self.check_error("A20_CLOSED", close_a20=1, a20_2401=ABSENT, met=["a20_calls"],
                         change=self.without_any_gate)

    def test_an_open_a20_is_left_alone(self):
        self.check_boots(a20_2401=ABSENT, not_met=["a20_calls"])

    @shim.each({
        "succeeds": {},
        "fails": {"ec00_fails": 1},
        "fails and trashes registers": {"ec00_fails": 1, "system_trash": SYSTEM_TRASH},
    })
    def ec00(self, **settings):
        self.check_boots(met=["ec00_calls"], **settings)


if __name__ == "__main__":
    suite.main()
