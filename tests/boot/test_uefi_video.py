"""Framebuffers by GOP."""

import screens
import suite
from suite import UEFI


class GopTest(screens.ScreenTest):
    def test_gop(self):
        for name, mode in {"vga": (640, 480, 32), "true-color": (800, 600, 32),
                           "any": None}.items():
            with self.subTest(name):
                found = self.check_screen(name, **UEFI)
                self.assertEqual(found, mode or found)

    def test_gop_takes_what_comes_closest(self):
        width, height, _ = self.check_screen("between", **UEFI)
        self.assertTrue(640 <= width <= 1000 and 480 <= height <= 700)

    def test_without_an_adapter(self):
        self.check_no_screen(**UEFI)


if __name__ == "__main__":
    suite.main()
