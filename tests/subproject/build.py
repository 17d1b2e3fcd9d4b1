"""What the tests of this folder share: Meson builds in a temporary folder, away from this build."""

import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

SOURCE_ROOT = pathlib.Path(os.environ["SOURCE_ROOT"])
CROSS_FILE = os.environ["CROSS_FILE"]

# The machine of the boot tests, and their rule that a skipped test is a failed one.
sys.path.insert(0, str(SOURCE_ROOT / "tests" / "boot"))


class BuildTest(unittest.TestCase):
    """A test case with a folder of its own that is gone after each test."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="bootimage-", ignore_cleanup_errors=True)
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def meson(self, *arguments):
        # A build of its own: nothing of the flags and the destination of the outer one.
        environment = {name: value for name, value in os.environ.items()
                       if name not in ("CC", "CFLAGS", "LDFLAGS", "DESTDIR", "MAKEFLAGS")}
        done = subprocess.run([os.environ["MESON"], *arguments], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              env=environment, check=False)
        self.assertEqual(done.returncode, 0, f"meson {arguments}:\n{done.stdout}")

    def build(self, source, *arguments):
        """Set up and compile a project; gives the build folder."""
        build = self.folder / "build"
        self.meson("setup", build, source, *arguments)
        self.meson("compile", "-C", build)
        return build

    def installed(self, build):
        """The files that `meson install` installs, as paths below the prefix."""
        destination = self.folder / "destination"
        self.meson("install", "-C", build, "--no-rebuild", "--destdir", destination)
        prefix = destination / "usr" / "local"
        return sorted(str(path.relative_to(prefix))
                      for path in destination.rglob("*") if not path.is_dir())
