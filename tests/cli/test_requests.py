"""What a kernel asks for by notes, PT_TLS and PT_GNU_RELRO: what comes out as records of the plan, and
what is refused, by which words."""

import struct

import elf
import image
import support
from elf import R, W, X, Segment, note

(CONTRACT, STACK, MEMORY, IDENTITY, MAP, LEVELS, RECURSIVE, FRAMEBUFFER, CPUS, KERNEL_FILE,
 RANDOM_BASE, BASE) = range(1, 13)
OPTIONAL = 0x10000
WRITABLE, EXECUTABLE, UNCACHED, WRITE_COMBINING = 1, 2, 4, 8
HIGH = 0xFFFFC00000000000
STACK_TOP = 0xFFFFFF8000000000
GIB = 1 << 30


class RequestTest(support.ToolTest):
    def package(self, kernel, *arguments, warnings=()):
        self.write("kernel.elf", kernel)
        text = "".join(f"bootimage: warning: kernel.elf: {line}\n" for line in warnings)
        self.assertEqual(self.tool("-q", "kernel.elf", *arguments), (0, "", text))
        return image.Image(self.image.read_bytes())

    def requests_of(self, *notes, warnings=(), **options):
        kernel = elf.kernel(elf.notes_segment(*notes), **options)
        return self.package(kernel, warnings=warnings).requests

    def assert_request_refused(self, message, *notes, last=None, others=(), **options):
        """The notes are refused by this message; and with the last note optional, or the one that
        `last` names, the boot goes on without it, and the message is a warning."""
        self.assert_refused(elf.kernel(elf.notes_segment(*notes), *others, **options), message)
        notes = list(notes)
        index = len(notes) - 1 if last is None else last
        kind = struct.unpack_from("<I", notes[index], 8)[0]
        notes[index] = notes[index][:8] + struct.pack("<I", kind | OPTIONAL) + notes[index][12:]
        made = self.package(elf.kernel(elf.notes_segment(*notes), *others, **options),
                            warnings=[message])
        met = [request[:2] for request in made.requests]
        self.assertEqual(met[index], (kind | OPTIONAL, 0))
        self.assertTrue(all(other[1] for i, other in enumerate(met) if i != index))


