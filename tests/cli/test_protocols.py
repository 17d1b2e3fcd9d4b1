"""Boot protocols: by what each is recognised, what its header is held to, and what is planned."""

import gzip
import resource
import struct

import elf
import image
import support
from elf import R, Segment, W, X

PLAIN, PLAIN32, MULTIBOOT1, MULTIBOOT2, PVH, LINUX, LINUX16 = 1, 2, 3, 4, 5, 7, 8
CODE = b"\xf4\xeb\xfd" + bytes(13)
# Where the bytes of the first segment of kernel() lie in the file, and in memory.
OFFSET, ADDRESS = 0x1000, 0x100000
FRAMEBUFFER, OPTIONAL = 8, 0x10000


def kernel(data, *more, elf_class=32, machine=elf.EM_386, **options):
    """An ELF file of one segment that begins with the data."""
    return elf.build([Segment(ADDRESS, data + CODE, R | X, offset=OFFSET), *more],
                     elf_class=elf_class, machine=machine, **options)


def multiboot1(flags=0, *fields, checksum=None):
    checksum = -(0x1BADB002 + flags) if checksum is None else checksum
    return struct.pack(f"<III{len(fields)}I", 0x1BADB002, flags, checksum & 0xFFFFFFFF, *fields)


def tag(kind, *fields, flags=0, size=None, pad=True):
    body = struct.pack(f"<{len(fields)}I", *fields)
    size = 8 + len(body) if size is None else size
    body = struct.pack("<HHI", kind, flags, size) + body
    return body + bytes(-len(body) % 8 if pad else 0)


def multiboot2(*tags, end=True, length=None, checksum=None, architecture=0):
    body = b"".join(tags) + (tag(0) if end else b"")
    length = 16 + len(body) if length is None else length
    checksum = -(0xE85250D6 + architecture + length) if checksum is None else checksum
    return struct.pack("<IIII", 0xE85250D6, architecture, length, checksum & 0xFFFFFFFF) + body


def pvh_note(value, name=b"Xen\0", kind=18):
    data = struct.pack("<III", len(name), len(value), kind) + name + bytes(-len(name) % 4) + value
    return Segment(0, data + bytes(-len(data) % 4), R, type=elf.PT_NOTE, align=4)


def our_note():
    return elf.notes_segment(elf.note(2, 0x4000))


class ProtocolTest(support.ToolTest):
    def made(self, data, *arguments, warnings=""):
        """The image of a kernel; warnings are what it says on the way."""
        self.write("kernel.elf", data)
        status, _, errors = self.tool("kernel.elf", *arguments)
        self.assertEqual((status, errors), (0, warnings))
        return image.Image(self.image.read_bytes())

    def assert_protocol(self, data, number, entry=None, *arguments):
        made = self.made(data, *arguments)
        self.assertEqual(made.protocol[0], number)
        if entry is not None:
            self.assertEqual(made.protocol[2], entry)
        return made


