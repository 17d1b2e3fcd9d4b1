"""Position-independent kernels: where they are mapped, what is patched, and what is refused."""

import itertools
import struct

import elf
import image
import support
from elf import R, W, X, Segment, note, rela, relr

KERNEL_BASE = 0xFFFFFFFF80000000
RANDOM_START, RANDOM_END = 0xFFFFFF8000000000, 0xFFFFFFFFFFE00000
RANDOM_BASE, BASE = 11, 12
OPTIONAL = 0x10000
HIGH = 0xFFFFC00000000000
MIB, GIB = 1 << 20, 1 << 30
STEP = 2 * MIB
ADDRESS = 2**64
DATA = elf.PIE_DATA
AGAIN = "build the kernel again"


class RelocationTest(support.ToolTest):
    def package(self, kernel, *arguments, warnings=()):
        self.write("kernel.elf", kernel)
        text = "".join(f"bootimage: warning: kernel.elf: {line}\n" for line in warnings)
        self.assertEqual(self.tool("-q", "kernel.elf", *arguments), (0, "", text))
        return image.Image(self.image.read_bytes())

    def assert_at(self, made, base, linked=0):
        """All addresses of the image of elf.pie() are those of this base."""
        slide = (base - linked) % ADDRESS
        self.assertEqual(made.protocol[2], base + elf.PIE_CODE)
        self.assertEqual(made.protocol[4], slide)
        self.assertEqual([region[:2] for region in made.regions], [(base, elf.PIE_END)])
        self.assertEqual([segment[1] - base for segment in made.segments],
                         [0, elf.PIE_CODE, elf.PIE_TABLES, elf.PIE_DATA])
        self.assertEqual([mapping[0] - base for mapping in made.mappings],
                         [0, elf.PIE_CODE, elf.PIE_TABLES, elf.PIE_DATA])


