"""bootinfo.h: it compiles alone, and notes come out byte for byte, from every language that is
documented, through every linker, up to the plan of the image.

    test_header.py BOOTIMAGE SOURCE_ROOT TOOL... [unittest arguments]
"""

import pathlib
import re
import struct
import subprocess
import sys

import elf
import image
import support
from elf import note

ARGUMENTS = sys.argv[2:]
ROOT = pathlib.Path(ARGUMENTS[0])
TOOLS = {pathlib.Path(path).name: path for path in ARGUMENTS[1:]}
del sys.argv[2:]
INCLUDE = ROOT / "bootloader/include"
HEADER = INCLUDE / "bootimage/bootinfo.h"

# Compiler, and what it takes to be strict and to build for the kernel's machine.
STRICT = ["-c", "-ffreestanding", "-Wall", "-Wextra", "-Wundef", "-Werror", f"-I{INCLUDE}"]
TARGETS = {"clang": ["--target=x86_64-unknown-none-elf"],
           "clang++": ["--target=x86_64-unknown-none-elf"]}
C = [name for name in TOOLS if name in ("x86_64-linux-gnu-gcc", "clang")]
CXX = [name for name in TOOLS if name in ("x86_64-linux-gnu-g++", "clang++")]
LINKERS = [name for name in TOOLS if name in ("x86_64-linux-gnu-ld", "ld.lld")]

REQUESTS = """
BOOTIMAGE_REQUEST(BOOTINFO_REQUEST_STACK, 0x20000)
BOOTIMAGE_REQUEST(BOOTINFO_REQUEST_MAP, 0xffffc00000000000, 0xfed00000, 0x1000,
                  BOOTINFO_MAP_WRITABLE | BOOTINFO_MAP_UNCACHED)
BOOTIMAGE_REQUEST(BOOTINFO_REQUEST_LEVELS | BOOTINFO_REQUEST_OPTIONAL, 5)
"""
NOTES = [note(2, 0x20000), note(5, 0xFFFFC00000000000, 0xFED00000, 0x1000, 5), note(0x10006, 5)]
PLANNED = [(2, 1, [0x20000, 0, 0, 0]), (5, 1, [0xFFFFC00000000000, 0xFED00000, 0x1000, 5]),
           (0x10006, 1, [5, 0, 0, 0])]
START = "__attribute__((noreturn)) void _start(void);\nvoid _start(void) { for (;;) { } }\n"


def sections(data):
    """(type, flags, alignment, bytes) of the sections of an ELF file, by name."""
    table, = struct.unpack_from("<Q", data, 40)
    size, count, names = struct.unpack_from("<HHH", data, 58)
    rows = [struct.unpack_from("<IIQQQQIIQQ", data, table + i * size) for i in range(count)]
    strings = rows[names][4]
    found = {}
    for name, kind, flags, _, offset, length, _, _, align, _ in rows:
        end = data.index(b"\0", strings + name)
        found[data[strings + name : end].decode()] = (kind, flags, align,
                                                      data[offset : offset + length])
    return found


def readme_example(language):
    """The example of requests in the README in this language."""
    text = (ROOT / "README.md").read_text().split("### What a kernel can ask for")[1]
    return re.search(rf"```{language}\n(.*?)```", text, re.DOTALL)[1]


