"""The UEFI loader as a file: what firmware and signing tools are strict about [PE "PE Format"]."""

import struct
import subprocess

import suite

PAGE = 4096
EXECUTABLE, WRITABLE = 0x20000000, 0x80000000
EFI_APPLICATION = 10
X86_64 = 0x8664
DYNAMIC_BASE, NX_COMPATIBLE = 0x40, 0x100
DIR64 = 10


class Pe:
    def __init__(self, data):
        self.data = data
        start, = struct.unpack_from("<I", data, 0x3C)
        assert data[start:start + 4] == b"PE\0\0"
        self.machine, count, self.time = struct.unpack_from("<HHI", data, start + 4)
        optional_bytes, = struct.unpack_from("<H", data, start + 20)
        optional = start + 24
        (self.section_align, self.file_align) = struct.unpack_from("<II", data, optional + 32)
        (self.image_bytes, self.header_bytes) = struct.unpack_from("<II", data, optional + 56)
        self.subsystem, self.characteristics = struct.unpack_from("<HH", data, optional + 68)
        self.relocations = struct.unpack_from("<II", data, optional + 112 + 5 * 8)
        self.sections = {}
        for i in range(count):
            at = optional + optional_bytes + 40 * i
            name, size, rva, file_bytes, offset = struct.unpack_from("<8sIIII", data, at)
            rights, = struct.unpack_from("<I", data, at + 36)
            self.sections[name.rstrip(b"\0").decode()] = (rva, size, offset, file_bytes, rights)

    def content(self, name):
        _, size, offset, file_bytes, _ = self.sections[name]
        return self.data[offset:offset + min(size, file_bytes)]


class UefiFileTest(suite.BootTest):
    def setUp(self):
        self.path = suite.build_path("UEFI_LOADER")
        self.pe = Pe(self.path.read_bytes())

    def test_kind(self):
        self.assertEqual((self.pe.machine, self.pe.subsystem), (X86_64, EFI_APPLICATION))

    def test_no_section_is_writable_and_executable(self):
        rights = {name: row[4] for name, row in self.pe.sections.items()}
        self.assertEqual([name for name, bits in rights.items()
                          if bits & EXECUTABLE and bits & WRITABLE], [])
        self.assertEqual([name for name, bits in rights.items() if bits & EXECUTABLE], [".text"])
        self.assertEqual([name for name, bits in rights.items() if bits & WRITABLE], [".data"])

    def test_it_may_be_mapped_page_by_page_and_anywhere(self):
        self.assertTrue(self.pe.characteristics & NX_COMPATIBLE)
        self.assertTrue(self.pe.characteristics & DYNAMIC_BASE)
        self.assertEqual(self.pe.section_align, PAGE)

    def test_size_of_the_image(self):
        end = max(rva + size for rva, size, *_ in self.pe.sections.values())
        self.assertEqual(self.pe.image_bytes, -(-end // PAGE) * PAGE)

    def test_relocations_are_real(self):
        """Each patches 8 bytes that hold an address inside the image."""
        rva, size = self.pe.relocations
        self.assertEqual(rva, self.pe.sections[".reloc"][0])
        blocks, kinds, at = self.pe.content(".reloc")[:size], [], 0
        while at < len(blocks):
            _, length = struct.unpack_from("<II", blocks, at)
            kinds += [word >> 12 for word, in struct.iter_unpack("<H", blocks[at + 8:at + length])]
            at += length
        self.assertIn(DIR64, kinds)
        self.assertLessEqual(set(kinds), {0, DIR64})

    def test_sbat(self):
        lines = self.pe.content(".sbat").decode().rstrip("\0").splitlines()
        self.assertEqual(lines[0].split(",")[:2], ["sbat", "1"])
        self.assertRegex(lines[1], r"^bootimage,1,bootimage,bootimage,\d+\.\d+\.\d+,")
        self.assertEqual([line.count(",") for line in lines], [5, 5])

    def test_it_can_be_signed(self):
        """Without a word of warning."""
        key, cert, signed = (str(self.folder / name) for name in ("key", "cert", "signed"))
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=x",
                        "-keyout", key, "-out", cert], check=True, capture_output=True)
        for command in (["sbsign", "--key", key, "--cert", cert, "--output", signed, self.path],
                        ["sbverify", "--cert", cert, signed]):
            done = subprocess.run(command, check=False, capture_output=True, text=True)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertNotIn("warning", (done.stdout + done.stderr).lower())


if __name__ == "__main__":
    suite.main()
