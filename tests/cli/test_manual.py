"""The manual pages that are made from sources: nothing of the sources is missing in them."""

import pathlib
import re
import subprocess
import sys

import support

ROOT = pathlib.Path(__file__).resolve().parents[2]
DATED = ROOT / "bootimage/bootimage.1"


class Manual(support.ToolTest):
    def make(self, script, *sources):
        """The page that a script makes of these sources, as text without fonts and escapes."""
        pages = []
        for name in "first", "second":
            subprocess.run([sys.executable, "-B", ROOT / "manual" / script, *sources, DATED,
                            self.folder / name], check=True, timeout=support.TIME_LIMIT_S)
            pages.append((self.folder / name).read_text())
        self.assertEqual(pages[0], pages[1])
        return " ".join(pages[0].replace(r"\&", "").replace(r"\(dq", '"').split())

    def test_errors(self):
        header = ROOT / "bootloader/core/errors.h"
        names = ROOT / "bootimage/diagnostics.txt"
        page = self.make("errors.py", header, names)
        numbers = re.findall(r"X\((\d+), [A-Z]", header.read_text())
        self.assertGreaterEqual(len(numbers), 21)
        for number in numbers:
            self.assertRegex(page, rf"\.It [EW]{number} ")
        for text in re.findall(r'"([^"]+)"', header.read_text()):
            self.assertIn(text.split(". ")[0], page)
        for line in names.read_text().split("\n"):
            if line and not line.startswith("#"):
                self.assertIn(line.split(". ")[0], page)

    def test_bootinfo(self):
        header = ROOT / "bootloader/include/bootimage/bootinfo.h"
        page = self.make("bootinfo.py", header)
        text = header.read_text()
        macros = re.findall(r"#define (BOOTINFO_\w+) (?!BOOTINFO)", text)
        members = re.findall(r"^    \w[\w ]* (\w+(?:\[\w+\])?);", text, re.MULTILINE)
        self.assertGreater(min(len(macros), len(members)), 40)
        for macro in set(macros) - {"BOOTINFO_NOTE_NAME"}:
            self.assertIn(f".It {macro} ", page)
        for member in members:
            self.assertRegex(page, rf"\.It \d+ [a-z][\w ]* {re.escape(member)}")
        prose = text.split("*/")[0].replace("\n *", "\n").replace("\\", r"\e").split()[1:]
        self.assertEqual(set(prose) - set(page.split()), set())


if __name__ == "__main__":
    support.main()