class Notes(RequestTest):
    def test_none(self):
        made = self.package(elf.kernel())
        self.assertEqual((made.requests, made.tls), ([], None))
        self.assertEqual(made.protocol[3], 0x10000)

    def test_all_of_them(self):
        notes = [
            note(CONTRACT, 0x10001), note(STACK, 0x20001), note(MEMORY, 64 << 20),
            note(IDENTITY, 0), note(MAP, HIGH, 0xFED00000, 0x1000, WRITABLE | UNCACHED),
            note(MAP | OPTIONAL, HIGH + 0x1000, 0xFED00000, 0x1000, EXECUTABLE), note(LEVELS, 4),
            note(RECURSIVE, 509), note(FRAMEBUFFER, 1024, 768, 32), note(CPUS, 1),
            note(KERNEL_FILE, 1),
        ]
        made = self.package(elf.kernel(elf.notes_segment(*notes)))
        self.assertEqual(made.requests, [
            (CONTRACT, 1, [0x10001, 0, 0, 0]), (STACK, 1, [0x20001, 0, 0, 0]),
            (MEMORY, 1, [64 << 20, 0, 0, 0]), (IDENTITY, 1, [0, 0, 0, 0]),
            (MAP, 1, [HIGH, 0xFED00000, 0x1000, 5]),
            (MAP | OPTIONAL, 1, [HIGH + 0x1000, 0xFED00000, 0x1000, 2]), (LEVELS, 1, [4, 0, 0, 0]),
            (RECURSIVE, 1, [509, 0, 0, 0]), (FRAMEBUFFER, 1, [1024, 768, 32, 0]),
            (CPUS, 1, [1, 0, 0, 0]), (KERNEL_FILE, 1, [1, 0, 0, 0]),
        ])
        self.assertEqual(made.protocol[3], 0x21000)

    def test_words_left_out_are_0(self):
        self.assertEqual(self.requests_of(note(FRAMEBUFFER), note(FRAMEBUFFER + 0x20000 | OPTIONAL),
                                          warnings=[self.unknown(0x30008)]),
                         [(FRAMEBUFFER, 1, [0] * 4), (0x30008, 0, [0] * 4)])

    def test_notes_of_others_do_not_matter(self):
        others = [note(1, 2, name=b"GNU\0"), note(99, name=b""), note(3, 1, name=b"bootimages\0"),
                  note(2, 0, name=b"Bootimage\0")]
        for align in 0, 1, 4, 8, 16:
            rows = [note(1, 2, name=b"GNU\0", align=align if align == 8 else 4),
                    note(STACK, 4096), note(CPUS, 0)]
            kernel = elf.kernel(elf.notes_segment(*others if align != 8 else (), *rows, align=align))
            self.assertEqual([row[0] for row in self.package(kernel).requests], [STACK, CPUS])

    def test_padding_to_8(self):
        rows = [note(7, 1, name=b"Linux\0", align=8), note(STACK, 4096, align=8)]
        made = self.package(elf.kernel(elf.notes_segment(*rows, align=8)))
        self.assertEqual(made.requests, [(STACK, 1, [4096, 0, 0, 0])])

    def test_notes_padded_to_4_in_a_segment_aligned_to_8(self):
        """As when a linker script puts .note.gnu.build-id and .note.gnu.property side by side."""
        build_id = struct.pack("<III", 4, 20, 3) + b"GNU\0" + bytes(range(20))
        rows = [note(5, 1, 2, name=b"GNU\0"), build_id, note(STACK, 4096), note(CPUS, 0)]
        made = self.package(elf.kernel(elf.notes_segment(*rows, align=8)))
        self.assertEqual([row[0] for row in made.requests], [STACK, CPUS])

    def test_no_padding_loses_a_note(self):
        """Whatever the alignment says, and whatever stands between ours."""
        other = note(4, name=b"GNU\0", words_bytes=4) + bytes(4)
        for align in 4, 8:
            for last in note(STACK, 4096), note(MAP, HIGH, 0, 0x1000):
                for end in b"", bytes(4):
                    rows = elf.notes_segment(note(CPUS, 0), other, last, end, align=align)
                    self.assertEqual([row[0] for row in self.package(elf.kernel(rows)).requests],
                                     [CPUS, struct.unpack_from("<I", last, 8)[0]])

    def test_zeros_at_the_end(self):
        for size in 1, 4, 11, 12, 100:
            self.assertEqual(self.requests_of(note(CPUS, 0), bytes(size)), [(CPUS, 1, [0] * 4)])

    def test_segments_in_turn(self):
        kernel = elf.kernel(elf.notes_segment(note(CPUS, 0)), elf.notes_segment(note(STACK, 1)))
        self.assertEqual([row[0] for row in self.package(kernel).requests], [CPUS, STACK])

    def test_a_thousand_maps(self):
        notes = [note(MAP, HIGH + i * 0x1000, 0, 0x1000) for i in range(1024)]
        self.assertEqual(len(self.requests_of(*notes)), 1024)
        self.assert_refused(
            elf.kernel(elf.notes_segment(*notes, notes[0])),
            "segment 3 (notes) holds more than 1024 requests; ask for fewer and larger maps "
            "[too-many-requests]")

    def unknown(self, kind):
        return (f"has a request of type {kind:#x}, which contract 1.4 does not know; use a newer "
                "bootimage [unknown-request]")

    def test_unknown(self):
        for kind in 0, 13, 0xFFFF, 0x20002, 0xFFFEFFFF:
            self.assert_refused(elf.kernel(elf.notes_segment(note(kind, 1))), self.unknown(kind))
            kind |= OPTIONAL
            self.assertEqual(
                self.requests_of(note(kind, 1, 2, 3, 4, 5), note(kind, 6),
                                 warnings=[self.unknown(kind)] * 2),
                [(kind, 0, [1, 2, 3, 4]), (kind, 0, [6, 0, 0, 0])])

    def test_twice(self):
        for again in STACK, STACK | OPTIONAL:
            self.assert_refused(
                elf.kernel(elf.notes_segment(note(STACK, 1), note(CPUS, 1), note(again, 2))),
                "BOOTINFO_REQUEST_STACK is asked for twice, 0x1 and 0x2; take one of the notes "
                "away [request-twice]")

    def test_too_many_words(self):
        for kind, name, limit in [(STACK, "STACK", 1), (MAP, "MAP", 4), (FRAMEBUFFER,
                                                                        "FRAMEBUFFER", 3)]:
            self.assert_refused(
                elf.kernel(elf.notes_segment(note(kind, *[1] * (limit + 1)))),
                f"BOOTINFO_REQUEST_{name} has {limit + 1} words, but takes no more than {limit}; "
                "leave the others out [note-words]")

    def test_half_a_word(self):
        for size in 1, 4, 7:
            self.assert_refused(
                elf.kernel(elf.notes_segment(note(STACK, 1, words_bytes=size))),
                f"segment 3 (notes) holds a request of {size} bytes, but requests are words of 8 "
                "bytes; correct the length in the note [note-length]")

    def test_past_the_end(self):
        message = ("segment 3 (notes) holds a note that goes past its end; check the sizes in the "
                   "note and the linker script [note-truncated]")
        for size in 16, 2**31, 2**32 - 8:
            self.assert_refused(
                elf.kernel(elf.notes_segment(note(CPUS, 1), note(STACK, 1, words_bytes=size))),
                message)
        for size in 100, 2**31, 2**32 - 1:
            self.assert_refused(
                elf.kernel(elf.notes_segment(note(STACK, 1, name=b"x", name_bytes=size))), message)
        for cut in 1, 8, 20:
            self.assert_refused(elf.kernel(elf.notes_segment(note(CPUS, 1)[:-cut])), message)

    def test_segment_past_the_end(self):
        kernel = elf.kernel(elf.notes_segment(note(CPUS, 1)))
        size = len(kernel)
        for offset, length in [(size, 1), (size - 31, 32), (2**64 - 1, 1), (2**64 - 8, 2**64 - 8),
                               (2**63, 2**63), (0, size + 1)]:
            self.assert_refused(
                elf.kernel(elf.notes_segment(note(CPUS, 1)),
                           program_headers={3: {"p_offset": offset, "p_filesz": length}}),
                f"segment 3 (notes) is {length:#x} bytes at offset {offset:#x}, past the file's "
                f"end at {size:#x}; build the kernel again [elf-truncated]")

    def test_name(self):
        for name in b"bootimage", b"bootimage\0\0", b"bootimage\0\0\0":
            self.assert_refused(
                elf.kernel(elf.notes_segment(note(CPUS, 1, name=name))),
                "segment 3 (notes) holds a note named \"bootimage\" with a length of the name of "
                f"{len(name)}; make it 10, and pad the name to 12 bytes [note-name]")

    def sections(self, *notes, segment_notes=(), align=4):
        """A kernel with the notes in sections, and perhaps others in a segment."""
        more = [elf.notes_segment(*segment_notes)] if segment_notes else []
        file = elf.kernel(*more)
        file += bytes(-len(file) % 8)
        headers, offset = [bytes(64)], len(file)
        for data in notes:
            headers.append(struct.pack("<" + elf.SECTION_HEADER_64, 0, elf.SHT_NOTE, 2, 0, offset,
                                       len(data), 0, 0, align, 0))
            file += data
            offset += len(data)
        return elf.kernel(*more, extra=file[len(elf.kernel(*more)):] + b"".join(headers),
                          header={"e_shoff": offset, "e_shnum": len(headers)})

    def test_sections(self):
        made = self.package(self.sections(note(1, 2, name=b"GNU\0"), note(CPUS, 1) + note(STACK, 1)))
        self.assertEqual([row[0] for row in made.requests], [CPUS, STACK])
        made = self.package(self.sections(note(CPUS, 1), segment_notes=[note(1, name=b"GNU\0")]))
        self.assertEqual([row[0] for row in made.requests], [CPUS])

    def test_segments_come_before_sections(self):
        made = self.package(self.sections(note(CPUS, 1), segment_notes=[note(STACK, 1)]))
        self.assertEqual([row[0] for row in made.requests], [STACK])

    def test_broken_sections(self):
        self.assert_refused(
            self.sections(note(CPUS, 1, words_bytes=16)),
            "section 1 (notes) holds a note that goes past its end; check the sizes in the note "
            "and the linker script [note-truncated]")