class Recognition(ProtocolTest):
    def test_each_by_its_mark(self):
        note = pvh_note(struct.pack("<I", ADDRESS + 4))
        for elf_class, machine in (32, elf.EM_386), (64, elf.EM_X86_64), (32, elf.EM_X86_64):
            how = {"elf_class": elf_class, "machine": machine}
            with self.subTest(how):
                self.assert_protocol(kernel(multiboot1(), **how), MULTIBOOT1, ADDRESS)
                self.assert_protocol(kernel(multiboot2(), **how), MULTIBOOT2, ADDRESS)
                self.assert_protocol(kernel(b"", note, **how), PVH, ADDRESS + 4)
        self.assert_protocol(kernel(b""), PLAIN32, ADDRESS)
        self.assert_protocol(kernel(b"", elf_class=64, machine=elf.EM_X86_64), PLAIN, ADDRESS)
        self.assert_protocol(kernel(b"", elf_class=32, machine=elf.EM_X86_64), PLAIN, ADDRESS)

    def test_the_order_of_those_that_carry_several(self):
        note = pvh_note(struct.pack("<Q", ADDRESS))
        both = multiboot1() + bytes(4) + multiboot2()
        self.assert_protocol(kernel(both, note, our_note()), PLAIN32)
        self.assert_protocol(kernel(both, note, our_note(), elf_class=64, machine=elf.EM_X86_64),
                             PLAIN)
        self.assert_protocol(kernel(both, note), MULTIBOOT2)
        self.assert_protocol(kernel(multiboot1(), note), MULTIBOOT1)
        for name, number in (("multiboot1", MULTIBOOT1), ("multiboot2", MULTIBOOT2), ("pvh", PVH),
                             ("plain32", PLAIN32)):
            self.assert_protocol(kernel(both, note, our_note()), number, None, "--protocol", name)

    def test_inspect_says_why(self):
        for data, reason in (
                (kernel(multiboot1(3)), "multiboot1 (3), by Multiboot 1 header at file offset 0x1000, "
                                        "flags 0x3"),
                (kernel(multiboot2()), "multiboot2 (4), by Multiboot 2 header at file offset 0x1000, "
                                       "24 bytes"),
                (kernel(b"", pvh_note(struct.pack("<I", ADDRESS))),
                 "pvh (5), by ELF note of Xen, type 18: entry 0x100000"),
                (kernel(b""), "plain32 (2), by 32-bit x86 ELF without a mark of any other protocol"),
                (kernel(b"", our_note()), "plain32 (2), by")):
            self.write("kernel.elf", data)
            status, output, _ = self.tool("inspect", "kernel.elf")
            self.assertEqual(status, 0)
            self.assertIn(f"protocol        {reason}", output)
            self.assertEqual("stack" in output, "plain" in reason)

    def test_names(self):
        self.assert_refused(
            kernel(multiboot1()), "carries no mark of the protocol multiboot2; leave --protocol out, "
            "or check that the linker script keeps the header or note [protocol-absent]",
            "--protocol=multiboot2")
        self.assert_fails(
            "--protocol is grub; give one of limine, multiboot2, multiboot1, pvh, linux, linux16, plain32, plain "
            "[protocol-name]", "kernel.elf", "--protocol=grub")

    def test_options_that_a_protocol_has_nothing_for(self):
        for option in "--stack-size=8K", "--base=0x200000", "--kaslr", "--with-elf":
            self.assert_refused(
                kernel(multiboot1(3)),
                "is entered by the protocol multiboot1 (Multiboot 1 header at file offset 0x1000, "
                f"flags 0x3), which has nothing for {option.partition('=')[0]}; leave it out, or give "
                "--protocol=plain32 [option-protocol]", option)

    def test_a_file_that_is_no_elf_file(self):
        header = multiboot1(0x10000, 0x200010, 0x200000, 0, 0x203000, 0x200020)
        made = self.assert_protocol(bytes(16) + header + CODE, MULTIBOOT1, 0x200020)
        self.assertEqual([region[:3] for region in made.regions],
                         [(0x200000, 0x3000, 0x200000)])


