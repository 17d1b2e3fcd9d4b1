"""What the built code may hold: read by a disassembler, nothing is run.

The loader and the kernel use general registers only, but for the hand-over, which has to leave the
floating point units clean; the red zone is off; stage 1 fits into a boot sector.
"""

import re
import subprocess

import suite
from image_file import SOURCE

STAGE1_BYTES = 440
BOOT_SECTOR_CODE_START = 3
PARAMETER_BLOCK_END = 0x3E

# Registers of MMX, SSE, AVX, AVX-512 and the x87, and instructions that name none.
REGISTER = re.compile(r"%([xyz]?mm\d|st\b|k[0-7]\b)")
MNEMONIC = re.compile(r"(f[a-z]\w*|wait|emms|v?(ld|st)mxcsr|xsave\w*|xrstor\w*|vzero\w+)$")

# Labels of what stands among the 64-bit code in core/handover.asm and core/trampoline.asm: data, and
# 16-bit code.
NOT_64_BIT_CODE = re.compile(
    r"(mxcsr|no_idt|handover_(switch_|protected_|limine_)?gdt|\w*settings|trampoline)")


def instructions(program, *options):
    """(function, mnemonic, operands) of each instruction of an ELF file or a library."""
    listing = subprocess.run([suite.build_path("OBJDUMP"), "-d", "--no-show-raw-insn", *options,
                              program], check=True, capture_output=True, text=True).stdout
    function = ""
    for line in listing.splitlines():
        if heading := re.match(r"[0-9a-f]+ <(.+)>:$", line):
            function = heading[1]
        elif found := re.match(r"\s+[0-9a-f]+:\s+(?:(?:rep\w*|lock|data16|cs|notrack) )*(\S+)\s*"
                               r"([^#<]*)", line):
            yield function, found[1], found[2].strip()


def of_other_units(program, *options):
    """(function, mnemonic) of the instructions that use more than the general registers."""
    return [(function, mnemonic) for function, mnemonic, operands in instructions(program, *options)
            if not NOT_64_BIT_CODE.match(function) and
            (REGISTER.search(operands) or MNEMONIC.match(mnemonic))]


class GeneralRegistersTest(suite.BootTest):
    def test_the_kernel_uses_nothing_else(self):
        self.assertGreater(len(list(instructions(suite.build_path("KERNEL")))), 500)
        self.assertEqual(of_other_units(suite.build_path("KERNEL")), [])

    def test_the_loader_uses_nothing_else_but_in_the_hand_over(self):
        # .text is 64-bit code; the rest, 16-bit code in assembly, is judged by its source below.
        found = of_other_units(suite.build_path("LOADER"), "-j", ".text")
        self.assertEqual([mnemonic for _, mnemonic in found], ["fninit", "ldmxcsr"])
        for function, _ in found:
            self.assertRegex(function, r"^handover_long_mode")

    def test_the_runtime_uses_nothing_else(self):
        self.assertEqual(of_other_units(suite.build_path("RUNTIME")), [])

    def test_a_kernel_that_uses_more_is_seen(self):
        mnemonics = {mnemonic for _, mnemonic in of_other_units(self.kernel("plain-gcc"))}
        self.assertTrue({"movaps", "addps"} & mnemonics, mnemonics)

    def test_the_assembly_of_the_loader_uses_nothing_else(self):
        found = []
        for source in sorted((SOURCE / "bootloader").rglob("*.asm")):
            for line in source.read_text().splitlines():
                code = re.sub(r"^\s*[\w.]+:", "", line.partition(";")[0])
                words = re.findall(r"[\w.]+", code)
                if words and not {"equ", "db", "dw", "dd", "dq", "extern", "global"} & set(words):
                    if MNEMONIC.match(words[0]) or re.search(r"\b([xyz]?mm\d|st\d)", code):
                        found.append(words[0])
        self.assertEqual(found, ["fninit", "ldmxcsr"])


class RedZoneTest(suite.BootTest):
    def lowers_rsp(self, library):
        code = [(mnemonic, operands) for _, mnemonic, operands in
                instructions(suite.build_path(library))]
        self.assertIn("ret", [mnemonic for mnemonic, _ in code])
        return any(mnemonic.startswith("sub") and operands.endswith(",%rsp")
                   for mnemonic, operands in code)

    def test_a_leaf_function_with_locals_lowers_rsp(self):
        self.assertTrue(self.lowers_rsp("LEAF"))

    def test_with_a_red_zone_it_would_not(self):
        self.assertFalse(self.lowers_rsp("LEAF_RED_ZONE"))


class BootSectorTest(suite.BootTest):
    def test_stage_1_fits_before_the_disk_signature(self):
        sector = suite.build_path("LOADER_BIN").read_bytes()[:512]
        sizes = subprocess.run([suite.build_path("OBJDUMP"), "-h", suite.build_path("LOADER")],
                               check=True, capture_output=True, text=True).stdout
        size = int(re.search(r" \.stage1 +([0-9a-f]+) ", sizes)[1], 16)
        self.assertLessEqual(size, STAGE1_BYTES)
        self.assertEqual(sector[size:510], bytes(510 - size))

    def test_the_parameter_block_is_kept_free(self):
        sector = suite.build_path("LOADER_BIN").read_bytes()[:512]
        self.assertEqual(sector[0], 0xEB, "a short jump")
        self.assertEqual(sector[BOOT_SECTOR_CODE_START:PARAMETER_BLOCK_END],
                         bytes(PARAMETER_BLOCK_END - BOOT_SECTOR_CODE_START))


if __name__ == "__main__":
    suite.main()