class Values(RequestTest):
    def test_contract(self):
        for version, name in [(0x10005, "1.5"), (0x10007, "1.7"), (0x20000, "2.0"),
                              (2**64 - 1, "281474976710655.65535")]:
            self.assert_request_refused(
                f"needs contract {name}, this bootimage has 1.4; use a newer bootimage "
                "[contract-version]", note(CONTRACT, version))
        for version in 0, 0x10000, 0x10001, 0x10002, 0x10003, 0x10004:
            self.assertEqual(self.requests_of(note(CONTRACT, version)),
                             [(CONTRACT, 1, [version, 0, 0, 0])])

    def test_contract_is_told_first(self):
        """Whatever a newer kernel asks for: what it needs is a newer bootimage."""
        self.assert_refused(
            elf.kernel(elf.notes_segment(note(99, 1), note(STACK, 0), note(CONTRACT, 0x10007)),
                       type=elf.ET_REL),
            "needs contract 1.7, this bootimage has 1.4; use a newer bootimage [contract-version]")

    def test_stack(self):
        for size in 0, GIB + 1, 2**64 - 1:
            self.assert_request_refused(
                f"BOOTINFO_REQUEST_STACK asks for {size} bytes; ask for 1 byte to 1 GiB "
                "[stack-size]", note(STACK, size))
        for size, rounded in [(1, 4096), (4096, 4096), (4097, 8192), (GIB, GIB)]:
            made = self.package(elf.kernel(elf.notes_segment(note(STACK, size))))
            self.assertEqual(made.protocol[3], rounded)

    def test_optional_stack_that_cannot_be_leaves_the_default(self):
        message = "BOOTINFO_REQUEST_STACK asks for 0 bytes; ask for 1 byte to 1 GiB [stack-size]"
        made = self.package(elf.kernel(elf.notes_segment(note(STACK | OPTIONAL, 0))),
                            warnings=[message])
        self.assertEqual(made.protocol[3], 0x10000)

    def test_memory(self):
        self.assert_request_refused(
            "BOOTINFO_REQUEST_MEMORY asks for 0x10000000000000 bytes, and no x86-64 machine can "
            "have 0x10000000000000; ask for less [memory-size]", note(MEMORY, 1 << 52))

    def test_switches(self):
        for kind, name in [(IDENTITY, "IDENTITY"), (CPUS, "CPUS"), (KERNEL_FILE, "KERNEL_FILE"),
                           (RANDOM_BASE, "RANDOM_BASE")]:
            self.assert_request_refused(
                f"BOOTINFO_REQUEST_{name} has the word 0x2, which means nothing; make it 0 or 1 "
                "[request-value]", note(kind, 2))
            self.assertEqual(self.requests_of(note(kind, 0)), [(kind, 1, [0] * 4)])

    def test_levels(self):
        for levels in 0, 3, 6, 2**32 + 4:
            self.assert_request_refused(
                f"BOOTINFO_REQUEST_LEVELS asks for page tables of {levels} levels; ask for 4 or 5 "
                "[page-levels]", note(LEVELS, levels))

    def test_recursive(self):
        for entry in 0, 256, 383, 510, 511, 512, 2**32 + 1:
            self.assert_request_refused(
                f"BOOTINFO_REQUEST_RECURSIVE asks for entry {entry} of the root table; ask for 1 "
                "to 255 or 384 to 509 [recursive-entry]", note(RECURSIVE, entry))
        for entry in 1, 255, 384, 509:
            self.assertEqual(self.requests_of(note(RECURSIVE, entry))[0][1], 1)

    def test_framebuffer(self):
        self.assert_request_refused(
            "BOOTINFO_REQUEST_FRAMEBUFFER asks for 8 bits per pixel; ask for 16, 24, 32 or 0 for "
            "any [framebuffer-mode]", note(FRAMEBUFFER, 640, 480, 8))
        self.assert_request_refused(
            "BOOTINFO_REQUEST_FRAMEBUFFER asks for 65536 by 480 pixels; ask for at most 65535 each "
            "way, or 0 for any [framebuffer-mode]", note(FRAMEBUFFER, 65536, 480, 32))

    def test_bases_are_for_position_independent_kernels(self):
        for kind, name, word, tag in [(RANDOM_BASE, "RANDOM_BASE", 1, "[random-base]"),
                                      (BASE, "BASE", HIGH, "[fixed-base]")]:
            self.assert_request_refused(
                f"BOOTINFO_REQUEST_{name} needs a position-independent kernel, and this one is "
                f"linked to fixed addresses; link it with -static-pie {tag}", note(kind, word))


    def test_base_that_no_page_has(self):
        for base in 0, 0x100800, 0x800000000000, 0xFFFF7FFFFFFFF000:
            self.assert_refused(
                elf.kernel(elf.notes_segment(note(BASE, base)), type=elf.ET_DYN),
                f"BOOTINFO_REQUEST_BASE asks for {base:#x}, which no page can have; ask for a "
                "canonical multiple of 4096 [fixed-base]")

    def test_two_bases(self):
        for notes in [(note(BASE, HIGH), note(RANDOM_BASE, 1)),
                      (note(RANDOM_BASE, 1), note(BASE, HIGH))]:
            self.assert_refused(
                elf.kernel(elf.notes_segment(*notes), type=elf.ET_DYN),
                "asks for a random address and for a fixed one; take one of "
                "BOOTINFO_REQUEST_RANDOM_BASE and BOOTINFO_REQUEST_BASE away [base-twice]")


