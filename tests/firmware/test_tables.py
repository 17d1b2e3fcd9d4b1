"""Where the ACPI root pointer is looked for: the first KiB of the EBDA, by the word at 40:0E, then
0xE0000 to 0xFFFFF; at multiples of 16, and with the right checksum."""

import shim
import suite

EBDA = 0x80000


def checked(data, at):
    """With the byte that makes the sum 0."""
    data = bytearray(data)
    data[at] = -sum(data) % 256
    return bytes(data)


RSDP_1 = checked(b"RSD PTR \0BOCHS \0" + (0x1234).to_bytes(4, "little"), 8)
RSDP_2 = checked(checked(b"RSD PTR \0BOCHS \2" + (0x1234).to_bytes(4, "little"), 8) +
                 (36).to_bytes(4, "little") + (0x5678).to_bytes(8, "little") + bytes(4), 32)


class RsdpTest(shim.ShimTest):
    def rsdp(self, **settings):
        values, _ = self.check_boots(ebda_segment=EBDA >> 4, **settings)
        return int(values["rsdp_paddr"], 16)

    @shim.each({
        "at its start": {"offset": 0},
        "of ACPI 2": {"offset": 0, "rsdp": RSDP_2},
        "in the middle": {"offset": 0x200},
        "at its end": {"offset": 0x3E0},
    })
    def found_in_the_ebda(self, offset, rsdp=RSDP_1):
        self.assertEqual(self.rsdp(rsdp=rsdp, rsdp_paddr=EBDA + offset), EBDA + offset)

    @shim.each({
        "nowhere": {},
        "with a wrong checksum": {"rsdp": RSDP_1[:-1] + b"\1"},
        "of ACPI 2 with a wrong checksum": {"rsdp": RSDP_2[:-1] + b"\1"},
        "with another signature": {"rsdp": checked(b"RSD PTR_" + RSDP_1[8:], 8)},
        "between two multiples of 16": {"rsdp": RSDP_1, "rsdp_paddr": EBDA + 8},
        "behind the first KiB": {"rsdp": RSDP_1, "rsdp_paddr": EBDA + 0x400},
        "in what is no EBDA": {"rsdp": RSDP_1, "rsdp_paddr": EBDA - 0x400},
    })
    def found_in_the_rom(self, rsdp=bytes(36), rsdp_paddr=EBDA):
        self.assertIn(self.rsdp(rsdp=rsdp, rsdp_paddr=rsdp_paddr), range(0xE0000, 0x100000))

    @shim.each({
        "0": {"segment": 0},
        "in the interrupt vectors": {"segment": 0x0010},
        "at 640 KiB": {"segment": 0xA000},
        "at the end": {"segment": 0xFFFF},
    })
    def ebda_word_of_junk(self, segment):
        values, _ = self.check_boots(ebda_segment=segment)
        self.assertIn(int(values["rsdp_paddr"], 16), range(0xE0000, 0x100000))


if __name__ == "__main__":
    suite.main()
