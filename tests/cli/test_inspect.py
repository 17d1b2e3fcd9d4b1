"""`bootimage inspect`: what it tells of a kernel and of its image is what is in their files."""

import json
import random
import struct

import elf
import image
import support
from elf import R, W, X, Segment, rela

HIGH = 0xFFFFFFFF80000000
SEED = 3
MUTATIONS = 150


def with_symbols(data, symbols):
    """An ELF file with a symbol table: (name, value, type) each."""
    names = b"\0" + b"".join(name.encode() + b"\0" for name, _, _ in symbols)
    table, offset = bytes(24), 1
    for name, value, kind in symbols:
        table += struct.pack("<IBBHQQ", offset, 1 << 4 | kind, 0, 1, value, 0)
        offset += len(name.encode()) + 1
    data += bytes(-len(data) % 8)
    start = len(data)
    sections = bytes(64)
    for kind, place, size, link, entry in [(1, 0, 0, 0, 0), (2, start, len(table), 3, 24),
                                           (3, start + len(table), len(names), 0, 0)]:
        sections += struct.pack("<IIQQQQIIQQ", 0, kind, 0, 0, place, size, link, 1, 8, entry)
    data += table + names
    data += bytes(-len(data) % 8)
    header = bytearray(data + sections)
    struct.pack_into("<Q", header, 40, len(data))
    struct.pack_into("<HHH", header, 58, 64, 4, 3)
    return bytes(header)


def sized(value, digits=16):
    return f"0x{value:0{digits}x}"