class Maps(RequestTest):
    def test_pages(self):
        for vaddr, paddr, size in [(HIGH + 1, 0, 0x1000), (HIGH, 0x800, 0x1000), (HIGH, 0, 0x1001),
                                   (HIGH, 0, 0)]:
            self.assert_request_refused(
                f"BOOTINFO_REQUEST_MAP of {size:#x} bytes at {vaddr:#x}, physical {paddr:#x}, is "
                "not made of whole pages; make all three multiples of 0x1000, and the first not 0 "
                "[map-unaligned]", note(MAP, vaddr, paddr, size))

    def test_physical_addresses(self):
        for paddr, size in [(1 << 52, 0x1000), ((1 << 52) - 0x1000, 0x2000), (2**64 - 4096, 4096),
                            (0, (1 << 52) + 0x1000)]:
            self.assert_request_refused(
                f"BOOTINFO_REQUEST_MAP of {size:#x} bytes at {HIGH:#x}, physical {paddr:#x}, goes "
                "past the last physical address of x86-64, 0xfffffffffffff; correct it "
                "[map-physical]", note(MAP, HIGH, paddr, size))
        self.requests_of(note(MAP, HIGH, (1 << 52) - 0x1000, 0x1000))

    def test_ends_of_the_address_space(self):
        for vaddr, size in [(0, 0x1000), (2**64 - 0x1000, 0x1000), (2**64 - 0x2000, 0x2000),
                            (2**64 - 0x1000, 0x2000)]:
            self.assert_request_refused(
                f"BOOTINFO_REQUEST_MAP of {size:#x} bytes at {vaddr:#x} touches the first or the "
                "last page of the address space; ask for other addresses [map-address]",
                note(MAP, vaddr, 0, size))

    def message(self, vaddr, size, text):
        return f"BOOTINFO_REQUEST_MAP [{vaddr:#x}, {vaddr + size:#x}) {text}"

    def test_canonical(self):
        text = "has addresses that are not canonical with {} levels of page tables; ask for others"
        five = 1 << 56
        for vaddr, size in [(0x800000000000, 0x1000), (0x7FFFFFFFF000, 0x2000),
                            (0xFFFF7FFFFFFFF000, 0x1000), (2**63, 0x1000)]:
            self.assert_request_refused(
                self.message(vaddr, size, text.format(4) + ", or for BOOTINFO_REQUEST_LEVELS 5 "
                             "[map-address]"), note(MAP, vaddr, 0, size))
            # Perhaps the CPU has but 4.
            self.assert_request_refused(
                self.message(vaddr, size, text.format(4) + ", or for BOOTINFO_REQUEST_LEVELS 5 "
                             "[map-address]"), note(LEVELS | OPTIONAL, 5), note(MAP, vaddr, 0, size))
        for vaddr, size in [(five, 0x1000), (five - 0x1000, 0x2000), (2**63, 0x1000)]:
            self.assert_request_refused(self.message(vaddr, size, text.format(5) + " [map-address]"),
                                        note(LEVELS, 5), note(MAP, vaddr, 0, size))
        self.requests_of(note(MAP, 0x800000000000, 0, 0x1000), note(LEVELS, 5))
        self.requests_of(note(MAP, five - 0x1000, 0, 0x1000), note(LEVELS, 5))
        self.requests_of(note(MAP, 0x7FFFFFFFF000, 0, 0x1000))

    def test_flags(self):
        self.assert_request_refused(
            self.message(HIGH, 0x1000, "has the flags 0x11, but contract 1.4 knows 0xf; leave the "
                         "others out [map-flags]"), note(MAP, HIGH, 0, 0x1000, 0x11))
        self.assert_request_refused(
            self.message(HIGH, 0x1000, "is to be uncached and write-combining; leave out "
                         "BOOTINFO_MAP_UNCACHED or BOOTINFO_MAP_WRITE_COMBINING [map-caching]"),
            note(MAP, HIGH, 0, 0x1000, UNCACHED | WRITE_COMBINING))

    def test_writable_and_executable_is_a_warning(self):
        for count, more in (1, ""), (2, "and more "):
            notes = [note(MAP, HIGH + i * 0x1000, 0, 0x1000, WRITABLE | EXECUTABLE)
                     for i in range(count)]
            self.requests_of(*notes, warnings=[
                self.message(HIGH, 0x1000, f"{more}is writable and executable; leave out one of "
                             "the two rights [map-rights]")])

    def test_segments(self):
        kernel = Segment(HIGH + 0x1800, b"x", R, memsz=0x1000, paddr=2**40)
        for vaddr, size in [(HIGH, 0x2000), (HIGH + 0x2000, 0x1000), (HIGH, 0x10000)]:
            self.assert_request_refused(
                self.message(vaddr, size, f"meets segment 4 [{HIGH + 0x1800:#x}, "
                             f"{HIGH + 0x2800:#x}); ask for other addresses [map-overlap]"),
                note(MAP, vaddr, 0, size), others=[kernel])
        self.package(elf.kernel(elf.notes_segment(note(MAP, HIGH, 0, 0x1000),
                                                  note(MAP, HIGH + 0x3000, 0, 0x1000)), kernel))

    def test_other_maps(self):
        for vaddr, size in [(HIGH, 0x2000), (HIGH + 0x1000, 0x1000), (HIGH + 0x2000, 0x1000),
                            (HIGH, 0x10000)]:
            self.assert_request_refused(
                self.message(vaddr, size, f"meets another, [{HIGH + 0x1000:#x}, "
                             f"{HIGH + 0x3000:#x}); give each addresses of its own [map-overlap]"),
                note(MAP, HIGH + 0x1000, 0, 0x2000), note(MAP, vaddr, 0, size))
        # What is passed over is in nobody's way.
        self.assertEqual([row[1] for row in self.requests_of(
            note(MAP, HIGH, 0, 0x1000), note(MAP | OPTIONAL, HIGH, 0, 0x2000),
            note(MAP, HIGH + 0x1000, 0, 0x1000),
            warnings=[self.message(HIGH, 0x2000, f"meets another, [{HIGH:#x}, {HIGH + 0x1000:#x}); "
                                   "give each addresses of its own [map-overlap]")])], [1, 0, 1])

    def assert_meets(self, vaddr, size, start, end, what, *notes):
        self.assert_request_refused(
            self.message(vaddr, size, f"meets [{start:#x}, {end:#x}), {what} [map-overlap]"),
            *notes, note(MAP, vaddr, 0, size))

    def test_the_first_4_gib(self):
        what = ("the one-to-one map of the first 4 GiB; ask for addresses above them, or for "
                "BOOTINFO_REQUEST_IDENTITY 0")
        self.assert_meets(0x1000, 0x1000, 0, 4 * GIB, what)
        self.assert_meets(4 * GIB - 0x1000, 0x2000, 0, 4 * GIB, what, note(IDENTITY, 1))
        self.requests_of(note(MAP, 4 * GIB, 0, 0x1000))
        self.requests_of(note(MAP, 0xFED00000, 0xFED00000, 0x1000), note(IDENTITY, 0))

    def test_all_ram(self):
        what = "the map of all RAM; ask for other addresses"
        start, end = 0xFFFF800000000000, 0xFFFFC00000000000
        for vaddr in start, end - 0x1000:
            self.assert_request_refused(
                self.message(vaddr, 0x1000, f"meets [{start:#x}, {end:#x}), {what} [map-overlap]"),
                note(MAP, vaddr, 0, 0x1000))
        self.requests_of(note(MAP, end, 0, 0x1000))
        start, end = 0xFF00000000000000, 0xFF10000000000000
        for vaddr in start, end - 0x1000:
            self.assert_meets(vaddr, 0x1000, start, end, what, note(LEVELS, 5))
        self.requests_of(note(LEVELS, 5), note(MAP, end, 0, 0x1000),
                         note(MAP, 0xFFFF800000000000, 0, 0x1000))

    def test_stack(self):
        what = "the stack and the unmapped page below it; ask for other addresses"
        self.assert_meets(STACK_TOP - 0x1000, 0x1000, STACK_TOP - 0x11000, STACK_TOP, what)
        self.assert_meets(STACK_TOP - GIB - 0x1000, 0x1000, STACK_TOP - GIB - 0x1000, STACK_TOP,
                          what, note(STACK, GIB))
        self.requests_of(note(MAP, STACK_TOP - 0x12000, 0, 0x1000),
                         note(MAP, STACK_TOP, 0, 0x1000))
        self.requests_of(note(MAP, STACK_TOP - 0x3000, 0, 0x1000), note(STACK, 1))

    def test_stacks_of_all_cpus(self):
        start = STACK_TOP - 512 * GIB
        self.assert_meets(start, 0x1000, start, STACK_TOP, "the stacks of the CPUs; ask for other "
                          "addresses", note(CPUS, 1))
        self.requests_of(note(MAP, start, 0, 0x1000), note(CPUS, 0))
        self.requests_of(note(MAP, start - 0x1000, 0, 0x1000), note(CPUS, 1))