class Physical(ProtocolTest):
    """Where kernels that are entered without paging lie."""

    def test_physical_addresses_count(self):
        high = 0xFFFFFFFF80000000
        data = elf.build([
            Segment(high + 0x100000, multiboot1() + CODE, R | X, paddr=0x100000, offset=0x1000),
            Segment(high + 0x400000, b"data", R | W, paddr=0x300000, memsz=0x2000),
            Segment(high + 0x200000, b"", 0, paddr=0x200000, memsz=16),
        ], entry=high + 0x100004)
        made = self.assert_protocol(data, MULTIBOOT1, 0x100004)
        self.assertEqual([region[:3] for region in made.regions], [
            (0x100000, 0x1000, 0x100000), (0x200000, 0x1000, 0x200000),
            (0x300000, 0x2000, 0x300000)])
        self.assertEqual(made.mappings, [])

    def test_segments_as_linkers_rarely_make_them(self):
        """Out of order, empty, without rights, of any alignment, with file bytes in common, not
        congruent to their place in the file."""
        code = multiboot1() + CODE
        data = elf.build([
            Segment(0x300008, b"", R | W | X, memsz=24, align=8, offset=3),
            Segment(0x200020, b"", 0, offset=0x1003, filesz=20, align=0x20),
            Segment(0x100000, code, R | X, offset=0x1000, align=0x200000),
            Segment(0x180000, b"", 0, memsz=0, align=1),
            Segment(0x200040, b"", R, offset=0x1001, filesz=8, align=0x40),
        ], entry=0x100000)
        made = self.assert_protocol(data, MULTIBOOT1, 0x100000)
        self.assertEqual([region[:2] for region in made.regions],
                         [(0x100000, 0x1000), (0x200000, 0x1000), (0x300000, 0x1000)])
        self.assertEqual(made.segments, [(2, 0x100000, code), (1, 0x200020, data[0x1003:0x1017]),
                                         (4, 0x200040, data[0x1001:0x1009]), (0, 0x300008, b"")])

    def test_a_program_header_for_others(self):
        """A linker script may keep .interp, .dynamic and .tdata where nothing is dynamic."""
        for kind in elf.PT_INTERP, elf.PT_TLS, elf.PT_DYNAMIC:
            more = Segment(ADDRESS, b"", R, type=kind, offset=OFFSET, filesz=16)
            self.assert_protocol(kernel(multiboot1(), more), MULTIBOOT1)
        self.assert_protocol(elf.kernel(Segment(0x100000, b"", R, type=elf.PT_INTERP,
                                                offset=0x40, filesz=10)), PLAIN)

    def test_an_entry_that_is_physical(self):
        data = elf.build([Segment(0xC0100000, multiboot1() + CODE, R | X, paddr=0x100000,
                                  offset=0x1000)], entry=0x100008, elf_class=32, machine=elf.EM_386)
        self.assert_protocol(data, MULTIBOOT1, 0x100008)

    def test_without_physical_addresses(self):
        data = elf.build([Segment(0x100000, multiboot1() + CODE, R | X, paddr=0, offset=0x1000),
                          Segment(0x200000, b"data", R | W, paddr=0)],
                         elf_class=32, machine=elf.EM_386)
        made = self.assert_protocol(data, MULTIBOOT1, 0x100000)
        self.assertEqual([region[2] for region in made.regions], [0x100000, 0x200000])

    def test_down_to_address_0(self):
        data = elf.build([Segment(0, multiboot1() + CODE, R | X, offset=0x1000),
                          Segment(0x9000, b"low", R | W, align=1)],
                         elf_class=32, machine=elf.EM_386, entry=4)
        made = self.assert_protocol(data, MULTIBOOT1, 4)
        self.assertEqual([region[2] for region in made.regions], [0, 0x9000])

    def test_above_4_gib(self):
        self.assert_refused(
            elf.build([Segment(0xFFFFFFFF80100000, multiboot1() + CODE, R | X, offset=0x1000)]),
            "segment 0 of 0x1c bytes has the physical address 0xffffffff80100000 (p_paddr), but the "
            "kernel is entered in 32-bit mode, below 4 GiB; give it one by AT() in the linker script "
            "[segment-above-4-gib]")

    def test_overlap(self):
        self.assert_refused(
            elf.build([Segment(0x100000, multiboot1() + CODE, R | X, offset=0x1000),
                       Segment(0x200000, b"data", R | W, paddr=0x100010)]),
            "segment 0 [0x100000, 0x10001c) overlaps segment 1 [0x100010, 0x100014) in physical "
            "memory; correct AT() in the linker script [segment-overlap-physical]")

    def test_entry(self):
        self.assert_refused(
            kernel(multiboot1(), entry=0x300000),
            "entry 0x300000 lies in no segment; name the entry symbol with ENTRY() in the linker "
            "script or with -e [entry-nowhere]")
        self.assert_refused(
            kernel(b"", pvh_note(struct.pack("<I", 0x300000))),
            "its header asks to be entered at physical address 0x300000, where no segment lies; put "
            "the symbol's physical address there [entry-physical]")

    def test_other_machines_and_types(self):
        self.assert_refused(
            kernel(multiboot1(), machine=elf.EM_AARCH64, elf_class=64),
            "is for machine 183 (e_machine), but this is a boot protocol of PCs; build the kernel for "
            "x86 (3) or x86-64 (62) [wrong-machine]")
        self.assert_refused(kernel(multiboot1(), type=elf.ET_REL),
                            "has ELF type 1, not an executable (ET_EXEC, 2); link it with ld "
                            "[elf-type]")

    def test_what_plain_32_bit_kernels_may_ask_for(self):
        made = self.assert_protocol(kernel(b"", our_note()), PLAIN32)
        self.assertEqual(made.protocol[3], 0x4000)
        request = elf.notes_segment(elf.note(4, 0))
        self.assert_refused(
            kernel(b"", request),
            "BOOTINFO_REQUEST_IDENTITY cannot be met for a 32-bit kernel, which is entered without "
            "paging and on one CPU; leave the note out, or make it optional [request-32-bit]")
        self.assert_refused(
            kernel(b"", type=elf.ET_DYN),
            "is position-independent (ET_DYN), but 32-bit relocations are not applied; link it with "
            "-no-pie [elf-32-bit-pie]")


