"""How a run of the kernel ends, as a program that started it sees it: the kernel's tests of itself,
tests that fail, and panics; with the devices that a verdict is given to, and without."""

import contextlib
import pathlib
import re

import machine
import suite

SOURCE = pathlib.Path(__file__).parent / "kernels/verdicts/failing.c"

DEBUG_EXIT = ["-device", "isa-debug-exit,iobase=0xf4,iosize=0x04"]
PVPANIC = ["-device", "pvpanic", "-action", "panic=pause"]

# What QEMU makes of the kernel's codes (kernel/verdict.h).
PASSED = 0x10 << 1 | 1
FAILED = 0x11 << 1 | 1

# What the report of an exception has behind its first lines.
REGISTERS = re.compile(r"(# RIP 0x\w+  CS .*\n(?:# [A-Z0-9]+ +0x.*\n)*?# CR2 0x\w+\n)")


def text(serial):
    return serial.replace("\r\n", "\n")


def line_of(statement):
    """The number of the line of failing.c that holds the statement."""
    lines = SOURCE.read_text(encoding="utf-8").splitlines()
    found = [number for number, line in enumerate(lines, start=1) if line.strip() == statement]
    assert len(found) == 1, statement
    return found[0]


class KernelTestsTest(suite.BootTest):
    def run_tests(self, kernel, status, **how):
        """Boot a kernel of tests and give its TAP, from the plan on."""
        with machine.Machine(self.package(kernel), arguments=DEBUG_EXIT + PVPANIC, **how) as guest:
            guest.wait_for_exit(status)
            return re.search(r"^1\.\..*", text(guest.serial()), re.MULTILINE | re.DOTALL)[0]

    def check_tests_of_the_kernel(self, **how):
        tap = self.run_tests(suite.build_path("KERNEL_TESTS"), PASSED, **how)
        lines = tap.splitlines()
        results = [line for line in lines if not line.startswith("# ")][1:]
        self.assertEqual(lines[0], f"1..{len(results)}")
        self.assertGreater(len(results), 30)
        for number, line in enumerate(results, start=1):
            self.assertRegex(line, rf"^ok {number} - \w+$", tap)
        return tap

    def test_the_kernel_s_own_tests(self):
        tap = self.check_tests_of_the_kernel()
        self.assertIn("# panic: framework.c:", tap)
        self.assertIn("# stack overflow", tap)

    def test_the_kernel_s_own_tests_on_uefi(self):
        self.check_tests_of_the_kernel(**suite.UEFI)

    def test_failures_are_told_and_survived(self):
        def expected(condition):
            return f"# failing.c:{line_of(f'KERNEL_EXPECT({condition});')}: expected {condition}\n"

        tap = self.run_tests(self.kernel("verdicts/failing"), FAILED)
        # Addresses depend on the compiler.
        tap = REGISTERS.sub("# registers\n", tap)
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
        self.assertEqual(self.run_tests(self.kernel("verdicts/no-tests"), FAILED), "1..0\n")

    def test_a_kernel_of_tests_stops_where_no_verdict_can_be_given(self):
        with machine.Machine(self.package(self.kernel("verdicts/failing"))) as guest:
            guest.wait_for_serial("ok 11 - k_passes\r\n")
            guest.wait_for_halt()


class PanicTest(suite.BootTest):
    """A report is complete when the machine is frozen, and then come the exit code and the stop."""

    @contextlib.contextmanager
    def panicked(self, image, report, devices=(), **how):
        with machine.Machine(image, arguments=list(devices), **how) as guest:
            if "pvpanic" in devices:
                guest.wait_for_panic()
            elif not devices:
                guest.wait_for_halt()
            yield guest
            self.assertRegex(text(guest.serial()), rf"{report}(?s:.*)\n\Z")

    def fault(self, name):
        return self.package(suite.build_path("FAULTS"), "--cmdline", f"fault={name}")

    def check_frozen_then_failed(self, image, report, **how):
        with self.panicked(image, report, DEBUG_EXIT + PVPANIC, **how) as guest:
            self.assertRegex(text(guest.serial()), report)
            guest.resume()
            guest.wait_for_exit(FAILED)

    def test_a_panic_at_the_first_instruction(self):
        self.check_frozen_then_failed(self.package(self.kernel("verdicts/panic-at-once")),
                                      r"panic: panic_at_once.c:\d+, _start\(\): at once")

    def test_a_panic_at_the_first_instruction_on_uefi(self):
        self.check_frozen_then_failed(self.package(self.kernel("verdicts/panic-at-once")),
                                      r"panic: panic_at_once.c:\d+, _start\(\): at once",
                                      **suite.UEFI)

    def test_a_panic(self):
        self.check_frozen_then_failed(self.fault("panic"), "panic: .*as the command line wants it")

    def test_a_page_fault(self):
        self.check_frozen_then_failed(self.fault("pf"), "exception 14 #PF(?s:.*)\nCR2 0x")

    def test_a_stack_overflow(self):
        self.check_frozen_then_failed(self.fault("overflow"), "stack overflow(?s:.*)\nCR2 0x")

    def test_wrong_boot_information(self):
        self.check_frozen_then_failed(self.fault("magic"), "panic: .*no boot information")

    def test_without_pvpanic_it_exits(self):
        with self.panicked(self.fault("pf"), "exception 14", DEBUG_EXIT) as guest:
            guest.wait_for_exit(FAILED)

    def test_without_an_exit_port_it_stops(self):
        with self.panicked(self.fault("pf"), "exception 14", PVPANIC) as guest:
            guest.resume()
            guest.wait_for_halt()

    def test_nobody_freezes_it(self):
        devices = [*DEBUG_EXIT, "-device", "pvpanic", "-action", "panic=none"]
        with machine.Machine(self.fault("pf"), arguments=devices) as guest:
            guest.wait_for_exit(FAILED)

    def test_without_both_it_stops(self):
        with self.panicked(self.fault("pf"), "exception 14"):
            pass

    def test_a_real_machine_s_ports_are_left_alone(self):
        """A CPU that does not say that it is virtual is taken for a real one."""
        with machine.Machine(self.fault("pf"), arguments=DEBUG_EXIT + PVPANIC,
                             cpu="qemu64,-hypervisor") as guest:
            guest.wait_for_serial("CR2 ")
            guest.wait_for_halt()


if __name__ == "__main__":
    suite.main()
