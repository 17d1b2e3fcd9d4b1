"""bootimage runner, with a QEMU that only notes what it was given; and once with the real one."""

import errno
import fcntl
import itertools
import json
import os
import pathlib
import pty
import select
import shutil
import signal
import subprocess
import termios
import time

import elf
import image
import support

FAKE_QEMU = """#!/bin/sh
for word; do
    printf '%s\\n' "$word"
    case $word in *file=/dev/fd/*) cat "/dev/fd/${word##*/}" >"$NOTES/image" ;; esac
done >"$NOTES/arguments"
ls -A "$TMPDIR" >"$NOTES/left"
if test -t 0; then echo yes; else echo no; fi >"$NOTES/terminal"
eval "$FAKE_QEMU_DOES"
"""


class RunnerTest(support.ToolTest):
    def setUp(self):
        super().setUp()
        for name in "path", "notes", "tmp":
            (self.folder / name).mkdir()
        fake = self.folder / "path/qemu-system-x86_64"
        fake.write_text(FAKE_QEMU)
        fake.chmod(0o755)
        self.environment = {
            "PATH": f"{self.folder}/path:{os.environ['PATH']}", "NOTES": f"{self.folder}/notes",
            "TMPDIR": f"{self.folder}/tmp", "TERM": "xterm", "FAKE_QEMU_DOES": "exit 0",
        }

    def note(self, name):
        return (self.folder / "notes" / name).read_bytes()

    def run_fake(self, *arguments, status=0, errors="", **environment):
        """Runs the runner; returns QEMU's arguments without those that attach the disk."""
        result = self.tool("runner", *arguments, env={**self.environment, **environment})
        self.assertEqual(result, (status, "", errors))
        return self.arguments()

    def arguments(self):
        words = self.note("arguments").decode().splitlines()
        self.assertRegex(" ".join(words[:4]),
                         r"\A-drive if=none,id=bootimage,format=raw,file=/dev/fd/\d+ "
                         r"-device virtio-blk-pci,drive=bootimage,bootindex=1\Z")
        return words[4:]