class HeaderTest(support.ToolTest):
    def run_tool(self, name, *arguments):
        result = subprocess.run([TOOLS[name], *arguments], cwd=self.folder, text=True,
                                capture_output=True, timeout=support.TIME_LIMIT_S, check=False)
        self.assertEqual((result.returncode, result.stderr), (0, ""), f"{name} {arguments}")

    def compile(self, name, source, text, *arguments):
        (self.folder / source).write_text(text)
        # There is no standard for .S to be pedantic about.
        pedantic = [] if source.endswith(".S") else ["-pedantic-errors"]
        self.run_tool(name, *TARGETS.get(name, []), *STRICT, *pedantic, *arguments, source, "-o",
                      "object.o")
        return sections((self.folder / "object.o").read_bytes())

    def assert_notes(self, found, notes=None, align=4):
        kind, flags, alignment, data = found[".note.bootimage"]
        self.assertEqual(data, b"".join(notes or NOTES))
        self.assertEqual((kind, flags, alignment), (elf.SHT_NOTE, 2, align))

    def languages(self):
        """(compiler, file, arguments) of each language and compiler."""
        for name in C:
            for level in "-O0", "-O2":
                yield name, "kernel.c", ["-std=c11", level]
            yield name, "kernel.c", ["-std=c17", "-g", "-ffunction-sections", "-fdata-sections"]
            yield name, "kernel.S", []
        for name in CXX:
            for standard in "-std=c++17", "-std=c++20":
                yield name, "kernel.cc", [standard, "-O2"]


class Compilers(HeaderTest):
    def test_compilers_are_there(self):
        self.assertTrue(C and CXX and LINKERS and "nasm" in TOOLS and "rustc" in TOOLS, TOOLS)

    def test_alone_and_twice(self):
        text = "#include <bootimage/bootinfo.h>\n" * 2
        for name, source, arguments in self.languages():
            with self.subTest(compiler=name, arguments=arguments):
                unit = "" if source.endswith(".S") else "int unit;\n"
                self.assertNotIn(".note.bootimage",
                                 self.compile(name, source, text + unit, *arguments))

    def test_needs_only_stdint(self):
        includes = re.findall(r"#include\s*(\S+)", HEADER.read_text())
        self.assertEqual(includes, ["<stdint.h>"])

    def test_fields_lie_where_their_comments_say(self):
        text = HEADER.read_text()
        lines, total = ["#include <bootimage/bootinfo.h>", "#include <stddef.h>"], 0
        for name, body in re.findall(r"^struct (\w+) \{\n(.*?)^\};", text, re.S | re.M):
            fields = re.findall(r"(\w+)(?:\[\d+\])?;\s*/\* (\d+)[: *]", body)
            fields += [(field, offset) for offset, field in
                       re.findall(r"/\* (\d+): (?:(?!\*/).)*\*/\s*int64_t (\w+);", body, re.S)]
            for field, offset in fields:
                lines.append(f'_Static_assert(offsetof(struct {name}, {field}) == {offset}, '
                             f'"{name}.{field}");')
            total += len(fields)
            declared = len(re.findall(r"\w+(?:\[\d+\])?;", re.sub(r"/\*.*?\*/", "", body,
                                                                  flags=re.S)))
            self.assertEqual(len(fields), declared, name)
        self.assertGreater(total, 80)
        for name in C:
            self.compile(name, "layout.c", "\n".join(lines) + "\n", "-std=c11")


