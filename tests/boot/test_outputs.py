"""What `bootimage test` and `bootimage run` keep of a run and tell of it, beside verdict and crash
report; and gdb at work on the machine."""

import pathlib
import re
import resource
import signal
import socket
import struct
import subprocess
import time
import xml.etree.ElementTree

import judging
import suite

EXIT = "say hello|; exit 0x10"


class OutputTest(judging.JudgeTest):
    def tool(self, *words, **options):
        """Exit status and both outputs of any command of the tool."""
        done = subprocess.run([suite.build_path("BOOTIMAGE"), *map(str, words)],
                              stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              check=False, timeout=judging.TIME_LIMIT_S, errors="replace",
                              env=self.environment(), cwd=self.folder, **options)
        self.assertEqual(list(self.temporary().iterdir()), [])
        return done.returncode, done.stdout, done.stderr

    def kept(self, kernel, does, *options, status=0, command="test"):
        """Runs a kernel of kernels/crash; gives what was said on standard error."""
        done = self.tool(command, self.crash_kernel(kernel), "--cmdline", does, *options)
        self.assertEqual(done[0], status, done)
        return done[2]


class FilesTest(OutputTest):
    def test_junit(self):
        file = self.folder / "junit.xml"
        self.kept("crash-low", "say 1..2|ok 1 - a|not ok 2 - b|; exit 0x11", f"--junit={file}",
                  status=1)
        suites = xml.etree.ElementTree.parse(file).getroot()
        self.assertEqual((suites.get("tests"), suites.get("failures")), ("2", "1"))
        self.assertEqual([case.get("name") for case in suites.iter("testcase")], ["a", "b"])
        self.kept("crash-low", "write-unmapped", f"--junit={file}", status=4)
        suites = xml.etree.ElementTree.parse(file).getroot()
        self.assertEqual(suites.get("failures"), "1")
        failure = next(suites.iter("failure"))
        self.assertIn("triple fault", failure.get("message"))
        self.assertIn("map_page", failure.text)

    def test_record(self):
        record = self.folder / "record"
        self.kept("crash-low", "say hello|; write-unmapped", f"--record={record}", status=4)
        self.assertEqual(sorted(path.name for path in record.iterdir()),
                         ["command", "debugcon.txt", "image.bin", "qemu.txt", "report.json",
                          "report.txt", "screenshot.png", "serial.txt"])
        image = self.package(self.crash_kernel("crash-low"), "--cmdline",
                             "say hello|; write-unmapped")
        self.assertEqual((record / "image.bin").read_bytes(), image.read_bytes())
        self.assertEqual((record / "serial.txt").read_bytes().replace(b"\r", b""), b"hello\n")
        self.assertIn("map_page", (record / "report.txt").read_text())
        shell = subprocess.run(["sh", "-c", (record / "command").read_text()], check=False,
                               stdin=subprocess.DEVNULL, capture_output=True, cwd=self.folder,
                               timeout=judging.TIME_LIMIT_S)
        self.assertEqual((shell.returncode, shell.stdout.strip()), (0, b"hello"))

    def test_the_command_can_be_pasted(self):
        """It makes the image, and boots it."""
        kernel = self.folder / "a kernel.elf"
        kernel.write_bytes(self.crash_kernel("crash-low").read_bytes())
        said = self.tool("test", "-v", kernel, "--cmdline", EXIT)[2]
        line = re.search(r"^bootimage: command: (.*)$", said, re.MULTILINE)[1]
        tool = suite.build_path("BOOTIMAGE")
        shell = subprocess.run(
            ["sh", "-c", line], check=False, stdin=subprocess.DEVNULL, capture_output=True,
            cwd=self.folder, timeout=judging.TIME_LIMIT_S,
            env=self.environment(PATH=f"{tool.parent}:{self.environment()['PATH']}"))
        self.assertEqual(shell.returncode, 0x10 << 1 | 1, shell)
        self.assertTrue(shell.stdout.decode().replace("\r", "").endswith("hello\n"), shell)

    def test_no_room(self):
        """The verdict is told all the same; the tool says what it could not keep."""
        record = self.folder / "record"
        limit = 600_000

        def limited():
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
        done = self.tool("test", self.crash_kernel("crash-low"), "--cmdline",
                         "flood 60000; exit 0x10", f"--record={record}", preexec_fn=limited)
        self.assertEqual(done[0], 2, done[2][-1000:])
        self.assertIn("[record-write]", done[2])
        self.assertIn("passed: the kernel wrote the success code", done[2])
        full = self.kept("crash-low", "write-unmapped", "--crash-report=/dev/full", status=2)
        self.assertIn("failed: triple fault", full)
        self.assertTrue(pathlib.Path("/dev/full").is_char_device())

    def test_a_file_is_replaced_whole(self):
        file = self.folder / "report"
        file.write_text("x" * 1_000_000)
        self.kept("crash-low", "write-unmapped", f"--crash-report={file}", status=4)
        self.assertTrue(file.read_text().startswith("bootimage: "))
        self.assertNotIn("xxx", file.read_text())