class Bases(RelocationTest):
    def test_linked_at_0(self):
        made = self.package(elf.pie())
        self.assert_at(made, KERNEL_BASE)
        self.assertEqual(made.regions[0][2:], (image.ANYWHERE, 1))
        self.assertEqual((made.relocations, made.random_base), ([], None))

    def test_linked_elsewhere(self):
        for linked, paddr in [(MIB, MIB), (0x40000000, 0x40000000), (HIGH, image.ANYWHERE),
                              (KERNEL_BASE, image.ANYWHERE)]:
            made = self.package(elf.pie(rela(linked + DATA), base=linked))
            self.assert_at(made, linked, linked)
            self.assertEqual(made.regions[0][2], paddr)
            self.assertEqual(made.relocations, [(linked + elf.PIE_TABLES, 24, image.RELA)])

    def test_executable_that_is_position_independent(self):
        """GNU ld makes it an ET_EXEC where it is not linked at 0."""
        options = {"type": elf.ET_EXEC, "tags": {elf.DT_FLAGS_1: elf.DF_1_PIE | 1}}
        for linked in MIB, HIGH:
            kernel = elf.pie(rela(linked + DATA), base=linked, **options)
            self.assert_at(self.package(kernel), linked, linked)
            made = self.package(kernel, "--base=0x40000000")
            self.assert_at(made, 0x40000000, linked)
            self.assertEqual(made.relocations, [(0x40000000 + elf.PIE_TABLES, 24, image.RELA)])
            self.assert_at(self.package(kernel, "--kaslr"), RANDOM_START + linked % STEP, linked)

    def test_linked_just_above_0(self):
        """Without the headers, the first page of a kernel linked at 0 is often another."""
        kernel = elf.build([Segment(0x1000, b"\xf4"), Segment(0x2000, b"data", R | W)],
                           type=elf.ET_DYN)
        made = self.package(kernel)
        self.assertEqual(made.regions, [(KERNEL_BASE + 0x1000, 0x2000, image.ANYWHERE, 1)])
        self.assertEqual(made.protocol[4], KERNEL_BASE)

    def test_linked_at_0_with_a_physical_address(self):
        kernel = elf.build([Segment(0, b"\xf4", paddr=0x200000)], type=elf.ET_DYN)
        self.assertEqual(self.package(kernel).regions, [(KERNEL_BASE, 0x1000, 0x200000, 1)])

    def test_base_of_option_and_of_request(self):
        for base in MIB, 0x1000, 0x7FFFFFFF0000, HIGH, 0xFFFFFFFFFFFF0000:
            wanted = elf.notes_segment(note(BASE, base))
            for linked in 0, MIB, HIGH:
                self.assert_at(self.package(elf.pie(base=linked), f"--base={base:#x}"), base,
                               linked)
                self.assert_at(self.package(elf.pie(b"", b"", wanted, base=linked)), base, linked)

    def test_option_overrides_requests(self):
        other = elf.notes_segment(note(BASE, HIGH))
        self.assert_at(self.package(elf.pie(b"", b"", other), "--base=0x40000000"), 0x40000000)
        random = elf.notes_segment(note(RANDOM_BASE, 1))
        made = self.package(elf.pie(b"", b"", random), "--base=0x40000000")
        self.assert_at(made, 0x40000000)
        self.assertEqual([request[0] for request in made.requests], [BASE])
        made = self.package(elf.pie(b"", b"", other), "--kaslr")
        self.assert_at(made, RANDOM_START)
        self.assertEqual([request[0] for request in made.requests], [RANDOM_BASE])

    def test_alignment_of_the_segments(self):
        kernel = elf.build([Segment(0x1000, b"\xf4", align=STEP), Segment(0x3000, b"x", R)],
                           type=elf.ET_DYN)
        self.assertEqual(self.package(kernel).regions[0][0], KERNEL_BASE + 0x1000)
        self.assertEqual(self.package(kernel, "--base=0x601000").protocol[4], 0x600000)
        self.assert_refused(
            kernel, "cannot be mapped at 0x600000, as its segments are aligned to 0x200000 "
                    "(p_align) and it is linked at 0x1000; ask for another address, by --base or "
                    "BOOTINFO_REQUEST_BASE [base-align]", "--base=0x600000")
        self.assert_refused(
            elf.build([Segment(0, b"\xf4", align=1 << 32)], type=elf.ET_DYN),
            "cannot be mapped at 0xffffffff80000000, as its segments are aligned to 0x100000000 "
            "(p_align) and it is linked at 0x0; ask for another address by --base [base-align]")
        self.assert_refused(
            elf.build([Segment(0, b"\xf4", align=0x3000)], type=elf.ET_DYN),
            "segment 0 has an alignment of 0x3000 (p_align), which is no power of two; "
            f"{AGAIN} [segment-align]")
        # What nothing is moved by does not matter.
        self.package(elf.build([Segment(0x100000, b"\xf4", align=0x3000)]))

    def test_past_the_end(self):
        kernel = elf.build([Segment(0, b"\xf4", memsz=2 * GIB)], type=elf.ET_DYN)
        self.assert_refused(
            kernel, "takes 0x80000000 bytes, which go past the end of the address space from "
                    "0xffffffff80000000; ask for another address by --base [base-high]")
        self.assert_refused(
            kernel, "takes 0x80000000 bytes, which go past the end of the address space from "
                    "0xffffffffff000000; ask for another address, by --base or "
                    "BOOTINFO_REQUEST_BASE [base-high]", "--base=0xffffffffff000000")
        self.assertEqual(self.package(kernel, "--base=0xffffffff00000000").protocol[4],
                         0xFFFFFFFF00000000)

    def test_places_that_a_kernel_cannot_have(self):
        for base, message in [
            (0xFFFFFF7FFFFFE000, "segment 0 [0xffffff7fffffe000, 0xffffff7fffffe040) meets the "
                                 "stack that the loader maps at [0xffffff7ffffef000, "
                                 "0xffffff8000000000); link the kernel elsewhere [segment-stack]"),
            (0x7FFFFFFFD000, "segment 3 [0x800000000000, 0x800000002000) has addresses that are "
                             "not canonical, from 0x800000000000 to 0xffff7fffffffffff; link the "
                             "kernel below or above them [segment-not-canonical]"),
        ]:
            self.assert_refused(elf.pie(), message, f"--base={base:#x}")

    def test_optional_base(self):
        kernel = elf.build([Segment(0, b"\xf4", align=STEP),
                            elf.notes_segment(note(BASE | OPTIONAL, 0x101000))], type=elf.ET_DYN)
        made = self.package(kernel, warnings=[
            "cannot be mapped at 0x101000, as its segments are aligned to 0x200000 (p_align) and "
            "it is linked at 0x0; ask for another address, by --base or BOOTINFO_REQUEST_BASE "
            "[base-align]"])
        self.assertEqual(made.protocol[4], KERNEL_BASE)
        self.assertEqual(made.requests[0][1], 0)

    def test_wrong_options(self):
        for value in "", "0", "x", "0x", "-1", "4096k", "0x10000000000000000", " 1", "1 ":
            self.assert_fails(f"--base is {value}; give an address, such as 0xffffffff80000000 "
                              "[base-number]", "kernel.elf", f"--base={value}", status=2)
        self.assert_refused(elf.pie(), "BOOTINFO_REQUEST_BASE asks for 0x800, which no page can "
                                       "have; ask for a canonical multiple of 4096 [fixed-base]",
                            "--base=0x800")
        self.assert_refused(
            elf.kernel(), "BOOTINFO_REQUEST_BASE needs a position-independent kernel, and this one "
                          "is linked to fixed addresses; link it with -static-pie [fixed-base]",
            "--base=0x200000")
        self.assert_refused(
            elf.pie(), "asks for a random address and for a fixed one; take one of "
                       "BOOTINFO_REQUEST_RANDOM_BASE and BOOTINFO_REQUEST_BASE away [base-twice]",
            "--base=0x200000", "--kaslr")


