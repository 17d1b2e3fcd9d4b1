"""Kernels of the Limine boot protocol: how their requests are found, and what becomes of them."""

import gzip
import struct

import elf
import image
import support
from elf import R, Segment, W, X

TOP = 0xFFFFFFFF80000000
CODE = b"\xf4\xeb\xfd" + bytes(13)
# Where data() begins, in memory and in the file.
DATA, OFFSET = TOP + 0x3000, 0x2000
PLAIN, MULTIBOOT2, LIMINE = 1, 4, 6
STACK, LEVELS, FRAMEBUFFER, CPUS, KERNEL_FILE, BASE, OPTIONAL = 2, 6, 8, 9, 10, 12, 0x10000
MAGIC = (0xC7B1DD30DF4C8B88, 0x0A82E883A194F07B)
TAG = (0xF9562B2D5C95A6C8, 0x6A7B384944536BDC)
START = struct.pack("<4Q", 0xF6B8F4B39DE7D1AE, 0xFAB91A6940FCB9CF, 0x785C6ED015D3E316,
                    0x181E920A7852B9D9)
END = struct.pack("<2Q", 0xADC0E0531BB10D03, 0x9572709F31764C62)
# The number that the plan has for a feature, and its id.
FEATURES = {
    "bootloader info": (1, 0xF55038D8E2A1202F, 0x279426FCF5F59740),
    "executable command line": (2, 0x4B161536E598651E, 0xB390AD4A2F1F303A),
    "firmware type": (3, 0x8C2F75D90BEF28A8, 0x7045A4688EAC00C3),
    "stack size": (4, 0x224EF0460A8E8926, 0xE1CB0FC25F46EA3D),
    "HHDM": (5, 0x48DCF1CB8AD2B852, 0x63984E959A98244B),
    "framebuffer": (6, 0x9D5827DCD881DD75, 0xA3148604F6FAB11B),
    "paging mode": (7, 0x95C1A0EDAB0944CB, 0xA4E5CB3842F7488A),
    "MP": (8, 0x95A67B819A1B857E, 0xA0B61B723B6A73E0),
    "memory map": (9, 0x67CF3D9D378A806F, 0xE304ACDFC50C3C62),
    "entry point": (10, 0x13D86C035A1CD3E1, 0x2B0CAA89D8F3026A),
    "executable file": (11, 0xAD97E90E83F1ED67, 0x31EB5D1C5FF23B69),
    "module": (12, 0x3E7E279702BE32AF, 0xCA1C4F3BD1280CEE),
    "RSDP": (13, 0xC5E77B6B397E7B43, 0x27637845ACCDCF3C),
    "SMBIOS": (14, 0x9E9046F11E095391, 0xAA4A520FEFBDE5EE),
    "EFI system table": (15, 0x5CEBA5163EAAF6D6, 0x0A6981610CF65FCC),
    "EFI memory map": (16, 0x7DF62A431D6872D5, 0xA4FCDFB3E57306C8),
    "date at boot": (17, 0x502746E184C088AA, 0xFBC5EC83E6327893),
    "executable address": (18, 0x71BA76863CC55F63, 0xB2644A48C516A487),
    "bootloader performance": (19, 0x6B50AD9BF36D13AD, 0xDC4C7E88FC759E17),
    "device tree blob": (None, 0xB40DDB48FB54BAC7, 0x545081493F81FFB7),
}


def request(name, *fields, revision=0):
    return struct.pack(f"<{6 + len(fields)}Q", *MAGIC, *FEATURES[name][1:], revision, 0, *fields)


def tag(revision):
    return struct.pack("<3Q", *TAG, revision)


def kernel(data, *more, flags=R | W, memsz=None, **options):
    """Code, and at DATA the data."""
    return elf.build([Segment(TOP, CODE, R | X, offset=0x1000),
                      Segment(DATA, data, flags, offset=OFFSET, memsz=memsz), *more], **options)


