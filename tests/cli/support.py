"""What the command-line tests share: a folder of their own, and a way to run the tool in it."""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

import elf

TOOL = None
TIME_LIMIT_S = 120
NOBODY = 65534


def main():
    """Runs the tests of the calling module: test_x.py BOOTIMAGE [unittest arguments]."""
    global TOOL
    TOOL = os.path.abspath(sys.argv.pop(1))
    unittest.main()


class ToolTest(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="bootimage-cli-"))
        self.addCleanup(shutil.rmtree, self.folder)
        self.kernel = self.write("kernel.elf", elf.kernel())
        self.image = self.folder / "bootimage-kernel.bin"

    def write(self, name, data):
        path = self.folder / name
        path.write_bytes(data)
        return path

    def tool(self, *arguments, tool=None, **options):
        """Runs the tool in the folder; returns exit status, standard output and standard error."""
        options.setdefault("cwd", self.folder)
        options.setdefault("stdin", subprocess.DEVNULL)
        options.setdefault("stdout", subprocess.PIPE)
        result = subprocess.run([tool or TOOL, *arguments], stderr=subprocess.PIPE,
                                timeout=TIME_LIMIT_S, **options)
        output = result.stdout.decode() if result.stdout is not None else None
        return result.returncode, output, result.stderr.decode(errors="surrogateescape")

    def names(self):
        return sorted(path.name for path in self.folder.iterdir())

    def assert_fails(self, message, *arguments, status=1, **options):
        """The tool says just this line, and every file in the folder is as it was."""
        before = self.snapshot()
        result = self.tool(*arguments, **options)
        self.assertEqual(result, (status, "", f"bootimage: {message}\n"))
        self.assertEqual(self.snapshot(), before)

    def assert_refused(self, kernel, message, *arguments):
        """The kernel is refused, with the old image there and without it."""
        self.write("kernel.elf", kernel)
        self.assert_fails("kernel.elf: " + message, "kernel.elf", *arguments)
        self.write("bootimage-kernel.bin", b"the old image")
        self.assert_fails("kernel.elf: " + message, "kernel.elf", *arguments)
        self.image.unlink()

    def snapshot(self):
        """Name and mode of all that is in the folder, and of files time and content, too."""
        rows = []
        for path in sorted(self.folder.rglob("*")):
            status = path.lstat()
            row = [path, status.st_ino, status.st_mode]
            if path.is_file() and not path.is_symlink():
                row += [status.st_mtime_ns, path.read_bytes()]
            rows.append(row)
        return rows

    def as_nobody(self):
        """Options for tool() without the rights of root, who is refused nothing. The tool is
        copied, as the build folder may be closed to others; the folder becomes nobody's."""
        if os.geteuid() != 0:
            return {}
        place = tempfile.mkdtemp(prefix="bootimage-tool-")
        self.addCleanup(shutil.rmtree, place)
        os.chmod(place, 0o755)
        shutil.copy(TOOL, place)
        for path in [self.folder, *self.folder.rglob("*")]:
            os.chown(path, NOBODY, NOBODY, follow_symlinks=False)
        return {"tool": os.path.join(place, os.path.basename(TOOL)), "user": NOBODY,
                "group": NOBODY, "extra_groups": []}
