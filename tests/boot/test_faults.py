"""The kernel's exception handlers: a kernel that goes wrong on purpose (kernels/faults) says which
report is to come, and the report must say the same; RIP above all."""

import re

import machine
import suite

EXPECTED = re.compile(r"expect vector=(\d+) error=(0x[0-9a-f]+) rip=(0x[0-9a-f]+)"
                      r"(?: cr2=(0x[0-9a-f]+))?")


class FaultTest(suite.BootTest):
    def provoke(self, fault):
        """Boot the kernel with this fault and give all that it printed once it stopped."""
        image = self.package(suite.build_path("FAULTS"), "--cmdline", f"fault={fault}")
        with machine.Machine(image) as guest:
            guest.wait_for_serial("expect ")
            guest.wait_for_halt()
            serial = guest.serial().replace("\r\n", "\n")
            last = serial.rstrip("\n").rpartition("\n")[2]
            self.assertIn(last, guest.screen_text(), "COM1 and the screen say the same")
            return serial

    def check_fault(self, fault, vector, name):
        serial = self.provoke(fault)
        expected = EXPECTED.search(serial)
        self.assertIsNotNone(expected, serial)
        self.assertEqual(int(expected[1]), vector)
        report = serial[expected.end():]
        said = re.search(r"exception (\d+) (#\w+|NMI).*, error code (0x[0-9a-f]+)\n", report)
        self.assertIsNotNone(said, serial)
        self.assertEqual((int(said[1]), said[2]), (vector, name), serial)
        self.assertEqual(int(said[3], 16), int(expected[2], 16), serial)
        self.assertEqual(re.search(r"RIP (0x\w+)", report)[1], expected[3], serial)
        if expected[4]:
            self.assertEqual(re.search(r"CR2 (0x\w+)", report)[1], expected[4], serial)
        return report

    def test_divide_error(self):
        self.check_fault("de", 0, "#DE")

    def test_nmi_has_a_stack_of_its_own(self):
        self.check_fault("nmi", 2, "NMI")

    def test_breakpoint(self):
        self.check_fault("bp", 3, "#BP")

    def test_invalid_opcode(self):
        self.check_fault("ud", 6, "#UD")

    def test_double_fault(self):
        self.check_fault("df", 8, "#DF")

    def test_general_protection(self):
        self.check_fault("gp", 13, "#GP")

    def test_each_register_is_reported_under_its_own_name(self):
        report = self.check_fault("registers", 6, "#UD")
        names = ("RAX RBX RCX RDX RSI RDI RBP R8 R9 R10 R11 R12 R13 R14 R15").split()
        for number, name in enumerate(names, start=1):
            self.assertRegex(report, rf"\b{name} +0x{number:016x}\b")

    def test_page_fault(self):
        self.check_fault("pf", 14, "#PF")

    def test_read_of_page_0(self):
        self.check_fault("read", 14, "#PF")

    def test_write_to_code(self):
        self.check_fault("code", 14, "#PF")

    def test_write_to_a_constant(self):
        self.check_fault("constant", 14, "#PF")

    def test_execution_of_data(self):
        self.check_fault("execute", 14, "#PF")

    def test_stack_overflow_is_reported_as_such(self):
        report = self.check_fault("overflow", 14, "#PF")
        self.assertIn("stack overflow", report)

    def test_machine_check_has_a_stack_of_its_own(self):
        self.check_fault("mc", 18, "#MC")

    def check_panic(self, fault, pattern):
        serial = self.provoke(fault)
        self.assertRegex(serial, rf"expect panic\n(?s:.*)panic: \S+:\d+, \w+\(\): {pattern}")

    def test_panic_says_where(self):
        self.check_panic("panic", "as the command line wants it")

    def test_wrong_magic_of_bootinfo(self):
        self.check_panic("magic", "no boot information")

    def test_wrong_version_of_bootinfo(self):
        self.check_panic("version", "boot information of version")

    def test_too_short_a_bootinfo(self):
        self.check_panic("size", r"boot information of \d+ bytes")


if __name__ == "__main__":
    suite.main()
