"""What `bootimage run` and `bootimage test` leave behind: reports, records, pictures, profiles, the
command to paste and the script for gdb; for machines that are QEMU's own."""

import json
import os
import pathlib
import re
import resource
import shlex
import shutil
import signal
import socket
import struct
import subprocess
import time
import xml.etree.ElementTree

import judging
import machine
import suite
from judging import TIME_LIMIT_S

PASSED, FAILED, USAGE, TIMEOUT, RESET, QEMU, LOADER = 0, 1, 2, 3, 4, 6, 7
KERNEL = "crash-low"
FULL_BYTES = 1 << 20
WAITS = "bootimage: the machine waits for: gdb -x "
PNG = b"\x89PNG\r\n\x1a\n"
TEXT_SCREEN = (720, 400)
BIOS_STEPS = ["firmware", "stage 1", "stage 2", "plan", "read", "copy", "check", "clear", "map",
              "kernel entry"]
UEFI_STEPS = ["firmware", "disk", *BIOS_STEPS[3:]]
SVG = "{http://www.w3.org/2000/svg}"


class OutputTest(judging.JudgeTest):
    def words(self, command, kernel, *options):
        path = kernel if isinstance(kernel, pathlib.Path) else self.crash_kernel(kernel)
        return [str(suite.build_path("BOOTIMAGE")), command, str(path), *map(str, options)]

    def tool(self, command, kernel, *options, **how):
        """Runs the tool in the test's folder."""
        how.setdefault("env", self.environment())
        done = subprocess.run(self.words(command, kernel, *options), cwd=self.folder,
                              stdin=subprocess.DEVNULL, capture_output=True, check=False,
                              timeout=TIME_LIMIT_S, **how)
        return judging.Outcome(done.returncode, done.stdout.decode(errors="replace"),
                               done.stderr.decode(errors="replace").replace("\r\n", "\n"), None)

    def judged(self, does, *options, status=PASSED, kernel=KERNEL, **how):
        """Has a kernel judged that does this; the last line is the verdict."""
        outcome = self.tool("test", kernel, "--cmdline", does, *options, **how)
        self.check_status(outcome, status)
        return outcome

    def check_picture(self, path, size=TEXT_SCREEN):
        data = path.read_bytes()
        self.assertEqual(data[:8], PNG)
        self.assertEqual(struct.unpack(">II", data[16:24]), size)
        self.assertTrue(data.endswith(b"IEND\xaeB`\x82"))

    def check_nothing_left(self, *expected):
        """In the folder there is what was asked for, and no temporary file anywhere."""
        self.assertEqual(list(self.temporary().iterdir()), [])
        self.assertEqual(sorted(path.name for path in self.folder.iterdir()),
                         sorted(["tmp", *expected]))


class JunitTest(OutputTest):
    def parse(self, does, status):
        self.judged(does, "--junit", "junit.xml", status=status)
        self.check_nothing_left("junit.xml")
        root = xml.etree.ElementTree.parse(self.folder / "junit.xml").getroot()
        self.assertEqual((root.tag, root[0].tag), ("testsuites", "testsuite"))
        self.assertGreater(float(root.get("time")), 0)
        return root, {case.get("name"): case for case in root.iter("testcase")}

    def test_a_kernel_with_tap(self):
        root, cases = self.parse("say 1..3|ok 1 - a <b>|not ok 2 - c & d|# why|ok 3 # SKIP no disk|"
                                 "; exit 0x10", FAILED)
        self.assertEqual([root.get(name) for name in ("tests", "failures", "skipped")],
                         ["3", "1", "1"])
        self.assertEqual([[child.tag for child in case] for case in cases.values()],
                         [[], ["failure"], ["skipped"]])
        self.assertEqual(list(cases)[:2], ["a <b>", "c & d"])
        self.assertIn("why", cases["c & d"].find("failure").text)
        self.assertIn("not ok 2 - c & d", root.find(".//system-out").text)

    def test_a_kernel_that_passes_without_tap(self):
        root, cases = self.parse("say hello|; exit 0x10", PASSED)
        self.assertEqual((root.get("tests"), root.get("failures")), ("1", "0"))
        self.assertEqual(len(cases["bootimage test"]), 0)

    def test_a_crash(self):
        root, cases = self.parse("say 1..2|ok 1 - first|; opcode", RESET)
        self.assertEqual((root.get("tests"), root.get("failures")), ("2", "1"))
        failure = cases["bootimage test"].find("failure")
        self.assertEqual(failure.get("message"), "triple fault")
        file, line = judging.place("opcode")
        self.assertRegex(failure.text, rf"invalid opcode, at opcode\+0x[0-9a-f]+ .*{file}:{line}\)")


