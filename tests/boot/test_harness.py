"""The harness itself: each failure that it claims to see, it is shown here to see.

The guests are boot sectors (sector.asm); neither the loader nor the tool takes part.
"""

import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time
import unittest

import machine
import suite


def sector(name):
    return suite.build_path("SECTORS") / f"sector-{name}.img"


class HarnessTest(unittest.TestCase):
    def test_an_error_line_is_found_on_all_three_consoles(self):
        for bus, kind in machine.BUSES:
            with self.subTest(bus=bus, machine=kind):
                with machine.Machine(sector("print"), bus=bus, machine=kind) as guest:
                    self.assertEqual(guest.wait_for_error(), (99, "bootimage: E99 of the harness"))
                    self.assertNotEqual(guest.registers()["EIP"], 0)

    def test_characters_and_attributes_are_read_from_the_screen(self):
        with machine.Machine(sector("print")) as guest:
            guest.wait_for_error()
            row = next(row for row in guest.screen() if row[0][0] == "b" and row[11][0] == "E")
            self.assertEqual(row[:9], [(character, 0x07) for character in "bootimage"])

    def test_an_error_line_fails_a_wait_for_a_kernel(self):
        with self.assertRaisesRegex(machine.MachineFailure, "the loader gave up"):
            with machine.Machine(sector("print")) as guest:
                guest.wait_for_debugcon("entered")

    def test_a_triple_fault_is_named(self):
        with self.assertRaisesRegex(machine.MachineReset, "reset itself"):
            with machine.Machine(sector("triple-fault")) as guest:
                guest.wait_for_debugcon("entered")

    def test_a_hang_ends_at_the_time_limit(self):
        with self.assertRaisesRegex(machine.MachineTimeout, "time limit"):
            with machine.Machine(sector("hang"), time_limit_s=2) as guest:
                guest.wait_for_error()

    def test_a_write_to_the_disk_fails_the_test(self):
        before = sector("write-disk").read_bytes()
        with self.assertRaisesRegex(machine.DiskWritten, "disk: 1"):
            with machine.Machine(sector("write-disk")) as guest:
                guest.wait_for_error()
        self.assertEqual(sector("write-disk").read_bytes(), before)

    def test_a_qemu_that_does_not_start_is_named(self):
        with self.assertRaisesRegex(machine.MachineFailure, "QEMU did not start"):
            with machine.Machine(sector("print"), arguments=["-no-such-option"]):
                pass

    def test_a_terminated_test_leaves_nothing_behind(self):
        with tempfile.TemporaryDirectory() as folder:
            child = subprocess.Popen(
                [sys.executable, __file__, "HangForever"], stderr=subprocess.DEVNULL,
                env=os.environ | {"TMPDIR": folder, "HANG_FOREVER": "1"})
            try:
                deadline = time.monotonic() + machine.TIME_LIMIT_S
                while not list(pathlib.Path(folder).glob("*/running")):
                    self.assertLess(time.monotonic(), deadline)
                    time.sleep(machine.POLL_S)
                qemu = int(next(pathlib.Path(folder).glob("*/running")).read_text())
                child.send_signal(signal.SIGTERM)
                self.assertNotEqual(child.wait(timeout=machine.TIME_LIMIT_S), 0)
            finally:
                child.kill()
                child.wait()
            self.assertEqual(list(pathlib.Path(folder).iterdir()), [])
            self.assertFalse(pathlib.Path(f"/proc/{qemu}").exists())


if "HANG_FOREVER" in os.environ:
    class HangForever(suite.BootTest):
        """The test that test_a_terminated_test_leaves_nothing_behind terminates."""

        def test_hang(self):
            with machine.Machine(sector("hang")) as guest:
                (self.folder / "running.new").write_text(str(guest.process_id()))
                (self.folder / "running.new").rename(self.folder / "running")
                guest.wait_for_error()


if __name__ == "__main__":
    suite.main()
