"""Framebuffers by VBE."""

import machine
import screens
import suite


class VbeTest(screens.ScreenTest):
    def test_vbe(self):
        for name, mode in {"vga": (640, 480, 32), "true-color": (800, 600, 24),
                           "high-color": (1024, 768, 16), "any": (1024, 768, 32)}.items():
            with self.subTest(name):
                self.assertEqual(self.check_screen(name), mode)

    def test_vbe_takes_what_comes_closest(self):
        width, height, bits = self.check_screen("between")
        self.assertTrue(800 <= width <= 1000 and 600 <= height <= 700 and bits == 32)
        width, height, _ = self.check_screen("tiny")
        self.assertLessEqual(width * height, 640 * 480)

    def test_other_adapters(self):
        for vga in ("qxl", "vmware", "cirrus"):
            with self.subTest(vga):
                self.assertIsNotNone(self.check_screen("any", vga=vga))

    def test_edid(self):
        """QEMU's adapter has one, of a block and an extension; VBE gives the block."""
        with machine.Machine(self.package(self.kernel("screens/screen-edid"))) as guest:
            edid = bytes.fromhex(self.check_report(guest)[0]["edid"])
        self.assertEqual(edid[:8], b"\0\xff\xff\xff\xff\xff\xff\0")
        self.assertEqual((len(edid), sum(edid) % 256), (128, 0))

    def test_without_an_adapter(self):
        self.check_no_screen()


if __name__ == "__main__":
    suite.main()
