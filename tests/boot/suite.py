"""What every file of boot tests shares: where the built things are, packaging, and running.

Meson tells by environment variables where the tool and the kernels are. A test that cannot run is
a failure: there is no skipping here, and a file in which no test ran fails, too.
"""

import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import unittest

import machine


# A machine with UEFI, as arguments of machine.Machine.
UEFI = {"firmware": "uefi", "machine": "q35"}


def build_path(variable):
    """A path that Meson handed over."""
    value = os.environ.get(variable)
    if not value:
        raise AssertionError(f"{variable} is not set: run this by `meson test`")
    return pathlib.Path(value)


class BootTest(unittest.TestCase):
    """A test case with a folder of its own that is gone after each test."""

    def run(self, result=None):
        # Not setUp and addCleanup: those do not clean up after a KeyboardInterrupt.
        with tempfile.TemporaryDirectory(prefix="bootimage-", ignore_cleanup_errors=True) as folder:
            self.folder = pathlib.Path(folder)
            return super().run(result)

    def kernel(self, name):
        """Path of a test kernel that Meson built."""
        return build_path("KERNELS") / f"{name}.elf"

    def loader_symbol(self, name):
        """The address of a symbol of the loader."""
        table = subprocess.run([build_path("OBJDUMP"), "-t", build_path("LOADER")], check=True,
                               capture_output=True, text=True).stdout
        return int(re.search(rf"^([0-9a-f]+) .* {name}$", table, re.MULTILINE)[1], 16)

    def package(self, kernel, *options, name="image.bin"):
        """Make an image of a kernel with the tool and give its path."""
        image = self.folder / name
        done = subprocess.run([build_path("BOOTIMAGE"), *options, kernel, "-o", image],
                              capture_output=True, text=True, check=False, timeout=60)
        self.assertEqual(done.returncode, 0, f"bootimage {kernel}: {done.stderr}")
        return image


    def check_report(self, guest):
        """Wait for the end of a test kernel's report (kernels/report.h) and judge it: every check
        held and none is missing. Gives the values by their names, and the number of checks."""
        guest.wait_for_debugcon("done\n")
        report = guest.debugcon()
        lines = report.splitlines()
        self.assertEqual(lines[0], "entered")
        checks = [line for line in lines if line.startswith(("ok ", "not ok "))]
        failed = [line for line in checks if not line.startswith("ok ")]
        self.assertEqual(failed, [], report)
        numbers = [int(line.split()[1]) for line in checks]
        self.assertEqual(numbers, list(range(1, len(checks) + 1)), report)
        self.assertEqual(lines[-2], f"1..{len(checks)}", report)
        values = dict(re.findall(r"^# (\w+) = (.*)$", report, re.MULTILINE))
        return values, len(checks)

    def used_memory(self, memory_mib):
        """What makes a machine whose RAM is not zero at power-on, but full of 0xCC."""
        path = self.folder / "memory"
        with path.open("wb") as file:
            for _ in range(memory_mib):
                file.write(b"\xCC" * 2**20)
        backend = (f"memory-backend-file,id=ram,size={memory_mib}M,share=off,"
                   f"mem-path={machine.comma_escaped(path)}")
        return {"memory": f"{memory_mib}M", "machine_options": ",memory-backend=ram",
                "arguments": ["-object", backend]}

    def boot_image(self, image, **how):
        """Boot an image of a kernel of ours, and judge its report; as check_report."""
        with machine.Machine(image, **how) as guest:
            return self.check_report(guest)

    def boot(self, kernel, *options, **how):
        """Package a kernel of ours, boot it, and judge its report; as check_report."""
        return self.boot_image(self.package(self.kernel(kernel), *options), **how)


def interrupt(_number, _frame):
    # unittest lets nothing but this one through, and it runs every clean-up on its way.
    raise KeyboardInterrupt


def main():
    """Run the tests of the calling file; 1 if any failed, was skipped, or there was none."""
    signal.signal(signal.SIGTERM, interrupt)
    outcome = unittest.main(verbosity=2, exit=False).result
    complete = outcome.testsRun > 0 and not outcome.skipped
    sys.exit(0 if outcome.wasSuccessful() and complete else 1)