class ReportTest(OutputTest):
    def test_a_file_that_is_there_is_replaced(self):
        path = self.folder / "report"
        path.write_text("x" * 100000)
        errors = self.judged("opcode", "--crash-report", "report", status=RESET).err
        text = path.read_text()
        self.assertTrue(text.startswith(f"bootimage: {self.crash_kernel(KERNEL)}: triple fault: "
                                        "invalid opcode, at opcode+"))
        self.assertTrue(errors.startswith(text), "the same is on standard error")
        self.judged("opcode", "--crash-report", "report", "--json", status=RESET)
        self.assertEqual(json.loads(path.read_text())["what"], "triple fault")
        self.check_nothing_left("report")

    def test_no_crash_no_report(self):
        (self.folder / "report").write_text("old")
        self.judged("exit 0x10", "--crash-report", "report")
        self.assertEqual((self.folder / "report").read_text(), "old")

    def check_refused(self, message, *options, does="opcode", **how):
        """The tool's error comes last, and the verdict before it is told all the same."""
        outcome = self.tool("test", KERNEL, "--cmdline", does, *options, **how)
        self.assertEqual(outcome.status, USAGE, outcome.err[-2000:])
        self.assertEqual(outcome.err.splitlines()[-2:], [
            f"bootimage: {self.crash_kernel(KERNEL)}: failed: triple fault",
            f"bootimage: {message}"])
        return outcome

    def test_a_device_is_left_alone(self):
        before = os.lstat("/dev/full")
        outcome = self.check_refused(
            "/dev/full: is not a regular file, and is left alone; write to a file with -o and copy "
            "that [output-not-regular]", "--crash-report", "/dev/full", "--record", "record",
            "--junit", "junit.xml", "--screenshot", "/dev/full")
        self.assertIn("invalid opcode, at opcode+", outcome.err)
        after = os.lstat("/dev/full")
        self.assertEqual((before.st_rdev, before.st_mode, before.st_ino),
                         (after.st_rdev, after.st_mode, after.st_ino))
        # What else was asked for is there.
        self.check_nothing_left("record", "junit.xml")
        for name in "report.txt", "report.json", "screenshot.png":
            self.assertIn(name, os.listdir(self.folder / "record"))

    def limit(self):
        resource.setrlimit(resource.RLIMIT_FSIZE, (FULL_BYTES, FULL_BYTES))

    def test_a_full_disk(self):
        """As one is where no file may be larger: here the record of the serial port."""
        self.check_refused("record/serial.txt: cannot write all of it: File too large; make room "
                           "there, or name another folder by --record [record-write]",
                           "--record", "record", preexec_fn=self.limit,
                           does=f"flood {FULL_BYTES // 16 + 4096}; opcode")
        self.assertEqual((self.folder / "record/serial.txt").stat().st_size, FULL_BYTES)
        self.assertIn("report.txt", os.listdir(self.folder / "record"))

    def test_no_room_for_the_image(self):
        """Nothing is started, and nothing is judged."""
        image = self.package(self.crash_kernel(KERNEL), "--cmdline", "exit 0x10")
        with image.open("ab") as file:
            file.truncate(2 * FULL_BYTES)
        outcome = self.tool("test", image, "--record", "record", preexec_fn=self.limit)
        self.assertEqual((outcome.status, outcome.err), (
            USAGE, "bootimage: record/image.bin: cannot write: File too large; make room there, or "
                   "name another place [file-write]\n"))