def with_section(file, name, offset, size, address=0):
    """The ELF file with a section, whose bytes it has already."""
    names = b"\0" + name.encode() + b"\0"
    file = bytearray(file + bytes(-len(file) % 8))
    table = len(file) + len(names) + -len(names) % 8
    row = lambda *fields: struct.pack("<" + elf.SECTION_HEADER_64, *fields)
    struct.pack_into("<Q", file, 0x28, table)
    struct.pack_into("<HHH", file, 0x3A, 64, 3, 2)
    return (bytes(file) + names + bytes(-len(names) % 8) + row(*[0] * 10) +
            row(1, 1, 2 if address else 0, address, offset, size, 0, 0, 8, 0) +
            row(0, 3, 0, 0, len(file), len(names), 0, 0, 1, 0))


class LimineTest(support.ToolTest):
    def made(self, data, *arguments, warnings=""):
        self.write("kernel.elf", data)
        status, _, errors = self.tool("kernel.elf", *arguments)
        self.assertEqual((status, errors), (0, warnings))
        return image.Image(self.image.read_bytes())

    def limine(self, data, *arguments, warnings=""):
        """The image of a kernel that is recognised."""
        made = self.made(data, *arguments, warnings=warnings)
        self.assertEqual(made.protocol[0], LIMINE)
        return made

    def warning(self, text):
        return f"bootimage: warning: kernel.elf: {text}\n"


class Recognition(LimineTest):
    def test_every_request(self):
        for name, (number, *_) in FEATURES.items():
            # With room for the fields of all.
            data = request(name) + struct.pack("<3Q", TOP if name == "entry point" else 0, 0, 0)
            self.assertEqual(self.limine(kernel(data)).limine,
                             (0, 0, {number: DATA} if number else {}), name)

    def test_where_requests_lie(self):
        """In any segment, at any multiple of 8, on both sides of what is read at once."""
        for at in 0, 8, 0x40000 - 32, 0x40000 - 24, 0x40000 - 8, 0x40000, 0x80000 - 40, 0x1000000:
            for flags in R, R | W, R | X:
                data = bytes(at) + request("HHDM") + request("memory map")
                self.assertEqual(self.limine(kernel(data, flags=flags)).limine[2],
                                 {5: DATA + at, 9: DATA + at + 48}, hex(at))
        self.assertEqual(self.limine(kernel(b"1234", Segment(TOP + 0x8004, bytes(4) +
                                                             request("HHDM")))).limine[2],
                         {5: TOP + 0x8008})

    def test_behind_a_hole_of_the_file(self):
        path = self.folder / "kernel.elf"
        end, size = 0x40000000, len(request("HHDM"))
        segments = [Segment(TOP, CODE, offset=0x1000),
                    Segment(TOP + 0x2000, b"", R, offset=0x2000, filesz=end, memsz=end)]
        with path.open("wb") as file:
            file.write(elf.build(segments))
            file.seek(0x2000 + end - size)
            file.write(request("HHDM"))
        status, output, _ = self.tool("inspect", "kernel.elf", "--json")
        self.assertEqual(status, 0)
        self.assertIn('"limine"', output)

    def test_what_is_no_request(self):
        for data in bytes(4) + request("HHDM")[:12], request("HHDM")[:16], request("HHDM")[8:]:
            self.assertEqual(self.made(kernel(data)).protocol[0], PLAIN)

    def test_the_order_among_several_marks(self):
        multiboot2 = struct.pack("<IIIIHHI", 0xE85250D6, 0, 24, -(0xE85250D6 + 24) & 0xFFFFFFFF, 0, 0, 8)
        note = elf.notes_segment(elf.note(STACK, 0x4000))
        self.limine(kernel(multiboot2 + request("HHDM")))
        made = self.made(kernel(multiboot2 + request("HHDM"), note))
        self.assertEqual((made.protocol[0], made.limine), (PLAIN, None))
        made = self.limine(kernel(request("HHDM"), note), "--protocol=limine")
        self.assertEqual(made.protocol[3], 0x10000, "the note does not count")
        self.assertEqual(self.made(kernel(request("HHDM")), "--protocol=plain").limine, None)

    def test_inspect_says_why(self):
        for data, reason in (
                (bytes(8) + request("HHDM"), "Limine request `HHDM' at file offset 0x2008"),
                (request("HHDM") + tag(2),
                 "Limine base revision tag at file offset 0x2030, revision 2"),
                (tag(3) + request("HHDM"), "Limine base revision tag at file offset 0x2000, revision 3")):
            self.write("kernel.elf", kernel(data))
            status, output, _ = self.tool("inspect", "kernel.elf")
            self.assertEqual(status, 0)
            self.assertIn(f"protocol        limine (6), by {reason}", output)

    def test_a_32_bit_file(self):
        data = elf.build([Segment(0x100000, tag(3) + CODE)], elf_class=32, machine=elf.EM_386)
        self.assert_refused(
            data, "carries requests of the Limine boot protocol, which enters 64-bit kernels, in a 32-bit "
            "ELF file; build the kernel with -m64 [limine-class]")

    def test_requests_that_no_segment_loads(self):
        for data in b"data", tag(3):
            file = kernel(data)
            offset = len(file) + -len(file) % 8
            file += bytes(-len(file) % 8) + request("HHDM")
            message = (f"the Limine request `HHDM' at file offset {offset:#x} lies in the section "
                       ".limine_requests, which no segment loads, and so nobody could answer it; put the "
                       "section into a PT_LOAD in the linker script, with KEEP() [limine-not-loaded]")
            self.assert_refused(with_section(file, ".limine_requests", offset, 48), message)
            self.made(with_section(file, ".debug_info", offset, 48))
            self.made(with_section(file, ".limine_requests", OFFSET, len(data)))


