"""The kernel's framework of tests: tests that fail, and how the template ends a run, by a test or a
panic: where the devices are that `bootimage test` adds to a machine, and where they are not.

That the kernel's own tests pass on either firmware is for Meson to see (kernel-tests-bios).
"""

import pathlib
import re

import judging
import machine
import suite

FOLDER = pathlib.Path(__file__).parent
FAILING = FOLDER / "kernels/kernel_tests/failing.c"
OWN_TESTS = FOLDER.parents[1] / "kernel/tests"

PASSED, FAILED, TIMEOUT = 0, 1, 3

DEBUG_EXIT = ["-device", "isa-debug-exit,iobase=0xf4,iosize=0x04"]
PVPANIC = ["-device", "pvpanic", "-action", "panic=none"]
# What QEMU makes of the kernel's code for a failure (kernel/verdict.h).
FAILED_QEMU = 0x11 << 1 | 1

# What the report of an exception has behind its first lines.
REGISTERS = re.compile(r"(# RIP 0x\w+  CS .*\n(?:# [A-Z0-9]+ +0x.*\n)*?# CR2 0x\w+\n)")


def line_of(statement):
    """The number of the line of failing.c that holds the statement."""
    lines = FAILING.read_text(encoding="utf-8").splitlines()
    found = [number for number, line in enumerate(lines, start=1) if line.strip() == statement]
    assert len(found) == 1, statement
    return found[0]


def expected(condition):
    return f"# failing.c:{line_of(f'KERNEL_EXPECT({condition});')}: expected {condition}\n"


class KernelTestsTest(judging.JudgeTest):
    def test_all_tests_of_the_kernel_run(self):
        """None of them was lost by the linker."""
        sources = "".join(path.read_text(encoding="utf-8") for path in OWN_TESTS.glob("*.c"))
        names = sorted(re.findall(r"^KERNEL_TEST(?:_SHOULD_PANIC)?\((\w+)\)", sources,
                                  re.MULTILINE))
        outcome = self.judge(suite.build_path("KERNEL_TESTS"), None)
        self.check_status(outcome, PASSED)
        results = [line for line in outcome.out.splitlines() if not line.startswith("# ")]
        self.assertEqual(results, [f"1..{len(names)}"] + [f"ok {number} - {name}" for number, name
                                                          in enumerate(names, start=1)])

    def test_failures_are_told_and_survived(self):
        outcome = self.judge(self.kernel("kernel_tests/failing"), None)
        self.check_status(outcome, FAILED)
        self.assertNotIn("panicked", outcome.verdict())
        # Addresses depend on the compiler.
        tap = REGISTERS.sub("# registers\n", outcome.out.replace("\r", ""))
        tap = re.sub(r"(?<=write to )0xffffff7f\w+", "STACK", tap)
        panic = line_of('panic("%u bottles", 99u);')
        wanted = line_of('panic("as it should");')
        self.assertEqual(tap, "".join((
            "1..11\n",
            "ok 1 - a_passes\n",
            expected("zero == 1"),
            "# no end of this line\n",
            expected("zero != 0"),
            "not ok 2 - b_expectations\n",
            "# exception 14 #PF page fault, error code 0x0\n",
            "# read from 0x0000000000000010: the page is not mapped\n",
            "# registers\n",
            "not ok 3 - c_page_fault\n",
            "ok 4 - d_passes\n",
            "# expected a panic\n",
            "not ok 5 - e_does_not_panic\n",
            f"# panic: failing.c:{panic}, test_f_panic(): 99 bottles\n",
            "not ok 6 - f_panic\n",
            expected("zero == 2"),
            f"# panic: failing.c:{wanted}, test_g_panics_but_expects(): as it should\n",
            "not ok 7 - g_panics_but_expects\n",
            "# exception 14 #PF page fault, error code 0x2\n",
            "# write to STACK: the page is not mapped\n",
            "# stack overflow: this is the page below the stack\n",
            "# registers\n",
            "not ok 8 - h_stack_overflow\n",
            "# exception 6 #UD invalid opcode, error code 0x0\n",
            "# registers\n",
            "not ok 9 - i_invalid_opcode\n",
            "# exception 0 #DE divide error, error code 0x0\n",
            "# registers\n",
            "not ok 10 - j_division\n",
            "ok 11 - k_passes\n",
        )))

    def test_no_tests_are_a_failure(self):
        outcome = self.judge(self.kernel("kernel_tests/no-tests"), None)
        self.check_status(outcome, FAILED)
        self.assertEqual(outcome.out.replace("\r", ""), "1..0\n")

    def test_where_no_verdict_can_be_given_it_stops(self):
        with machine.Machine(self.package(self.kernel("kernel_tests/failing"))) as guest:
            guest.wait_for_serial("ok 11 - k_passes\r\n")
            guest.wait_for_halt()


class PanicTest(judging.JudgeTest):
    def check_panic(self, kernel, does, serial, *options):
        """The machine was frozen when the report was complete: its last lines are those of it."""
        outcome = self.judge(kernel, does, *options)
        self.check_status(outcome, FAILED)
        self.assertEqual(outcome.report["what"], "panic")
        self.assertRegex("\n".join(outcome.report["serial"]), serial + r"\Z")

    def test_a_panic_at_the_first_instruction(self):
        for options in (), ("--firmware", "uefi"):
            with self.subTest(options=options):
                self.check_panic(self.kernel("kernel_tests/panic-at-once"), None,
                                 r"panic: panic_at_once.c:\d+, _start\(\): at once, .*", *options)

    def test_reports_of_the_template(self):
        for fault, serial in {
                "panic": "panic: .*as the command line wants it",
                "pf": r"exception 14 #PF(?s:.*)\nCR2 0x\w+",
                "overflow": r"stack overflow(?s:.*)\nCR2 0x\w+",
                "magic": "panic: .*no boot information.*",
        }.items():
            with self.subTest(fault):
                self.check_panic(suite.build_path("FAULTS"), f"fault={fault}", serial)

    def test_a_real_machine_s_ports_are_left_alone(self):
        """A CPU that does not say that it is virtual is taken for a real one."""
        outcome = self.judge(suite.build_path("FAULTS"), "fault=pf", "--cpu", "qemu64,-hypervisor")
        self.check_status(outcome, TIMEOUT)
        self.assertIn("halted", outcome.verdict())

    def boot(self, devices):
        image = self.package(suite.build_path("FAULTS"), "--cmdline", "fault=pf")
        return machine.Machine(image, arguments=devices)

    def test_without_pvpanic_it_ends_qemu(self):
        with self.boot(DEBUG_EXIT) as guest:
            guest.wait_for_exit(FAILED_QEMU)

    def test_where_nobody_freezes_it_it_ends_qemu(self):
        with self.boot(DEBUG_EXIT + PVPANIC) as guest:
            guest.wait_for_exit(FAILED_QEMU)

    def test_without_an_exit_port_it_stops(self):
        with self.boot(PVPANIC) as guest:
            guest.wait_for_serial("CR2 0x")
            guest.wait_for_halt()


if __name__ == "__main__":
    suite.main()
