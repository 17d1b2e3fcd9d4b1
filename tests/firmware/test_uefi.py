"""The loader on firmware that has the quirks of uefi_shim.c."""

import re

import glyphs
import machine
import screens
import suite
from image_file import error_table
from suite import UEFI

CONTRACT_CHECKS = 89
FAR_SCREEN = 0x110000000


class ShimTest(screens.ScreenTest):
    def start(self, quirk):
        """Arguments of QEMU that start the loader behind the shim."""
        return ("-kernel", str(suite.build_path("UEFI_SHIM")), "-append", quirk)


class UefiShimTest(ShimTest):

    def check_boots(self, quirk, kernel="contract-high", **how):
        image = self.package(self.kernel(kernel))
        with machine.Machine(image, arguments=self.start(quirk), **UEFI | how) as guest:
            _, count = self.check_report(guest)
            if kernel == "contract-high":
                self.assertEqual(count, CONTRACT_CHECKS)

    def check_stops(self, quirk, name):
        number, text = error_table()[name]
        image = self.package(self.kernel("plain-gcc"))
        with machine.Machine(image, arguments=self.start(quirk), **UEFI) as guest:
            found, line = guest.wait_for_error()
            self.assertEqual(found, number, line)
            self.assertRegex(line, rf"^bootimage: E{number} {text} \(status 0x8000000000000002\)$")

    def test_without_a_quirk(self):
        self.check_boots("none")

    def test_a_loader_above_4_gib(self):
        self.check_boots("high", memory="5G")

    def test_memory_that_cannot_be_executed(self):
        self.check_boots("no-execute")

    def test_a_key_that_is_old_again_and_again(self):
        self.check_boots("exit-late")

    def test_a_firmware_that_stays(self):
        self.check_stops("exit-never", "LEAVE")

    def test_a_map_of_3000_odd_descriptors(self):
        self.check_boots("map")

    def test_short_reads(self):
        for kernel in ("contract-high", "plain-gcc"):
            self.check_boots("read-128", kernel)

    def test_reads_to_whole_pages(self):
        """Segments of these kernels begin anywhere in a page, and are large."""
        for kernel in ("shared-page", "one-segment"):
            self.check_boots("align", kernel)

    def test_reads_of_one_sector(self):
        self.check_boots("read-1")


class UefiShimScreenTest(ShimTest):
    def check_shows(self, quirk, **how):
        how = {"arguments": self.start(quirk), **UEFI, **how}
        return self.check_screen("any", **how)

    def test_no_pixels_in_memory(self):
        self.check_no_screen(vga="std", arguments=self.start("blt-all"), **UEFI)

    def test_no_pixels_in_the_mode_that_is_set(self):
        usual = self.check_shows("none")
        self.assertNotEqual(self.check_shows("blt-current"), usual)

    def test_several_screens(self):
        self.check_shows("several")

    def test_a_screen_that_was_never_used(self):
        self.check_shows("not-started")

    def test_masks(self):
        self.check_shows("masks")

    def test_pixels_above_4_gib(self):
        """Nobody sees them there, but they can be looked at."""
        font = glyphs.Font(suite.build_path("FONT").read_bytes())
        kernel = suite.build_path("KERNELS") / "screens/screen-any.elf"
        with machine.Machine(self.package(kernel), arguments=self.start("far"), memory="5G",
                             **UEFI) as guest:
            guest.wait_for_serial("Command line: ")
            guest.wait_for_halt()
            width, height = map(int, re.search(r"Screen: (\d+)x(\d+),", guest.serial()).groups())
            pixels = bytearray(guest.memory(FAR_SCREEN, 4 * width * height))
        del pixels[3::4]
        picture = glyphs.Picture(b"P6 %d %d 255\n" % (width, height) + pixels)
        text, inks = font.row(picture, 0)
        self.assertEqual((text, inks), ("Hello World!", {screens.RED}))

    def test_edid(self):
        for quirk, has_edid in {"edid": True, "none": False}.items():
            with self.subTest(quirk), machine.Machine(
                    self.package(self.kernel("screens/screen-edid")), arguments=self.start(quirk),
                    **UEFI) as guest:
                values, _ = self.check_report(guest)
                found = bytes.fromhex(values["edid"])
                self.assertEqual(found, bytes(range(256)) if has_edid else b"")


if __name__ == "__main__":
    suite.main()