class Uefi(RunnerTest):
    """--firmware=uefi: OVMF, found by QEMU's descriptors in a folder of the test's own."""

    OWN = ["-display", "none", "-serial", "stdio"]

    def setUp(self):
        super().setUp()
        self.environment["XDG_CONFIG_HOME"] = f"{self.folder}/config"
        (self.folder / "config/qemu/firmware").mkdir(parents=True)
        for name in "CODE.fd", "VARS.fd", "a,b_CODE.fd", "a,b_VARS.fd", "whole.fd":
            self.write(name, f"this is {name}".encode())

    def describe(self, name, code="CODE.fd", variables="VARS.fd", architecture="x86_64",
                 machines=("pc-q35-*",), features=("verbose-dynamic",), interface="uefi"):
        """Write a descriptor."""
        file = self.folder / "config/qemu/firmware" / name
        file.write_text(json.dumps({
            "description": "UEFI", "interface-types": [interface],
            "mapping": {"device": "flash",
                        "executable": {"filename": str(self.folder / code), "format": "raw"},
                        "nvram-template": {"filename": str(self.folder / variables),
                                           "format": "raw"}},
            "targets": [{"architecture": architecture, "machines": list(machines)}],
            "features": list(features), "tags": []}))

    def run_uefi(self, *arguments, code="CODE.fd", variables=True, machine=True):
        """Runs the runner with a QEMU that changes the variables; the file that it was given."""
        words = self.run_fake("--firmware=uefi", *arguments,
                              FAKE_QEMU_DOES='for word; do case $word in *unit=1*) '
                              'cat "/dev/fd/${word##*/}" >"$NOTES/variables"; '
                              'echo changed >"/dev/fd/${word##*/}" ;; esac; done')
        if machine:
            self.assertEqual(words[:2], ["-machine", "q35"])
            words = words[2:]
        path = str(self.folder / code).replace(",", ",,")
        self.assertEqual(words[:2], [
            "-drive", f"if=pflash,format=raw,unit=0,readonly=on,file={path}"])
        words = words[2:]
        if variables:
            self.assertRegex(" ".join(words[:2]),
                             r"\A-drive if=pflash,format=raw,unit=1,file=/dev/fd/\d+\Z")
            words = words[2:]
            self.assertEqual(self.note("variables"),
                             f"this is {code.replace('CODE', 'VARS')}".encode())
        self.assertEqual(words[:4], self.OWN)
        self.assertEqual(self.note("left"), b"")
        for name in "VARS.fd", "a,b_VARS.fd":
            self.assertEqual((self.folder / name).read_bytes(), f"this is {name}".encode())
        return words[4:]

    def test_descriptor(self):
        self.describe("10-mine.json")
        self.assertEqual(self.run_uefi("kernel.elf", "-m", "64M"), ["-m", "64M"])

    def test_first_that_fits(self):
        self.describe("10-smm.json", code="no", features=("requires-smm",))
        self.describe("11-keys.json", code="no", features=("enrolled-keys",))
        self.describe("12-arm.json", code="no", architecture="aarch64")
        self.describe("13-other.json", code="no", machines=("pc-i440fx-*",))
        self.describe("14-bios.json", code="no", interface="bios")
        self.describe("15-gone.json", code="no")
        (self.folder / "config/qemu/firmware/16-broken.json").write_text("{")
        self.describe("17-right.json")
        self.describe("18-late.json", code="a,b_CODE.fd", variables="a,b_VARS.fd")
        self.run_uefi("kernel.elf")

    def test_a_file_hides_others_of_its_name(self):
        """An empty one, too: here the descriptors of the system."""
        for folder in "/etc/qemu/firmware", "/usr/share/qemu/firmware":
            for file in pathlib.Path(folder).glob("*.json"):
                (self.folder / "config/qemu/firmware" / file.name).write_text("")
        self.describe("99-last.json")
        self.run_uefi("kernel.elf")

    def test_named(self):
        self.run_uefi("--ovmf", str(self.folder / "a,b_CODE.fd"), "kernel.elf", code="a,b_CODE.fd")
        self.run_uefi("--ovmf", str(self.folder / "whole.fd"), "kernel.elf", code="whole.fd",
                      variables=False)

    def test_machine_of_the_user(self):
        self.describe("10-mine.json")
        for words in ["-M", "pc"], ["-machine", "q35,smm=on"], ["--machine", "pc"]:
            self.assertEqual(self.run_uefi("kernel.elf", *words, machine=False), words)

    def test_bios(self):
        self.assertEqual(self.run_fake("--firmware=bios", "kernel.elf"), self.OWN)

    def test_errors(self):
        def refused(status, said, *arguments):
            self.assertEqual(self.tool("runner", *arguments, env=self.environment),
                             (status, "", f"bootimage: {said}\n"))
        refused(2, "--firmware is both; give bios or uefi [firmware-name]", "--firmware=both",
                "kernel.elf")
        refused(2, "--ovmf is of no use without --firmware=uefi; give both [ovmf-without-uefi]",
                "--ovmf=x", "kernel.elf")
        refused(1, "nothing: cannot read: No such file or directory; name OVMF's code by --ovmf "
                "[ovmf-file]", "--firmware=uefi", "--ovmf=nothing", "kernel.elf")
        (self.folder / "VARS.fd").unlink()
        refused(1, "VARS.fd: cannot read: No such file or directory; it is to hold the variables of "
                "CODE.fd: put them there, or name another file by --ovmf [ovmf-variables]",
                "--firmware=uefi", "--ovmf=CODE.fd", "kernel.elf")

    def test_the_real_ones(self):
        """QEMU and OVMF: the kernel of the test has nothing to say, but the firmware starts it."""
        name = self.folder / "serial"
        with subprocess.Popen(
                [support.TOOL, "runner", "--firmware=uefi", "kernel.elf", "-display",
                 "none", "-accel", "tcg", "-serial", f"file:{name}"],
                cwd=self.folder, env=os.environ | {"XDG_CONFIG_HOME": str(self.folder)}) as qemu:
            deadline = time.monotonic() + 60
            while time.monotonic() < deadline and qemu.poll() is None and not (
                    name.exists() and b"starting Boot" in name.read_bytes()):
                time.sleep(0.05)
            qemu.kill()
        self.assertIn(b"starting Boot", name.read_bytes())