class RecordTest(OutputTest):
    def record(self, *options, does="say it's noted|; opcode", status=RESET):
        self.judged(does, "--record", "record", *options, status=status)
        return {path.name: path.read_bytes() for path in (self.folder / "record").iterdir()}

    def test_all_of_a_run(self):
        image = self.package(self.crash_kernel(KERNEL), "--cmdline", "say it's noted|; opcode")
        files = self.record()
        self.assertEqual(sorted(files), ["command", "debugcon.txt", "image.bin", "qemu.txt",
                                         "report.json", "report.txt", "screenshot.png",
                                         "serial.txt"])
        self.assertTrue(files["image.bin"] == image.read_bytes())
        self.assertEqual(files["serial.txt"], b"it's noted\r\n")
        self.assertIn(b"triple fault: invalid opcode, at opcode+", files["report.txt"])
        self.assertEqual(json.loads(files["report.json"])["serial"], ["it's noted"])
        self.check_picture(self.folder / "record/screenshot.png")
        words = shlex.split(files["command"].decode())
        self.assertEqual(words[0], "qemu-system-x86_64")
        self.assertIn("if=none,id=bootimage,snapshot=on,format=raw,file=record/image.bin", words)

    def test_what_others_say(self):
        """The loader by its port, and QEMU by its standard error."""
        kernel = self.kernel("asks-too-much-memory")
        outcome = self.tool("test", kernel, "--record", "record")
        self.assertEqual(outcome.status, LOADER)
        self.assertRegex((self.folder / "record/debugcon.txt").read_text(), r"bootimage: E\d+ ")
        outcome = self.tool("test", kernel, "--record", "record", "--cpu", "no-such-cpu")
        self.assertEqual(outcome.status, QEMU)
        self.assertIn("no-such-cpu", (self.folder / "record/qemu.txt").read_text())

    def test_what_an_earlier_run_left_is_gone(self):
        self.record()
        files = self.record(does="say second|; exit 0x10", status=PASSED)
        self.assertEqual(sorted(files), ["command", "debugcon.txt", "image.bin", "qemu.txt",
                                         "serial.txt"])
        self.assertEqual(files["serial.txt"], b"second\r\n")

    def test_an_image(self):
        image = self.package(self.crash_kernel(KERNEL), "--cmdline", "say kept|; exit 0x10")
        self.assertEqual(self.tool("test", image, "--record", "record").status, PASSED)
        self.assertTrue((self.folder / "record/image.bin").read_bytes() == image.read_bytes())


class PictureTest(OutputTest):
    SHOT = "--screenshot", "shot.png"

    def test_at_the_end(self):
        self.judged("screen seen; opcode", *self.SHOT, status=RESET)
        self.check_picture(self.folder / "shot.png")
        self.check_nothing_left("shot.png")

    def test_at_a_time(self):
        """It is there even where QEMU is gone before the end."""
        qemu = self.folder / "qemu"
        qemu.write_text(f"#!/bin/sh\nexec timeout -s KILL 4 {machine.QEMU} \"$@\"\n")
        qemu.chmod(0o755)
        self.judged("screen seen; hang-busy", *self.SHOT, "--screenshot-at", 1, "--qemu", qemu,
                    status=QEMU)
        self.check_picture(self.folder / "shot.png")
        self.check_nothing_left("qemu", "shot.png")

    def test_none_of_what_is_gone(self):
        outcome = self.tool("test", KERNEL, "--cmdline", "exit 0x10", *self.SHOT)
        self.assertEqual(outcome.status, PASSED)
        self.assertIn("bootimage: warning: shot.png: no screenshot, as QEMU was gone before its "
                      "end could be seen; ask for one by --screenshot-at [screenshot-none]\n",
                      outcome.err)
        self.check_nothing_left()