class Places(RequestTest):
    def test_stack_and_segments(self):
        top = Segment(STACK_TOP - 0x20000, b"x", R, memsz=0x1000, paddr=2**40)
        text = (f"segment 4 [{STACK_TOP - 0x20000:#x}, {STACK_TOP - 0x1F000:#x}) meets the stack "
                f"that the loader maps at [{STACK_TOP - 0x20000:#x}, {STACK_TOP:#x}); link the "
                "kernel elsewhere [segment-stack]")
        self.assert_request_refused(text, note(STACK, 0x1F000), others=[top])
        self.package(elf.kernel(elf.notes_segment(note(STACK, 0x1E000)), top))
        near = Segment(STACK_TOP - 0x3000, b"x", R, memsz=0x1000, paddr=2**40)
        self.package(elf.kernel(elf.notes_segment(note(STACK, 0x1000)), near))

    def test_cpus_and_segments(self):
        start = STACK_TOP - 512 * GIB
        self.assert_request_refused(
            f"BOOTINFO_REQUEST_CPUS needs [{start:#x}, {STACK_TOP:#x}) for the CPUs' stacks, but "
            f"segment 4 [{start:#x}, {start + 1:#x}) is there; link the kernel elsewhere "
            "[stack-overlap]", note(CPUS, 1), others=[Segment(start, b"x", R, paddr=2**40)])
        self.package(elf.kernel(elf.notes_segment(note(CPUS, 0)),
                                Segment(start, b"x", R, paddr=2**40)))

    def test_recursive_entry(self):
        def vaddr(entry, shift=39):
            return entry << shift | (-1 << 48 if shift == 39 and entry > 255 else 0) & (2**64 - 1)

        segment = Segment(vaddr(400) + 0x2000, b"x", R, paddr=2**40)
        start = "BOOTINFO_REQUEST_RECURSIVE asks for entry {} of the root table, which leads to "
        self.assert_request_refused(
            start.format(400) + f"segment 4 [{vaddr(400) + 0x2000:#x}, {vaddr(400) + 0x2001:#x}); "
            "ask for another entry [recursive-overlap]", note(RECURSIVE, 400), others=[segment])
        for entry in 399, 401:
            self.package(elf.kernel(elf.notes_segment(note(RECURSIVE, entry)), segment))
        size = 2 * 512 * GIB + 0x1000
        row = note(MAP, vaddr(7), 0, size)
        for entry in 7, 8, 9:
            self.assert_request_refused(
                start.format(entry) + f"BOOTINFO_REQUEST_MAP [{vaddr(7):#x}, {vaddr(7) + size:#x}); "
                "ask for another entry [recursive-overlap]", note(RECURSIVE, entry), row, last=0)
        for entry in 6, 10:
            self.requests_of(note(RECURSIVE, entry), row)
        self.requests_of(note(RECURSIVE, 9), note(MAP, vaddr(7), 0, size - 0x1000))
        # An entry of a table of the fifth level leads to 512 times as much.
        row = note(MAP, vaddr(7, 48), 0, 0x1000)
        self.assert_request_refused(
            start.format(7) + f"BOOTINFO_REQUEST_MAP [{vaddr(7, 48):#x}, "
            f"{vaddr(7, 48) + 0x1000:#x}); ask for another entry [recursive-overlap]",
            note(LEVELS, 5), row, note(RECURSIVE, 7))
        self.requests_of(note(LEVELS, 5), note(RECURSIVE, 7), note(MAP, vaddr(7), 0, 0x1000))
        self.requests_of(note(RECURSIVE, 8), note(LEVELS | OPTIONAL, 5),
                         note(MAP, vaddr(7), 0, 0x1000))


