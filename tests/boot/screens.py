"""Framebuffers that kernels ask for: the minimal kernel prints on them, and its text is read off the
screen glyph by glyph."""

import re

import glyphs
import machine
import suite

RED, GREY = b"\xaa\0\0", b"\xaa\xaa\xaa"


class ScreenTest(suite.BootTest):
    def check_screen(self, name, **how):
        """Boot the kernel with this wish; (width, height, bits), or None in text mode."""
        font = glyphs.Font(suite.build_path("FONT").read_bytes())
        kernel = suite.build_path("KERNELS") / f"screens/screen-{name}.elf"
        with machine.Machine(self.package(kernel), **how) as guest:
            guest.wait_for_serial("Command line: ")
            guest.wait_for_halt()
            serial = guest.serial()
            if "Screen: text" in serial:
                self.assertIn("Hello World!", guest.screen_text())
                return None
            picture = guest.picture()
        lines = serial.partition("Hello World!")[2].splitlines()
        # Pixels of 16 bits show the colours less exactly.
        ink = {GREY, b"\xad\xaa\xad", b"\xa8\xa8\xa8"}
        self.assertEqual(font.row(picture, 0)[0], "Hello World!")
        self.assertEqual([ink[1:] for ink in font.row(picture, 0)[1]], [b"\0\0"])
        if len(lines) >= picture.height // font.height:
            lines = []  # they have scrolled away
        for number, line in enumerate(lines[1:4], 1):
            text, inks = font.row(picture, number)
            self.assertEqual(text, line.rstrip())
            self.assertLessEqual(inks, ink)
        width, height, bits = map(int, re.search(
            r"Screen: (\d+)x(\d+), (\d+) bits per pixel", serial).groups())
        self.assertEqual((picture.width, picture.height), (width, height))
        return width, height, bits

    def check_no_screen(self, vga="none", **how):
        """The kernel goes on without one."""
        kernel = suite.build_path("KERNELS") / "screens/screen-any.elf"
        with machine.Machine(self.package(kernel), vga=vga, **how) as guest:
            guest.wait_for_serial("Command line: ")
            self.assertIn("Screen: none", guest.serial())
