"""Verdicts of `bootimage test`: the exit status and what goes to which stream, for kernels that do
what their command line says (kernels/crash), and for QEMUs that do what they should not."""

import concurrent.futures
import fcntl
import os
import pathlib
import pty
import re
import select
import shutil
import signal
import subprocess
import termios
import time

import judging
import machine
import suite
from judging import HANG_S, TIME_LIMIT_S, Case
from qmp import Qmp

PASSED, FAILED, USAGE, TIMEOUT, FAULT, SHUTDOWN, QEMU, LOADER, EXPECTATION = range(9)
KERNEL = "crash-low"
# What the flood verb prints: lines of 16 bytes.
FLOOD_BYTES = 10 * 2**20
FLOOD_LINES = FLOOD_BYTES // 16
PARALLEL_RUNS = 20


def case(status, does, *options, timeout=TIME_LIMIT_S):
    return Case(KERNEL, does, options, timeout, status)


class VerdictTest(judging.JudgeTest):
    def check_statuses(self, cases):
        self.judge_all(cases, lambda one, outcome: self.check_status(outcome, one.expected))
        self.assertEqual(list(self.temporary().iterdir()), [])

    def test_what_the_guest_says(self):
        self.check_statuses([
            case(PASSED, "exit 0x10"),
            case(PASSED, "exit 0x42", "--success-code", "0x42"),
            case(FAILED, "exit 0x10", "--success-code", "0x42"),
            case(FAILED, "exit 0x11"),
            case(FAILED, "exit 0x7f"),
            case(FAILED, "exit 1"),
            case(SHUTDOWN, "shutdown"),
            case(SHUTDOWN, "shutdown", "--machine", "q35"),
            case(FAULT, "opcode"),
            case(FAULT, "reset-keyboard"),
            case(TIMEOUT, "say still here|; hang-halted", timeout=HANG_S),
        ])

    def test_the_code_is_told(self):
        for does, code in (("exit 0x2a", r"\b0x2a\b"), ("exit 0", r"\b(0x)?0\b")):
            with self.subTest(does=does):
                outcome = self.judge(KERNEL, does)
                self.check_status(outcome, FAILED)
                self.assertRegex(outcome.verdict(), code)

    def test_expectations(self):
        idle = {"timeout": HANG_S}
        says = "say expect me 42|; hang-halted"
        shows = "screen welcome to the screen; hang-halted"
        self.check_statuses([
            case(PASSED, says, "--expect-serial", r"expect me [0-9]+", **idle),
            case(PASSED, shows, "--expect-screen", "welcome to the screen", **idle),
            case(PASSED, "say expect me 42|; screen welcome; exit 0x10",
                 "--expect-serial", "expect", "--expect-serial", "me 42"),
            case(PASSED, "exit 0x33", "--expect-exit", "0x33"),
            case(EXPECTATION, says, "--expect-serial", r"expect me [a-z]+", **idle),
            case(EXPECTATION, shows, "--expect-screen", "welcome to another", **idle),
            case(EXPECTATION, says, "--expect-exit", "0x10", **idle),
            case(EXPECTATION, "exit 0x10", "--expect-exit", "0x33"),
            case(EXPECTATION, "say one|; exit 0x10", "--expect-serial", "one",
                 "--expect-serial", "two"),
        ])

    def test_what_comes_right_behind_counts_more(self):
        seen = ("--expect-serial", "expect me")
        self.check_statuses([
            case(FAILED, "say expect me|; exit 0x11", *seen),
            case(FAULT, "say expect me|; opcode", *seen),
        ])

    def test_a_failed_expectation_is_told(self):
        outcome = self.judge(KERNEL, "exit 0x10", "--expect-serial", "never [s]aid")
        self.check_status(outcome, EXPECTATION)
        self.assertIn("never [s]aid", outcome.verdict())

    def test_the_loader_s_errors(self):
        kernel = self.kernel("asks-too-much-memory")
        for options in (), ("--expect-serial", "never"), ("--firmware", "uefi"):
            with self.subTest(options=options):
                outcome = self.judge(kernel, "", *options)
                self.check_status(outcome, LOADER)
                said = re.search(r"bootimage: (E\d+ [^\n]*)", outcome.err)
                self.assertIsNotNone(said, outcome.err)
                self.assertIn(said[1].rstrip(), outcome.verdict())

    def test_precedence(self):
        missing = ("--expect-serial", "never said")
        self.check_statuses([
            case(FAULT, "say 1..2|not ok 1 - first|; opcode"),
            case(FAULT, "opcode", *missing),
            case(FAILED, "exit 0x11", *missing),
            case(EXPECTATION, "shutdown", *missing),
            case(EXPECTATION, "hang-halted", *missing, timeout=HANG_S),
        ])
        self.check_usage("--qemu", "/nonexistent", "--no-such-option")

    def check_usage(self, *options, kernel=KERNEL):
        done = subprocess.run(self.command(kernel, None, *options), stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, check=False, timeout=60,
                              env=self.environment())
        self.assertEqual((done.returncode, done.stdout), (USAGE, ""), done.stderr)
        self.assertRegex(done.stderr, r"\Abootimage: ")

    def test_wrong_usage(self):
        self.check_usage("--no-such-option")
        for option in "--success-code", "--expect-exit":
            for code in "0", "0x80", "0x90", "256", "-1", "ten", "":
                with self.subTest(option=option, code=code):
                    self.check_usage(option, code)
        for option, value in (("--timeout", "soon"), ("--disk", "tape"), ("--firmware", "both"),
                              ("--accel", "magic"), ("--expect-serial", "(")):
            with self.subTest(option=option):
                self.check_usage(option, value)

    def test_a_kernel_that_cannot_be_packaged(self):
        kernel = self.folder / "kernel.elf"
        self.check_usage(kernel=kernel)
        kernel.write_bytes(b"\x7fELF but not much more")
        self.check_usage(kernel=kernel)