class Places(LimineTest):
    def test_one_piece_of_memory(self):
        """Whatever the physical addresses say, and however large the holes are."""
        made = self.limine(kernel(tag(3), Segment(TOP + 0x8000000, b"far", R, paddr=0x100000)))
        self.assertEqual(made.regions, [(TOP, 0x8001000, image.ANYWHERE, 1)])
        self.assertEqual([mapping[0] for mapping in made.mappings], [TOP, DATA, TOP + 0x8000000])

    def test_low_kernels(self):
        for address in 0x100000, 0xFFFF800000000000, TOP - 0x1000:
            data = elf.build([Segment(address, CODE), Segment(TOP, tag(3), R | W)])
            self.assert_refused(
                data, f"segment 0 is linked at {address:#x}, and a kernel that carries Limine's requests has "
                "to be at 0xffffffff80000000 or above; correct the address in the linker script "
                "[limine-address]")

    def test_kernels_that_may_be_moved(self):
        for base in 0, 0x200000, TOP, TOP + 0x400000:
            file = bytearray(elf.pie(elf.rela(base + elf.PIE_DATA, base), base=base))
            at = file.index(bytes(range(256)))
            file[at + 64 : at + 64 + 24] = tag(3)
            made = self.limine(bytes(file))
            slide = 0 if base >= TOP else TOP
            self.assertEqual((made.protocol[4], made.regions[0][0]), (slide, base + slide))
            self.assertEqual(made.absolute_patches, [(base + elf.PIE_DATA + 72, 3),
                                                     (base + elf.PIE_DATA + 80, 0)])

    def test_a_tag_at_address_0(self):
        data = elf.build([Segment(0, tag(3) + START + request("HHDM"), R | W, offset=0x1000),
                          Segment(0x1000, CODE)], type=elf.ET_DYN, entry=0x1000)
        made = self.limine(data)
        self.assertEqual((made.limine, made.absolute_patches), ((0, 0, {5: 56}), []))
        data = elf.build([Segment(0, tag(3) + request("HHDM"), R | W, offset=0x1000),
                          Segment(0x1000, CODE)], type=elf.ET_DYN, entry=0x1000)
        made = self.limine(data)
        self.assertEqual((made.limine, made.absolute_patches),
                         ((3, 0, {5: 24}), [(8, 3), (16, 0)]))

    def test_another_machine(self):
        self.assert_refused(
            kernel(tag(3), machine=elf.EM_AARCH64),
            "is for machine 183 (AArch64); build the kernel for x86-64 (62) [wrong-machine]")

    def test_options_that_it_has_nothing_for(self):
        for option in "--stack-size=8K", "--base=0xffffffff80000000", "--kaslr", "--with-elf":
            self.assert_refused(
                kernel(tag(3)), "is entered by the protocol limine (Limine base revision tag at file offset "
                f"0x2000, revision 3), which has nothing for {option.partition('=')[0]}; leave it out, or "
                "give --protocol=plain [option-protocol]", option)


