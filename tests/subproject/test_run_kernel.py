"""run-kernel, on either firmware and with arguments for QEMU of one's own."""

import os
import signal
import subprocess

from build import CROSS_FILE, SOURCE_ROOT, BuildTest
from suite import main

TIME_LIMIT_S = 240


class RunKernelTest(BuildTest):
    def check_hello(self, build):
        """Run it until the kernel has said its last line. Gives what it has said, and whether QEMU
        has made the file of -pidfile."""
        run = subprocess.Popen(
            ["timeout", "--kill-after=5", str(TIME_LIMIT_S), os.environ["MESON"], "compile", "-C",
             build, "run-kernel"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, start_new_session=True)
        output = b""
        with run:
            for line in run.stdout:
                output += line
                if b"Command line: " in line:
                    break
            has_pid = (self.folder / "pid").exists()
            os.killpg(run.pid, signal.SIGTERM)
        self.assertIn(b"Hello World!", output)
        return output, has_pid

    def test_run_kernel(self):
        build = self.build(SOURCE_ROOT, "--cross-file", CROSS_FILE, "-Duefi=enabled")
        own = f"-Dqemu-args=-display,none,-serial,stdio,-pidfile,{self.folder}/pid"
        for firmware in "bios", "uefi":
            with self.subTest(firmware):
                self.meson("configure", build, f"-Dfirmware={firmware}", own)
                output, has_pid = self.check_hello(build)
                self.assertEqual(b"Screen: text" in output, firmware == "bios")
                self.assertTrue(has_pid)


if __name__ == "__main__":
    main()