class Multiboot1(ProtocolTest):
    def test_the_first_8_kib_of_the_file(self):
        for offset in 0x54, 8192 - 12:
            data = bytearray(kernel(b""))
            data += bytes(16384 - len(data))
            data[offset : offset + 12] = multiboot1(3)
            self.assert_protocol(bytes(data), MULTIBOOT1)
        for offset, align in (8192 - 8, 4), (0x56, 4), (12288, 4):
            data = bytearray(kernel(b""))
            data += bytes(16384 - len(data))
            data[offset : offset + 12] = multiboot1(3)
            self.assert_refused(
                bytes(data),
                f"the Multiboot 1 header at file offset 0x{offset:x} cannot be found by a loader, "
                f"which looks at multiples of {align} in the first 8192 bytes; put its section first "
                "in the linker script, aligned [multiboot-place]")

    def test_checksum(self):
        self.assert_refused(
            kernel(multiboot1(3, checksum=5)),
            "the Multiboot 1 header at file offset 0x1000 has the checksum 0x5, where 0xe4524ffb makes "
            "the sum of its first 3 numbers 0; correct it, or give --protocol=plain32 if it is no header "
            "[multiboot-checksum]")
        self.assert_protocol(kernel(multiboot1(3, checksum=5)), PLAIN32, None, "--protocol=plain32")

    def test_flags(self):
        self.assert_refused(
            kernel(multiboot1(0x8008)),
            "the Multiboot 1 header at file offset 0x1000 requires what the specification does not "
            "know: flags 0x8008; clear these bits [multiboot-flags]")
        self.assert_protocol(kernel(multiboot1(0xFFFE0003)), MULTIBOOT1)

    def test_video(self):
        def asked(*mode):
            made = self.made(kernel(multiboot1(4, 0, 0, 0, 0, 0, *mode)))
            return [(kind, *words[:3]) for kind, _, words in made.requests]
        self.assertEqual(asked(0, 800, 600, 32), [(FRAMEBUFFER | OPTIONAL, 800, 600, 32)])
        self.assertEqual(asked(0, 0, 0, 0), [(FRAMEBUFFER | OPTIONAL, 0, 0, 0)])
        self.assertEqual(asked(1, 80, 25, 0), [])

    def test_a_header_that_is_cut(self):
        data = bytearray(kernel(b""))
        data += bytes(16384 - len(data))
        data[8192 - 40 : 8192 - 28] = multiboot1(4)
        self.assert_refused(
            bytes(data),
            "the Multiboot 1 header at file offset 0x1fd8 takes 48 bytes with its flags 0x4, which go "
            "past the first 8192 bytes of the file; put its section first in the linker script "
            "[multiboot-cut]")

    def test_the_address_fields_rule(self):
        made = self.assert_protocol(
            kernel(multiboot1(0x10000, 0x300000, 0x2FF000, 0x300020, 0x305000, 0x300010)),
            MULTIBOOT1, 0x300010)
        self.assertEqual([region[:2] for region in made.regions], [(0x2FF000, 0x6000)])
        whole = (self.folder / "kernel.elf").read_bytes()
        self.assertEqual(made.segments, [(0, 0x2FF000, whole[:0x1020])])

    def test_address_fields_that_do_not_match_the_file(self):
        self.assert_refused(
            kernel(multiboot1(0x10000, 0x300000, 0x200000, 0, 0, 0x300010)),
            "the Multiboot 1 header at file offset 0x1000 says that it is loaded to 0x300000 "
            "(header_addr) and all to 0x200000 (load_addr), so the file would begin before its start; "
            "correct these addresses [header-address]")
        self.assert_refused(
            kernel(multiboot1(0x10000, 0x300000, 0x300000, 0x400000, 0, 0x300010)),
            "its header asks for file offset 0x1000 to be loaded to 0x300000 and up to 0x400000 "
            "(load_addr, load_end_addr), but the file ends at offset 0x1030; correct these addresses "
            "[header-load-address]")
        self.assert_refused(
            kernel(multiboot1(0x10000, 0x300000, 0x300000, 0x300020, 0x300010, 0x300010)),
            "its header asks for memory up to 0x300010 (bss_end_addr), but its bytes reach from "
            "0x300000 to 0x300020 (load_addr, load_end_addr); correct it, or make it 0 "
            "[header-bss-end]")

    def test_sections(self):
        """Headers, and all that no segment loads."""
        rows = [(0, 0, 0, 0, 0, 0), (1, 1, 2, ADDRESS, OFFSET, 16), (9, 3, 0, 0, 0x2000, 20)]
        table = b"".join(struct.pack("<10I", name, kind, flags, address, offset, size, 0, 0, 1, 0)
                         for name, kind, flags, address, offset, size in rows)
        data = kernel(multiboot1(3), header={"e_shoff": 0x2100, "e_shnum": 3, "e_shstrndx": 2})
        data += bytes(0x2000 - len(data)) + b"\0.text\0\0.shstrtab\0".ljust(0x100, b"\0") + table
        made = self.made(data)
        self.assertEqual(made.section_headers, (3, 40, 2, table))
        self.assertEqual(made.sections, [(2, data[0x2000:0x2014])])
        self.assertEqual(self.tool("verify", "-q", "bootimage-kernel.bin"), (0, "", ""))
        for what, part in ("section table 0", table), ("section 2", data[0x2000:0x2014]):
            damaged = bytearray(made.data)
            damaged[made.data.index(part)] ^= 1
            self.write("x.bin", damaged)
            status, _, errors = self.tool("verify", "x.bin")
            self.assertEqual(status, 1)
            self.assertIn(f"{what} (bytes 0x", errors)


