"""What comes out for sound kernels: the image, byte by byte, and the tool's words."""

import os
import pathlib
import re
import shlex

import elf
import image
import support
from elf import R, W, X, Segment


class Images(support.ToolTest):
    def package(self, kernel, *arguments, warnings=""):
        self.write("kernel.elf", kernel)
        status, _, errors = self.tool("kernel.elf", *arguments)
        self.assertEqual((status, errors), (0, warnings))
        return image.Image(self.image.read_bytes())

    def test_layout(self):
        made = self.package(elf.kernel())
        self.assertEqual(made.protocol, (1, 0, 0x100000, 0x10000, 0))
        self.assertEqual(made.regions, [(0x100000, 0x4000, 0x100000, 1)])
        self.assertEqual(made.segments, [
            (0, 0x100000, b"\xf4\xeb\xfd" + bytes(13)),
            (1, 0x101000, b"read-only"),
            (2, 0x102000, b"data"),
        ])
        self.assertEqual(made.mappings, [
            (0x100000, 0x1000, image.EXECUTABLE),
            (0x101000, 0x1000, 0),
            (0x102000, 0x2000, image.WRITABLE),
        ])
        self.assertIsNone(made.command_line)
        self.assertEqual(len(made.data), image.MINIMUM_BYTES)

    def test_large_payload_ends_with_its_last_sector(self):
        data = os.urandom(1000001)
        made = self.package(elf.build([Segment(0x100000, data)]))
        self.assertEqual(made.segments, [(0, 0x100000, data)])
        self.assertEqual(len(made.data), (made.plan_lba + 1 + 1954) * 512)

    def test_firmware_shapes_the_image(self):
        sizes = {}
        for name in "bios", "uefi", "both":
            self.assertEqual(self.tool("-q", f"--firmware={name}", "kernel.elf"), (0, "", ""))
            made = image.Image(self.image.read_bytes())
            sizes[name] = made.sectors
            self.assertEqual(made.esp_lba > 0, name != "bios")
            self.assertEqual(made.stage2_sectors > 0, name != "uefi")
            self.assertEqual(self.tool("verify", "-q", self.image.name), (0, "", ""))
            self.assertEqual(self.tool("inspect", self.image.name)[0], 0)
            data = bytearray(self.image.read_bytes())
            data[0x100] ^= 1  # in the boot sector
            self.write("broken.bin", data)
            self.assertIn("stage 1 (LBA 0) is damaged", self.tool("verify", "broken.bin")[2])
        self.assertLess(sizes["bios"], sizes["both"])
        self.assert_fails("--firmware is efi; give bios, uefi or both [firmware-name]",
                          "--firmware=efi", "kernel.elf", status=2)

    def test_holes_are_not_written(self):
        self.package(elf.build([Segment(0x100000, b"\xf4")]))
        self.assertLess(self.image.stat().st_blocks * 512, 128 << 10)

    def test_high_half(self):
        made = self.package(elf.build([Segment(0xFFFFFFFF80000000, b"\xf4", paddr=0x200000)]))
        self.assertEqual(made.regions, [(0xFFFFFFFF80000000, 0x1000, 0x200000, 1)])

    def test_physical_addresses_that_mean_nothing(self):
        for vaddr, paddr in [
            (0xFFFFFFFF80000000, 0xFFFFFFFF80000000),
            (0xFFFFFFFF80000000, 0x100000000),
            (0xFFFFFFFF80000000, 0),
            (0x100000, 0),
            (0x100000, 0x200800),
        ]:
            made = self.package(elf.build([Segment(vaddr, b"\xf4", paddr=paddr)]))
            self.assertEqual(made.regions, [(vaddr, 0x1000, image.ANYWHERE, 1)])

    def test_offset_not_congruent_to_address(self):
        made = self.package(elf.build([Segment(0x100800, b"\xf4code", offset=0x333)]))
        self.assertEqual(made.segments, [(0, 0x100800, b"\xf4code")])
        self.assertEqual(made.regions, [(0x100000, 0x1000, 0x100000, 1)])

    def test_shared_page_has_the_rights_of_both(self):
        made = self.package(elf.build([
            Segment(0x100000, b"\xf4", R | X, memsz=0x1800),
            Segment(0x101800, b"rodata", R, memsz=0x1800),
        ]))
        self.assertEqual(made.mappings, [
            (0x100000, 0x2000, image.EXECUTABLE),
            (0x102000, 0x1000, 0),
        ])

    def test_a_thousand_segments(self):
        segments = [Segment(0x100000 + i * 0x1000, bytes([i & 0xFF]) * 9) for i in range(1000)]
        made = self.package(elf.build(segments))
        self.assertEqual([s[2] for s in made.segments], [s.data for s in segments])
        self.assertEqual(made.mappings, [(0x100000, 1000 << 12, image.EXECUTABLE)])

    def test_more_program_headers_than_e_phnum_can_say(self):
        segments = [Segment(0, type=elf.PT_NULL)] * 0x10000
        made = self.package(elf.build([*segments, Segment(0x100000, b"\xf4")], entry=0x100000))
        self.assertEqual(made.segments, [(0x10000, 0x100000, b"\xf4")])

    def test_section_headers_do_not_matter(self):
        reference = self.package(elf.kernel()).data
        for fields in [{"e_shoff": 2**64 - 1, "e_shnum": 9}, {"e_shoff": 7, "e_shnum": 65535},
                       {"e_shoff": 2**63, "e_shentsize": 1, "e_shnum": 1, "e_shstrndx": 5}]:
            self.assertTrue(self.package(elf.kernel(header=fields)).data == reference)

    def test_empty_segments_do_not_matter(self):
        made = self.package(elf.build([
            Segment(0x100000, b"\xf4"),
            Segment(0xA0000, flags=R | W | X),
            Segment(2**64 - 1, offset=2**64 - 1),
        ]))
        self.assertEqual(len(made.segments), 1)

    def test_command_line(self):
        made = self.package(elf.kernel(), "--cmdline", "quiet root=\u00fc")
        self.assertEqual(made.command_line, "quiet root=\u00fc".encode())
        self.assertIsNone(self.package(elf.kernel(), "--cmdline=").command_line)

    def test_long_command_line(self):
        text = "a" * 65535
        self.assertEqual(self.package(elf.kernel(), f"--cmdline={text}").command_line,
                         text.encode())

    def test_writable_and_executable_is_a_warning(self):
        self.package(
            elf.build([Segment(0x100000, b"\xf4", R | W | X)]),
            warnings="bootimage: warning: kernel.elf: segment 0 [0x100000, 0x100001) is writable "
                     "and executable; link with -z separate-code and without -N (--omagic) "
                     "[segment-writable-executable]\n")

    def test_page_that_becomes_writable_and_executable_is_a_warning(self):
        self.package(
            elf.build([Segment(0x100000, b"\xf4", R | X), Segment(0x100800, b"data", R | W)]),
            warnings="bootimage: warning: kernel.elf: page 0x100000 is writable and executable, as "
                     "segments share it; link with -z separate-code, or align the segments to 4096 "
                     "in the linker script [page-writable-executable]\n")

    def test_same_inputs_same_bytes(self):
        first = self.package(elf.kernel(), "--cmdline=x").data
        self.write("other name", elf.kernel())
        elsewhere = self.folder / "elsewhere"
        elsewhere.mkdir()
        self.assertEqual(
            self.tool("../other name", "--cmdline=x", "-o", "a", cwd=elsewhere,
                      env={"TZ": "Asia/Tokyo", "LC_ALL": "C"})[0], 0)
        self.assertTrue((elsewhere / "a").read_bytes() == first)

    def test_other_inputs_other_identity(self):
        one = self.package(elf.kernel())
        other = self.package(elf.kernel(), "--cmdline=x")
        self.assertNotEqual(one.image_id, other.image_id)
        self.assertNotEqual(one.signature, other.signature)


