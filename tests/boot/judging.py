"""What the tests of `bootimage test` share: to have a kernel judged, what came of it, and the
places in the sources of kernels/crash that a crash report must name."""

import concurrent.futures
import dataclasses
import json
import os
import pathlib
import re
import subprocess
import time

import suite

# For machines that end by themselves; so long only where something is wrong.
TIME_LIMIT_S = 100
# For machines that hang: a boot takes a second, some where others use the processors.
HANG_S = 8
# Machines at a time: more than processors, as those that hang only wait.
WORKERS = 4


@dataclasses.dataclass
class Outcome:
    status: int
    out: str
    err: str
    report: dict  # None: no report was written

    def verdict(self):
        return self.err.splitlines()[-1] if self.err else ""

    def functions(self):
        """The call stack as names, innermost first; without places that have none."""
        return [frame["function"] for frame in self.report["stack"] if frame["function"]]


def place(name, kind="CRASH"):
    """The file's name and the number of the line that carries this mark."""
    pattern = re.compile(rf"{kind}: {re.escape(name)}(?![\w-])")
    for path in suite.build_path("CRASH_SOURCES").iterdir():
        if path.suffix not in (".c", ".rs"):
            continue
        for number, line in enumerate(path.read_text().splitlines(), start=1):
            if pattern.search(line):
                return path.name, number
    raise AssertionError(f"no line carries {kind}: {name}")


class JudgeTest(suite.BootTest):
    maxDiff = None

    def crash_kernel(self, name):
        return suite.build_path("CRASHES") / f"{name}.elf"

    def temporary(self):
        """The TMPDIR of the tool: empty when it has ended."""
        folder = self.folder / "tmp"
        folder.mkdir(exist_ok=True)
        return folder

    def environment(self, **more):
        return {**os.environ, "TMPDIR": str(self.temporary()), **more}

    def command(self, kernel, does, *options):
        """kernel: a name of kernels/crash, or a path; does: its command line, None for none."""
        path = kernel if isinstance(kernel, pathlib.Path) else self.crash_kernel(kernel)
        words = [] if does is None else ["--cmdline", does]
        return [str(suite.build_path("BOOTIMAGE")), "test", str(path), *words, *map(str, options)]

    def judge(self, kernel, does, *options, timeout=TIME_LIMIT_S, name="report", **environment):
        """The verdict on a kernel. name: of the report's file; another one for each of a pool."""
        report = self.folder / name
        done = subprocess.run(
            self.command(kernel, does, "--crash-report", report, "--json", "--timeout", timeout,
                         *options),
            stdin=subprocess.DEVNULL, capture_output=True, check=False, timeout=2 * TIME_LIMIT_S,
            env=self.environment(**environment))
        outcome = Outcome(done.returncode, done.stdout.decode(errors="replace"),
                          done.stderr.decode(errors="replace").replace("\r\n", "\n"),
                          json.loads(report.read_text()) if report.exists() else None)
        report.unlink(missing_ok=True)
        return outcome

    def judge_all(self, cases, check):
        """Judges (kernel, does, options) by some machines at a time, and checks each outcome by
        check(case, outcome) as a subtest."""
        with concurrent.futures.ThreadPoolExecutor(WORKERS) as pool:
            futures = [pool.submit(self.judge, case.kernel, case.does, *case.options,
                                   timeout=case.timeout, name=f"report-{number}")
                       for number, case in enumerate(cases)]
            for case, future in zip(cases, futures):
                with self.subTest(kernel=case.kernel, does=case.does, options=case.options):
                    check(case, future.result())

    def check_status(self, outcome, status):
        """The status, and the one line that goes with it, behind all else."""
        self.assertEqual(outcome.status, status, outcome.err[-4000:] + outcome.out[-1000:])
        self.assertRegex(outcome.verdict(),
                         r"\Abootimage: \S+: " + ("passed: ." if status == 0 else "failed: ."))

    def processes(self):
        """Ids of the processes that the tool left, or has: those that have its TMPDIR."""
        mark = f"TMPDIR={self.temporary()}".encode()
        found = []
        for folder in pathlib.Path("/proc").glob("[0-9]*"):
            try:
                if mark in (folder / "environ").read_bytes().split(b"\0"):
                    found.append(int(folder.name))
            except OSError:
                continue
        return found

    def wait_until(self, holds, what):
        deadline = time.monotonic() + TIME_LIMIT_S
        while not holds():
            self.assertLess(time.monotonic(), deadline, what)
            time.sleep(0.05)


@dataclasses.dataclass
class Case:
    kernel: object
    does: str
    options: tuple = ()
    timeout: int = TIME_LIMIT_S
    expected: object = None