class Multiboot2(ProtocolTest):
    def test_the_first_32_kib_of_the_file(self):
        for offset, found in (0x58, True), (32768 - 24, True), (32768 - 8, False), (0x5C, False):
            data = bytearray(kernel(b""))
            data += bytes(65536 - len(data))
            data[offset : offset + 24] = multiboot2()
            if found:
                self.assert_protocol(bytes(data), MULTIBOOT2)
            else:
                self.assert_refused(
                    bytes(data),
                    f"the Multiboot 2 header at file offset 0x{offset:x} cannot be found by a loader, "
                    "which looks at multiples of 8 in the first 32768 bytes; put its section first in "
                    "the linker script, aligned [multiboot-place]")

    def test_header(self):
        at = "the Multiboot 2 header at file offset 0x1000 "
        self.assert_refused(kernel(multiboot2(architecture=4)),
                            at + "is for architecture 4; make it 0, for x86 "
                                 "[multiboot2-architecture]")
        self.assert_refused(
            kernel(multiboot2(length=0x10000)),
            at + "has 65536 bytes (header_length), but may have 16 to 40 there; put its section first "
                 "in the linker script, and correct its length [multiboot-cut]")
        self.assert_refused(
            kernel(multiboot2(checksum=1)),
            at + "has the checksum 0x1, where 0x17adaf12 makes the sum of its first 4 numbers 0; "
                 "correct it, or give --protocol=plain32 if it is no header [multiboot-checksum]")

    def test_what_grub_accepts(self):
        warning = "bootimage: warning: kernel.elf: the Multiboot 2 header"
        at = " at file offset 0x1000 "
        self.made(kernel(multiboot2(end=False)), warnings=(
            f"{warning}{at}has no tag that ends it; add one of type 0 and size 8 "
            "[multiboot2-end]\n"))
        self.made(kernel(multiboot2(tag(0, size=0), end=False)), warnings=(
            f"{warning}'s tag of type 0 at file offset 0x1010 ends the header, and has a size of 0; "
            "make it 8 [multiboot2-end-size]\n"))
        self.made(kernel(multiboot2(tag(3, ADDRESS), tag(0), end=False, length=36)), warnings=(
            f"{warning}{at}has 36 bytes (header_length), not a multiple of 8; pad its tags "
            "[multiboot2-length]\n"
            f"{warning}{at}has no tag that ends it; add one of type 0 and size 8 "
            "[multiboot2-end]\n"))
        made = self.made(
            kernel(multiboot2(tag(1, 6, pad=False), tag(3, ADDRESS + 4, pad=False))), warnings=(
                f"{warning}'s tag of type 1 at file offset 0x1010 is followed by another at once, "
                "where tags begin at multiples of 8; align them [multiboot2-padding]\n"))
        self.assertEqual(made.protocol[2], ADDRESS + 4)

    def test_tags_of_a_wrong_size(self):
        at = "the Multiboot 2 header's tag of type "
        for kind, size, room, least in ((3, 8, 24, 12), (3, 0x1000, 24, 12), (77, 4, 16, 8)):
            self.assert_refused(
                kernel(multiboot2(tag(kind, *([0] if kind == 3 else []), size=size))),
                f"{at}{kind} at file offset 0x1010 has a size of {size} bytes, where the header has "
                f"room for {room} and such a tag takes {least}; correct it [multiboot2-tag-size]")

    def test_unknown_tags(self):
        self.assert_refused(
            kernel(multiboot2(tag(77))),
            "the Multiboot 2 header's tag of type 77 at file offset 0x1010 is required, but of no type "
            "that the specification knows; make it optional (flags 1), or leave it out "
            "[multiboot2-tag-unknown]")
        self.assert_protocol(kernel(multiboot2(tag(77, flags=1))), MULTIBOOT2)

    def test_information(self):
        served = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 13, 14, 15, 17, 18, 20, 21]
        self.assert_protocol(kernel(multiboot2(tag(1, *served))), MULTIBOOT2)
        at = "the Multiboot 2 header's tag of type 1 at file offset 0x1010 requires information of type "
        cure = "; do without it, or make the tag optional (flags 1) [multiboot2-information]"
        for kind, what in ((16, "a DHCP answer, as there is no network boot"), (11, "a 32-bit EFI system table"),
                           (22, "something that the specification does not know")):
            self.assert_refused(kernel(multiboot2(tag(1, 6, kind))), f"{at}{kind}, {what}{cure}")
            self.assert_protocol(kernel(multiboot2(tag(1, 6, kind, flags=1))), MULTIBOOT2)

    def test_addresses_and_entry(self):
        made = self.assert_protocol(
            kernel(multiboot2(tag(2, 0x300000, 0x300000, 0x300020, 0x304000), tag(3, 0x300010))),
            MULTIBOOT2, 0x300010)
        self.assertEqual([region[:2] for region in made.regions], [(0x300000, 0x4000)])
        made = self.assert_protocol(
            kernel(multiboot2(tag(2, 0x301000, 0xFFFFFFFF, 0, 0), tag(3, 0x301010))), MULTIBOOT2)
        self.assertEqual(made.regions[0][0], 0x300000)
        self.assert_refused(
            kernel(multiboot2(tag(2, 0x300000, 0x200000, 0, 0), tag(3, 0x300010))),
            "the Multiboot 2 header's tag of type 2 at file offset 0x1010 says that the header is "
            "loaded to 0x300000 (header_addr) and all to 0x200000 (load_addr), so the file would begin "
            "before its start; correct these addresses [header-address]")
        self.assert_refused(
            kernel(multiboot2(tag(2, 0x300000, 0x300000, 0, 0))),
            "the Multiboot 2 header at file offset 0x1000 has an address tag, but no entry tag (3); add "
            "one [multiboot2-no-entry]")

    def test_screen(self):
        def asked(*tags):
            made = self.made(kernel(multiboot2(*tags)))
            return [(kind, *words[:3]) for kind, _, words in made.requests]
        self.assertEqual(asked(tag(5, 640, 480, 24)), [(FRAMEBUFFER | OPTIONAL, 640, 480, 24)])
        self.assertEqual(asked(tag(4, 3)), [])
        self.assertEqual(asked(tag(4, 0)), [(FRAMEBUFFER | OPTIONAL, 0, 0, 0)])
        self.assertEqual(asked(tag(4, 1)), [(FRAMEBUFFER, 0, 0, 0)])

    def test_relocatable(self):
        made = self.made(kernel(multiboot2(tag(10, 0x200000, 0x7FFFFFFF, 0x200000, 2))))
        self.assertEqual(made.extent, (0x200000, 0x7FFFFFFF, 0x200000, 2))
        self.assert_refused(
            kernel(multiboot2(tag(10, 0x200000, 0x100000, 3, 0))),
            "the Multiboot 2 header's tag of type 10 at file offset 0x1010 lets the kernel be loaded "
            "from 0x200000 to 0x100000 at an alignment of 0x3; make the first the lower one, and the "
            "alignment a power of two [multiboot2-relocatable]")

    def test_boot_services(self):
        made = self.made(kernel(multiboot2(tag(7), tag(9, ADDRESS + 8))))
        self.assertEqual(made.efi_entry, ADDRESS + 8)
        made = self.made(kernel(multiboot2(tag(9, ADDRESS + 8))))
        self.assertIsNone(made.efi_entry)
        self.made(kernel(multiboot2(tag(7))), warnings=(
            "bootimage: warning: kernel.elf: the Multiboot 2 header at file offset 0x1000 asks for boot "
            "services (tag 7), but has no 64-bit entry for them; they will have ended; add an entry tag "
            "(9) [multiboot2-boot-services]\n"))