class ProfileTest(OutputTest):
    def steps(self, text):
        """The table's steps and shares."""
        return re.findall(r"(?m)^(\S.*?) +(?:[0-9.]+ +)?[0-9]+ +([0-9.]+) %", text)

    def check_profile(self, steps, does, *options, status=PASSED):
        outcome = self.judged(does, "--profile", "--svg", "boot.svg", *options, status=status)
        self.assertEqual(outcome.out, "")
        rows = self.steps(outcome.err)
        self.assertEqual([name for name, _ in rows], steps)
        self.assertAlmostEqual(sum(float(share) for _, share in rows[:-1]), 100, delta=1)
        root = xml.etree.ElementTree.parse(self.folder / "boot.svg").getroot()
        self.assertEqual(root.tag, SVG + "svg")
        text = " ".join(" ".join(part.itertext()) for part in root.iter(SVG + "text"))
        for name in steps[:-1]:
            self.assertIn(name, text)
        self.check_nothing_left("boot.svg")

    def test_bios(self):
        """isa-debug-exit ends QEMU; a crash does not."""
        self.check_profile(BIOS_STEPS, "exit 0x10")
        self.check_profile(BIOS_STEPS, "opcode", status=RESET)

    def test_uefi(self):
        self.check_profile(UEFI_STEPS, "exit 0x10", "--firmware=uefi", "--memory=512M")

    def test_run(self):
        outcome = self.tool("run", KERNEL, "--cmdline=shutdown", "--profile")
        self.assertEqual((outcome.status, outcome.err), (0, ""))
        self.assertEqual([name for name, _ in self.steps(outcome.out)], BIOS_STEPS)

    def test_none(self):
        """A kernel of Multiboot's gets no struct bootinfo."""
        kernel = suite.build_path("PROTOCOLS") / "multiboot1.elf"
        outcome = self.tool("test", kernel, "--profile", "--timeout=2")
        self.assertEqual(outcome.status, USAGE)
        self.assertIn(f"\nbootimage: {kernel}: failed: ", outcome.err)
        self.assertRegex(outcome.err, r"\nbootimage: no times of the boot .*\n\Z")
        self.assertIn("[profile-none]", outcome.err)

    def test_none_where_no_kernel_began(self):
        """That is what the verdict is of."""
        for kernel, options, status in [(KERNEL, ("--cpu=no-such-cpu",), QEMU),
                                        (self.kernel("asks-too-much-memory"), (), LOADER)]:
            outcome = self.tool("test", kernel, "--profile", "--svg=boot.svg", *options)
            self.check_status(outcome, status)
            self.check_nothing_left()

    def test_none_where_no_kernel_began(self):
        """That is what the verdict is of."""
        for kernel, options, status in [(KERNEL, ("--cpu=no-such-cpu",), QEMU),
                                        (self.kernel("asks-too-much-memory"), (), LOADER)]:
            outcome = self.tool("test", kernel, "--profile", "--svg=boot.svg", *options)
            self.check_status(outcome, status)
            self.check_nothing_left()


