"""Crash reports of `bootimage test`: kernels that go wrong at a known line (kernels/crash), and
what the report must say about each: what happened, the first exception and not the last, the
function, the line, whose the address is, and who called."""

import dataclasses
import re
import subprocess

import judging
import suite
from judging import Case, place

UNMAPPED = 0xFFFFC900DEADB000
# The verbs are called by these; the end of every call stack.
ROOT = ["obey", "_start"]
DIVISION, OPCODE, PROTECTION, PAGE_FAULT = 0, 6, 13, 14
EVENTS = {
    DIVISION: r"divi(de|sion)",
    OPCODE: r"(invalid|undefined) opcode",
    PROTECTION: r"general protection",
    PAGE_FAULT: r"page fault",
}
TRIPLE_FAULT, TIMEOUT, GUEST_FAILURE, SHUTDOWN = 4, 3, 1, 5


@dataclasses.dataclass
class Crash:
    vector: int
    functions: list  # innermost first, without ROOT
    access: str = ""  # of a page fault: a word of the event
    kind: str = None  # whose the address is
    address: int = None
    is_call: bool = False  # the processor was led astray by a call: the line is that of the caller


CRASHES = {
    "opcode": Crash(OPCODE, ["opcode"]),
    "null-call": Crash(PAGE_FAULT, ["null_call"], "exec", "null-page", 0, is_call=True),
    "null-read": Crash(PAGE_FAULT, ["null_read"], "read", "null-page", 0x10),
    "write-constant": Crash(PAGE_FAULT, ["write_constant"], "write", "section"),
    "write-code": Crash(PAGE_FAULT, ["write_code"], "write", "section"),
    "write-unmapped": Crash(PAGE_FAULT, ["write_entry", "map_page", "map_range", "write_unmapped"],
                            "write", "unmapped", UNMAPPED),
    "execute-data": Crash(PAGE_FAULT, ["execute_data"], "exec", "section", is_call=True),
    "execute-stack": Crash(PAGE_FAULT, ["execute_stack"], "exec", "stack", is_call=True),
    "execute-bootinfo": Crash(PAGE_FAULT, ["execute_bootinfo"], "exec", "bootinfo", is_call=True),
    "divide": Crash(DIVISION, ["quotient", "divide"]),
    "not-canonical": Crash(PROTECTION, ["not_canonical"]),
    "overflow-third": Crash(PAGE_FAULT, ["third_call"] * 3 + ["overflow_third"], "write",
                            "guard-page"),
    "corrupt-bootinfo": Crash(PAGE_FAULT, ["corrupt_bootinfo"], "read", "null-page", 0x10),
}


class CrashTest(judging.JudgeTest):
    """The checks; the tests are in the classes below."""

    def check_triple_fault(self, outcome, vector):
        self.check_status(outcome, TRIPLE_FAULT)
        report = outcome.report
        self.assertEqual(report["format"], 1)
        self.assertEqual(report["status"], TRIPLE_FAULT)
        self.assertEqual(report["what"], "triple fault")
        self.assertEqual(report["vector"], vector)
        self.assertEqual(report["exceptions"][0]["vector"], vector, "the first, not the last")
        self.assertRegex(report["event"].lower(), EVENTS[vector])

    def check_where(self, report, name, function=None):
        """The place is the marked line, and the source is quoted."""
        where = report["where"]
        self.assertIsNotNone(where)
        self.assertIsNotNone(report["source"], where)
        file, line = place(name)
        self.assertEqual((where["file"].rpartition("/")[2], where["line"]), (file, line), where)
        if function:
            self.assertEqual(where["function"], function)
        self.assertEqual(report["source"]["line"], line)
        self.assertRegex(report["source"]["text"], rf"CRASH: {name}(?![\w-])")

    def check_stack(self, outcome, functions, is_call=False):
        found = outcome.functions()
        if is_call and found[0] != functions[0]:
            found = found[1:]  # what was called, if the report has a name for that
        self.assertEqual(found, functions)

    def check_calls(self, outcome, functions):
        """These are in the stack, in this order; others may be between them."""
        rest = iter(outcome.functions())
        self.assertTrue(all(function in rest for function in functions),
                        f"{functions} in {outcome.functions()}")

    def check_address(self, report, crash):
        if crash.kind is None:
            return
        address = report["address"]
        self.assertEqual(address["kind"], crash.kind, address)
        self.assertTrue(address["belongs_to"])
        self.assertIn(crash.access, report["event"])
        self.assertIn(address["vaddr"], report["event"])
        self.assertEqual(int(report["registers"]["cr2"], 16), int(address["vaddr"], 16))
        if crash.address is not None:
            self.assertEqual(int(address["vaddr"], 16), crash.address)
        if crash.kind == "section":
            self.assertRegex(address["belongs_to"], r"\.(text|rodata|data)\b")
        if crash.kind == "guard-page":
            self.assertIn("stack overflow", address["belongs_to"] + report["event"])

    def check_crash(self, case, outcome):
        name = case.does.split(";")[-1].strip()
        crash = CRASHES[name]
        self.check_triple_fault(outcome, crash.vector)
        self.check_where(outcome.report, name, crash.functions[0])
        self.check_stack(outcome, crash.functions + ROOT, crash.is_call)
        self.check_address(outcome.report, crash)
        if not crash.is_call:
            self.assertEqual(outcome.report["where"]["vaddr"], outcome.report["registers"]["rip"])


