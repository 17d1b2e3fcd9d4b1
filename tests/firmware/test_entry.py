"""How BIOSes start a boot sector: from another segment, with any drive, any flags, any registers,
and with a parameter block written into it."""

import shim
import suite

INTERRUPT, DIRECTION = 1 << 9, 1 << 10
# Everything that can be set, but for the trap flag and the I/O privilege level.
ALL_FLAGS = 0x0CD5


class EntryTest(shim.ShimTest):
    @shim.each({
        "no quirk": {},
        "at 07C0 0000": {"entry_cs": 0x07C0, "entry_ip": 0},
        "interrupts off": {"entry_flags": 0},
        "direction flag set": {"entry_flags": INTERRUPT | DIRECTION},
        "all flags set": {"entry_flags": ALL_FLAGS},
        "registers full of junk": {"entry_junk": 0xDEADBEEF, "entry_edx": 0xDEADBE80},
        "segments at the top": {"entry_junk": 0xFFFFFFFF},
        "odd stack": {"entry_ss": 0x4321, "entry_sp": 0x8765},
        "stack at the interrupt vectors": {"entry_sp": 0x0400},
        "parameter block written": {"overwrite_bpb": 1},
        "odd units": {"odd_units": 1},
        "everything at once": {
            "entry_cs": 0x07C0, "entry_ip": 0, "entry_flags": ALL_FLAGS & ~INTERRUPT,
            "entry_junk": 0xDEADBEEF, "entry_edx": 0xDEADBEEF, "entry_ss": 0x4321,
            "entry_sp": 0x8765, "overwrite_bpb": 1,
        },
    })
    def boots(self, **settings):
        values, _ = self.check_boots(met=["packet_reads"], not_met=["chs_reads", "failed_reads"],
                                     **settings)
        self.assertEqual(int(values["boot_drive"], 16), 0x80)

    def test_memory_types_that_other_cpus_have_not(self):
        values, _ = self.check_boots("cpus", processors="4", odd_units=1)
        self.assertEqual(int(values["mtrr_base"], 16), 0x76543006)

    @shim.each({
        "00": {"entry_edx": 0x00, "drive": 0x80},
        "01": {"entry_edx": 0x01, "drive": 0x80},
        "7F": {"entry_edx": 0x7F, "drive": 0x80},
        "90": {"entry_edx": 0x90, "drive": 0x80},
        "FF": {"entry_edx": 0xFF, "drive": 0x80},
        "81 the second hard disk": {"entry_edx": 0x81, "drive": 0x81},
        "8F the last hard disk": {"entry_edx": 0x8F, "drive": 0x8F},
    })
    def drive(self, drive, **settings):
        values, _ = self.check_boots(drive=drive, **settings)
        self.assertEqual(int(values["boot_drive"], 16), drive)


if __name__ == "__main__":
    suite.main()