class ScreenshotTest(OutputTest):
    def size(self, file):
        data = file.read_bytes()
        self.assertEqual(data[:8], b"\x89PNG\r\n\x1a\n")
        return struct.unpack_from(">II", data, 16)

    def test_at_the_end_and_before(self):
        file = self.folder / "screen.png"
        for options in ((), ("--screenshot-at=1",)):
            self.kept("crash-low", "hang-busy", f"--screenshot={file}", "--timeout=2", *options,
                      status=3)
            self.assertEqual(self.size(file), (720, 400))
            file.unlink()

    def test_none(self):
        said = self.kept("crash-low", EXIT, f"--screenshot={self.folder / 'screen.png'}")
        self.assertIn("[screenshot-none]", said)


class ProfileTest(OutputTest):
    def check_table(self, said, steps):
        rows = re.findall(r"^([a-z][a-z0-9 ]*?) +[\d.]+ +(\d+) +[\d.]+ %", said, re.MULTILINE)
        self.assertEqual([name for name, _ in rows], steps)
        self.assertEqual(sum(int(ticks) for _, ticks in rows[:-1]), int(rows[-1][1]))

    def test_bios(self):
        """Although QEMU is gone, and its memory with it, when the kernel writes its code."""
        file = self.folder / "profile.svg"
        said = self.kept("crash-low", EXIT, "--profile", f"--svg={file}")
        self.check_table(said, ["firmware", "stage 1", "stage 2", "plan", "read", "copy", "check",
                                "clear", "map", "kernel entry"])
        self.assertEqual(xml.etree.ElementTree.parse(file).getroot().tag,
                         "{http://www.w3.org/2000/svg}svg")

    def test_uefi(self):
        said = self.kept("crash-high", EXIT, "--profile", "--firmware=uefi")
        self.check_table(said, ["firmware", "disk", "plan", "read", "copy", "check", "clear", "map",
                                "kernel entry"])

    def test_none(self):
        kernel = suite.build_path("KERNELS") / "protocols/multiboot1.elf"
        done = self.tool("test", kernel, "--profile", "--timeout=2")
        self.assertEqual(done[0], 2, done)
        self.assertIn("[profile-none]", done[2])


class SymbolsTest(OutputTest):
    def test_of_an_image(self):
        kernel = self.crash_kernel("crash-low")
        words = ["--cmdline", "write-unmapped"]
        bare = self.package(kernel, *words, name="bare.bin")
        full = self.package(kernel, "--with-elf", *words, name="full.bin")
        for command in (bare,), (bare, "--symbols", kernel), (full,):
            status, _, said = self.tool("test", *command)
            self.assertEqual(status, 4)
            if len(command) == 1 and command[0] == bare:
                self.assertIn("--symbols", said)
                self.assertNotIn("map_page", said)
            else:
                self.assertIn("map_page", said)


class RunTest(OutputTest):
    def test_ends(self):
        for does, status in ("shutdown", 0), ("write-unmapped", 1), ("reset-keyboard", 1):
            with self.subTest(does):
                done = self.tool("run", self.crash_kernel("crash-low"), "--cmdline",
                                 f"say hello|; {does}")
                self.assertEqual((done[0], done[1].replace("\r", "")), (status, "hello\n"), done[2])
                self.assertEqual("map_page" in done[2], does == "write-unmapped")

    def test_arguments_for_qemu(self):
        done = self.tool("run", "--display=none", self.crash_kernel("crash-low"),
                         "--cmdline=shutdown", "--", "-device", "no-such-device")
        self.assertEqual(done[0], 1)
        self.assertIn("no-such-device", done[2])


def free_port():
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        return server.getsockname()[1]


class GdbTest(OutputTest):
    def debug(self, *options):
        port = free_port()
        with (self.folder / "err").open("w+") as err:
            tool = subprocess.Popen(
                [suite.build_path("BOOTIMAGE"), "run", "--display=none",
                 suite.build_path("KERNEL"), f"--gdb={port}", *options],
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=err,
                env=self.environment())
            try:
                command = self.wait_for_command(tool)
                self.assertEqual(command[:2], ["gdb", "-x"])
                gdb = subprocess.run(
                    [*command, "-nx", "-batch", "-ex", "hbreak exceptions_init", "-ex", "continue",
                     "-ex", "next", "-ex", "next", "-ex", "info locals",
                     "-ex", "hbreak kernel_main", "-ex", "continue", "-ex", "backtrace"],
                    stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
                    timeout=judging.TIME_LIMIT_S, env=self.environment())
            finally:
                tool.send_signal(signal.SIGINT)
                status = tool.wait(timeout=judging.TIME_LIMIT_S)
        self.assertEqual(status, -signal.SIGINT)
        self.assertEqual(list(self.temporary().iterdir()), [])
        said = gdb.stdout + gdb.stderr
        self.assertRegex(said, r"Breakpoint 1, .*_start \(", said)
        self.assertRegex(said, r"#0 +kernel_main \(info=.*main\.c:\d+\n#1 .* _start ", said)
        self.assertRegex(said, r"\nvector = 0\nidt = \{limit = 511, ", said)

    def wait_for_command(self, tool):
        end = time.monotonic() + judging.TIME_LIMIT_S
        while time.monotonic() < end and tool.poll() is None:
            found = re.search(r"waits for: (gdb .*)\n", (self.folder / "err").read_text())
            if found:
                return found[1].split()
            time.sleep(0.05)
        raise AssertionError((self.folder / "err").read_text())

    def test_bios(self):
        self.debug()

    def test_uefi(self):
        self.debug("--firmware=uefi")


if __name__ == "__main__":
    suite.main()
