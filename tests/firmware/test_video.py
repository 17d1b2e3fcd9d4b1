"""A video BIOS that lies, fails and forgets: the kernel gets a framebuffer that works, or none."""

import re

import glyphs
import machine
import shim
import suite


class VideoTest(shim.ShimTest):
    def kernel(self, name):
        return suite.build_path("KERNELS") / f"screens/{name}.elf"

    def check_screen(self, kernel="screen-any", met=("vbe_calls",), **settings):
        """Boot a minimal kernel that asks for a framebuffer; what it says its screen is. Its text is
        read off the picture."""
        font = glyphs.Font(suite.build_path("FONT").read_bytes())
        with machine.Machine(self.disk(kernel, None, settings)) as guest:
            guest.wait_for_serial("Command line: ")
            guest.wait_for_halt()
            self.check_shim(guest, met, ())
            said = re.search(r"Screen: ([^\r\n]*)", guest.serial())[1]
            if said == "text":
                self.assertIn("Hello World!", guest.screen_text())
            else:
                self.assertEqual(font.row(guest.picture(), 0)[0], "Hello World!")
        return said

    @shim.each({
        "no quirk": {"said": "1024x768, 32 bits per pixel"},
        "no VBE": {"said": "text", "vbe_absent": 1},
        "no signature": {"said": "text", "vbe_no_signature": 1},
        "the list in the block": {"said": "1024x768, 32 bits per pixel", "vbe_list_inside": 1},
        "masks of 0": {"said": "1024x768, 32 bits per pixel", "vbe_zero_masks": 1},
        "masks of 0 with 16 bits": {"said": "1024x768, 16 bits per pixel", "vbe_zero_masks": 1,
                                    "vbe_only_bits": 16},
        "only 24 bits": {"said": "1024x768, 24 bits per pixel", "vbe_only_bits": 24},
        "no depth of ours": {"said": "text", "vbe_only_bits": 12},
        "every set fails": {"said": "text", "vbe_failed_sets": 10_000,
                            "met": ("vbe_calls", "vbe_failed_sets")},
    })
    def says(self, said, **settings):
        self.assertEqual(self.check_screen(**settings), said)

    def test_the_best_mode_cannot_be_set(self):
        """The next best is."""
        said = self.check_screen(vbe_failed_sets=1, met=("vbe_failed_sets",))
        self.assertRegex(said, r"^1024x768, (24|16) bits per pixel$")

    def test_modes_that_fail(self):
        self.assertRegex(self.check_screen(vbe_odd_modes_fail=1), r"^\d+x\d+, \d+ bits per pixel$")


if __name__ == "__main__":
    suite.main()