class TapTest(judging.JudgeTest):
    STREAMS = {
        # What COM1 says (~ is the escape character, ^ a ';'): the status, and what reaches standard
        # output.
        "say noise|1..2|ok 1 - a|# why|ok 2 - b|; hang-halted":
            (PASSED, "1..2\nok 1 - a\n# why\nok 2 - b\n"),
        "say 1..2|ok 1 - a|ok 2 - b|; exit 0x10": (PASSED, "1..2\nok 1 - a\nok 2 - b\n"),
        "say noise|~[2J~[01^01H~[=3h1..1|ok 1 - ~[31mred~[0m|; exit 0x10":
            (PASSED, "1..1\nok 1 - red\n"),
        "say 1..2|not ok 1 - a # TODO later|ok 2 # SKIP no disk|; exit 0x10":
            (PASSED, "1..2\nnot ok 1 - a # TODO later\nok 2 # SKIP no disk\n"),
        "say 1..2|ok 1 - a|not ok 2 - b|; exit 0x10": (FAILED, "1..2\nok 1 - a\nnot ok 2 - b\n"),
        "say 1..2|ok 1 - a|not ok 2 - b|; hang-halted": (FAILED, "1..2\nok 1 - a\nnot ok 2 - b\n"),
        "say 1..3|ok 1 - a|ok 2 - b|; exit 0x10": (FAILED, "1..3\nok 1 - a\nok 2 - b\n"),
        "say 1..3|ok 1 - a|Bail out! no memory|; exit 0x10":
            (FAILED, "1..3\nok 1 - a\nBail out! no memory\n"),
        "say 1..3|ok 1 - a|; opcode": (FAULT, "1..3\nok 1 - a\n"),
        "say ok 1 - a|ok 2 - b|; exit 0x10": (FAILED, ""),
    }

    def test_streams(self):
        def check(one, outcome):
            status, out = one.expected
            self.check_status(outcome, status)
            self.assertEqual(outcome.out.replace("\r", ""), out)
            if one.does.startswith("say noise"):
                self.assertIn("noise\n", outcome.err)
            self.assertFalse(out and "ok 1 - a" in outcome.err.splitlines())
        self.judge_all([Case(KERNEL, does, timeout=HANG_S if status == FAILED else TIME_LIMIT_S,
                             expected=(status, out))
                        for does, (status, out) in self.STREAMS.items()], check)

    def test_on_uefi(self):
        """OVMF writes its own on COM1, and terminal escapes before the first line of the kernel."""
        outcome = self.judge("crash-high", "say 1..1|ok 1 - booted|; exit 0x10",
                             "--firmware", "uefi")
        self.check_status(outcome, PASSED)
        self.assertEqual(outcome.out.replace("\r", ""), "1..1\nok 1 - booted\n")

    def test_a_verdict_as_tap(self):
        for does, status, line in (("say hello|; exit 0x10", PASSED, r"ok 1 - \S.*"),
                                   ("exit 0x11", FAILED, r"not ok 1 - \S.*"),
                                   ("opcode", FAULT, r"not ok 1 - \S.*")):
            with self.subTest(does=does):
                outcome = self.judge(KERNEL, does, "--tap")
                self.check_status(outcome, status)
                self.assertRegex(outcome.out, rf"\A1\.\.1\n{line}\n(#.*\n)*\Z")
        outcome = self.judge(KERNEL, "say 1..1|ok 1 - own|; exit 0x10", "--tap")
        self.assertEqual(outcome.out.replace("\r", ""), "1..1\nok 1 - own\n", "not twice")