class Pvh(ProtocolTest):
    def test_notes(self):
        for value in struct.pack("<I", ADDRESS), struct.pack("<Q", ADDRESS):
            self.assert_protocol(kernel(b"", pvh_note(value)), PVH, ADDRESS)
        self.assert_protocol(kernel(b"", pvh_note(struct.pack("<I", ADDRESS), kind=17)), PLAIN32)
        self.assert_refused(
            kernel(b"", pvh_note(b"\0\0")),
            "the Xen note with the entry (type 18, XEN_ELFNOTE_PHYS32_ENTRY) holds 2 bytes; make it a "
            "number of 4 or 8 bytes [pvh-note]")

    def test_a_note_in_a_section_alone(self):
        note = pvh_note(struct.pack("<I", ADDRESS + 8)).data
        data = kernel(b"", header={"e_shoff": 0x2100, "e_shnum": 2})
        data += bytes(0x2000 - len(data)) + note.ljust(0x100, b"\0") + bytes(40)
        data += struct.pack("<10I", 0, 7, 0, 0, 0x2000, len(note), 0, 0, 4, 0)
        self.assert_protocol(data, PVH, ADDRESS + 8)


def bzimage(version=0x20F, flags=1, relocatable=1, jump=0x6A, kernel_bytes=5000, setup_sectors=1,
            init_bytes=0x20000, align=0x200000, more_flags=0, handover=0):
    """Boot sector, real-mode code and a kernel of 0xF4s."""
    start = bytearray(512 * (setup_sectors + 1))
    struct.pack_into("<B", start, 0x1F1, setup_sectors)
    struct.pack_into("<HBBIH", start, 0x1FE, 0xAA55, 0xEB, jump, 0x53726448, version)
    struct.pack_into("<B", start, 0x211, flags)
    struct.pack_into("<I", start, 0x214, 0x100000)
    struct.pack_into("<IB", start, 0x230, align, relocatable)
    struct.pack_into("<I", start, 0x238, 20)
    struct.pack_into("<H", start, 0x236, more_flags)
    struct.pack_into("<QI", start, 0x258, 0x1000000, init_bytes)
    struct.pack_into("<I", start, 0x264, handover)
    return bytes(start) + b"\xf4" * kernel_bytes