class CommandTest(OutputTest):
    def command(self, *words):
        """The line that -v prints; what becomes of the machine does not matter."""
        outcome = self.tool(*words, "-v", "--timeout=1")
        found = re.search(r"(?m)^bootimage: command: (.*)$", outcome.err)
        self.assertIsNotNone(found, outcome.err)
        return found[1]

    def paste(self, line):
        path = f"{suite.build_path('BOOTIMAGE').parent}:{os.environ['PATH']}"
        done = subprocess.run(["sh", "-c", line], cwd=self.folder, stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, check=False, timeout=TIME_LIMIT_S,
                              env=self.environment(PATH=path))
        self.assertEqual(done.returncode, 0x10 << 1 | 1, done.stderr)
        return done.stdout

    def test_it_boots(self):
        kernel = self.folder / "it's a, kernel.elf"
        shutil.copy(self.crash_kernel(KERNEL), kernel)
        said = "say it's $HOME \"now\"|; exit 0x10"
        for options in (), ("--firmware=uefi",), ("--disk=ahci", "--smp=2", "--machine=q35"):
            with self.subTest(options):
                line = self.command("test", kernel, "--cmdline", said, *options)
                self.assertIn("it's $HOME \"now\"", self.paste(line))

    def test_with_a_project_file(self):
        """What it says of the image and the machine is in the line, whatever becomes of it."""
        kernel = self.folder / "kernel.elf"
        shutil.copy(self.crash_kernel(KERNEL), kernel)
        config = self.folder / "bootimage.ini"
        config.write_text("cmdline = say by the file|; exit 0x10\nmemory = 64M\n")
        line = self.command("test", kernel)
        self.assertIn("-m 64M", line)
        config.write_text("cmdline = exit 0x11\n")
        self.assertIn("by the file", self.paste(line))

    def test_from_a_record(self):
        line = self.command("test", KERNEL, "--cmdline=say kept|; exit 0x10", "--record=record")
        self.assertIn("kept", self.paste(line))


class AcceleratorTest(OutputTest):
    def test_auto_survives_a_kvm_that_fails(self):
        for failure in "exit 1", "kill -ABRT $$", "exec sleep 100":
            with self.subTest(failure):
                qemu = self.folder / "qemu"
                qemu.write_text("#!/bin/sh\n"
                                f'case "$*" in *"-accel kvm"*) : >"{self.folder}/asked"; {failure}'
                                f";; esac\nexec {machine.QEMU} \"$@\"\n")
                qemu.chmod(0o755)
                outcome = self.judged("exit 0x10", "--accel=auto", "--qemu", qemu, "-v")
                self.assertIn("bootimage: accelerator: tcg\n", outcome.err)
                self.assertEqual((self.folder / "asked").exists(),
                                 os.access("/dev/kvm", os.R_OK | os.W_OK))
                self.assertEqual(self.processes(), [])

    def test_kvm(self):
        """Whether there is one, one that cannot run a guest, one that is slow or none."""
        start = time.monotonic()
        outcome = self.judge(KERNEL, "opcode", "--accel=kvm", timeout=3)
        self.assertLess(time.monotonic() - start, 30)
        self.assertIn(outcome.status, (TIMEOUT, RESET, QEMU), outcome.err)
        self.check_status(outcome, outcome.status)
        self.assertEqual(outcome.report is None, outcome.status == QEMU)
        if outcome.report:
            self.assertIn("which exceptions came: KVM does not tell; try --accel=tcg",
                          outcome.report["unknown"])
        self.assertEqual(self.processes(), [])