class RunningTest(judging.JudgeTest):
    """For tests that look at the tool while it runs."""

    def start(self, does, *options, **environment):
        process = subprocess.Popen(
            self.command(KERNEL, does, *options), stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
            env=self.environment(**environment))
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        self.addCleanup(process.stderr.close)
        self.addCleanup(process.stdout.close)
        return process


class SerialTest(RunningTest):
    def test_what_is_not_tap_goes_to_standard_error(self):
        outcome = self.judge(KERNEL, "say one|two|without an end; exit 0x10")
        self.check_status(outcome, PASSED)
        self.assertEqual(outcome.out, "")
        self.assertRegex(outcome.err, r"(?m)^one\ntwo\nwithout an end\nbootimage: \S+: passed: ")

    def test_nothing_said(self):
        outcome = self.judge(KERNEL, "exit 0x10")
        self.check_status(outcome, PASSED)
        self.assertEqual(outcome.out, "")

    def test_it_comes_at_once(self):
        """Before the machine has ended."""
        process = self.start("say now|; hang-halted")
        self.assertIn("now", process.stderr.readline())
        self.assertIsNone(process.poll())

    def test_10_mib(self):
        """Not a byte of it is lost, and the crash report of such a kernel has only its end."""
        outcome = self.judge(KERNEL, f"flood {FLOOD_LINES}; opcode", timeout=4 * TIME_LIMIT_S)
        self.check_status(outcome, FAULT)
        numbers = re.findall(r"(?m)^[0-9]{14}$", outcome.err)
        self.assertEqual(len(set(numbers)), FLOOD_LINES)
        last = f"{FLOOD_LINES - 1:014}"
        self.assertEqual(outcome.report["serial"][-1], last)
        self.assertLess(len(outcome.report["serial"]), 1000)