class Notes(HeaderTest):
    def test_byte_for_byte(self):
        for name, source, arguments in self.languages():
            with self.subTest(compiler=name, arguments=arguments):
                text = REQUESTS.replace(",\n", ", ") if source.endswith(".S") else REQUESTS
                found = self.compile(name, source, "#include <bootimage/bootinfo.h>\n" + text,
                                     *arguments)
                self.assert_notes(found)

    def test_what_is_around_stays_where_it_is(self):
        """The macro leaves the section that the compiler or the source was in."""
        for name in C:
            found = self.compile(name, "kernel.S", "#include <bootimage/bootinfo.h>\n.data\n.byte 1"
                                 "\nBOOTIMAGE_REQUEST(BOOTINFO_REQUEST_CPUS, 1)\n.byte 2\n")
            self.assertEqual(found[".data"][3], b"\1\2")
            self.assert_notes(found, [note(9, 1)])

    def test_readme_in_c(self):
        for name in C:
            self.assert_notes(self.compile(name, "kernel.c", readme_example("c"), "-std=c11"))

    def test_readme_in_nasm(self):
        (self.folder / "kernel.asm").write_text(readme_example("nasm"))
        self.run_tool("nasm", "-f", "elf64", "kernel.asm", "-o", "object.o")
        found = sections((self.folder / "object.o").read_bytes())
        self.assert_notes(found, NOTES[:1])

    def test_readme_in_rust(self):
        (self.folder / "kernel.rs").write_text("#![no_std]\n" + readme_example("rust"))
        for level in "0", "3":
            self.run_tool("rustc", "--edition", "2021", "--crate-type", "lib", "--emit", "obj",
                          "-C", f"opt-level={level}", "-C", "panic=abort", "-C",
                          "codegen-units=1", "kernel.rs", "-o", "object.o")
            # rustc makes a section of each static; the linker joins them.
            self.link("x86_64-linux-gnu-ld", "-r")
            kind, flags, _, data = sections(self.kernel.read_bytes())[
                ".note.bootimage"]
            self.assertEqual((kind, flags & 2), (elf.SHT_NOTE, 2))
            self.assertEqual(sorted(self.split(data)), sorted(NOTES))

    def split(self, data):
        """The single notes of a section whose parts may be aligned to 8."""
        notes = []
        while data:
            size = 24 + struct.unpack_from("<I", data, 4)[0]
            notes.append(data[:size])
            data = data[size:]
        return notes

    def link(self, name, *arguments):
        self.run_tool(name, *arguments, "object.o", "-o", "kernel.elf")

    def planned(self, *arguments):
        self.assertEqual(self.tool("-q", "kernel.elf", *arguments), (0, "", ""))
        return image.Image(self.image.read_bytes())

    def test_up_to_the_plan(self):
        scripts = {"none": [], "garbage collection": ["--gc-sections", "-e", "_start"],
                   "kernel.ld": ["-T", ROOT / "kernel/kernel.ld"],
                   "contract.ld": ["-T", ROOT / "tests/boot/kernels/contract.ld",
                                   "--defsym=BASE=0x200000", "--defsym=LOAD=0x200000"]}
        for compiler in C:
            self.compile(compiler, "kernel.c",
                         "#include <bootimage/bootinfo.h>\n" + START + REQUESTS, "-std=c11",
                         "-fno-pic", "-ffunction-sections", "-fno-asynchronous-unwind-tables")
            for linker in LINKERS:
                for script, arguments in scripts.items():
                    with self.subTest(compiler=compiler, linker=linker, script=script):
                        self.link(linker, "-static", *arguments)
                        self.assertEqual(self.planned().requests, PLANNED)
                        self.assertEqual(self.planned("--stack-size=4K").requests[-1],
                                         (2, 1, [4096, 0, 0, 0]))
                        # Without section headers, by PT_NOTE alone.
                        data = bytearray(self.kernel.read_bytes())
                        data[40:48] = bytes(8)
                        data[60:64] = bytes(4)
                        self.kernel.write_bytes(data)
                        self.assertEqual(self.planned().requests, PLANNED)

    def test_sections_without_a_segment(self):
        """A linker script that keeps the section but names no PT_NOTE."""
        script = ("PHDRS { all PT_LOAD FLAGS(5); }\nSECTIONS { . = 0x200000; .text : { *(.text*) } :all\n"
                  ".note.bootimage : { KEEP(*(.note.bootimage)) } :all }\n")
        (self.folder / "script.ld").write_text(script)
        self.compile(C[0], "kernel.c", "#include <bootimage/bootinfo.h>\n" + START + REQUESTS,
                     "-std=c11", "-fno-pic", "-fno-asynchronous-unwind-tables")
        for linker in LINKERS:
            self.link(linker, "-static", "-T", "script.ld")
            self.assertNotIn(elf.PT_NOTE, self.segment_types())
            self.assertEqual(self.planned().requests, PLANNED)

    def segment_types(self):
        data = self.kernel.read_bytes()
        count, = struct.unpack_from("<H", data, 56)
        return [struct.unpack_from("<I", data, 64 + 56 * i)[0] for i in range(count)]


if __name__ == "__main__":
    support.main()
