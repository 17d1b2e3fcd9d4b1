"""Kernels cut short or changed at random: the tool may refuse them or not, but it never crashes and
never leaves anything behind. tests/unit/test_kernel.c does more of the same inside one process."""

import random

import elf
import support
from elf import R, W, Segment, note

SEED = 20
MUTATIONS = 300


class Fuzz(support.ToolTest):
    def run_on(self, data):
        self.write("kernel.elf", data)
        status, output, errors = self.tool("-q", "kernel.elf")
        self.assertEqual(output, "")
        if status == 0:
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

    def mutate(self, sound, start, end):
        """Runs the tool on mutations of these bytes, and expects it to take some of them."""
        chance = random.Random(SEED)
        statuses = set()
        for _ in range(MUTATIONS):
            data = bytearray(sound)
            for _ in range(chance.choice([1, 1, 2, 4])):
                data[chance.randrange(start, end)] = chance.choice([0, 1, 0x7F, 0x80, 0xFF,
                                                                    chance.randrange(256)])
            with self.subTest(data=data.hex()):
                statuses.add(self.run_on(data))
        self.assertEqual(statuses, {0, 1})

    def test_mutations(self):
        self.mutate(elf.kernel(), 0, 64 + 3 * 56)

    def test_mutations_of_notes(self):
        notes = elf.notes_segment(note(2, 0x20000), note(0x10005, 0xFFFFC00000000000, 0, 0x1000, 1))
        sound = elf.kernel(notes)
        start = sound.index(notes.data)
        self.mutate(sound, start, start + len(notes.data))


if __name__ == "__main__":
    support.main()