class FaultTest(CrashTest):
    def test_frame_pointers_alone_and_a_kernel_low(self):
        self.judge_all([Case("crash-low", name) for name in CRASHES], self.check_crash)

    def test_debug_frame_alone_and_a_kernel_high(self):
        self.judge_all([Case("crash-high", name) for name in CRASHES], self.check_crash)

    def test_eh_frame_alone_and_a_position_independent_kernel(self):
        self.judge_all([Case("crash-pie", name) for name in CRASHES], self.check_crash)

    def test_a_random_base(self):
        self.judge_all([Case("crash-pie", "write-unmapped", ("--kaslr",)),
                        Case("crash-pie", "overflow-third", ("--base", "0xffffffffa0000000"))],
                       self.check_crash)

    def test_uefi(self):
        uefi = ("--firmware", "uefi")
        self.judge_all([Case("crash-low", "execute-bootinfo", uefi),
                        Case("crash-high", "write-unmapped", uefi),
                        Case("crash-pie", "overflow-third", uefi)], self.check_crash)

    def test_an_image_of_a_kernel(self):
        """The kernel's own file has the symbols: --symbols names it."""
        image = self.package(self.crash_kernel("crash-high"), "--cmdline", "write-unmapped")
        symbols = ("--symbols", str(self.crash_kernel("crash-high")))
        outcome = self.judge(image, None, *symbols)
        self.check_crash(Case(image, "write-unmapped"), outcome)

    def test_q35_and_other_disks(self):
        self.judge_all([Case("crash-low", "divide", ("--machine", "q35", "--disk", "ahci")),
                        Case("crash-low", "divide", ("--disk", "ide", "--cpu", "max", "--smp", "2",
                                                     "--memory", "64M"))], self.check_crash)