class StackSize(RequestTest):
    def test_sizes(self):
        for text, size in [("1", 4096), ("4097", 8192), ("0x3000", 0x3000), ("64K", 65536),
                           ("0x10K", 16384), ("2M", 2 << 20), ("1G", GIB), ("1073741824", GIB)]:
            made = self.package(elf.kernel(), f"--stack-size={text}")
            self.assertEqual(made.protocol[3], size)
            self.assertEqual([row[:2] for row in made.requests], [(STACK, 1)])

    def test_stands_in_for_the_note(self):
        for kind in STACK, STACK | OPTIONAL:
            notes = elf.notes_segment(note(kind, 0x20000), note(CPUS, 1))
            made = self.package(elf.kernel(notes), "--stack-size", "12K")
            self.assertEqual(made.requests, [(CPUS, 1, [1, 0, 0, 0]), (STACK, 1, [12288, 0, 0, 0])])
            self.assertEqual(made.protocol[3], 12288)
        # Even for one that would be refused.
        self.package(elf.kernel(elf.notes_segment(note(STACK, 0), note(STACK, 0))),
                     "--stack-size=4K")

    def test_wrong_sizes(self):
        for text in ("", "0", "x", "-1", "+1", " 1", "1 ", "12Q", "64KB", "1.5M", "0x", "K", "1k",
                     "1073741825", "2G", "18446744073709551616", "17179869184G", "0xg"):
            self.assert_fails(
                f"--stack-size is {text}; give 1 to 1G bytes, such as 65536, 0x10000 or 64K "
                "[stack-size]", "kernel.elf", f"--stack-size={text}", status=2)

    def test_meets_a_segment(self):
        self.assert_refused(
            elf.kernel(Segment(STACK_TOP - 0x20000, b"x", R, paddr=2**40)),
            f"segment 3 [{STACK_TOP - 0x20000:#x}, {STACK_TOP - 0x20000 + 1:#x}) meets the stack "
            f"that the loader maps at [{STACK_TOP - 0x101000:#x}, {STACK_TOP:#x}); link the kernel "
            "elsewhere [segment-stack]", "--stack-size=1M")