class RandomBases(RelocationTest):
    def places(self, size, step=STEP, inside=0):
        return (RANDOM_END - RANDOM_START - inside - size) // step + 1

    def test_first_place_and_number(self):
        for linked in 0, MIB, 0x40000000, HIGH, KERNEL_BASE:
            made = self.package(elf.pie(base=linked), "--kaslr")
            inside = linked % STEP
            self.assert_at(made, RANDOM_START + inside, linked)
            self.assertEqual(made.random_base, (STEP, self.places(elf.PIE_END, inside=inside)))
            self.assertGreater(made.random_base[1], 200000)
            last = made.regions[0][0] + (made.random_base[1] - 1) * STEP + elf.PIE_END
            self.assertTrue(RANDOM_END - STEP < last <= RANDOM_END)

    def test_of_a_request(self):
        kernel = elf.pie(b"", b"", elf.notes_segment(note(RANDOM_BASE, 1)))
        self.assertEqual(self.package(kernel).random_base, (STEP, self.places(elf.PIE_END)))
        kernel = elf.pie(b"", b"", elf.notes_segment(note(RANDOM_BASE, 0)))
        made = self.package(kernel)
        self.assertIsNone(made.random_base)
        self.assert_at(made, KERNEL_BASE)

    def test_physical_addresses_are_kept(self):
        made = self.package(elf.pie(base=MIB), "--kaslr")
        self.assertEqual(made.regions[0][2], MIB)

    def test_larger_steps(self):
        kernel = elf.build([Segment(0x5000, b"\xf4", align=1 << 24)], type=elf.ET_DYN)
        made = self.package(kernel, "--kaslr")
        self.assertEqual(made.regions[0][0], RANDOM_START + 0x5000)
        self.assertEqual(made.random_base, (1 << 24, self.places(1, 1 << 24, 0x5000)))

    def test_too_few_places(self):
        window = RANDOM_END - RANDOM_START
        largest = window - 4095 * STEP
        made = self.package(elf.build([Segment(0, b"\xf4", memsz=largest)], type=elf.ET_DYN),
                            "--kaslr")
        self.assertEqual(made.random_base, (STEP, 4096))
        for size, align, step, places in [
            (largest + 1, 0x1000, STEP, 4095), (window, 0x1000, STEP, 1),
            (window + 1, 0x1000, STEP, 0), (1 << 46, 0x1000, STEP, 0),
            (0x1000, 1 << 28, 1 << 28, 2048), (0x1000, 1 << 40, 1 << 40, 1),
        ]:
            self.assert_refused(
                elf.build([Segment(0, b"\xf4", memsz=size, align=align)], type=elf.ET_DYN),
                f"takes {size:#x} bytes in steps of {step:#x}, which leaves {places} places in "
                "[0xffffff8000000000, 0xffffffffffe00000), fewer than 4096; make it smaller, or "
                "do without a random address [random-places]", "--kaslr")

    def test_optional(self):
        wish = elf.notes_segment(note(RANDOM_BASE | OPTIONAL, 1))
        made = self.package(
            elf.build([Segment(0, b"\xf4", align=1 << 30), wish], type=elf.ET_DYN), warnings=[
                "takes 0x1 bytes in steps of 0x40000000, which leaves 512 places in "
                "[0xffffff8000000000, 0xffffffffffe00000), fewer than 4096; make it smaller, or "
                "do without a random address [random-places]"])
        self.assertEqual((made.random_base, made.requests[0][1]), (None, 0))
        self.assertEqual(made.protocol[4], KERNEL_BASE)

    def test_fixed_kernel(self):
        self.assert_refused(
            elf.kernel(), "BOOTINFO_REQUEST_RANDOM_BASE needs a position-independent kernel, and "
                          "this one is linked to fixed addresses; link it with -static-pie "
                          "[random-base]", "--kaslr")