class OddStackTest(CrashTest):
    def test_an_endless_recursion_gives_a_list_that_ends(self):
        def check(_case, outcome):
            self.check_triple_fault(outcome, PAGE_FAULT)
            report = outcome.report
            self.assertEqual(report["address"]["kind"], "guard-page")
            self.assertEqual(report["where"]["function"], "endless")
            self.assertEqual(outcome.functions()[:5], ["endless"] * 5)
            self.assertLess(len(report["stack"]), 500)
            calls = {frame["line"] for frame in report["stack"][1:]
                     if frame["function"] == "endless"}
            self.assertEqual(calls, {place("overflow-endless")[1]})
        self.judge_all([Case(kernel, "overflow-endless")
                        for kernel in ("crash-low", "crash-high", "crash-pie")], check)

    def test_an_inlined_function_and_the_line_that_called_it(self):
        outcome = self.judge("crash-high", "write-unmapped")
        self.check_triple_fault(outcome, PAGE_FAULT)
        inner, outer = outcome.report["stack"][:2]
        self.assertEqual((inner["function"], inner["inlined"]), ("write_entry", True))
        self.assertEqual(inner["line"], place("write-unmapped")[1])
        self.assertEqual((outer["function"], outer["inlined"]), ("map_page", False))
        self.assertEqual(outer["line"], place("write-unmapped", "CALL")[1])
        self.assertEqual(outcome.report["where"]["symbol"], "map_page")

    def test_a_fault_in_an_interrupt_handler(self):
        """With what it interrupted, although its entry has nothing to unwind by."""
        def check(_case, outcome):
            self.check_triple_fault(outcome, PAGE_FAULT)
            self.check_where(outcome.report, "fault-in-interrupt", "count_tick")
            self.check_calls(outcome, ["count_tick", "timer_tick", "wait_for_interrupts",
                                       "fault_in_interrupt", *ROOT])
        self.judge_all([Case(kernel, "fault-in-interrupt")
                        for kernel in ("crash-low", "crash-high", "crash-pie")], check)

    def test_a_fault_in_the_handler_of_a_fault(self):
        """The first is the one to repair; the second is named, too, and the calls lead from it to
        the first."""
        def check(_case, outcome):
            self.check_triple_fault(outcome, PAGE_FAULT)
            vectors = [exception["vector"] for exception in outcome.report["exceptions"]]
            self.assertEqual(vectors[:2], [PAGE_FAULT, DIVISION])
            self.check_where(outcome.report, "fault-in-handler", "touch")
            self.check_calls(outcome, ["touch", "fault_in_handler", *ROOT])
        self.judge_all([Case(kernel, "fault-in-handler")
                        for kernel in ("crash-low", "crash-high")], check)

    def test_a_kernel_of_32_bits(self):
        outcome = self.judge("crash32", None)
        self.check_triple_fault(outcome, DIVISION)
        self.check_where(outcome.report, "divide-32", "quotient")
        self.check_stack(outcome, ["quotient", "share", "_start"])
        self.assertIn("eip", outcome.report["registers"])

    def test_rust(self):
        """Readable names, of a function in a module in another file."""
        outcome = self.judge("crash-rust", None)
        self.check_triple_fault(outcome, PAGE_FAULT)
        frames = [frame for frame in outcome.report["stack"]
                  if frame["function"].endswith("paging::map_page")]
        self.assertEqual(len(frames), 1, outcome.functions())
        self.assertEqual((frames[0]["file"].rpartition("/")[2], frames[0]["line"]), place("rust"))
        self.assertEqual(outcome.report["stack"][-1]["function"].rpartition("::")[2], "_start")
        self.assertEqual(outcome.report["stack"][-1]["line"], place("rust", "CALL")[1])
        self.assertNotRegex(" ".join(outcome.functions()), r"_ZN|_R[A-Z]|17h[0-9a-f]{16}")

    def stripped(self, *options):
        kernel = self.folder / "stripped.elf"
        objcopy = suite.build_path("OBJDUMP").parent / suite.build_path("OBJDUMP").name.replace(
            "objdump", "objcopy")
        subprocess.run([objcopy, *options, self.crash_kernel("crash-low"), kernel], check=True)
        return kernel

    def test_symbols_without_lines(self):
        outcome = self.judge(self.stripped("--strip-debug"), "divide")
        self.check_triple_fault(outcome, DIVISION)
        self.check_stack(outcome, ["quotient", "divide", *ROOT])
        self.assertIsNone(outcome.report["source"])
        self.assertIsNone(outcome.report["where"]["line"])

    def test_a_kernel_without_symbols(self):
        outcome = self.judge(self.stripped("--strip-all"), "divide")
        self.check_triple_fault(outcome, DIVISION)
        self.assertEqual(outcome.report["where"]["vaddr"], outcome.report["registers"]["rip"])
        self.assertIsNone(outcome.report["where"]["function"])
        self.assertGreaterEqual(len(outcome.report["stack"]), 4)


class HangTest(CrashTest):
    def test_what_the_processor_was_doing(self):
        cases = {
            "hang-halted": ("hang_halted", r"halt.*interrupts (are )?(off|disabled)"),
            "hang-interrupts": ("wait_for_interrupts", r"interrupt"),
            "hang-busy": ("hang_busy", r"."),
        }

        def check(case, outcome):
            function, event = cases[case.does]
            self.check_status(outcome, TIMEOUT)
            self.assertEqual(outcome.report["what"], "timeout")
            self.assertRegex(outcome.report["event"], event)
            self.assertIsNone(outcome.report["vector"])
            self.check_where(outcome.report, case.does, function)
            self.check_calls(outcome, [function, *ROOT])
        kernels = {"hang-halted": "crash-low", "hang-interrupts": "crash-high",
                   "hang-busy": "crash-pie"}
        self.judge_all([Case(kernels[name], name, timeout=judging.HANG_S) for name in cases], check)