class ThreadLocalStorage(RequestTest):
    def tls(self, vaddr, filesz, memsz, align=8):
        return Segment(vaddr, b"", R, offset=0, filesz=filesz, memsz=memsz, align=align,
                       type=elf.PT_TLS)

    def test_template(self):
        self.assertEqual(self.package(elf.kernel(self.tls(0x101000, 9, 0x100, 64))).tls,
                         (0x101000, 9, 0x100, 64))
        self.assertEqual(self.package(elf.kernel(self.tls(0x101008, 0, 8, 0))).tls,
                         (0x101008, 0, 8, 1))
        # Zeros alone, where .bss or all of a segment ends, or behind them all.
        for vaddr in 0x101009, 0x103000, 0x104000, 0x200000:
            self.assertEqual(self.package(elf.kernel(self.tls(vaddr, 0, 8))).tls,
                             (vaddr, 0, 8, 8))
        self.assertIsNone(self.package(elf.kernel(self.tls(0, 0, 0))).tls)

    def test_not_loaded(self):
        for vaddr, size in [(0x101000, 10), (0x101009, 1), (0x200000, 1), (0, 1),
                            (2**64 - 1, 1), (0x102001, 4), (0xFFFFF, 2)]:
            self.assert_refused(
                elf.kernel(self.tls(vaddr, size, 16)),
                f"the template of thread-local storage (PT_TLS), {size:#x} bytes at {vaddr:#x}, "
                "lies in no segment; put .tdata and .tbss into a PT_LOAD, too [tls-not-loaded]")

    def test_sizes(self):
        for filesz, memsz, align in [(9, 8, 8), (8, 8, 3), (8, 8, 2**64 - 1)]:
            self.assert_refused(
                elf.kernel(self.tls(0x101000, filesz, memsz, align)),
                f"segment 3 (PT_TLS) has {filesz:#x} bytes in the file, {memsz:#x} in memory and "
                f"an alignment of {align:#x}, which cannot be; build the kernel again [tls-sizes]")

    def test_two(self):
        self.assert_refused(
            elf.kernel(self.tls(0x101000, 1, 1), self.tls(0x101001, 1, 1)),
            "segment 4 is a second template of thread-local storage (PT_TLS); put .tdata and .tbss "
            "side by side in the linker script [second-tls]")


