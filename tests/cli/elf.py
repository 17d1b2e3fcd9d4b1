"""Writes small ELF files, sound ones and broken ones.

    data = elf.build([elf.Segment(0x100000, code)])

gives an x86-64 executable that is entered at the start of its first segment. Anything in the ELF
header or a program header can be overridden, to say what no linker would.
"""

import dataclasses
import struct

PT_NULL, PT_LOAD, PT_DYNAMIC, PT_INTERP, PT_NOTE, PT_TLS = 0, 1, 2, 3, 4, 7
PT_GNU_RELRO = 0x6474E552
SHT_NOTE = 7
(DT_NULL, DT_NEEDED, DT_PLTRELSZ, DT_STRTAB, DT_SYMTAB, DT_RELA, DT_RELASZ, DT_RELAENT, DT_STRSZ,
 DT_REL, DT_RELSZ, DT_PLTREL, DT_JMPREL, DT_RELRSZ, DT_RELR, DT_RELRENT) = (
    0, 1, 2, 5, 6, 7, 8, 9, 10, 17, 18, 20, 23, 35, 36, 37)
DT_FLAGS_1, DF_1_PIE = 0x6FFFFFFB, 0x08000000
R_NONE, R_64, R_GLOB_DAT, R_JUMP_SLOT, R_RELATIVE, R_32, R_TPOFF64, R_IRELATIVE = (
    0, 1, 6, 7, 8, 10, 18, 37)
X, W, R = 1, 2, 4
ET_NONE, ET_REL, ET_EXEC, ET_DYN, ET_CORE = 0, 1, 2, 3, 4
EM_386, EM_X86_64, EM_AARCH64 = 3, 62, 183
PN_XNUM = 0xFFFF

# Name, and format of a 64-bit and of a 32-bit file.
HEADER_FIELDS = [
    ("e_type", "H", "H"), ("e_machine", "H", "H"), ("e_version", "I", "I"), ("e_entry", "Q", "I"),
    ("e_phoff", "Q", "I"), ("e_shoff", "Q", "I"), ("e_flags", "I", "I"), ("e_ehsize", "H", "H"),
    ("e_phentsize", "H", "H"), ("e_phnum", "H", "H"), ("e_shentsize", "H", "H"),
    ("e_shnum", "H", "H"), ("e_shstrndx", "H", "H"),
]
PROGRAM_FIELDS_64 = [
    ("p_type", "I"), ("p_flags", "I"), ("p_offset", "Q"), ("p_vaddr", "Q"), ("p_paddr", "Q"),
    ("p_filesz", "Q"), ("p_memsz", "Q"), ("p_align", "Q"),
]
PROGRAM_FIELDS_32 = [
    ("p_type", "I"), ("p_offset", "I"), ("p_vaddr", "I"), ("p_paddr", "I"), ("p_filesz", "I"),
    ("p_memsz", "I"), ("p_flags", "I"), ("p_align", "I"),
]
SECTION_HEADER_64 = "IIQQQQIIQQ"


@dataclasses.dataclass
class Segment:
    """One program header and its bytes. What is None is made up from the rest: p_paddr is p_vaddr,
    sizes are those of data, and the offset follows the segment before."""

    vaddr: int
    data: bytes = b""
    flags: int = R | X
    paddr: int = None
    memsz: int = None
    filesz: int = None
    offset: int = None
    type: int = PT_LOAD
    align: int = 0x1000


def _pack(order, fields, values):
    return struct.pack(order + "".join(form for _, form in fields), *(values[n] for n, _ in fields))


def header_bytes(elf_class=64):
    return 64 if elf_class == 64 else 52


def program_header_bytes(elf_class=64):
    return 56 if elf_class == 64 else 32


def note(kind, *words, name=b"bootimage\0", name_bytes=None, words_bytes=None, align=4):
    """A note as bootinfo.h has it, byte by byte; or with lengths that are not its own."""
    body = struct.pack(f"<{len(words)}Q", *words)
    parts = struct.pack("<III", len(name) if name_bytes is None else name_bytes,
                        len(body) if words_bytes is None else words_bytes, kind)
    parts += name
    parts += bytes(-len(parts) % align) + body
    return parts + bytes(-len(parts) % align)


def notes_segment(*notes, align=4):
    """A PT_NOTE with these notes."""
    return Segment(0, b"".join(notes), R, type=PT_NOTE, align=align)


