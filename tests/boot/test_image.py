"""What may happen to an image on its way to a disk, and must not matter; and that the same inputs
make the same bytes.
"""

import machine
import suite
from image_file import ImageFile

# Offsets in the boot sector.
PARAMETER_BLOCK = slice(0x0B, 0x3E)
TIMESTAMP = slice(0xDA, 0xE0)
DISK_SIGNATURE = slice(440, 444)

# One cylinder of 16 heads and 63 sectors: SeaBIOS boots no smaller disk from AHCI or virtio.
MINIMUM_BYTES = 16 * 63 * 512


class ChangedImageTest(suite.BootTest):
    def check_overwritten(self, where):
        """A part of the boot sector that others write to: the kernel boots all the same."""
        image = ImageFile(self.package(self.kernel("contract-high")))
        image.overwrite(where.start, b"\xFF" * (where.stop - where.start))
        with machine.Machine(image.path) as guest:
            return self.check_report(guest)[0]

    def test_a_bios_may_write_a_parameter_block(self):
        self.check_overwritten(PARAMETER_BLOCK)

    def test_a_system_may_write_a_disk_timestamp(self):
        self.check_overwritten(TIMESTAMP)

    def test_a_system_may_write_another_disk_signature(self):
        values = self.check_overwritten(DISK_SIGNATURE)
        self.assertEqual(int(values["disk_signature"], 16), 0xFFFFFFFF)

    def test_a_disk_may_be_longer_than_the_image(self):
        image = self.package(self.kernel("plain-gcc"))
        for bus in ("ide", "ahci", "virtio"):
            with self.subTest(bus=bus):
                with open(image, "r+b") as file:
                    file.truncate(64 * 2**20)
                with machine.Machine(image, bus=bus) as guest:
                    self.check_report(guest)

    def test_the_smallest_image_boots_from_every_disk(self):
        image = self.package(self.kernel("screen"))
        self.assertEqual(image.stat().st_size, MINIMUM_BYTES)
        for bus, kind in machine.BUSES:
            with self.subTest(bus=bus, machine=kind):
                with machine.Machine(image, bus=bus, machine=kind) as guest:
                    self.check_report(guest)


class SameBytesTest(suite.BootTest):
    def test_the_same_inputs_make_the_same_image(self):
        for kernel in ("contract-high", "plain-gcc", "many-segments"):
            with self.subTest(kernel=kernel):
                first = self.package(self.kernel(kernel), "--cmdline", "same", name="first.bin")
                second = self.package(self.kernel(kernel), "--cmdline", "same", name="second.bin")
                self.assertEqual(first.read_bytes(), second.read_bytes())

    def test_the_name_and_place_of_the_kernel_do_not_matter(self):
        moved = self.folder / "moved.elf"
        moved.write_bytes(self.kernel("plain-gcc").read_bytes())
        self.assertEqual(self.package(moved, name="first.bin").read_bytes(),
                         self.package(self.kernel("plain-gcc"), name="second.bin").read_bytes())

    def test_another_command_line_is_another_image(self):
        first = self.package(self.kernel("screen"), "--cmdline", "one", name="first.bin")
        second = self.package(self.kernel("screen"), "--cmdline", "two", name="second.bin")
        self.assertNotEqual(first.read_bytes()[DISK_SIGNATURE], second.read_bytes()[DISK_SIGNATURE])


if __name__ == "__main__":
    suite.main()