class Tag(LimineTest):
    def test_the_revision_that_is_served(self):
        for revision in range(4):
            made = self.limine(kernel(tag(revision)))
            self.assertEqual(made.limine, (revision, 0, {}))
            self.assertEqual(made.absolute_patches, [(DATA + 8, revision), (DATA + 16, 0)])
        self.assertEqual(self.limine(kernel(request("HHDM"))).absolute_patches, [])

    def test_one_that_is_too_new(self):
        for revision in 4, 2**64 - 1:
            made = self.limine(kernel(tag(revision)), warnings=self.warning(
                f"asks for revision {revision} of Limine, and is told that it gets 3; a kernel that insists "
                "on its own stops then: build it for 3 [limine-base-revision]"))
            self.assertEqual(made.limine, (3, 0, {}))
            self.assertEqual(made.absolute_patches, [(DATA + 8, 3)])

    def test_two_of_them(self):
        self.assert_refused(
            kernel(tag(3) + tag(2)), f"has a second Limine base revision tag at {DATA + 24:#x} (file offset "
            f"0x2018), the first is at {DATA:#x}; take one of them away [limine-tag-twice]")


class Markers(LimineTest):
    def outside(self, name, at):
        return self.warning(
            f"the Limine request `{name}' at {DATA + at:#x} (file offset {OFFSET + at:#x}) does not lie between "
            "the markers for start and end, and is not answered; put it between them [limine-outside]")

    def test_what_lies_outside(self):
        for revision in range(4):
            data = request("HHDM") + START + tag(revision) + request("RSDP") + END + request("MP", 0)
            made = self.limine(kernel(data), warnings=self.outside("HHDM", 0) + self.outside("MP", 168))
            self.assertEqual(made.limine, (revision, 0, {13: DATA + 104}))
            self.assertEqual(made.requests, [])

    def test_the_last_start_and_the_first_end(self):
        data = START + request("HHDM") + START + request("RSDP") + END + request("SMBIOS") + END
        made = self.limine(kernel(data), warnings=self.outside("HHDM", 32) + self.outside("SMBIOS", 176))
        self.assertEqual(list(made.limine[2]), [13])

    def test_one_alone(self):
        self.assertEqual(list(self.limine(kernel(START + request("RSDP"))).limine[2]), [13])
        self.assertEqual(list(self.limine(kernel(request("RSDP") + END)).limine[2]), [13])

    def test_a_tag_outside(self):
        made = self.limine(kernel(tag(3) + START + request("RSDP")))
        self.assertEqual((made.limine[0], made.absolute_patches), (0, []))

    def test_in_the_wrong_order(self):
        self.assert_refused(
            kernel(tag(3) + END + START), f"its marker for the start of Limine's requests, at {DATA + 40:#x}, "
            f"lies behind that for their end, at {DATA + 24:#x}; sort the sections in the linker script "
            "[limine-markers]")