class QemuTest(RunningTest):
    def fake(self, *lines):
        path = self.folder / "fake-qemu"
        path.write_text("\n".join(["#!/bin/sh", *lines, ""]))
        path.chmod(0o755)
        return path

    def check_qemu_failure(self, outcome, *words):
        self.check_status(outcome, QEMU)
        for word in words:
            self.assertIn(word, outcome.err)
        self.assertEqual(list(self.temporary().iterdir()), [])
        self.assertEqual(self.processes(), [])

    def test_missing(self):
        self.check_qemu_failure(self.judge(KERNEL, "exit 0x10", "--qemu", "/nonexistent"),
                                "/nonexistent")

    def test_not_a_program(self):
        path = self.folder / "qemu"
        path.write_text("not a program")
        self.check_qemu_failure(self.judge(KERNEL, "exit 0x10", "--qemu", path), str(path))

    def test_too_old(self):
        """Such a one says so of an option that it does not know."""
        version = 'echo "QEMU emulator version 2.5.0"; exit'
        qemu = self.fake(f'if [ "$1" = --version ]; then {version}; fi',
                         'echo "qemu: -action: invalid option" >&2', "exit 1")
        self.check_qemu_failure(self.judge(KERNEL, "exit 0x10", "--qemu", qemu))

    def test_ends_at_once(self):
        for status in 0, 1, 33:
            with self.subTest(status=status):
                qemu = self.fake('echo "no memory for that" >&2', f"exit {status}")
                self.check_qemu_failure(self.judge(KERNEL, "exit 0x10", "--qemu", qemu),
                                        "no memory for that")

    def test_an_argument_that_it_refuses(self):
        self.check_qemu_failure(self.judge(KERNEL, "exit 0x10", "--cpu", "no-such-cpu"),
                                "no-such-cpu")

    def machine_of(self, process):
        """Id of the QEMU that runs for the tool, once the kernel has said that it is there."""
        self.assertIn("ready", process.stderr.readline())
        found = [one for one in self.processes() if one != process.pid and "qemu" in
                 pathlib.Path(f"/proc/{one}/comm").read_text()]
        self.assertEqual(len(found), 1)
        return found[0]

    def test_killed_in_mid_run(self):
        process = self.start("say ready|; hang-halted")
        os.kill(self.machine_of(process), signal.SIGKILL)
        self.assertEqual(process.wait(TIME_LIMIT_S), QEMU)
        self.assertRegex(process.stderr.read().splitlines()[-1], r"failed: .*QEMU")
        self.assertEqual(list(self.temporary().iterdir()), [])

    def check_end(self, end):
        process = self.start("say ready|; hang-busy")
        self.machine_of(process)
        end(process)
        self.assertNotEqual(process.wait(TIME_LIMIT_S), 0)
        self.wait_until(lambda: not self.processes(), "no QEMU is left")

    def test_signals_leave_no_process_and_no_file(self):
        ways = {
            "interrupted": lambda process: process.send_signal(signal.SIGINT),
            "Ctrl-C": lambda process: os.killpg(process.pid, signal.SIGINT),
            "terminated": lambda process: process.terminate(),
            "the terminal went away": lambda process: os.killpg(process.pid, signal.SIGHUP),
        }
        for name, end in ways.items():
            with self.subTest(name):
                self.check_end(end)
                self.assertEqual(list(self.temporary().iterdir()), [])

    def test_killed_itself_it_takes_qemu_along(self):
        self.check_end(lambda process: process.kill())
        shutil.rmtree(self.temporary())


    def test_a_reader_that_stands_still_keeps_no_signal_away(self):
        process = self.start("flood 1000000")
        process.stderr.readline()
        self.wait_until(lambda: self.stands_still(process), "the pipe is full")
        process.terminate()
        self.assertEqual(process.wait(TIME_LIMIT_S), -signal.SIGTERM)
        self.assertEqual(self.processes(), [])

    def stands_still(self, process):
        """Whether no more comes into the pipe."""
        counts = []
        for _ in range(2):
            count = fcntl.ioctl(process.stderr, termios.FIONREAD, b"\0\0\0\0")
            counts.append(int.from_bytes(count, "little"))
            time.sleep(0.5)
        return counts[0] == counts[1] > 0


