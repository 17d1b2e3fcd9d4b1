"""What needs more than 1 GiB or 10 s: all on q35 and AHCI, one machine at a time.

`meson test --suite heavy` runs it; it needs 14 GiB of memory and 6 GiB of disk.
"""

import shutil
import struct
import subprocess
import sys

import suite
from promises import HERE
import test_memory

MIB = 2**20
GIB = 2**30
PATTERN = HERE / "kernels/pattern.py"
# As in kernels/heavy.ld and heavy.c.
PAYLOAD_VADDR = 0xFFFFFFFF90000000
PAYLOAD_BYTES = 512 * MIB
BSS_BYTES = GIB
MODULE_BYTES = 300 * MIB
LARGE_CHECKS = 5

HOST = {"machine": "q35", "bus": "ahci", "time_limit_s": 600}


def pattern(path, size):
    subprocess.run([sys.executable, PATTERN, path, str(size)], check=True)
    return path


class LargeMachineTest(suite.BootTest):
    """Every usable byte is written (kernels/fill.c)."""

    def check_fill(self, memory_gib):
        values, count = self.boot("fill", memory=f"{memory_gib}G", **HOST)
        self.assertEqual(count, test_memory.FILL_CHECKS)
        self.assertGreater(int(values["usable"], 16), memory_gib * GIB - 64 * MIB)
        self.assertEqual(int(values["usable_low"], 16), 632 * test_memory.KIB)

    def test_3_gib(self):
        self.check_fill(3)

    def test_6_gib(self):
        self.check_fill(6)

    def test_12_gib(self):
        self.check_fill(12)


class LargeFilesTest(suite.BootTest):
    """kernels/heavy.c."""

    def kernel_with_payload(self):
        """The kernel, with all of its payload behind what the linker made."""
        file = self.folder / "heavy.elf"
        data = bytearray(self.kernel("heavy").read_bytes())
        data += bytes(-len(data) % 4096)
        offset, = struct.unpack_from("<Q", data, 32)
        count, = struct.unpack_from("<H", data, 56)
        for header in range(offset, offset + 56 * count, 56):
            if struct.unpack_from("<Q", data, header + 16)[0] == PAYLOAD_VADDR:
                struct.pack_into("<Q", data, header + 8, len(data))
                struct.pack_into("<QQ", data, header + 32, PAYLOAD_BYTES, PAYLOAD_BYTES)
        with file.open("wb") as output:
            output.write(data)
            with pattern(self.folder / "payload", PAYLOAD_BYTES).open("rb") as payload:
                shutil.copyfileobj(payload, output)
        return file

    def test_payload_of_512_mib_bss_of_1_gib_module_of_300_mib(self):
        """On memory that is not zero at power-on."""
        module = pattern(self.folder / "module", MODULE_BYTES)
        image = self.package(self.kernel_with_payload(), "--module", str(module))
        values, count = self.boot_image(image, **HOST, **self.used_memory(2700))
        self.assertEqual(count, LARGE_CHECKS)
        self.assertEqual(int(values["bss"], 16), BSS_BYTES)
        self.assertEqual(int(values["module"], 16), MODULE_BYTES)


if __name__ == "__main__":
    suite.main()
