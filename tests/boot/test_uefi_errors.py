"""What can go wrong at boot on UEFI: a line on the screen, on COM1 and on port 0xE9, and the machine
stops; it does not return to the firmware."""

import struct

import machine
import suite
from image_file import HEADER_LBA, SECTOR_BYTES, ImageFile, error_table
from suite import UEFI

ENTERED = "entered"


class UefiErrorTest(suite.BootTest):
    def image(self, kernel="plain-gcc"):
        return ImageFile(self.package(self.kernel(kernel)))

    def check_error(self, image, name, **how):
        number, text = error_table()[name]
        with machine.Machine(image.path, **UEFI | how) as guest:
            found, line = guest.wait_for_error()
            self.assertEqual(found, number, line)
            self.assertRegex(line, rf"^bootimage: E{number} {text}( \(.*\))?$")
            self.assertEqual(guest.debugcon().strip(), line, "nothing but this line")
        return line

    def check_flip(self, offset_of, name):
        image = self.image()
        image.flip(offset_of(image))
        return self.check_error(image, name)

    def test_the_header(self):
        self.check_flip(lambda image: (HEADER_LBA + 1) * SECTOR_BYTES - 1, "HEADER_DAMAGED")

    def test_the_plan(self):
        self.check_flip(lambda image: image.plan_offset + image.plan_bytes - 1, "PLAN_DAMAGED")

    def test_the_payload(self):
        line = self.check_flip(lambda image: sum(image.segments[-1]) - 1, "PAYLOAD_DAMAGED")
        self.assertIn("segment 0x3", line)

    def test_a_disk_that_fails(self):
        image = self.image()
        sector = image.segments[-1][0] // SECTOR_BYTES
        rules = self.folder / "rules"
        rules.write_text(f'[inject-error]\nevent = "read_aio"\nerrno = "5"\nsector = "{sector}"\n')
        for bus in ("virtio", "nvme"):
            self.check_error(image, "DISK_READ", blkdebug=rules, bus=bus)
        # OVMF's driver says that all went well, and has read nothing.
        self.check_error(image, "PLAN_DAMAGED", blkdebug=rules, bus="ahci")

    def test_not_enough_memory(self):
        self.check_error(self.image("heavy"), "NO_MEMORY")

    def test_an_address_that_stays_the_firmware_s(self):
        image = self.image("contract-high")
        image.pin(0x800000)
        self.assertIn("at 0x800000", self.check_error(image, "PLACE_TAKEN"))

    def test_a_kernel_that_wants_a_bios(self):
        start = bytearray(1024)
        struct.pack_into("<B", start, 0x1F1, 1)
        struct.pack_into("<HHIH", start, 0x1FE, 0xAA55, 0x3EEB, 0x53726448, 0x203)
        start[0x211] = 1
        kernel = self.folder / "bzImage"
        kernel.write_bytes(start + bytes(512))
        self.check_error(ImageFile(self.package(kernel)), "BIOS_ONLY")

    def test_less_memory_than_asked_for(self):
        self.check_error(self.image("asks-too-much-memory"), "LESS_MEMORY")

    def test_no_framebuffer(self):
        self.check_error(self.image("asks-too-much-framebuffer"), "NO_FRAMEBUFFER", vga="none")

    def test_no_disk_of_ours(self):
        """The loader alone, beside a disk that is another's."""
        image = self.image()
        image.path.write_bytes(bytes(image.path.stat().st_size))
        self.check_error(image, "NO_DISK",
                         arguments=("-kernel", str(suite.build_path("UEFI_LOADER"))))

    def test_the_header_s_place_is_somebody_else_s(self):
        """The plan is then found by its partition."""
        image = self.image()
        with image.path.open("r+b") as file:
            file.seek(HEADER_LBA * SECTOR_BYTES)
            file.write(bytes(SECTOR_BYTES))
        self.boot_image(image.path, **UEFI)


if __name__ == "__main__":
    suite.main()