class TerminalTest(RunningTest):
    def run_there(self, does, keys, **environment):
        """`bootimage run` on a terminal, with keys typed until it ends. What was shown, and the
        terminal's settings before and behind."""
        controller, terminal = pty.openpty()
        self.addCleanup(os.close, controller)
        self.addCleanup(os.close, terminal)
        before = termios.tcgetattr(terminal)
        command = self.command(KERNEL, does)
        command[1] = "run"
        environment = self.environment(DISPLAY="", WAYLAND_DISPLAY="", **environment)
        shown = b""
        with subprocess.Popen(
                command, stdin=terminal, stdout=terminal, stderr=terminal, env=environment,
                start_new_session=True,
                preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0)) as process:
            self.addCleanup(process.kill)
            deadline = time.monotonic() + TIME_LIMIT_S
            while process.poll() is None or select.select([controller], [], [], 0)[0]:
                self.assertLess(time.monotonic(), deadline, shown)
                if select.select([controller], [], [], 0.3)[0]:
                    shown += os.read(controller, 1 << 16)
                elif keys:
                    os.write(controller, keys[0])
                    keys = keys[1:] + keys[:1]
        self.assertEqual(termios.tcgetattr(terminal), before)
        return shown

    def test_curses_and_the_way_to_leave_it(self):
        shown = self.run_there("hang-busy", [b"\x1b2", b"quit\r"], TERM="xterm")
        self.assertIn(b"Alt+2", shown)

    def test_a_crash_gives_the_terminal_back_before_the_report(self):
        for kind in "xterm", "dumb":
            with self.subTest(terminal=kind):
                shown = self.run_there("opcode", [], TERM=kind)
                report = shown.index(b"triple fault: ")
                self.assertNotIn(b"\x1b", shown[report:])
                self.assertIn(b"\r\n  call stack:\r\n", shown[report:])


class ImageTest(RunningTest):
    def test_a_colon_in_its_name(self):
        image = self.package(self.crash_kernel(KERNEL), "--cmdline", "exit 0x10")
        image.rename(self.folder / "a:b.bin")
        done = subprocess.run([str(suite.build_path("BOOTIMAGE")), "test", "a:b.bin"],
                              cwd=self.folder, env=self.environment(), timeout=TIME_LIMIT_S,
                              capture_output=True, check=False)
        self.assertEqual(done.returncode, PASSED, done.stderr)

    def test_many_runs_share_an_image(self):
        image = self.package(self.crash_kernel(KERNEL), "--cmdline", "say 1..1|ok 1|; exit 0x10")
        before = image.read_bytes(), image.stat().st_mtime_ns
        image.chmod(0o444)
        with concurrent.futures.ThreadPoolExecutor(PARALLEL_RUNS) as pool:
            outcomes = list(pool.map(lambda number: self.judge(image, None, name=str(number)),
                                     range(PARALLEL_RUNS)))
        for outcome in outcomes:
            self.check_status(outcome, PASSED)
            self.assertEqual(outcome.out.replace("\r", ""), "1..1\nok 1\n")
        self.assertEqual((image.read_bytes(), image.stat().st_mtime_ns), before)
        self.assertEqual(list(self.temporary().iterdir()), [])

    def test_the_disk_is_not_written(self):
        """Asked of the very QEMU that the tool starts, by a second monitor."""
        for disk in "virtio", "ahci", "ide", "nvme", "usb":
            with self.subTest(disk=disk):
                monitor = self.folder / f"monitor-{disk}"
                qemu = self.folder / f"qemu-{disk}"
                qemu.write_text(f'#!/bin/sh\nexec {machine.QEMU} "$@" -qmp unix:{monitor}\n')
                qemu.chmod(0o755)
                qmp = Qmp(str(monitor))
                self.addCleanup(qmp.close)
                process = self.start("say ready|; hang-halted", "--qemu", qemu, "--disk", disk)
                self.assertTrue(qmp.accept(TIME_LIMIT_S))
                self.assertIn("ready", process.stderr.readline())
                self.check_block_statistics(qmp.command("query-blockstats"))
                process.terminate()

    def check_block_statistics(self, devices):
        read = sum(device["stats"]["rd_operations"] for device in devices)
        written = sum(device["stats"]["wr_operations"] for device in devices)
        self.assertGreater(read, 0)
        self.assertEqual(written, 0)


if __name__ == "__main__":
    suite.main()