class CommandLine(support.ToolTest):
    def test_says_what_was_written(self):
        self.assertEqual(self.tool("kernel.elf"), (
            0, "bootimage-kernel.bin: 516096 bytes, 29 of them loaded from kernel.elf\n", ""))
        self.assertEqual(self.tool("-q", "kernel.elf"), (0, "", ""))
        self.assertEqual(self.tool("kernel.elf", "--quiet"), (0, "", ""))

    def test_default_output_is_beside_the_kernel(self):
        (self.folder / "sub").mkdir()
        for kernel, expected in [
            ("sub/kernel.elf", "sub/bootimage-kernel.bin"),
            ("sub/kernel", "sub/bootimage-kernel.bin"),
            ("sub/a.elf.elf", "sub/bootimage-a.elf.bin"),
            ("sub/.elf", "sub/bootimage-.elf.bin"),
            ("./runner", "./bootimage-runner.bin"),
            ("-dash", "bootimage--dash.bin"),
        ]:
            self.write(kernel, elf.kernel())
            status, output, errors = self.tool("--", kernel)
            self.assertEqual((status, errors), (0, ""))
            self.assertEqual(output.split(": ")[0], expected)
            (self.folder / expected).unlink()

    def test_output_option(self):
        for arguments in [["-o", "x.img"], ["-ox.img"], ["--output", "x.img"], ["--output=x.img"]]:
            self.assertEqual(self.tool("kernel.elf", *arguments)[0], 0)
            self.assertEqual(self.names(), ["kernel.elf", "x.img"])
            (self.folder / "x.img").unlink()

    def test_the_command_of_a_test_makes_the_same_image(self):
        """What the project file says of the image becomes words of the command that -v shows."""
        self.write("a.txt", b"a")
        self.write("bootimage.ini", b"cmdline = from the file\nmodule = a.txt=a\n"
                                    b"[package]\ncmdline = not this\n"
                                    b"[test]\nstack-size = 8K\nqemu = false\n")
        arguments = ("test", "-v", "kernel.elf", "--stack-size=16K", "--with-elf")
        command = re.search(r"^bootimage: command: bootimage (.*) && false ",
                            self.tool(*arguments)[2], re.MULTILINE)[1]
        self.assertEqual(shlex.split(command), [
            "--config=/dev/null", "--cmdline=from the file", "--module=a.txt=a", "--stack-size=8K",
            "--stack-size=16K", "--with-elf", "kernel.elf"])
        self.assertEqual(self.tool("-q", *shlex.split(command)), (0, "", ""))

    def test_help_and_version(self):
        status, output, errors = self.tool("--help")
        self.assertEqual((status, errors), (0, ""))
        self.assertTrue(output.startswith("usage: bootimage [OPTIONS] KERNEL\n"))
        self.assertEqual(self.tool("runner", "--help")[1], output)
        status, output, errors = self.tool("--version")
        self.assertEqual((status, errors), (0, ""))
        self.assertRegex(output, r"\Abootimage \d+\.\d+\.\d+\nfirmware BIOS(, UEFI| \(built without UEFI\))\njansson \S+\nlibelf \S+\n"
                                 r"xxHash \S+ \(built in\)\n\Z")

    def test_manual_page_has_every_option(self):
        root = pathlib.Path(__file__).resolve().parents[2]
        page = (root / "bootimage/bootimage.1").read_text().replace("Fl -", "Fl --")
        options = re.findall(r"(?<=\s)--?[a-z]+", self.tool("--help")[1])
        self.assertGreaterEqual(len(options), 7)
        for option in options:
            self.assertIn("Fl " + (option if option.startswith("--") else option[1:]), page)

    def test_wrong_usage(self):
        unknown = "is unknown or takes no argument; see bootimage --help [wrong-option]"
        for arguments, message in [
            ([], "no file given; see bootimage --help [no-file]"),
            (["runner"], "no file given; see bootimage --help [no-file]"),
            (["a", "b"],
             "unexpected argument b: one file at a time; see bootimage --help [extra-argument]"),
            (["--wrong"], f"option --wrong {unknown}"),
            (["-x", "k"], f"option -x {unknown}"),
            (["k", "-o"], "option -o needs an argument; see bootimage --help [wrong-option]"),
            (["k", "--cmdline"],
             "option --cmdline needs an argument; see bootimage --help [wrong-option]"),
            (["--help=x"], f"option --help=x {unknown}"),
            (["k", "-o", ""], "-o is empty; name a file with it [output-empty]"),
            (["k", "-o", "-"],
             "an image cannot go to standard output; name a file with -o [output-standard]"),
            (["runner", "-o", "x", "k"],
             "bootimage runner has no option --output; see bootimage --help [option-elsewhere]"),
            (["k", "--cmdline=" + "a" * 65536],
             "--cmdline takes 65536 bytes, more than 65535; give the kernel a file with it, by "
             "--module [cmdline-too-long]"),
            (["k", b"--cmdline=a\xff"],
             "--cmdline is not valid UTF-8 at byte 1; kernels are promised UTF-8 [cmdline-utf8]"),
        ]:
            with self.subTest(arguments):
                self.assert_fails(message, *arguments, status=2)

    def test_standard_output_that_cannot_be_written(self):
        message = ("bootimage: cannot write to standard output: No space left on device "
                   "[standard-output]\n")
        for arguments in ["kernel.elf"], ["--help"], ["--version"]:
            with open("/dev/full", "wb") as full:
                self.assertEqual(self.tool(*arguments, stdout=full), (1, None, message))


if __name__ == "__main__":
    support.main()