class GdbTest(OutputTest):
    def port(self):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            return free.getsockname()[1]

    def start(self, *words):
        """The tool, and the script that it says to be there."""
        process = subprocess.Popen(
            [*words, f"--gdb={self.port()}"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True, env=self.environment(), start_new_session=True)
        for close in process.wait, process.kill, process.stdout.close, process.stderr.close:
            self.addCleanup(close)
        line = process.stderr.readline()
        self.assertTrue(line.startswith(WAITS), line)
        return process, pathlib.Path(line[len(WAITS):].rstrip())

    def start_kernel(self, *options):
        return self.start(*self.words("test", suite.build_path("KERNEL"), *options))

    def debug(self, script, *commands):
        words = ["gdb", "-nx", "-batch", "-x", str(script)]
        for command in commands:
            words += ["-ex", command]
        done = subprocess.run(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, check=False,
                              timeout=TIME_LIMIT_S, cwd=self.folder)
        return done.stdout

    def check_session(self, *options):
        source = suite.build_path("CRASH_SOURCES").parents[3] / "kernel/main.c"
        line = next(number for number, text in enumerate(source.read_text().splitlines(), start=1)
                    if "usable_bytes +=" in text)
        process, script = self.start_kernel(*options)
        text = self.debug(script, "break kernel_main", "continue", "backtrace",
                          f"break main.c:{line}", "continue", "continue", "backtrace",
                          "print usable_bytes", "kill")
        self.assertRegex(text, r"Breakpoint 1, _start \(info=0x")
        self.assertRegex(text, r"Breakpoint 2, kernel_main \(info=(info@entry=)?0x")
        self.assertRegex(text, r"#0 +kernel_main .*\n#1 .* _start ")
        self.assertRegex(text, r"#0 +main_print_memory .*\n#1 .*kernel_main .*\n#2 .* _start ")
        found = re.search(r"(?m)^\$1 = (\d+)$", text)
        self.assertIsNotNone(found, text)
        self.assertGreater(int(found[1]), 4096)
        self.assertEqual(process.wait(TIME_LIMIT_S), QEMU, "gdb has ended it")
        self.check_nothing_left()

    def test_bios(self):
        self.check_session()

    def test_uefi(self):
        self.check_session("--firmware=uefi")

    def test_an_image_has_its_kernel_in_it(self):
        image = self.package(suite.build_path("KERNEL"), "--with-elf")
        process, script = self.start(*self.words("run", image))
        self.assertRegex(self.debug(script, "backtrace", "kill"), r"#0 +_start \(info=0x")
        process.wait(TIME_LIMIT_S)

    def test_signals_leave_no_script(self):
        for number in signal.SIGINT, signal.SIGTERM, signal.SIGHUP:
            process, script = self.start_kernel()
            self.assertTrue(script.exists())
            process.send_signal(number)
            self.assertEqual(process.wait(TIME_LIMIT_S), -number)
            self.assertEqual(list(self.temporary().iterdir()), [])
            self.wait_until(lambda: not self.processes(), "no QEMU is left")


class RunTest(OutputTest):
    def test_a_crash(self):
        outcome = self.tool("run", KERNEL, "--cmdline", "say first|; opcode")
        self.assertEqual((outcome.status, outcome.out), (1, "first\r\n"))
        self.assertRegex(outcome.err,
                         r"\Abootimage: \S+: triple fault: invalid opcode, at opcode\+")
        self.check_nothing_left()

    def test_a_shutdown(self):
        outcome = self.tool("run", KERNEL, "--cmdline", "say bye|; shutdown")
        self.assertEqual((outcome.status, outcome.out, outcome.err), (0, "bye\r\n", ""))

    def test_names_of_an_image(self):
        """The kernel's file is in the image, or named, or there are no names but a hint."""
        kernel = self.crash_kernel("crash-high")
        hint = "--symbols, or make the image by --with-elf"
        for packing, running, named in [((), (), False), (("--with-elf",), (), True),
                                        ((), ("--symbols", kernel), True)]:
            with self.subTest(packing=packing, running=running):
                image = self.package(kernel, *packing, "--cmdline=opcode")
                outcome = self.tool("run", image, *running)
                self.assertEqual(outcome.status, 1)
                first = outcome.err.splitlines()[0]
                self.assertEqual(re.search(r", at opcode\+0x[0-9a-f]+ \(.*faults\.c:\d+\)\Z", first)
                                 is not None, named, first)
                self.assertEqual(hint in outcome.err, not named, outcome.err)

    def test_symbols_that_are_not_there(self):
        image = self.package(self.crash_kernel(KERNEL))
        outcome = self.tool("run", image, "--symbols=no.elf")
        self.assertEqual((outcome.status, outcome.err), (
            1, "bootimage: no.elf: cannot open: No such file or directory; check the path "
               "[kernel-open]\n"))


if __name__ == "__main__":
    suite.main()