class Relro(RequestTest):
    def mappings(self, start, end, segments=None):
        segments = segments or [Segment(0x100000, b"\xf4", R | X),
                                Segment(0x101000, b"data", R | W, memsz=0x4000)]
        relro = Segment(start, b"", R, offset=0, filesz=0, memsz=end - start,
                        type=elf.PT_GNU_RELRO)
        return self.package(elf.build([*segments, relro])).mappings[1:]

    def test_whole_pages(self):
        self.assertEqual(self.mappings(0x101000, 0x103000),
                         [(0x101000, 0x2000, 0), (0x103000, 0x2000, image.WRITABLE)])
        self.assertEqual(self.mappings(0x102000, 0x103000),
                         [(0x101000, 0x1000, image.WRITABLE), (0x102000, 0x1000, 0),
                          (0x103000, 0x2000, image.WRITABLE)])
        self.assertEqual(self.mappings(0x101000, 0x105000), [(0x101000, 0x4000, 0)])
        self.assertEqual(self.mappings(0x100000, 0x109000), [(0x101000, 0x4000, 0)])

    def test_pages_with_other_bytes_stay_writable(self):
        self.assertEqual(self.mappings(0x101001, 0x102FFF), [(0x101000, 0x4000, image.WRITABLE)])
        self.assertEqual(self.mappings(0x101800, 0x103800),
                         [(0x101000, 0x1000, image.WRITABLE), (0x102000, 0x1000, 0),
                          (0x103000, 0x2000, image.WRITABLE)])
        for start, end in (0x101000, 0x101000), (0x200000, 0x300000), (0x101FFF, 0x102001), (0x101400, 0x101800):
            self.assertEqual(self.mappings(start, end), [(0x101000, 0x4000, image.WRITABLE)])

    def test_page_of_which_the_segment_has_but_a_part(self):
        segments = [Segment(0x100000, b"\xf4", R | X), Segment(0x101800, b"d", R | W, memsz=0x1000)]
        self.assertEqual(self.mappings(0x101800, 0x102800, segments), [(0x101000, 0x2000, 0)])
        self.assertEqual(self.mappings(0x101800, 0x102000, segments),
                         [(0x101000, 0x1000, 0), (0x102000, 0x1000, image.WRITABLE)])

    def test_page_that_segments_share(self):
        """It is read-only when every writable byte on it is."""
        segments = [Segment(0x100000, b"\xf4", R | X), Segment(0x101000, b"d", R | W, memsz=0x800),
                    Segment(0x101800, b"d", R | W, memsz=0x800)]
        self.assertEqual(self.mappings(0x101000, 0x102000, segments), [(0x101000, 0x1000, 0)])
        self.assertEqual(self.mappings(0x101000, 0x101800, segments),
                         [(0x101000, 0x1000, image.WRITABLE)])
        self.assertEqual(self.mappings(0x101800, 0x102000, segments),
                         [(0x101000, 0x1000, image.WRITABLE)])

    def test_two(self):
        relro = Segment(0x102000, b"", R, memsz=0x1000, type=elf.PT_GNU_RELRO)
        self.assert_refused(elf.kernel(relro, relro),
                            "segment 4 is a second PT_GNU_RELRO; link the kernel with one, or with "
                            "-z norelro [second-relro]")

    def test_wraps(self):
        self.assert_refused(
            elf.kernel(Segment(2**64 - 1, b"", R, memsz=2, type=elf.PT_GNU_RELRO)),
            "segment 3 (PT_GNU_RELRO) of 0x2 bytes at 0xffffffffffffffff goes past the end of the "
            "address space; link the kernel lower [segment-wraps]")


if __name__ == "__main__":
    support.main()