class Runner(RunnerTest):
    def test_image_is_the_same_as_a_packaged_one(self):
        self.run_fake("--cmdline=a b", "kernel.elf")
        self.assertEqual(self.tool("-q", "kernel.elf", "--cmdline=a b")[0], 0)
        self.assertTrue(self.note("image") == self.image.read_bytes())
        self.assertEqual(image.Image(self.note("image")).command_line, b"a b")

    def test_the_project_file_has_its_say(self):
        """What it says for images and for run; not for what needs run's own machine."""
        self.write("bootimage.ini", b"stack-size = 0x5000\n[package]\ncmdline = of the image\n"
                                    b"[run]\ncmdline = of run\nmemory = 1G\n[test]\nsmp = 3\n")
        self.assertEqual(self.run_fake("kernel.elf", "-m", "64M")[-2:], ["-m", "64M"])
        made = image.Image(self.note("image"))
        self.assertEqual((made.command_line, made.protocol[3]), (b"of run", 0x5000))
        self.run_fake("--cmdline=of the words", "kernel.elf")
        self.assertEqual(image.Image(self.note("image")).command_line, b"of the words")

    def test_nothing_is_left(self):
        for does in "exit 0", "exit 3", "kill -KILL $$":
            self.tool("runner", "kernel.elf", env={**self.environment, "FAKE_QEMU_DOES": does})
            # Neither while QEMU runs nor afterwards, and nothing beside the kernel.
            self.assertEqual(self.note("left"), b"")
            self.assertEqual(os.listdir(self.folder / "tmp"), [])
            self.assertEqual(self.names(), ["kernel.elf", "notes", "path", "tmp"])

    def test_exit_status_is_that_of_qemu(self):
        for status in 0, 1, 2, 33, 255:
            self.run_fake("kernel.elf", status=status, FAKE_QEMU_DOES=f"exit {status}")
        self.run_fake("kernel.elf", status=-signal.SIGTERM, FAKE_QEMU_DOES="kill -TERM $$")

    def test_what_follows_the_kernel_is_for_qemu(self):
        own = ["-display", "none", "-serial", "stdio"]
        self.assertEqual(self.run_fake("kernel.elf"), own)
        self.assertEqual(self.run_fake("kernel.elf", "-m", "64M"), [*own, "-m", "64M"])
        self.assertEqual(self.run_fake("kernel.elf", "--", "-q"), [*own, "-q"])
        self.assertEqual(self.run_fake("kernel.elf", "--", "--", "a b", ""),
                         [*own, "--", "a b", ""])
        self.assertEqual(self.run_fake("--", "kernel.elf", "--help", "--cmdline"),
                         [*own, "--help", "--cmdline"])

    def test_own_display_only_where_the_user_has_none(self):
        serial = ["-display", "none", "-serial", "stdio"]
        for words, added in [
            ([], serial), (["-name", "-x"], serial),
            (["-display", "none"], []), (["--display", "none"], []), (["-nographic"], []),
            (["-curses"], []), (["-vnc", ":1"], []),
            (["-serial", "file:x"], ["-display", "none"]),
            (["-monitor", "stdio"], ["-display", "none"]),
            (["-chardev", "stdio,id=x"], ["-display", "none"]),
        ]:
            with self.subTest(words):
                self.assertEqual(self.run_fake("kernel.elf", *words), [*added, *words])

    def test_window_where_there_is_a_display(self):
        self.assertEqual(self.run_fake("kernel.elf", DISPLAY=":0"), [])
        self.assertEqual(self.run_fake("kernel.elf", WAYLAND_DISPLAY="wayland-0"), [])
        self.assertEqual(self.run_fake("kernel.elf", DISPLAY="")[:2], ["-display", "none"])

    def test_warnings_come_before_qemu(self):
        self.write("kernel.elf", elf.build([elf.Segment(0x100000, b"\xf4", elf.R | elf.W | elf.X)]))
        self.run_fake("kernel.elf", errors="bootimage: warning: kernel.elf: segment 0 [0x100000, "
                      "0x100001) is writable and executable; link with -z separate-code and "
                      "without -N (--omagic) [segment-writable-executable]\n")

    def test_closed_standard_streams_do_not_end_up_in_the_image(self):
        """A warning is written to the file descriptor 2, whatever that is."""
        self.write("kernel.elf", elf.build([elf.Segment(0x100000, b"\xf4", elf.R | elf.W | elf.X)]))
        self.assertEqual(self.tool("-q", "kernel.elf")[0], 0)
        expected = self.image.read_bytes()
        for closed in "<&- >&- 2>&-", ">&- 2>&-", "2>&-", "<&-":
            subprocess.run(["sh", "-c", f'exec "$0" runner kernel.elf {closed}', support.TOOL],
                           cwd=self.folder, env=self.environment, timeout=support.TIME_LIMIT_S,
                           stderr=subprocess.DEVNULL, check=True)
            self.assertTrue(self.note("image") == expected, closed)

    def test_no_qemu(self):
        self.assert_fails("qemu-system-x86_64: not found; install QEMU (Debian: qemu-system-x86) "
                          "or add its folder to PATH [qemu-missing]", "runner", "kernel.elf",
                          env={**self.environment, "PATH": "/nowhere"})

    def test_qemu_that_cannot_run(self):
        (self.folder / "path/qemu-system-x86_64").chmod(0o644)
        self.assert_fails("qemu-system-x86_64: cannot run: Permission denied [qemu-run]", "runner",
                          "kernel.elf",
                          env={**self.environment, "PATH": f"{self.folder}/path"})

    def test_bad_kernel(self):
        self.assert_fails("nothing: cannot open: No such file or directory; check the path "
                          "[kernel-open]", "runner", "nothing", env=self.environment)

    def test_no_place_for_the_image(self):
        missing = f"{self.folder}/missing"
        self.assert_fails(f"{missing}: cannot create a temporary file: No such file or directory; "
                          "name another folder with TMPDIR [temporary-file]",
                          "runner", "kernel.elf", env={**self.environment, "TMPDIR": missing})

    def test_a_kernel_named_runner(self):
        self.write("runner", elf.kernel())
        self.assertEqual(self.tool("-q", "./runner"), (0, "", ""))