class List(LimineTest):
    """Section .limine_reqs, of base revision 0 alone."""

    def file(self, *addresses, revision=None, at=0):
        data = request("HHDM") + request("RSDP") + (tag(revision) if revision is not None else b"")
        data += struct.pack(f"<{len(addresses)}Q", *addresses)
        start = len(data) - 8 * len(addresses)
        return with_section(kernel(data), ".limine_reqs", OFFSET + start, 8 * len(addresses),
                            at or DATA + start)

    def test_only_what_it_names(self):
        self.assertEqual(self.limine(self.file(DATA + 48, 0)).limine[2], {13: DATA + 48})
        self.assertEqual(self.limine(self.file(DATA + 48, 0, DATA)).limine[2], {13: DATA + 48})
        self.assertEqual(self.limine(self.file(DATA, DATA + 48, revision=0)).limine[2],
                         {5: DATA, 13: DATA + 48})
        self.assertEqual(self.limine(self.file(DATA + 48, 0, revision=1)).limine[2],
                         {5: DATA, 13: DATA + 48})

    def test_what_it_may_not_name(self):
        for address in DATA + 8, TOP, 0x1234, 2**64 - 8:
            self.assert_refused(
                self.file(address, 0), f"its section .limine_reqs names {address:#x}, and no segment has a "
                "Limine request there; correct the list [limine-list]")
        self.assert_refused(
            self.file(DATA, 0, at=TOP + 0x9000), f"its section .limine_reqs, at {TOP + 0x9000:#x}, is not "
            "loaded; put it into a PT_LOAD in the linker script [limine-list]")


class Requests(LimineTest):
    def at(self, name, at=0):
        return f"the Limine request `{name}' at {DATA + at:#x} (file offset {OFFSET + at:#x}) "

    def test_twice(self):
        self.assert_refused(
            kernel(request("HHDM") + bytes(16) + request("HHDM")),
            self.at("HHDM", 64) + f"is there twice, also at {DATA:#x} (file offset 0x2000), and may be once; "
            "take one of them away [limine-twice]")

    def test_cut(self):
        self.assert_refused(
            kernel(request("HHDM")[:40]),
            self.at("HHDM") + "takes 48 bytes, and its segment ends before them; define all of it [limine-cut]")
        self.limine(kernel(request("HHDM")[:32], memsz=48))
        self.assert_refused(
            kernel(request("stack size")),
            self.at("stack size") + "takes 56 bytes, and its segment ends before them; define all of it "
            "[limine-cut]")
        self.assert_refused(
            kernel(request("paging mode", 0, revision=1)),
            self.at("paging mode") + "is of a revision with a field at byte 56, and its segment ends before; "
            "define all of it [limine-cut]")

    def test_unknown(self):
        data = struct.pack("<6Q", *MAGIC, 1, 2, 0, 0)
        made = self.limine(kernel(data), warnings=self.warning(
            self.at("of an unknown feature") + "(0x0000000000000001, 0x0000000000000002) is not known, and is "
            "not answered [limine-unknown]"))
        self.assertEqual(made.limine[2], {})

    def test_unaligned(self):
        self.limine(kernel(tag(3) + bytes(3) + request("HHDM")), warnings=self.warning(
            f"what looks like a Limine request lies at {DATA + 27:#x} (file offset 0x201b), no multiple of 8, "
            "and is not answered; align it [limine-unaligned]"))

    def test_the_stack(self):
        for asked, given in ((0, 0x10000), (1, 0x10000), (0x10001, 0x11000), (2**30, 2**30)):
            self.assertEqual(self.limine(kernel(request("stack size", asked))).protocol[3], given)
        self.assert_refused(
            kernel(request("stack size", 2**30 + 1)),
            self.at("stack size") + "asks for 0x40000001 bytes; ask for no more than 1 GiB [limine-stack]")

    def test_paging_modes(self):
        for revision, mode, most, least, levels in (
                (0, 0, 9, 9, None), (0, 1, 0, 1, OPTIONAL), (1, 0, 1, 0, None), (1, 1, 1, 0, OPTIONAL),
                (1, 1, 0, 0, None), (1, 0, 1, 1, 0), (1, 7, 9, 0, OPTIONAL), (2, 1, 1, 1, 0)):
            made = self.limine(kernel(request("paging mode", mode, most, least, revision=revision)))
            wanted = [] if levels is None else [(LEVELS | levels, 1, [5, 0, 0, 0])]
            self.assertEqual(made.requests, wanted, (revision, mode, most, least))
        for most, least in (1, 2), (0, 1):
            self.assert_refused(
                kernel(request("paging mode", 0, most, least, revision=1)),
                self.at("paging mode") + f"allows modes from {least} (min_mode) to {most} (max_mode), and "
                "x86-64 has 0 and 1; correct them [limine-paging-mode]")

    def test_cpus_and_the_screen(self):
        for flags, wanted in (0, 0), (1, 1), (2, 0), (3, 1):
            made = self.limine(kernel(request("MP", flags)))
            self.assertEqual((made.limine[1], made.requests), (wanted, [(CPUS, 1, [1, 0, 0, 0])]))
        self.assertEqual(self.limine(kernel(request("framebuffer"))).requests,
                         [(FRAMEBUFFER | OPTIONAL, 1, [0, 0, 0, 0])])

    def test_the_file(self):
        data = kernel(request("executable file"))
        made = self.limine(data)
        self.assertEqual((made.kernel_file, made.kernel_file_name), (data, "kernel.elf"))

    def test_the_entry(self):
        made = self.limine(kernel(request("entry point", TOP + 2)))
        self.assertEqual(made.protocol[2], TOP + 2)
        self.assert_refused(
            kernel(request("entry point", DATA)), f"entry {DATA:#x} lies in segment 1, which is not executable; "
            "check ENTRY() and the sections' flags [entry-not-executable]")
        self.assert_refused(
            kernel(request("entry point", 4)), "entry 0x4 lies in no segment; name the entry symbol with "
            "ENTRY() in the linker script or with -e [entry-nowhere]")

    def test_an_entry_that_a_relocation_gives(self):
        at = elf.PIE_DATA + 64
        wanted = elf.PIE_CODE + 2
        # By RELA, by RELR, which adds to what is there, and by a symbol.
        symbols = [("entry", True)]
        for tables, field in (((elf.rela(0x4000) + elf.rela(at + 48, wanted), b""), 77),
                              ((b"", elf.relr(elf.PIE_DATA, 1 | 1 << 14)), wanted),
                              ((elf.rela(at + 48, wanted, elf.R_64, 1), b""), 77)):
            file = bytearray(elf.pie(*tables, symbols=symbols))
            place = file.index(bytes(range(256))) + 64
            file[place : place + 56] = request("entry point", field)
            self.assertEqual(self.limine(bytes(file)).protocol[2], TOP + wanted, tables)