class Tables(RelocationTest):
    tables = KERNEL_BASE + elf.PIE_TABLES

    def test_rela(self):
        entries = rela(DATA, 0x1234) + rela(DATA + 8, -1 % ADDRESS) + rela(elf.PIE_END - 8)
        made = self.package(elf.pie(entries))
        self.assertEqual(made.relocations, [(self.tables, 72, image.RELA)])

    def test_relr(self):
        words = relr(DATA, 3, ADDRESS - 1, DATA + 0x1000, DATA + 0x1100)
        made = self.package(elf.pie(b"", words))
        self.assertEqual(made.relocations, [(KERNEL_BASE + elf.PIE_RELR, 40, image.RELR)])

    def test_both(self):
        made = self.package(elf.pie(rela(DATA), relr(DATA)))
        self.assertEqual(made.relocations, [(self.tables, 24, image.RELA),
                                            (KERNEL_BASE + elf.PIE_RELR, 8, image.RELR)])

    def test_jump_table(self):
        tags = {elf.DT_RELASZ: 24, elf.DT_JMPREL: elf.PIE_TABLES + 48, elf.DT_PLTRELSZ: 24,
                elf.DT_PLTREL: elf.DT_RELA}
        made = self.package(elf.pie(rela(DATA) * 3, tags=tags))
        self.assertEqual(made.relocations, [(self.tables, 24, image.RELA),
                                            (self.tables + 48, 24, image.RELA)])

    def test_none_is_left_out(self):
        none = rela(0, kind=elf.R_NONE)
        for pattern in itertools.product([False, True], repeat=5):
            made = self.package(elf.pie(b"".join(none if skip else rela(DATA) for skip in pattern)))
            covered = [False] * 5
            for vaddr, size, form in made.relocations:
                self.assertEqual(form, image.RELA)
                for i in range((vaddr - self.tables) // 24, (vaddr + size - self.tables) // 24):
                    covered[i] = True
            self.assertEqual(covered, [not skip for skip in pattern])
            runs = sum(1 for skip, _ in itertools.groupby(pattern) if not skip)
            self.assertEqual(len(made.relocations), runs)

    def test_no_tables(self):
        for drop in [(elf.DT_RELA, elf.DT_RELASZ), (elf.DT_RELASZ,), (elf.DT_RELAENT,)]:
            self.assertEqual(self.package(elf.pie(drop=drop)).relocations, [])
        self.assertEqual(self.package(elf.pie(drop=range(100))).relocations, [])
        self.assertEqual(self.package(elf.build([Segment(0, b"\xf4")], type=elf.ET_DYN)).
                         relocations, [])

    def test_entry_size_left_out(self):
        made = self.package(elf.pie(rela(DATA), drop=(elf.DT_RELAENT,)))
        self.assertEqual(len(made.relocations), 1)

    def test_other_tags_do_not_matter(self):
        tags = {30: 8, 0x6FFFFFFB: 0x08000001, 0x6FFFFFF9: 77, 21: 0, 0x6FFFFEF5: ADDRESS - 1,
                22: 0, 25: 5, 27: 8}
        self.package(elf.pie(rela(DATA), tags=tags))

    def test_many(self):
        """Tables that are longer than what is read at once, and no multiple of it."""
        count = 100003
        data = Segment(0x3000000, b"", R | W, memsz=0x1000000)
        table = Segment(0x1000000, b"".join(rela(0x3000000 + 8 * i) for i in range(count)), R)
        bits = Segment(0x2000000, relr(0x3000000, *[ADDRESS - 1] * (count - 1)), R)
        tags = {elf.DT_RELA: 0x1000000, elf.DT_RELASZ: 24 * count}
        made = self.package(elf.pie(b"", b"", table, data, tags=tags))
        self.assertEqual(made.relocations, [(KERNEL_BASE + 0x1000000, 24 * count, image.RELA)])
        tags = {elf.DT_RELR: 0x2000000, elf.DT_RELRSZ: 8 * 30000}
        made = self.package(elf.pie(b"", b"", bits, data, tags=tags))
        self.assertEqual(made.relocations, [(KERNEL_BASE + 0x2000000, 8 * 30000, image.RELR)])
        tags[elf.DT_RELRSZ] = 8 * count
        end = 0x4000000
        self.assert_refused(
            elf.pie(b"", b"", bits, data, tags=tags),
            f"a relocation patches 8 bytes at {end:#x}, which lie in no segment; {AGAIN} "
            "[relocation-place]")

    def test_patched_code_is_a_warning(self):
        cure = "compile the kernel with -fPIE, all of it [text-relocation]"
        self.package(elf.pie(rela(elf.PIE_CODE + 8)), warnings=[
            f"1 relocation patches code, the first at {elf.PIE_CODE + 8:#x}; {cure}"])
        self.package(elf.pie(rela(elf.PIE_CODE) + rela(DATA), relr(elf.PIE_CODE + 8)), warnings=[
            f"2 relocations patch code, the first at {elf.PIE_CODE:#x}; {cure}"])

    def test_patched_constants_are_none(self):
        self.package(elf.pie(rela(8)))

    def test_fixed_kernel_with_an_empty_table(self):
        made = self.package(elf.pie(base=MIB, type=elf.ET_EXEC))
        self.assert_at(made, MIB, MIB)
        self.package(elf.build([Segment(MIB, b"\xf4"), Segment(0, type=elf.PT_DYNAMIC)]))
        none = rela(0, kind=elf.R_NONE)
        self.assertEqual(self.package(elf.pie(none, base=MIB, type=elf.ET_EXEC)).relocations, [])


class Symbols(RelocationTest):
    """Relocations by a symbol that the kernel itself defines."""

    def symbol(self, value, section=1, info=0x12):
        """Of pie(), overwritten: its place is that of the first symbol."""
        return struct.pack("<IBBHQQ", 1, info, 0, section, value, 0)

    def with_symbol(self, entry, symbol):
        data = bytearray(elf.pie(entry, symbols=[("foo", True)]))
        place = data.index(struct.pack("<IBBHQQ", 1, 0x12, 0, 1, 0, 0))
        data[place : place + 24] = symbol
        return bytes(data)

    def test_values(self):
        for kind, value in (elf.R_GLOB_DAT, 0x1234), (elf.R_JUMP_SLOT, 0x1234), (elf.R_64, 0x1239):
            made = self.package(self.with_symbol(rela(DATA, 5, kind, 1), self.symbol(0x1234)))
            self.assertEqual((made.patches, made.absolute_patches, made.relocations),
                             ([(DATA, value)], [], []))

    def test_absolute_and_weak_ones(self):
        weak, absolute = 0x22, 0xFFF1
        for symbol, value in ((self.symbol(0x1234, absolute), 0x1239), (self.symbol(0, 0, weak), 5)):
            made = self.package(self.with_symbol(rela(DATA, 5, elf.R_64, 1), symbol))
            self.assertEqual((made.patches, made.absolute_patches), ([], [(DATA, value)]))

    def test_other_kinds_of_symbols(self):
        for info in 0x16, 0x1A: # of a thread, and an indirect function
            self.assert_refused(
                self.with_symbol(rela(DATA, 0, elf.R_GLOB_DAT, 1), self.symbol(0x1234, info=info)),
                f"relocation R_X86_64_GLOB_DAT against `foo' at {DATA:#x} needs a dynamic linker, and "
                "there is none at boot; link the kernel with -static -pie -Bsymbolic "
                "[relocation-kind]")

    def test_thousands(self):
        count = 5000
        data = Segment(0x3000000, b"", R | W, memsz=0x100000)
        table = Segment(0x1000000, b"".join(rela(0x3000000 + 8 * i, i, elf.R_64, 1)
                                            for i in range(count)), R)
        tags = {elf.DT_RELA: 0x1000000, elf.DT_RELASZ: 24 * count}
        made = self.package(elf.pie(b"", b"", table, data, tags=tags, symbols=[("foo", True)]))
        self.assertEqual(made.patches, [(0x3000000 + 8 * i, i) for i in range(count)])


class Refusals(RelocationTest):
    def test_kinds(self):
        dynamic = "needs a dynamic linker, and there is none at boot"
        undefined = "define the symbol, and link the kernel with -static -pie --no-undefined"
        defined = "link the kernel with -static -pie -Bsymbolic"
        code = "compile the kernel with -fPIE, all of it, and link it with -static -pie -Bsymbolic"
        threads = "compile the kernel with -ftls-model=local-exec"
        symbols = [("foo", False), ("bar", True), ("", True)]
        for kind, symbol, words, cure in [
            (elf.R_GLOB_DAT, 1, "R_X86_64_GLOB_DAT against `foo'", undefined),
            (elf.R_JUMP_SLOT, 1, "R_X86_64_JUMP_SLOT against `foo'", undefined),
            (elf.R_64, 0, "R_X86_64_64", defined),
            (elf.R_64, 10**9, "R_X86_64_64 against symbol 1000000000", defined),
            (elf.R_32, 2, "R_X86_64_32 against `bar'", code),
            (elf.R_TPOFF64, 0, "R_X86_64_TPOFF64", threads),
            (elf.R_IRELATIVE, 0, "R_X86_64_IRELATIVE",
             "build the kernel without indirect functions (IFUNC)"),
            (40, 0, "of kind 40", defined),
            (2**32 - 1, 0, "of kind 4294967295", defined),
        ]:
            self.assert_refused(
                elf.pie(rela(DATA) + rela(DATA + 16, 0, kind, symbol), symbols=symbols),
                f"relocation {words} at {DATA + 16:#x} {dynamic}; {cure} [relocation-kind]")

    def test_names_that_cannot_be_read(self):
        entry = rela(DATA, 0, elf.R_64, 1)
        words = (f"relocation R_X86_64_64 against symbol 1 at {DATA:#x} needs a dynamic linker, "
                 "and there is none at boot; link the kernel with -static -pie -Bsymbolic "
                 "[relocation-kind]")
        for tags in [{elf.DT_STRTAB: 2**63}, {elf.DT_STRSZ: 0}, {elf.DT_STRSZ: 1},
                     {elf.DT_STRTAB: elf.PIE_END}]:
            self.assert_refused(elf.pie(entry, symbols=[("foo", False)], tags=tags),
                                words.replace("-Bsymbolic", "--no-undefined").replace(
                                    "link the", "define the symbol, and link the"))
        for tags in {elf.DT_SYMTAB: 2**63}, {elf.DT_SYMTAB: elf.PIE_DATA - 40}:
            self.assert_refused(elf.pie(entry, symbols=[("foo", True)], tags=tags), words)
        undefined = words.replace("-Bsymbolic", "--no-undefined").replace(
            "link the", "define the symbol, and link the")
        long = "x" * 5000
        self.assert_refused(elf.pie(entry, symbols=[(long[:600], False)]),
                            undefined.replace("symbol 1", f"`{long[:255]}'"))
        self.assert_refused(elf.pie(entry, symbols=[("a\nb", False)]),
                            undefined.replace("symbol 1", "`a\\x0ab'"))

    def test_libraries(self):
        message = "and there is none at boot; link the kernel with -nostdlib -static"
        self.assert_refused(
            elf.pie(tags={elf.DT_NEEDED: 1}, symbols=[("libc.so.6", False)]),
            f"needs the shared library `libc.so.6' (DT_NEEDED), {message} [needed-library]")
        self.assert_refused(elf.pie(tags={elf.DT_NEEDED: 10**6}),
                            f"needs the shared library `' (DT_NEEDED), {message} [needed-library]")

    def test_tables_without_addends(self):
        message = ("has relocations without addends (DT_REL), which x86-64 does not use; link the "
                   "kernel with -z rela [relocation-rel]")
        for tags in [{elf.DT_REL: elf.PIE_TABLES, elf.DT_RELSZ: 16},
                     {elf.DT_JMPREL: elf.PIE_TABLES, elf.DT_PLTRELSZ: 16,
                      elf.DT_PLTREL: elf.DT_REL}]:
            self.assert_refused(elf.pie(tags=tags), message)

    def test_packed_tables(self):
        for tag in 0x6000000F, 0x60000010, 0x60000011, 0x60000012, 0x6FFFE000:
            self.assert_refused(
                elf.pie(tags={tag: 0}),
                f"has relocations packed for Android (tag {tag:#x}); link the kernel with "
                "--pack-dyn-relocs=relr or none [relocation-packed]")

    def test_sizes(self):
        for tags, name, size, entry, expected in [
            ({elf.DT_RELAENT: 16}, "DT_RELA", 24, 16, 24),
            ({elf.DT_RELASZ: 25}, "DT_RELA", 25, 24, 24),
            ({elf.DT_RELASZ: 2**64 - 1}, "DT_RELA", 2**64 - 1, 24, 24),
            ({elf.DT_RELRENT: 24, elf.DT_RELRSZ: 8}, "DT_RELR", 8, 24, 8),
            ({elf.DT_RELRSZ: 7}, "DT_RELR", 7, 8, 8),
            ({elf.DT_JMPREL: 8, elf.DT_PLTRELSZ: 23}, "DT_JMPREL", 23, 0, 24),
        ]:
            self.assert_refused(
                elf.pie(rela(DATA), tags=tags),
                f"the relocations of {name} take {size:#x} bytes in entries of {entry}, where "
                f"entries of {expected} are expected; {AGAIN} [relocation-size]")

    def test_tables_that_are_not_loaded(self):
        for table, size in [(0x6000, 24), (elf.PIE_TABLES - 8, 24), (DATA - 8, 24),
                            (DATA + 0x1F0, 24), (DATA + 0x200, 24), (2**64 - 8, 24), (0, 24 * 3),
                            (elf.PIE_TABLES, 2**64 - 16), (2**63, 24)]:
            self.assert_refused(
                elf.pie(tags={elf.DT_RELA: table, elf.DT_RELASZ: size}),
                f"the relocations of DT_RELA, {size:#x} bytes at {table:#x}, are not loaded; keep "
                "their section in a PT_LOAD in the linker script [relocation-not-loaded]")

    def test_places(self):
        for place in [elf.PIE_END, elf.PIE_END - 7, 0x40, 0x39, elf.PIE_CODE - 8, elf.PIE_CODE + 9,
                      2**64 - 1, 2**64 - 8, -KERNEL_BASE % ADDRESS, KERNEL_BASE]:
            message = (f"a relocation patches 8 bytes at {place:#x}, which lie in no segment; "
                       f"{AGAIN} [relocation-place]")
            self.assert_refused(elf.pie(rela(DATA) + rela(place)), message)
            if place % 2 == 0:
                self.assert_refused(elf.pie(b"", relr(place)), message)

    def test_bitmaps(self):
        self.assert_refused(
            elf.pie(b"", relr(3, DATA)),
            f"the relocations of DT_RELR begin with a bitmap, 0x3, and no address before it; "
            f"{AGAIN} [relocation-bitmap]")
        # The last word that the bitmap tells of is past the end, by one.
        start = elf.PIE_END - 63 * 8
        self.package(elf.pie(b"", relr(start - 8, ADDRESS - 1)))
        self.assert_refused(
            elf.pie(b"", relr(start, ADDRESS - 1)),
            f"a relocation patches 8 bytes at {elf.PIE_END:#x}, which lie in no segment; {AGAIN} "
            "[relocation-place]")
        self.package(elf.pie(b"", relr(start, ADDRESS // 2 - 1)))

    def test_tables_that_patch_themselves(self):
        for place, name in [(elf.PIE_TABLES - 0, "DT_RELA"), (elf.PIE_TABLES + 23, "DT_RELA"),
                            (elf.PIE_RELR, "DT_RELR"), (elf.PIE_RELR - 7, "DT_RELR"),
                            (elf.PIE_RELR + 7, "DT_RELR")]:
            self.assert_refused(
                elf.pie(rela(place), relr(DATA)),
                f"a relocation patches 8 bytes at {place:#x}, among the relocations of {name} "
                f"themselves; {AGAIN} [relocation-overlap]")
        self.package(elf.pie(rela(elf.PIE_TABLES + 24) + b"", relr(elf.PIE_RELR + 8)))

    def test_tags_twice(self):
        for tag in elf.DT_RELA, elf.DT_RELRSZ, elf.DT_STRTAB:
            kernel = elf.build([Segment(0, b"\xf4"), Segment(0, elf.relr(tag, 0, tag, 0),
                                                             type=elf.PT_DYNAMIC)], type=elf.ET_DYN)
            self.assert_refused(
                kernel, f"PT_DYNAMIC has the tag {tag} twice; {AGAIN} [dynamic-twice]")

    def test_two_dynamic_segments(self):
        self.assert_refused(
            elf.pie(b"", b"", Segment(0, bytes(16), R, type=elf.PT_DYNAMIC)),
            "segment 5 is a second PT_DYNAMIC; list .dynamic once under PHDRS in the linker script "
            "[second-dynamic]")

    def test_dynamic_segment_past_the_end(self):
        whole = elf.pie()
        self.assert_refused(
            elf.pie(program_headers={4: {"p_filesz": 2**40, "p_memsz": 2**40}}),
            f"is truncated: segment 4 is 0x10000000000 bytes at offset {offset_of(whole, 4):#x}, "
            f"past its end at {len(whole):#x}; {AGAIN} [elf-truncated]")

    def test_fixed_kernel_with_relocations(self):
        for tables, flags in [((rela(MIB + DATA), b""), 0), ((b"", relr(MIB + DATA)), 0),
                              ((rela(MIB + DATA), b""), elf.DF_1_PIE ^ 2**64 - 1)]:
            self.assert_refused(
                elf.pie(*tables, base=MIB, type=elf.ET_EXEC, tags={elf.DT_FLAGS_1: flags}),
                "has relocations (PT_DYNAMIC), though it is linked to fixed addresses; link it "
                "with -static -no-pie, or with -static-pie [dynamic-linking]")


def offset_of(file, index):
    start = 64 + 56 * index + 8
    return int.from_bytes(file[start : start + 8], "little")


if __name__ == "__main__":
    support.main()