class Terminal(RunnerTest):
    def start(self, stdin, arguments=(), **environment):
        """The runner with a terminal as standard output and error, perhaps as input; and the other
        end of that terminal."""
        controller, terminal = pty.openpty()
        self.addCleanup(os.close, controller)
        process = subprocess.Popen(
            [support.TOOL, "runner", "kernel.elf", *arguments], cwd=self.folder,
            stdin=terminal if stdin else subprocess.DEVNULL, stdout=terminal, stderr=terminal,
            start_new_session=True, env={**self.environment, **environment},
            preexec_fn=lambda: fcntl.ioctl(terminal, termios.TIOCSCTTY, 0))
        os.close(terminal)
        self.addCleanup(process.kill)
        return process, controller

    def read(self, controller):
        """What appears on the terminal until its last user closes it."""
        output = b""
        while select.select([controller], [], [], support.TIME_LIMIT_S)[0]:
            try:
                output += os.read(controller, 4096)
            except OSError as end:
                self.assertEqual(end.errno, errno.EIO)
                return output
        return self.fail(f"nothing more after {output}")

    def type_until_it_ends(self, process, controller, keys):
        """Types, in turns, again and again: QEMU may not have begun to listen. Nothing is looked
        for on the screen, as curses leaves out what is already there. Returns the exit status."""
        deadline = time.monotonic() + support.TIME_LIMIT_S
        for key in itertools.cycle(keys):
            self.assertLess(time.monotonic(), deadline)
            os.write(controller, key)
            if select.select([controller], [], [], 0.2)[0]:
                try:
                    os.read(controller, 1 << 16)
                except OSError as end:
                    self.assertEqual(end.errno, errno.EIO)
                    return process.wait(support.TIME_LIMIT_S)

    def run_fake_there(self, stdin, **environment):
        process, controller = self.start(stdin, **environment)
        output = self.read(controller)
        self.assertEqual(process.wait(support.TIME_LIMIT_S), 0)
        return output.decode()

    def test_curses_on_a_terminal(self):
        for stdin in True, False:
            output = self.run_fake_there(stdin)
            self.assertEqual(self.arguments(), ["-display", "curses"])
            # Build tools take standard input away; the keyboard is still there.
            self.assertEqual(self.note("terminal"), b"yes\n")
            self.assertEqual(output, "bootimage: QEMU takes this terminal now; to leave it, press "
                                     "Alt+2, type quit and press Enter\r\n")

    def test_serial_on_a_terminal_without_a_cursor(self):
        for kind in "dumb", "":
            self.assertEqual(self.run_fake_there(True, TERM=kind), "")
            self.assertEqual(self.arguments(), ["-display", "none", "-serial", "stdio"])

    def test_the_way_to_leave_is_as_the_line_says(self):
        process, controller = self.start(True, ["-accel", "tcg"], PATH=os.environ["PATH"])
        alt_2 = b"\x1b2"
        self.assertEqual(self.type_until_it_ends(process, controller, [alt_2, b"quit\r"]), 0)

    def test_control_c_ends_the_serial_port(self):
        process, controller = self.start(True, ["-accel", "tcg"], PATH=os.environ["PATH"],
                                         TERM="dumb")
        # A signal that comes before QEMU handles it does as well.
        self.assertIn(self.type_until_it_ends(process, controller, [b"\x03"]),
                      (0, -signal.SIGINT))


class RealQemu(support.ToolTest):
    def test_real_qemu_opens_the_image(self):
        """A broken image file would end QEMU with status 1 before the machine starts; -S leaves it
        stopped, and the monitor's `quit` is a good end."""
        self.assertIsNotNone(shutil.which("qemu-system-x86_64"))
        result = subprocess.run(
            [support.TOOL, "runner", "kernel.elf", "-accel", "tcg", "-S", "-display", "none",
             "-monitor", "stdio"], cwd=self.folder, input=b"info block\nquit\n",
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=support.TIME_LIMIT_S)
        self.assertEqual(result.returncode, 0)
        self.assertIn(b"bootimage", result.stdout)
        self.assertIn(b"(raw)", result.stdout)


if __name__ == "__main__":
    support.main()
