"""Kernels that cannot boot: each is refused by one line that says what, where and what to do."""

import os
import socket
import tempfile

import elf
import support
from elf import R, Segment

AGAIN = "; build the kernel again"


class Files(support.ToolTest):
    def test_not_there(self):
        check = "check the path [kernel-open]"
        self.assert_fails(f"nothing.elf: cannot open: No such file or directory; {check}",
                          "nothing.elf")
        self.assert_fails(f"kernel.elf/x: cannot open: Not a directory; {check}", "kernel.elf/x")
        self.assert_fails(f": cannot open: No such file or directory; {check}", "")

    def test_folder(self):
        self.assert_fails(".: is a folder; name the kernel's ELF file in it [kernel-folder]", ".")

    def test_unreadable(self):
        self.kernel.chmod(0)
        rights = self.as_nobody()
        self.assert_fails_blind("kernel.elf: cannot open: Permission denied; give read permission "
                                "[kernel-open]", rights)

    def assert_fails_blind(self, message, rights):
        """As assert_fails(), for files that this process may not read either."""
        before = self.names()
        self.assertEqual(self.tool("kernel.elf", **rights), (1, "", f"bootimage: {message}\n"))
        self.assertEqual(self.names(), before)

    def test_not_a_regular_file(self):
        os.mkfifo(self.folder / "fifo")
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(self.folder / "socket"))
            cure = "; name the kernel's ELF file [kernel-not-regular]"
            for name in "fifo", "socket", "/dev/null", "/dev/zero":
                self.assert_fails(f"{name}: is not a regular file{cure}", name)

    def test_empty(self):
        self.assert_refused(b"", "is empty; build the kernel again [kernel-empty]")

    def test_not_elf(self):
        message = ("is not an ELF file, and carries no header of a boot protocol; name the kernel as "
                   "the linker wrote it [not-elf]")
        for data in b"#!/bin/sh\n", b"\x7fELG" + bytes(100), b"x", bytes(1000), b"MZ" + bytes(600):
            self.assert_refused(data, message)

    def test_archive(self):
        self.assert_refused(b"!<arch>\n" + bytes(100),
                            "is an archive, not a kernel; link it to an ELF executable [archive]")

    def test_control_characters_in_a_name(self):
        self.assert_fails(
            "a\\x0ab\\x1b[31m\\x7f\\xc2\\x9b\\xff\u00fc: cannot open: No such file or directory; "
            "check the path [kernel-open]", b"a\nb\x1b[31m\x7f\xc2\x9b\xff\xc3\xbc")

    def test_host_program(self):
        host = "/bin/true"
        self.assert_fails(
            f"{host}: is a program for an operating system: it asks for a dynamic linker "
            "(PT_INTERP); link the kernel with -nostdlib -static-pie, or -nostdlib -static -no-pie "
            "[interpreter]", host)


