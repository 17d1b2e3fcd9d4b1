"""Remake a linked kernel, so that it is as legal as before and less usual: remake.py HOW IN OUT.

HOW is `offsets`: each PT_LOAD's bytes lie at an odd file offset, not congruent to its address;
`paddr`: each p_paddr is a different number above 4 GiB that means nothing; `scatter`: the segments
lie far from each other in physical memory, the last one lowest; `segments`: COUNT PT_LOADs are
appended, as segments.c wants them; `shared`: two segments on each of some pages, and empty ones, as
shared.c wants them; `relro`: PT_GNU_RELRO names the first page of the last PT_LOAD. All of them drop
everything that is not loaded.
"""

import struct
import sys

EHDR = struct.Struct("<16sHHIQQQIHHHHHH")
PHDR = struct.Struct("<IIQQQQQQ")
PT_LOAD = 1
PT_GNU_RELRO = 0x6474E552
PAGE_BYTES = 4096
PF_X, PF_W, PF_R = 1, 2, 4
NO_MEANING = 0xDEADBEEF000
SCATTERED = 0x1400000

# As in segments.c.
COUNT = 1000
VADDR = 0x200000
STRIDE = 0x1000
BYTES = 0x800
FACTOR = 0x9E3779B97F4A7C15

# As in shared.c: offset, bytes, rights.
SHARED_VADDR = 0xFFFFFFFF81000000
SHARED_PADDR = 0x1000000
SHARED = [
    (0x0000, 0x800, PF_R), (0x0800, 0x800, PF_R | PF_W),
    (0x1000, 0x7FF, PF_R), (0x17FF, 0x801, PF_R),
    (0x2000, 0x10, PF_R | PF_X), (0x2010, 0x20, PF_R),
    (0x3100, 0x100, PF_R | PF_X), (0x3200, 0x100, PF_R | PF_W),
    (0x5123, 0x1EED, PF_R | PF_W), (0x7010, 0xFF5, PF_R), (0x8005, 1, PF_R),
    (0xA000, 0, PF_R | PF_W | PF_X), (0x1400, 0, PF_R | PF_W | PF_X),
    (0xB000, 0x1000, PF_R), (0xC000, 0, PF_R | PF_W), (0xC000, 0x1001, PF_R | PF_W | PF_X),
]


def segments_of(elf):
    """The header's fields, and for each PT_LOAD [flags, vaddr, paddr, memory bytes, content]."""
    header = EHDR.unpack_from(elf)
    offset, count = header[5], header[10]
    segments = []
    for i in range(count):
        kind, flags, at, vaddr, paddr, filesz, memsz, _ = PHDR.unpack_from(
            elf, offset + i * PHDR.size)
        if kind == PT_LOAD:
            segments.append([flags, vaddr, paddr, memsz, elf[at:at + filesz]])
    return header, segments


def assemble(header, segments, odd_offsets, more_headers=()):
    """An ELF file of these segments, more program headers and nothing else."""
    table = b"".join(PHDR.pack(*fields) for fields in more_headers)
    content = b""
    count = len(segments) + len(more_headers)
    start = EHDR.size + PHDR.size * count
    for flags, vaddr, paddr, memsz, data in segments:
        at = start + len(content)
        content += bytes(1 - at % 2 if odd_offsets else (vaddr - at) % 0x1000) + data
        at = start + len(content) - len(data)
        table += PHDR.pack(PT_LOAD, flags, at, vaddr, paddr, len(data), memsz,
                           1 if odd_offsets else 0x1000)
    ident, kind, machine, version, entry, _, _, flags, *_ = header
    return EHDR.pack(ident, kind, machine, version, entry, EHDR.size, 0, flags, EHDR.size,
                     PHDR.size, count, 64, 0, 0) + table + content


def main(how, source, output):
    with open(source, "rb") as file:
        header, segments = segments_of(file.read())
    if how == "paddr":
        for i, segment in enumerate(segments):
            segment[2] = NO_MEANING + i * 0x123456000
    if how == "scatter":
        for i, segment in enumerate(reversed(segments)):
            segment[2] = SCATTERED + i * SCATTERED + segment[1] % 0x1000
    if how == "segments":
        for i in range(COUNT):
            flags = PF_R | (PF_W if i % 2 else 0)
            vaddr = VADDR + i * STRIDE
            content = struct.pack("<Q", (i + 1) * FACTOR % 2**64)
            segments.append([flags, vaddr, vaddr, BYTES, content])
    if how == "shared":
        for i, (offset, size, flags) in enumerate(SHARED):
            segments.append([flags, SHARED_VADDR + offset, SHARED_PADDR + offset, size,
                             bytes([i + 1]) * size])
    more = []
    if how == "relro":
        vaddr = segments[-1][1]
        more = [(PT_GNU_RELRO, PF_R, 0, vaddr, vaddr, PAGE_BYTES, PAGE_BYTES, 1)]
    with open(output, "wb") as file:
        file.write(assemble(header, segments, how == "offsets", more))


main(*sys.argv[1:])