class Linux(ProtocolTest):
    def test_bzimage(self):
        data = bzimage()
        made = self.assert_protocol(data, LINUX, 0x1000000)
        self.assertEqual([region[:3] for region in made.regions],
                         [(0x1000000, 0x20000, 0x1000000)])
        self.assertEqual(made.regions[0][3], 2, "the kernel clears its memory itself")
        self.assertEqual(made.segments, [(0, 0x1000000, data[1024:])])
        self.assertEqual(made.extent, (0x100000, 0xFFFFFFFF, 0x200000, 0))
        self.assertEqual(made.linux, data[0x1F1 : 0x202 + 0x6A])
        self.write("kernel.elf", data)
        said = self.tool("inspect", "kernel.elf")[1]
        self.assertIn("linux (7), by boot header of Linux, version 2.15", said)
        self.assertIn("at physical address 0x1000000, or elsewhere", said)

    def test_the_entry_on_uefi(self):
        """The 64-bit one lies 512 bytes behind the one that the header names."""
        for more_flags, version, wanted in ((8, 0x20F, 0x1000390), (8, 0x20C, 0x1000390),
                                            (0, 0x20F, None), (7, 0x20F, None), (8, 0x20B, None)):
            made = self.made(bzimage(version=version, more_flags=more_flags, handover=0x190))
            self.assertEqual(made.efi_entry, wanted)
        self.assertEqual(self.made(bzimage(more_flags=8, handover=4487)).efi_entry, 0x1000000 + 4999)
        self.assert_refused(
            bzimage(more_flags=8, handover=4488), "its boot header has an entry for UEFI at offset 0x1388 of the "
            "kernel (handover_offset), behind its end at 0x1388; build it again [linux-handover]")

    def test_a_kernel_that_cannot_move(self):
        made = self.assert_protocol(bzimage(relocatable=0), LINUX, 0x100000)
        self.assertIsNone(made.extent)

    def test_what_cannot_be_booted(self):
        self.assert_refused(
            bzimage(version=0x201), "has a boot header of Linux, version 2.01; only 2.02 and later are "
            "supported; use a newer kernel [linux-version]")
        for align in 0, 3:
            self.assert_refused(bzimage(align=align),
                                f"its boot header asks for an alignment of {align:#x} "
                                "(kernel_alignment), which is no power of two; build it again "
                                "[linux-alignment]")
        self.assert_refused(bzimage(flags=0), "is a zImage, which is loaded below 640 KiB; build a "
                                              "bzImage [linux-zimage]")
        self.assert_refused(bzimage(setup_sectors=9)[:5000],
                            "is truncated: its kernel begins at offset 0x1400, behind its end at "
                            "0x1388; build it again [linux-truncated]")
        self.assert_refused(bzimage(jump=0xFF), "its boot header goes from 0x1f1 to 0x301, which cannot "
                                                "be; build it again [linux-header]")

    def test_16_bit_code(self):
        """Of an old header, or where that is asked for."""
        data = bzimage(version=0x203)
        for options in (), ("--protocol=linux16",):
            made = self.assert_protocol(data, LINUX16, 0x1E100, *options)
            self.assertEqual([region[:3] for region in made.regions],
                             [(0x10000, 0x10000, 0x10000), (0x100000, 0x2000, 0x100000)])
            self.assertEqual(made.segments, [(0, 0x10000, data[:1024]), (1, 0x100000, data[1024:])])
            data = bzimage()
        self.assert_refused(bzimage(version=0x203, setup_sectors=80),
                            "its real-mode code takes 0xa200 bytes, more than 0xa000; use another build "
                            "of it [linux-setup]")
        self.assert_refused(bzimage(version=0x203), "--cmdline takes 256 bytes, but this kernel takes no "
                            "more than 255; shorten it [linux-cmdline]", "--cmdline", "x" * 256)

    def test_extras(self):
        self.write("a", b"a")
        self.assert_refused(
            bzimage(), "--cmdline takes 21 bytes, but this kernel takes no more than 20; shorten it "
            "[linux-cmdline]", "--cmdline", "x" * 21)
        self.assert_refused(
            bzimage(), "is given 2 modules, but Linux takes one, the initrd; put them into one file, "
            "one behind the other [linux-modules]", "--module=a", "--module=a")
        made = self.assert_protocol(bzimage(), LINUX, None, "--module=a", "--cmdline", "x" * 20)
        self.assertEqual(len(made.modules), 1)


