"""A plain set-up installs the tool, the header and the manual pages, and the tool works from there."""

import pathlib
import subprocess

from build import SOURCE_ROOT, BuildTest
from suite import main


class InstallTest(BuildTest):
    def test_native(self):
        build = self.build(SOURCE_ROOT)
        self.assertEqual(self.installed(build), [
            "bin/bootimage",
            "include/bootimage/bootinfo.h",
            "share/man/man1/bootimage.1",
            "share/man/man7/bootimage-errors.7",
            "share/man/man7/bootinfo.7",
        ])

        tool = self.folder / "destination" / "usr" / "local" / "bin" / "bootimage"
        image = self.folder / "image.bin"
        subprocess.run([tool, build / "kernel" / "kernel.elf", "-o", image], check=True)
        packaged = pathlib.Path(build / "kernel" / "bootimage-kernel.bin")
        self.assertEqual(image.read_bytes(), packaged.read_bytes())


if __name__ == "__main__":
    main()
