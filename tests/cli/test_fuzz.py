"""Kernels cut short or changed at random: the tool may refuse them or not, but it never crashes and
never leaves anything behind; and what it makes of them is a plan that the loader takes.
tests/unit/test_kernel.c does more of the same inside one process."""

import os
import random
import struct
import subprocess

import elf
import support
from elf import R, W, Segment, note, rela, relr

SEED = 20
MUTATIONS = 100


# What a sound plan may end in on the machine that tests/unit/core makes up: too little memory, or
# what a kernel's notes ask for and it has not.
LIMITS = ("E14", "E17", "E18", "E19", "E20")


class Fuzz(support.ToolTest):
    def check_boot(self):
        """The loader core, as a program of this machine, boots the image (tests/unit/core)."""
        done = subprocess.run([os.environ["BOOT_IMAGE"], self.image], capture_output=True, text=True,
                              timeout=60, check=False)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertRegex(done.stdout, rf"\A(entered|bootimage: ({'|'.join(LIMITS)}) .*)\n")

    def run_on(self, data, *options):
        self.write("kernel.elf", data)
        status, output, errors = self.tool("-q", *options, "kernel.elf")
        self.assertEqual(output, "")
        if status == 0:
            if "BOOT_IMAGE" in os.environ:
                self.check_boot()
            self.image.unlink()
        else:
            self.assertEqual(status, 1)
            lines = errors.splitlines()
            self.assertRegex(lines[-1], r"\Abootimage: kernel\.elf: .*[a-z].* \[[a-z0-9-]+\]\Z")
            self.assertTrue(all(line.startswith("bootimage: warning: ") for line in lines[:-1]))
        self.assertEqual(self.names(), ["kernel.elf"])
        return status

    def test_truncation_at_every_byte(self):
        whole = elf.build([Segment(0x100000, b"\xf4\xeb\xfd", offset=200),
                           Segment(0x101000, b"data", R | W, offset=210)])
        self.assertEqual(len(whole), 214)
        for size in range(len(whole)):
            with self.subTest(size=size):
                self.assertEqual(self.run_on(whole[:size]), 1)
        self.assertEqual(self.run_on(whole), 0)

    def test_truncation_behind_what_is_loaded(self):
        whole = elf.kernel(extra=bytes(64), header={"e_shoff": len(elf.kernel()), "e_shnum": 1})
        for size in range(len(elf.kernel()), len(whole) + 1):
            with self.subTest(size=size):
                self.assertEqual(self.run_on(whole[:size]), 0)

    def mutate(self, sound, start, end, *options):
        """Runs the tool on mutations of these bytes, and expects it to take some of them."""
        chance = random.Random(SEED)
        statuses = set()
        for _ in range(MUTATIONS):
            data = bytearray(sound)
            for _ in range(chance.choice([1, 1, 2, 4])):
                data[chance.randrange(start, end)] = chance.choice([0, 1, 0x7F, 0x80, 0xFF,
                                                                    chance.randrange(256)])
            with self.subTest(data=data.hex()):
                statuses.add(self.run_on(data, *options))
        self.assertEqual(statuses, {0, 1})

    def test_mutations(self):
        self.mutate(elf.kernel(), 0, 64 + 3 * 56)

    def test_mutations_of_notes(self):
        notes = elf.notes_segment(note(2, 0x20000), note(0x10005, 0xFFFFC00000000000, 0, 0x1000, 1))
        sound = elf.kernel(notes)
        start = sound.index(notes.data)
        self.mutate(sound, start, start + len(notes.data))

    def pie(self):
        return elf.pie(rela(elf.PIE_DATA, 0x1234) + rela(elf.PIE_DATA + 8, 0x10),
                       relr(elf.PIE_DATA + 16, 0x55))

    def test_mutations_of_program_headers_of_a_position_independent_kernel(self):
        self.mutate(self.pie(), 64, 64 + 5 * 56, "--kaslr")

    def test_mutations_of_pt_dynamic(self):
        sound = self.pie()
        start = sound.index(struct.pack("<QQ", elf.DT_RELA, elf.PIE_TABLES))
        self.mutate(sound, start, start + 9 * 16)

    def test_mutations_of_relocations(self):
        sound = self.pie()
        for table, size in ((rela(elf.PIE_DATA, 0x1234), 48), (relr(elf.PIE_DATA + 16, 0x55), 16)):
            start = sound.index(table)
            self.mutate(sound, start, start + size)

    def test_mutations_of_segments_of_other_kinds(self):
        """PT_TLS and PT_GNU_RELRO."""
        sound = elf.kernel(Segment(0x102000, b"", R, memsz=16, type=elf.PT_TLS, align=8),
                           Segment(0x102000, b"", R, memsz=0x1000, type=elf.PT_GNU_RELRO))
        self.mutate(sound, 64 + 3 * 56, 64 + 5 * 56)


if __name__ == "__main__":
    support.main()