def build(segments, entry=None, *, elf_class=64, big_endian=False, machine=EM_X86_64, type=ET_EXEC,
          header=None, program_headers=None, identification=None, data_align=16, extra=b""):
    """The bytes of an ELF file.

    header           {"e_phnum": 3, ...}: fields of the ELF header to override
    program_headers  {index: {"p_filesz": 7, ...}}: fields of program headers to override
    identification   {index: byte}: bytes of e_ident to override
    data_align       of the bytes of each segment without an offset of its own
    extra            bytes at the end of the file
    """
    order = ">" if big_endian else "<"
    program_fields = PROGRAM_FIELDS_64 if elf_class == 64 else PROGRAM_FIELDS_32
    table = header_bytes(elf_class)
    end = table + len(segments) * program_header_bytes(elf_class)
    rows, blocks = [], []
    for index, segment in enumerate(segments):
        offset = segment.offset
        if offset is None:
            offset = -(-end // data_align) * data_align
        filesz = len(segment.data) if segment.filesz is None else segment.filesz
        row = {
            "p_type": segment.type, "p_flags": segment.flags, "p_offset": offset,
            "p_vaddr": segment.vaddr,
            "p_paddr": segment.vaddr if segment.paddr is None else segment.paddr,
            "p_filesz": filesz, "p_memsz": filesz if segment.memsz is None else segment.memsz,
            "p_align": segment.align,
        }
        row.update((program_headers or {}).get(index, {}))
        rows.append(_pack(order, program_fields, row))
        if segment.data:
            blocks.append((offset, segment.data))
            end = max(end, offset + len(segment.data))
    if entry is None:
        entry = segments[0].vaddr if segments else 0
    values = {
        "e_type": type, "e_machine": machine, "e_version": 1, "e_entry": entry, "e_phoff": table,
        "e_shoff": 0, "e_flags": 0, "e_ehsize": table,
        "e_phentsize": program_header_bytes(elf_class), "e_phnum": min(len(rows), PN_XNUM),
        "e_shentsize": 64 if elf_class == 64 else 40, "e_shnum": 0, "e_shstrndx": 0,
    }
    if len(rows) >= PN_XNUM:
        # Too many for e_phnum: the number stands in sh_info of section 0.
        end = -(-end // 8) * 8
        values.update(e_shoff=end, e_shnum=1)
        blocks.append((end, struct.pack(order + SECTION_HEADER_64, 0, 0, 0, 0, 0, 0, 0, len(rows),
                                        0, 0)))
        end += 64
    values.update(header or {})
    ident = bytearray(b"\x7fELF" + bytes([elf_class // 32, 2 if big_endian else 1, 1]) + bytes(9))
    for index, byte in (identification or {}).items():
        ident[index] = byte
    column = 1 if elf_class == 64 else 2
    file = bytearray(end)
    start = bytes(ident) + _pack(order, [(f[0], f[column]) for f in HEADER_FIELDS], values)
    file[: len(start)] = start
    file[table : table + len(b"".join(rows))] = b"".join(rows)
    for offset, data in blocks:
        file[offset : offset + len(data)] = data
    return bytes(file) + extra


def kernel(*more, **options):
    """A sound kernel: code, read-only data, and data with twice as much .bss. And more segments."""
    return build([
        Segment(0x100000, b"\xf4\xeb\xfd" + bytes(13)),
        Segment(0x101000, b"read-only", R),
        Segment(0x102000, b"data", R | W, memsz=0x2000), *more,
    ], **options)


def rela(offset, addend=0, kind=R_RELATIVE, symbol=0):
    """An entry of DT_RELA."""
    return struct.pack("<QQQ", offset, symbol << 32 | kind, addend)


def relr(*words):
    """A table of DT_RELR."""
    return struct.pack(f"<{len(words)}Q", *words)


# Where the parts of pie() lie, from where it is linked.
PIE_CODE, PIE_TABLES, PIE_RELR, PIE_SYMBOLS, PIE_STRINGS, PIE_DATA = (
    0x1000, 0x2000, 0x2400, 0x2800, 0x2A00, 0x3000)
PIE_DATA_BYTES, PIE_END = 0x200, 0x5000


def pie(rela_table=b"", relr_table=b"", *more, base=0, tags=None, drop=(), symbols=(), **options):
    """A position-independent kernel linked at `base`: code, tables, and data with .bss behind.

    tags     {tag: value}: entries of PT_DYNAMIC to override or to add
    drop     tags to leave out
    symbols  (name, defined): numbered from 1
    more     segments, behind the others
    """
    strings, entries = b"\0", bytes(24)
    for name, defined in symbols:
        entries += struct.pack("<IBBHQQ", len(strings), 0x12, 0, 1 if defined else 0, 0, 0)
        strings += name.encode() + b"\0"
    tables = bytearray(PIE_DATA - PIE_TABLES)
    for place, part in [(PIE_TABLES, rela_table), (PIE_RELR, relr_table), (PIE_SYMBOLS, entries),
                        (PIE_STRINGS, strings)]:
        tables[place - PIE_TABLES : place - PIE_TABLES + len(part)] = part
    dynamic = {
        DT_RELA: base + PIE_TABLES, DT_RELASZ: len(rela_table), DT_RELAENT: 24,
        DT_RELR: base + PIE_RELR, DT_RELRSZ: len(relr_table), DT_RELRENT: 8,
        DT_SYMTAB: base + PIE_SYMBOLS, DT_STRTAB: base + PIE_STRINGS, DT_STRSZ: len(strings),
    }
    dynamic.update(tags or {})
    rows = b"".join(struct.pack("<QQ", tag, value) for tag, value in dynamic.items()
                    if tag not in drop)
    options.setdefault("type", ET_DYN)
    options.setdefault("entry", base + PIE_CODE)
    return build([
        Segment(base, bytes(64), R),
        Segment(base + PIE_CODE, b"\xf4\xeb\xfd" + bytes(13)),
        Segment(base + PIE_TABLES, bytes(tables), R),
        Segment(base + PIE_DATA, bytes(range(256)) * 2, R | W, memsz=PIE_END - PIE_DATA),
        Segment(base + PIE_TABLES, rows + bytes(16), R, type=PT_DYNAMIC, align=8), *more,
    ], **options)