class Headers(support.ToolTest):
    def test_truncated_header(self):
        whole = elf.kernel()
        for size in 1, 2, 3, 4, 15, 16, 63:
            self.assert_refused(
                whole[:size],
                f"is truncated: it has {size} bytes, but the ELF header alone takes 64{AGAIN} "
                "[elf-truncated]")

    def test_class(self):
        self.assert_refused(elf.kernel(identification={4: 3}),
                            f"has ELF class 3 (EI_CLASS), which does not exist{AGAIN} [elf-class]")

    def test_endianness(self):
        self.assert_refused(
            elf.kernel(big_endian=True),
            "is big-endian; build the kernel for little-endian x86-64 [elf-byte-order]")
        self.assert_refused(
            elf.kernel(identification={5: 3}),
            "has byte order 3 (EI_DATA) and ELF version 1 (EI_VERSION), where 1 and 1 are "
            f"expected{AGAIN} [elf-identification]")

    def test_version(self):
        self.assert_refused(
            elf.kernel(identification={6: 0}),
            "has byte order 1 (EI_DATA) and ELF version 0 (EI_VERSION), where 1 and 1 are "
            f"expected{AGAIN} [elf-identification]")

    def test_machine(self):
        for machine, name in [(elf.EM_386, " (32-bit x86)"), (elf.EM_AARCH64, " (AArch64)"),
                              (40, " (ARM)"), (243, " (RISC-V)"), (9, "")]:
            self.assert_refused(elf.kernel(machine=machine),
                                f"is for machine {machine}{name}; build the kernel for x86-64 (62) "
                                "[wrong-machine]")

    def test_type(self):
        self.assert_refused(
            elf.kernel(type=elf.ET_REL),
            "is an object file (ET_REL), not yet linked; link it with ld [object-file]")
        for kind in elf.ET_NONE, elf.ET_CORE, 0xFE00:
            self.assert_refused(elf.kernel(type=kind), f"has ELF type {kind}, not an executable "
                                                       "(ET_EXEC, 2); link it with ld [elf-type]")

    def test_dynamic_linker(self):
        self.assert_refused(
            elf.pie(b"", b"", Segment(0, type=elf.PT_INTERP), tags={elf.DT_NEEDED: 1}),
            "is a program for an operating system: it asks for a dynamic linker (PT_INTERP); link "
            "the kernel with -nostdlib -static-pie, or -nostdlib -static -no-pie [interpreter]")

    def test_no_program_headers(self):
        message = ("has no program headers; link it to an executable, as by ld without -r "
                   "[no-program-headers]")
        self.assert_refused(elf.build([]), message)
        self.assert_refused(elf.kernel(header={"e_phnum": 0}), message)
        self.assert_refused(elf.kernel(header={"e_phoff": 0}), message)

    def test_program_headers_of_another_size(self):
        for size in 0, 1, 55, 57, 65535:
            self.assert_refused(
                elf.kernel(header={"e_phentsize": size}),
                f"e_phentsize is {size}, but a program header takes 56 bytes{AGAIN} "
                "[program-header-size]")

    def test_program_headers_past_the_end(self):
        size = len(elf.kernel())
        for count, offset in [(3, size), (3, size - 167), (3, 2**64 - 1), (3, 2**64 - 168),
                              (3, 2**63), (0xFFFE, 64)]:
            self.assert_refused(
                elf.kernel(header={"e_phnum": count, "e_phoff": offset}),
                f"is truncated: {count} program headers at offset {offset:#x} go past its end at "
                f"{size:#x}{AGAIN} [elf-truncated]")

    def test_number_of_program_headers_nowhere(self):
        message = ("e_phnum is 0xffff, but section 0, which would hold the number of program "
                   f"headers, cannot be read{AGAIN} [program-header-count]")
        for offset in 0, 2**64 - 1, 2**63, 0x10000:
            self.assert_refused(elf.kernel(header={"e_phnum": elf.PN_XNUM, "e_shoff": offset}),
                                message)

    def test_number_of_program_headers_past_the_end(self):
        segments = [Segment(0x100000, b"\xf4")] + [Segment(0, type=elf.PT_NULL)] * 0xFFFF
        file = bytearray(elf.build(segments))
        file[-64 + 44 : -64 + 48] = b"\xff\xff\xff\xff"
        self.assert_refused(file, "is truncated: 4294967295 program headers at offset 0x40 go past "
                                  f"its end at {len(file):#x}{AGAIN} [elf-truncated]")