def lz4_frame(data):
    """A frame of one block that is stored as it is [LZ4 "LZ4 Frame Format"]; and the same cut."""
    head = bytes([0x60, 0x40])
    return (struct.pack("<I", 0x184D2204) + head + bytes([0x82])
            + struct.pack("<I", len(data) | 0x80000000) + data + bytes(4))


def lz4_legacy(data):
    """Blocks of literals alone, as Linux has them, with the size behind."""
    lengths = bytes([255] * ((len(data) - 15) // 255) + [(len(data) - 15) % 255])
    block = b"\xf0" + lengths + data
    return (struct.pack("<II", 0x184C2102, len(block)) + block + struct.pack("<I", len(data)))


class Compressed(ProtocolTest):
    """The image is that of the file inside."""

    def test_each_kind(self):
        plain = kernel(multiboot1(3))
        wanted = self.made(plain).data
        for packed in gzip.compress(plain), lz4_frame(plain), lz4_legacy(plain):
            self.assertEqual(self.made(packed).data, wanted)
        self.assertEqual(self.names(), ["bootimage-kernel.bin", "kernel.elf"])

    def test_two_parts(self):
        plain = kernel(multiboot1(3))
        self.assertEqual(self.made(gzip.compress(plain[:100]) + gzip.compress(plain[100:])).data,
                         self.made(plain).data)

    def test_damage(self):
        plain = kernel(multiboot1(3))
        damaged = "cannot be decompressed: {}; build or download it again [compressed-damaged]"
        for packed in gzip.compress(plain)[:-9], lz4_frame(plain)[:-5]:
            self.assert_refused(packed, damaged.format("it ends too early"))
        self.assert_refused(gzip.compress(plain)[:-8] + bytes(8), damaged.format(
            "incorrect data check"))
        self.assert_refused(lz4_legacy(plain)[:7] + b"\xff" + lz4_legacy(plain)[8:],
                            damaged.format("it ends too early"))
        blocks = lz4_legacy(plain)
        self.assert_refused(blocks[:-4] + struct.pack("<I", 999) + bytes(99),
                            damaged.format("it ends too early"))
        self.assert_refused(blocks[:-4] + blocks[4:-9], damaged.format("it ends too early"))
        self.assertEqual(self.made(blocks[:-4]).data, self.made(plain).data)
        self.image.unlink()
        self.assert_refused(struct.pack("<II", 0x184C2102, 4) + b"\x0f\xff\xff\xff",
                            damaged.format("a block is damaged"))

    def test_a_file_inside_that_is_no_kernel(self):
        self.assert_refused(gzip.compress(b"#!/bin/sh\n"), "is not an ELF file, and carries no header "
                            "of a boot protocol; name the kernel as the linker wrote it [not-elf]")

    def test_no_room(self):
        self.write("kernel.elf", gzip.compress(kernel(multiboot1(3)) + bytes(2**20)))

        def small_files():
            resource.setrlimit(resource.RLIMIT_FSIZE, (2**19, 2**19))
        self.assert_fails(
            "kernel.elf: cannot write what it decompresses to: File too large; make room in TMPDIR, or "
            "name another folder with it [compressed-write]", "kernel.elf", preexec_fn=small_files)


if __name__ == "__main__":
    support.main()
