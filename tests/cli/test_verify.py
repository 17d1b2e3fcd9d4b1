"""`bootimage verify`: whichever byte of an image is wrong, the part that it is in is named."""

import os
import re

import elf
import image
import support

ANEW = "; write the image anew"


class Verify(support.ToolTest):
    def setUp(self):
        super().setUp()
        self.write("empty", b"")
        self.write("initrd", bytes(range(256)) * 3)
        status, _, errors = self.tool("-q", "kernel.elf", "--cmdline=a b", "--module=initrd",
                                      "--module=empty", "--with-elf")
        self.assertEqual((status, errors), (0, ""))
        self.sound = self.image.read_bytes()
        self.made = image.Image(self.sound)

    def fault(self, data):
        """What verify says about an image, without the file's name and the program's."""
        self.write("x.bin", data)
        status, output, errors = self.tool("verify", "x.bin")
        self.assertEqual((status, output), (1, ""))
        self.assertRegex(errors, r"\Abootimage: x\.bin: [^\n]*\n\Z")
        return errors.removeprefix("bootimage: x.bin: ").rstrip("\n")

    def flip(self, *places):
        data = bytearray(self.sound)
        for place in places:
            data[place] ^= 0x40
        return data

    def parts(self):
        """(start, end, what is said, known) of all parts, in order; known: byte for byte."""
        start = self.made.plan_lba * 512
        plan_end = start + self.made.plan_bytes
        stage2_end = (2 + self.made.stage2_sectors) * 512
        rows = [
            (0, 440, "stage 1 (LBA 0)", True),
            (440, 446, "the disk signature (LBA 0)", True),
            (446, 510, "the partition table (LBA 0)", True),
            (510, 512, "the boot signature (LBA 0)", True),
            (512, 524, "the header (LBA 1)", True),
            (524, 584, "the header (LBA 1)", False),
            (584, 1024, "the header (LBA 1)", True),
            (1024, stage2_end, "stage 2", True),
            *self.esp_parts(stage2_end, start),
            (start, start + 40, "the start of the plan", True),
            (start + 40, plan_end, f"the plan (bytes {start:#x} to {plan_end - 1:#x})", False),
        ]
        rows.append((plan_end, -(-plan_end // 512) * 512, "the padding behind the plan", True))
        blocks = [(f"segment {index}", data) for index, _, data in self.made.segments]
        blocks += [("module 0", self.made.modules[0][2]), ("module 2", self.made.kernel_file)]
        for name, data in blocks:
            at = rows[-1][1]
            self.assertEqual(self.sound[at : at + len(data)], data)
            rows.append((at, at + len(data),
                         f"{name} (bytes {at:#x} to {at + len(data) - 1:#x})", False))
            end = -(-(at + len(data)) // 512) * 512
            rows.append((at + len(data), end, f"the padding behind {name}", True))
        self.assertEqual(rows[-1][1], self.made.sectors * 512)
        rows.append((rows[-1][1], len(self.sound), "the padding behind the image", True))
        return rows

    def esp_parts(self, stage2_end, plan_start):
        """Of parts(): what lies between stage 2 and the plan."""
        if not self.made.esp_lba:
            return [(stage2_end, plan_start, "the padding behind the loader", True)]
        start = self.made.esp_lba * 512
        end = start + self.made.esp_sectors * 512
        name = "the EFI system partition"
        return [(stage2_end, start, "the padding behind the loader", True),
                (start, end, f"{name} (bytes {start:#x} to {end - 1:#x})", False),
                (end, plan_start, f"the padding behind {name}", True)]

    def test_sound(self):
        told = ("bootimage-kernel.bin: 516096 bytes are as they were made, with 3 segments and 3 "
                "modules\n")
        self.assertEqual(self.tool("verify", "bootimage-kernel.bin"), (0, told, ""))
        self.assertEqual(self.tool("verify", "-q", "bootimage-kernel.bin"), (0, "", ""))

    def test_every_part(self):
        for start, end, part, known in self.parts():
            step = max(1, (end - start) // 8)
            for place in sorted({*range(start, end, step), end - 1} if start < end else ()):
                with self.subTest(part=part, place=hex(place)):
                    fault = self.fault(self.flip(place))
                    self.assertTrue(fault.startswith(f"{part} is damaged: "), fault)
                    if known:
                        right = self.sound[place]
                        self.assertEqual(fault, (
                            f"{part} is damaged: byte {place:#x} is 0x{right ^ 0x40:02x}, where "
                            f"0x{right:02x} has to be{ANEW} [image-byte]"))
                    else:
                        self.assertRegex(fault, r"damaged: its (CRC-32|XXH64) is 0x[0-9a-f]+, but "
                                                r"(it|the plan|the header) says 0x[0-9a-f]+; write the image "
                                                r"anew \[image-checksum\]\Z")

    def test_first_of_two(self):
        rows = [row for row in self.parts() if row[0] < row[1]]
        # The header comes first, as all else is known by it.
        rows.sort(key=lambda row: not 512 <= row[0] < 1024)
        for first, second in zip(rows, rows[1:]):
            fault = self.fault(self.flip(first[0], second[0]))
            self.assertTrue(fault.startswith(f"{first[2]} is damaged: "), fault)

    def test_length(self):
        for size in 1024, 40000, len(self.sound) - 1:
            self.assertEqual(self.fault(self.sound[:size]),
                             f"is truncated: it has {size:#x} bytes, and the image has 0x7e000; "
                             "copy the whole image [image-truncated]")
        self.assertEqual(self.fault(self.sound + b"x"),
                         f"has 0x7e001 bytes, but its image ends at 0x7e000{ANEW} [image-longer]")

    def test_no_image(self):
        cure = "; name one, or the disk that it was written to [image-unknown]"
        for data in b"", b"x", bytes(1 << 20), elf.kernel():
            self.assertEqual(self.fault(data), "is not an image of bootimage" + cure)
        cure = "; name an image of bootimage [image-not-regular]"
        for name in ".", "/dev/null":
            self.assert_fails(f"{name}: is neither a regular file nor a disk{cure}", "verify", name)
        self.assert_fails("x: cannot open: No such file or directory; check the path [image-open]",
                          "verify", "x")
        self.image.chmod(0)
        rights = self.as_nobody()
        self.assertEqual(
            self.tool("verify", "bootimage-kernel.bin", **rights),
            (1, "", "bootimage: bootimage-kernel.bin: cannot open: Permission denied; give read "
                    "permission [image-open]\n"))

    def test_wrong_usage(self):
        usage = "; see bootimage --help"
        for arguments, message in [
            (["verify"], f"no file given{usage} [no-file]"),
            (["verify", "a", "b"], f"unexpected argument b: one file at a time{usage} "
                                   "[extra-argument]"),
            (["verify", "--json", "a"], f"bootimage verify has no option --json{usage} "
                                        "[option-elsewhere]"),
            (["verify", "--cmdline=x", "a"], f"bootimage verify has no option --cmdline{usage} "
                                             "[option-elsewhere]"),
        ]:
            with self.subTest(arguments):
                self.assert_fails(message, *arguments, status=2)

    def test_output_that_cannot_be_written(self):
        with open("/dev/full", "wb") as full:
            status, _, errors = self.tool("verify", "bootimage-kernel.bin", stdout=full)
        self.assertEqual(status, 1)
        self.assertTrue(re.search(r"\[standard-output\]\n\Z", errors))

    def test_nothing_is_written(self):
        os.chmod(self.image, 0o444)
        before = self.snapshot()
        self.assertEqual(self.tool("verify", "bootimage-kernel.bin")[0], 0)
        self.assertEqual(self.tool("inspect", "bootimage-kernel.bin")[0], 0)
        self.assertEqual(self.tool("inspect", "kernel.elf")[0], 0)
        self.assertEqual(self.snapshot(), before)


if __name__ == "__main__":
    support.main()