class Modules(LimineTest):
    REQUIRED, COMPRESSED = 1, 2
    # In kernel(): the request, then the list of pointers, the structs, the texts.
    LIST, STRUCTS, TEXTS = DATA + 64, DATA + 0x100, DATA + 0x200

    def file(self, *modules, count=None):
        """Modules of path, string and flags."""
        pointers, structs, texts = b"", b"", b""

        def add(text):
            nonlocal texts
            if not isinstance(text, str):
                return text
            texts += text.encode() + b"\0"
            return self.TEXTS + len(texts) - len(text.encode()) - 1

        for index, (path, string, flags) in enumerate(modules):
            pointers += struct.pack("<Q", self.STRUCTS + 24 * index)
            structs += struct.pack("<QQQ", add(path), add(string), flags)
        data = request("module", len(modules) if count is None else count, self.LIST, revision=1)
        data = (data + pointers).ljust(0x100, b"\0") + structs
        return kernel(data.ljust(0x200, b"\0") + texts)

    def about(self, index=0):
        return f"internal module {index} of the Limine request `module' at {DATA:#x} "

    def test_files_beside_the_kernel(self):
        (self.folder / "sub").mkdir()
        self.write("one", b"first")
        self.write("sub/two", b"second")
        self.write("user", b"third")
        made = self.limine(self.file(("one", "text", 1), ("//sub/two", 0, 0), ("sub/../one", "", 0)),
                           "--module", "user=name,args")
        self.assertEqual(made.modules, [("one", "text", b"first"), ("sub/two", "", b"second"),
                                        ("sub/../one", "", b"first"), ("name", "args", b"third")])

    def test_a_kernel_elsewhere(self):
        (self.folder / "sub").mkdir()
        self.write("sub/one", b"first")
        self.write("sub/kernel.elf", self.file(("one", "", 1)))
        status, output, errors = self.tool("sub/kernel.elf", "-o", str(self.image))
        self.assertEqual((status, errors), (0, ""))
        self.assertIn("loaded from sub/kernel.elf and 1 module", output)
        self.assertEqual(image.Image(self.image.read_bytes()).modules, [("one", "", b"first")])

    def test_compressed_files(self):
        packed = gzip.compress(b"content" * 100)
        self.write("packed", packed)
        self.write("plain", b"plain")
        made = self.limine(self.file(("packed", "", 2), ("packed", "", 0), ("plain", "", 2)))
        self.assertEqual([module[2] for module in made.modules], [b"content" * 100, packed, b"plain"])
        self.write("packed", packed[:20])
        self.assert_fails("packed: cannot be decompressed: it ends too early; build or "
                          "download it again [compressed-damaged]", "kernel.elf")

    def test_files_that_are_not_there(self):
        (self.folder / "folder").mkdir()
        for name, path, trouble in (("absent", "absent", "No such file or directory"),
                                    ("folder", "folder", "it is not a regular file"),
                                    ("", "", "it has no path")):
            message = (f"the Limine request `module' at {DATA:#x} names `{name}' (internal module 0), which is to "
                       f"be {path}: {trouble}; put the file there, or take it out of the kernel's list "
                       "[limine-module]")
            self.assert_refused(self.file((name, "", self.REQUIRED)), message)
            made = self.limine(self.file((name, "", 0)), warnings=self.warning(message))
            self.assertEqual(made.modules, [])

    def test_the_revision_of_the_request(self):
        self.assertEqual(self.limine(kernel(request("module", 1, 77))).modules, [])

    def test_pointers_that_lead_nowhere(self):
        self.assert_refused(
            kernel(request("module", 1, 0x1234, revision=1)),
            f"the pointer of {self.about()}should be at 0x1234, where no segment is; correct the pointer "
            "[limine-pointer]")
        self.assert_refused(
            kernel(request("module", 1, DATA, revision=1)),
            f"the path of {self.about()}should be at {MAGIC[0]:#x}, where no segment is; correct the "
            "pointer [limine-pointer]")
        self.write("one", b"1")
        for what, module in (("path", (0x1234, 0, 0)), ("string", ("one", 0x1234, 0))):
            self.assert_refused(
                self.file(module),
                f"the {what} of {self.about()}should be at 0x1234, where no text of at most 65535 bytes ends; "
                "correct the pointer [limine-pointer]")
        # Without an end, as the segment ends before.
        self.assert_refused(
            kernel(request("module", 1, DATA + 64, revision=1) + 
                   struct.pack("<4Q", DATA + 72, DATA + 96, 0, 0) + b"endless"),
            f"the path of {self.about()}should be at {DATA + 96:#x}, where no text of at most 65535 bytes ends; "
            "correct the pointer [limine-pointer]")

    def test_an_endless_list(self):
        self.write("one", b"1")
        self.assert_refused(
            self.file(("one", "", 0), count=2**63),
            f"the path of {self.about(1)}should be at 0x0, where no segment is; correct the pointer "
            "[limine-pointer]")

    def test_too_many(self):
        self.write("one", b"1")
        count = 65536
        data = (request("module", count, DATA + 64, revision=1) +
                struct.pack("<Q", DATA + 64 + 8 * count) * count +
                struct.pack("<3Q", DATA + 64 + 8 * count + 24, 0, 0) + b"one\0")
        self.write("kernel.elf", kernel(data))
        self.assert_fails(
            "kernel.elf: names 65536 modules itself, and 1 come by --module, more than 65536 in all; put files "
            "together into one, as an archive [too-many-modules]", "kernel.elf", "--module", "one")

    def test_the_image_does_not_replace_a_module(self):
        for flags in 0, self.COMPRESSED:
            self.write("one", gzip.compress(b"1"))
            self.write("kernel.elf", self.file(("one", "", flags)))
            status, _, errors = self.tool("kernel.elf", "-o", "one")
            self.assertEqual(status, 1)
            self.assertIn("[output-is-input]", errors)


if __name__ == "__main__":
    support.main()