class Inspect(support.ToolTest):
    def inspect(self, name, *arguments):
        status, output, errors = self.tool("inspect", "--json", name, *arguments)
        self.assertEqual((status, errors), (0, ""))
        told = json.loads(output)
        self.assertEqual(told["file"], name)
        return told

    def both(self, *arguments):
        """What is told of the kernel and of its image, which has to be the same."""
        kernel = self.inspect("kernel.elf", *arguments)
        self.assertEqual(self.tool("-q", "kernel.elf", *arguments), (0, "", ""))
        made = self.inspect("bootimage-kernel.bin")
        self.assertEqual((kernel.pop("kind"), made.pop("kind")), ("kernel", "image"))
        self.assertIsNotNone(kernel["protocol"].pop("reason"))
        self.assertIsNone(made["protocol"].pop("reason"))
        kernel.pop("file")
        made.pop("file")
        if "--with-elf" not in arguments:
            self.assertIsNone(made["entry"]["symbol"])
            kernel["entry"].update(symbol=None, offset=0)
        self.assertEqual(kernel, made)
        return made, image.Image(self.image.read_bytes())

    def test_keys(self):
        """They are documented, and stay."""
        told, _ = self.both()
        self.assertEqual(list(told), [
            "format", "protocol", "entry", "stack_bytes", "slide", "random_base", "regions", "tls",
            "relocations", "requests", "modules", "command_line", "disk", "checksums"])
        self.assertEqual(told["format"], 1)
        self.assertEqual(told["protocol"], {"number": 1, "name": "plain"})
        self.assertEqual((told["stack_bytes"], told["slide"]), (0x10000, "0x0"))
        for key in "random_base", "tls", "command_line":
            self.assertIsNone(told[key])
        for key in "relocations", "requests", "modules":
            self.assertEqual(told[key], [])

    def test_regions(self):
        self.write("kernel.elf", elf.build([
            Segment(HIGH + 0x1000, b"\xf4" * 600, R | X, paddr=0x200000),
            Segment(HIGH + 0x2000, b"read-only", R, paddr=0x201000),
            Segment(0x40000000, b"data", R | W, memsz=0x2001),
        ]))
        told, made = self.both()
        self.assertEqual([(region["vaddr"], region["bytes"], region["paddr"], region["movable"])
                          for region in told["regions"]],
                         [(hex(vaddr), size, hex(paddr), flags == 1)
                          for vaddr, size, paddr, flags in made.regions])
        self.assertEqual(len(told["regions"]), 2)
        mappings = [(mapping["vaddr"], mapping["bytes"], mapping["rights"])
                    for region in told["regions"] for mapping in region["mappings"]]
        names = {0: "r--", image.WRITABLE: "rw-", image.EXECUTABLE: "r-x"}
        self.assertEqual(mappings, [(hex(vaddr), size, names[rights])
                                    for vaddr, size, rights in made.mappings])
        segments = [segment for region in told["regions"] for segment in region["segments"]]
        self.assertEqual([(segment["index"], segment["vaddr"], segment["rights"])
                          for segment in segments],
                         [(2, "0x40000000", "rw-"), (0, hex(HIGH + 0x1000), "r-x"),
                          (1, hex(HIGH + 0x2000), "r--")])
        for segment, (index, vaddr, data) in zip(segments, made.segments):
            start = made.plan_lba * 512 + segment["payload_offset"]
            self.assertEqual(made.data[start : start + segment["file_bytes"]], data)
            self.assertEqual((segment["index"], segment["vaddr"]), (index, hex(vaddr)))
            self.assertRegex(segment["xxh64"], r"\A0x[0-9a-f]{16}\Z")

    def test_anywhere(self):
        self.write("kernel.elf", elf.build([Segment(HIGH, b"\xf4")]))
        told, _ = self.both()
        self.assertIsNone(told["regions"][0]["paddr"])

    def test_entry(self):
        code = elf.build([Segment(0x100000, bytes(64))], entry=0x100010)
        for symbols, symbol, offset in [
            ([("_start", 0x100010, 2)], "_start", 0),
            ([("first", 0x100000, 2), ("later", 0x100011, 2)], "first", 16),
            ([("low", 0x1000, 0), ("label", 0x10000C, 0), ("object", 0x100010, 1)], "label", 4),
            ([("later", 0x100011, 2)], None, 0),
            ([("\u00fc", 0x100010, 0)], "\u00fc", 0),
            ([], None, 0),
        ]:
            with self.subTest(symbols):
                self.write("kernel.elf", with_symbols(code, symbols))
                expected = {"vaddr": "0x100010", "symbol": symbol, "offset": offset}
                self.assertEqual(self.inspect("kernel.elf")["entry"], expected)
                # The image has the symbols if it has the kernel's file.
                self.assertEqual(self.both("--with-elf")[0]["entry"], expected)
                self.both()

    def test_modules_and_command_line(self):
        self.write("a", b"module")
        self.write("empty", b"")
        told, made = self.both("--cmdline=x=\"\u00fc\" y", "--module=a=\u00e4,b c", "--module=empty",
                               "--with-elf")
        self.assertEqual(told["command_line"], 'x="\u00fc" y')
        modules = [(module["name"], module["arguments"], module["bytes"], module["kernel_file"])
                   for module in told["modules"]]
        self.assertEqual(modules, [("\u00e4", "b c", 6, False), ("empty", "", 0, False),
                                   ("", "", len(self.kernel.read_bytes()), True)])
        # The empty hash, as every implementation of XXH64 has it.
        self.assertEqual(told["modules"][1]["xxh64"], "0xef46db3751d8e999")
        start = made.plan_lba * 512 + told["modules"][0]["payload_offset"]
        self.assertEqual(made.data[start : start + 6], b"module")

    def test_requests_and_tls(self):
        self.write("kernel.elf", elf.kernel(
            elf.notes_segment(elf.note(2, 0x3000), elf.note(3 | 0x10000, 1 << 20),
                              elf.note(5, 0xFFFFD00000000000, 0xFED00000, 0x1000, 5)),
            Segment(0x101000, b"", R, offset=0, filesz=8, memsz=64, type=elf.PT_TLS,
                    align=8)))
        data = bytearray(self.kernel.read_bytes())
        # The template is the start of the read-only segment.
        offset = struct.unpack_from("<Q", data, 64 + 56 + 8)[0]
        struct.pack_into("<Q", data, 64 + 4 * 56 + 8, offset)
        self.write("kernel.elf", data)
        told, made = self.both()
        self.assertEqual(told["tls"], {"vaddr": "0x101000", "file_bytes": 8, "memory_bytes": 64,
                                       "align": 8})
        self.assertEqual(made.tls, (0x101000, 8, 64, 8))
        self.assertEqual(told["requests"], [
            {"type": 2, "name": "stack", "optional": False, "met": True,
             "words": ["0x3000", "0x0", "0x0", "0x0"]},
            {"type": 3, "name": "memory", "optional": True, "met": True,
             "words": ["0x100000", "0x0", "0x0", "0x0"]},
            {"type": 5, "name": "map", "optional": False, "met": True,
             "words": ["0xffffd00000000000", "0xfed00000", "0x1000", "0x5"]},
        ])
        self.assertEqual(told["stack_bytes"], 0x3000)

    def test_overridden_stack(self):
        told, _ = self.both("--stack-size=128K")
        self.assertEqual(told["stack_bytes"], 0x20000)
        self.assertEqual([request["name"] for request in told["requests"]], ["stack"])

    def test_position_independent(self):
        self.write("kernel.elf", with_symbols(elf.pie(rela(elf.PIE_DATA)),
                                              [("_start", elf.PIE_CODE, 2)]))
        for arguments, base in [([], HIGH), (["--base=0x40000000"], 0x40000000),
                                (["--kaslr"], 0xFFFFFF8000000000)]:
            told, made = self.both("--with-elf", *arguments)
            self.assertEqual(told["slide"], hex(base))
            self.assertEqual(told["entry"], {"vaddr": hex(base + elf.PIE_CODE), "symbol": "_start",
                                             "offset": 0})
            self.assertEqual(told["relocations"], [{"vaddr": hex(base + elf.PIE_TABLES),
                                                    "bytes": 24, "form": "rela"}])
            self.assertEqual(made.relocations, [(base + elf.PIE_TABLES, 24, image.RELA)])
            if "--kaslr" in arguments:
                self.assertEqual(tuple(told["random_base"].values()), made.random_base)
                self.assertGreaterEqual(told["random_base"]["places"], 4096)
            else:
                self.assertIsNone(told["random_base"])

    def test_symbols_changed_at_random(self):
        """Whatever stands in them, inspect ends with an answer; also where an image has the file."""
        chance = random.Random(SEED)
        sound = with_symbols(elf.kernel(), [("_start", 0x100000, 2), ("main", 0x100008, 2)])
        start = len(elf.kernel())
        fields = [*range(40, 48), *range(58, 64), *range(start, len(sound))]
        statuses = []
        for _ in range(MUTATIONS):
            data = bytearray(sound)
            for _ in range(chance.choice([1, 2, 4])):
                data[chance.choice(fields)] = chance.choice([0, 1, 0x7F, 0x80, 0xFF])
            self.write("kernel.elf", data)
            with self.subTest(data=data.hex()):
                status, output, errors = self.tool("inspect", "--json", "kernel.elf")
                statuses.append(status)
                self.assertEqual(self.tool("-q", "kernel.elf", "--with-elf"), (status, "", errors))
                if status != 0:
                    continue
                made = self.inspect("bootimage-kernel.bin")
                self.assertEqual(made["entry"], json.loads(output)["entry"])
        self.assertGreater(statuses.count(0), MUTATIONS // 2)

    def test_disk_and_checksums(self):
        told, made = self.both()
        disk, sums = told["disk"], told["checksums"]
        payload = -(-made.plan_bytes // 512) + made.plan_lba
        self.assertEqual(disk, {
            "bytes": len(made.data), "signature": sized(made.signature, 8),
            "loader": {"lba": 0, "sectors": 2 + made.stage2_sectors},
            "partition": {"lba": made.plan_lba, "sectors": made.sectors - made.plan_lba},
            "plan": {"lba": made.plan_lba, "bytes": made.plan_bytes},
            "payload": {"lba": payload, "sectors": made.sectors - payload},
        })
        crc = struct.unpack_from("<I", made.data, 524)[0]
        xxh64 = struct.unpack_from("<Q", made.data, made.plan_lba * 512 + 40)[0]
        self.assertEqual(sums, {"image_id": sized(made.image_id), "header_crc32": sized(crc, 8),
                                "stage2_sum": sized(made.stage2_sum, 8),
                                "plan_xxh64": sized(xxh64)})

    def test_text(self):
        """For people: each line begins with a name, and no text of a file acts on a terminal."""
        self.write("kernel.elf", with_symbols(self.kernel.read_bytes(),
                                              [("_start\x1b[2J", 0x100000, 2)]))
        status, output, errors = self.tool("inspect", "kernel.elf", "--cmdline=a\nb")
        self.assertEqual((status, errors), (0, ""))
        lines = output.split("\n")
        self.assertEqual(lines[:5], [
            "kernel          kernel.elf", "protocol        plain (1), by no mark of any other protocol",
            "entry           0x100000 _start\\x1b[2J", "stack           65536 bytes",
            "command line    a\\x0ab"])
        self.assertIn("  mapping       rw- [0x102000, 0x104000) 8192 bytes", lines)
        self.assertRegex(output, r"\n  segment       r-- at 0x101000, program header 1, 9 bytes at LBA "
                                 r"\d+, XXH64 0x")  # without UEFI, and with it
        self.assertEqual(lines[-1], "")

    def test_name_that_is_no_utf8(self):
        self.write(b"k\xff.elf".decode(errors="surrogateescape"), elf.kernel())
        status, output, _ = self.tool("inspect", "--json", b"k\xff.elf")
        self.assertEqual((status, json.loads(output)["file"]), (0, "k\\xff.elf"))

    def test_as_packaging_does(self):
        """The same refusals, the same warnings."""
        for kernel, arguments in [
            (b"x", []), (elf.kernel(entry=1), []), (elf.kernel(), ["--module=nothing"]),
            (elf.kernel(elf.notes_segment(elf.note(2, 1 << 40))), []),
        ]:
            self.write("kernel.elf", kernel)
            status, output, errors = self.tool("kernel.elf", *arguments)
            self.assertEqual((status, output), (1, ""))
            self.assertEqual(self.tool("inspect", "kernel.elf", *arguments), (1, "", errors))
        self.write("kernel.elf", elf.build([Segment(0x100000, b"\xf4", R | W | X)]))
        _, _, warnings = self.tool("kernel.elf", "-q")
        self.assertIn("[segment-writable-executable]", warnings)
        self.assertEqual(self.tool("inspect", "kernel.elf")[2], warnings)

    def test_damaged_image(self):
        self.assertEqual(self.tool("kernel.elf", "-q")[0], 0)
        data = bytearray(self.image.read_bytes())
        data[520] ^= 1
        self.write("x.bin", data)
        _, _, errors = self.tool("verify", "x.bin")
        self.assertIn("[image-byte]", errors)
        self.assertEqual(self.tool("inspect", "x.bin"), (1, "", errors))

    def test_options_of_a_plan_do_nothing_to_an_image(self):
        self.assertEqual(self.tool("kernel.elf", "-q")[0], 0)
        for option, word in [("cmdline", "--cmdline=x"), ("with-elf", "--with-elf")]:
            self.assert_fails(
                f"bootimage-kernel.bin: is an image, whose plan is made: --{option} would change "
                "nothing; leave it out, or name the kernel [inspect-image-option]",
                "inspect", "bootimage-kernel.bin", word)

    def test_wrong_usage(self):
        usage = "; see bootimage --help [option-elsewhere]"
        for arguments, message in [
            (["inspect", "-o", "x", "k"], f"bootimage inspect has no option --output{usage}"),
            (["inspect", "-q", "k"], f"bootimage inspect has no option --quiet{usage}"),
            (["--json", "k"], f"bootimage has no option --json{usage}"),
        ]:
            with self.subTest(arguments):
                self.assert_fails(message, *arguments, status=2)


if __name__ == "__main__":
    support.main()