class Segments(support.ToolTest):
    def test_no_load(self):
        self.assert_refused(
            elf.build([Segment(0x100000, b"\xf4", type=elf.PT_NOTE)]),
            "has no PT_LOAD, so nothing to load; link it to an executable [no-load]")
        self.assert_refused(
            elf.build([Segment(0x100000)]),
            "every PT_LOAD is empty; check that the linker script keeps the kernel's sections "
            "[empty-load]")

    def test_more_in_the_file_than_in_memory(self):
        self.assert_refused(
            elf.kernel(program_headers={1: {"p_memsz": 7}}),
            f"segment 1 has 0x9 bytes in the file (p_filesz) but 0x7 in memory (p_memsz){AGAIN} "
            "[segment-file-size]")

    def test_past_the_end(self):
        size = len(elf.kernel())
        for offset, length in [(size, 1), (size - 7, 8), (2**64 - 1, 1), (2**64 - 8, 8),
                               (2**64 - 8, 16), (2**63, 2**63), (1, 2**40), (0, size + 1)]:
            self.assert_refused(
                elf.kernel(program_headers={1: {"p_offset": offset, "p_filesz": length,
                                                "p_memsz": length}}),
                f"is truncated: segment 1 is {length:#x} bytes at offset {offset:#x}, past its end "
                f"at {size:#x}{AGAIN} [elf-truncated]")

    def test_overlap(self):
        cure = "give them addresses of their own in the linker script [segment-overlap]"
        self.assert_refused(
            elf.build([Segment(0x100000, b"\xf4", memsz=0x1001), Segment(0x101000, b"data", R)]),
            "segment 1 [0x101000, 0x101004) overlaps segment 0 [0x100000, 0x101001); " + cure)
        # One inside the other, in the other order, and far from each other in the table.
        self.assert_refused(
            elf.build([Segment(0x101000, b"\xf4"), Segment(0x300000, b"x"),
                       Segment(0x100000, b"data", R, memsz=0x10000)]),
            "segment 0 [0x101000, 0x101001) overlaps segment 2 [0x100000, 0x110000); " + cure)
        self.assert_refused(
            elf.build([Segment(0x100000, b"\xf4"), Segment(0x100000, b"\xf4")]),
            "segment 1 [0x100000, 0x100001) overlaps segment 0 [0x100000, 0x100001); " + cure)

    def test_addresses_that_wrap(self):
        cure = "goes past the end of the address space; link the kernel lower [segment-wraps]"
        for vaddr, size in [(2**64 - 1, 1), (2**64 - 0x1000, 0x1000), (0x100000, 2**64 - 0x100000),
                            (1, 2**64 - 1), (2**64 - 1, 2**64 - 1)]:
            self.assert_refused(elf.build([Segment(vaddr, b"\xf4", memsz=size)]),
                                f"segment 0 of {size:#x} bytes at {vaddr:#x} {cure}")

    def test_last_page(self):
        for vaddr, size in [(2**64 - 0x1000, 1), (2**64 - 2, 1), (2**64 - 0x2000, 0x1001)]:
            self.assert_refused(
                elf.build([Segment(vaddr, b"\xf4", memsz=size)]),
                f"segment 0 [{vaddr:#x}, {vaddr + size:#x}) touches the last page of the address "
                "space; link the kernel lower [segment-last-page]")

    def test_not_canonical(self):
        for vaddr, size in [(0x800000000000, 1), (0x7FFFFFFFFFFF, 2), (0xFFFF7FFFFFFFFFFF, 1),
                            (0xFFFF7FFFFFFFFFFF, 2), (2**63, 1), (0x100000, 2**63)]:
            self.assert_refused(
                elf.build([Segment(vaddr, b"\xf4", memsz=size)]),
                f"segment 0 [{vaddr:#x}, {vaddr + size:#x}) has addresses that are not canonical, "
                "from 0x800000000000 to 0xffff7fffffffffff; link the kernel below or above them "
                "[segment-not-canonical]")

    def test_page_0(self):
        for vaddr in 0, 1, 0xFFF:
            self.assert_refused(
                elf.build([Segment(vaddr, b"\xf4")]),
                f"segment 0 [{vaddr:#x}, {vaddr + 1:#x}) touches page 0, which stays unmapped to "
                "catch null pointers; link the kernel at 1 MiB or above [segment-page-0]")

    def test_stack(self):
        for vaddr, size in [(0xFFFFFF7FFFFEF000, 1), (0xFFFFFF7FFFFFFFFF, 1),
                            (0xFFFFFF7FFFFEE000, 0x1001), (0xFFFFFF7000000000, 0x1000000000)]:
            self.assert_refused(
                elf.build([Segment(vaddr, b"\xf4", memsz=size, paddr=2**40)]),
                f"segment 0 [{vaddr:#x}, {vaddr + size:#x}) meets the stack that the loader maps "
                "at [0xffffff7ffffef000, 0xffffff8000000000); link the kernel elsewhere "
                "[segment-stack]")

    def test_beside_the_stack(self):
        self.write("kernel.elf", elf.build([Segment(0xFFFFFF7FFFFEE000, b"\xf4", memsz=0x1000),
                                            Segment(0xFFFFFF8000000000, b"data", R)]))
        self.assertEqual(self.tool("-q", "kernel.elf"), (0, "", ""))

    def test_below_1_mib(self):
        cure = "link the kernel at 1 MiB or above"
        for paddr, size in [(0x1000, 1), (0x7C00, 512), (0x9FFFF, 1)]:
            self.assert_refused(
                elf.build([Segment(0xFFFFFFFF80000000 + paddr, b"\xf4", paddr=paddr, memsz=size)]),
                f"segment 0 [{paddr:#x}, {paddr + size:#x}) lies below 1 MiB, where the BIOS and "
                f"the loader work; {cure} [segment-below-1-mib]")

    def test_video_memory(self):
        hole = "overlaps the video memory hole [0xa0000, 0x100000)"
        for paddr, size in [(0x9F000, 0x2000), (0xA0000, 1), (0xB8000, 4000), (0xFFFFF, 1),
                            (0x1000, 0x200000)]:
            self.assert_refused(
                elf.build([Segment(0x400000, b"\xf4"), Segment(paddr, b"x", R, memsz=size)]),
                f"segment 1 [{paddr:#x}, {paddr + size:#x}) {hole}; link the kernel at 1 MiB or "
                "above [segment-video-memory]")

    def test_headers_below_1_mib(self):
        self.assert_refused(
            elf.build([Segment(0x100000, b"\xf4"),
                       Segment(0xFF000, flags=R, offset=0, filesz=100)]),
            "segment 1 [0xff000, 0xff064) holds the ELF header and overlaps the video memory hole "
            "[0xa0000, 0x100000); link the kernel at 0x101000 (-Ttext) or above "
            "[segment-video-memory]")

    def test_entry(self):
        for entry in 0, 0xFFFFF, 0x100010, 0x200000, 2**64 - 1:
            self.assert_refused(
                elf.kernel(entry=entry),
                f"entry {entry:#x} lies in no segment; name the entry symbol with ENTRY() in the "
                "linker script or with -e [entry-nowhere]")
        self.assert_refused(
            elf.kernel(entry=0x101007),
            "entry 0x101007 lies in segment 1, which is not executable; check ENTRY() and the "
            "sections' flags [entry-not-executable]")

    def test_more_than_a_partition_table_can_say(self):
        self.write("kernel.elf", elf.build([Segment(0x100000, b"\xf4", offset=0x1000,
                                                    filesz=2 << 40, memsz=2 << 40)]))
        try:
            os.truncate(self.kernel, (2 << 40) + 0x1000)
        except OSError as problem:
            self.fail(f"no sparse file of 2 TiB in {tempfile.gettempdir()}: {problem}")
        status, output, errors = self.tool("kernel.elf")
        self.assertEqual((status, output, errors), (
            1, "", "bootimage: kernel.elf: loads 2199023255552 bytes, but a partition table can "
                   "describe no more than 2 TiB; make its segments smaller [image-too-large]\n"))
        self.assertEqual(self.names(), ["kernel.elf"])


if __name__ == "__main__":
    support.main()