class EndTest(CrashTest):
    def test_resets_are_not_triple_faults(self):
        def check(case, outcome):
            self.check_status(outcome, TRIPLE_FAULT)
            self.assertEqual(outcome.report["what"], "reset")
            self.assertNotIn("triple", outcome.err)
            self.assertEqual(outcome.report["exceptions"], [])
            # QEMU stops at the write or behind it.
            functions = [frame["function"] for frame in outcome.report["stack"]]
            self.assertIn(case.does.replace("-", "_"), functions[:2])
        self.judge_all([Case("crash-low", "reset-keyboard"), Case("crash-high", "reset-chipset"),
                        Case("crash-pie", "reset-chipset", ("--machine", "q35"))], check)

    def test_an_exit_code_leaves_no_machine_to_look_at(self):
        outcome = self.judge("crash-low", "say last words|; exit 0x11")
        self.check_status(outcome, GUEST_FAILURE)
        self.assertEqual(outcome.report["what"], "exit code")
        self.assertEqual(outcome.report["stack"], [])
        self.assertEqual(outcome.report["serial"][-1], "last words")
        self.assertIn("isa-debug-exit", " ".join(outcome.report["unknown"]))

    def test_a_panic_of_the_template(self):
        outcome = self.judge("panics", "panic")
        self.check_status(outcome, GUEST_FAILURE)
        self.assertEqual(outcome.report["what"], "panic")
        self.check_calls(outcome, ["panic_at", "give_up", "kernel_main", "_start"])
        frame = next(frame for frame in outcome.report["stack"] if frame["function"] == "give_up")
        self.assertEqual((frame["file"].rpartition("/")[2], frame["line"]), place("panic"))
        self.assertIn("give_up(): no memory for 42 pages", outcome.report["serial"][-1])

    def test_an_exception_that_the_template_reports(self):
        """The machine stands in the kernel's own report; what matters is the exception."""
        outcome = self.judge("panics", "write-unmapped")
        self.check_status(outcome, GUEST_FAILURE)
        self.assertEqual(outcome.report["what"], "panic")
        self.assertEqual(outcome.report["exceptions"][0]["vector"], PAGE_FAULT)
        self.assertEqual(int(outcome.report["registers"]["cr2"], 16), UNMAPPED)
        self.check_calls(outcome, ["map_page", "kernel_main", "_start"])
        frame = next(frame for frame in outcome.report["stack"] if frame["function"] == "map_page")
        self.assertEqual((frame["file"].rpartition("/")[2], frame["line"]),
                         place("template-write-unmapped"))


class ReportTest(CrashTest):
    def test_all_parts(self):
        outcome = self.judge("crash-low", "say first line|last words|; opcode")
        self.check_triple_fault(outcome, OPCODE)
        report = outcome.report
        self.assertEqual(report["serial"][-2:], ["first line", "last words"])
        self.assertIn("0f 0b", report["code"]["bytes"])
        registers = report["registers"]
        self.assertLessEqual({"rax", "rbx", "rcx", "rdx", "rsi", "rdi", "rbp", "rsp", "r8", "r15",
                              "rip", "rflags", "cr0", "cr2", "cr3", "cr4"}, set(registers))
        self.assertEqual(int(report["stack_words"][0]["vaddr"], 16), int(registers["rsp"], 16))
        self.assertIn("_start", " ".join(word["symbol"] or "" for word in report["stack_words"]))
        ways = {frame["by"] for frame in report["stack"]}
        self.assertEqual(ways, {"pc", "frame-pointer"})
        self.assertEqual(report["stack"][0]["vaddr"], registers["rip"])

    def test_as_text(self):
        """In the order of the issue; to a file where one is named, else to standard error."""
        report = self.folder / "report.txt"
        kernel = self.crash_kernel("crash-high")
        file, line = place("write-unmapped")
        first = (rf"bootimage: {re.escape(str(kernel))}: triple fault: page fault, write to "
                 rf"0x{UNMAPPED:x}, at write_entry in map_page\+0x[0-9a-f]+ \(.*/{file}:{line}\)\n")
        does = "say last words|; write-unmapped"
        for options in (("--crash-report", report), ()):
            with self.subTest(options=options):
                done = subprocess.run(self.command(kernel, does, *options),
                                      stdin=subprocess.DEVNULL, capture_output=True, text=True,
                                      check=False, env=self.environment(), timeout=200)
                self.assertEqual(done.returncode, TRIPLE_FAULT, done.stderr)
                text = report.read_text() if options else done.stderr
                found = re.search(first, text)
                self.assertIsNotNone(found, text)
                if options:
                    self.assertEqual(found.start(), 0, text)
                rest = text[found.end():].lower()
                parts = [rest.index(part) for part in
                         ("exceptions, the first one first", "double fault", "registers:", "rip",
                          "call stack", "map_range", "source", "crash: write-unm",
                          "instruction bytes", "end of the stack", "belongs to", "last lines")]
                self.assertEqual(parts, sorted(parts), text)
                self.assertIn("last words", rest[parts[-1]:])
                self.assertRegex(done.stderr.splitlines()[-1], r"\Abootimage: \S+: failed: ")


if __name__ == "__main__":
    suite.main()
