"""Everything that can go wrong at boot: an error of its own, by number and by words, on the screen,
on COM1 and on port 0xE9; and the kernel is never entered.

The kernel's first act is a word on port 0xE9 (kernels/report.h), so that silence there says that it
did not run. All that is damaged is a copy of the image.
"""

import struct

import machine
import suite
from image_file import (HEADER_LBA, PLAN, RECORD_REQUIRED, SECTOR_BYTES, SOURCE, STAGE2_LBA,
                        ImageFile, error_table)

# Named by number and the status of the BIOS alone.
WITHOUT_WORDS = ("STAGE1_READ", "STAGE1_DRIVE")
UD2 = b"\x0f\x0b"


class BootErrorTest(suite.BootTest):
    def image(self, kernel="plain-gcc"):
        return ImageFile(self.package(self.kernel(kernel)))

    def check_error(self, image, name, **how):
        """Boot the image: it must stop with the error of this name and nothing else. Gives the
        line."""
        number, text = error_table()[name]
        with machine.Machine(image.path, **how) as guest:
            found, line = guest.wait_for_error()
            self.assertEqual(found, number, line)
            if name in WITHOUT_WORDS:
                self.assertRegex(line, rf"^bootimage: E{number} [0-9A-F]{{2}}$")
            else:
                self.assertRegex(line, rf"^bootimage: E{number} {text}( .*)?( \(.*\))?$")
            self.assertEqual(guest.debugcon().strip(), line, "nothing but this line")
        return line

    def check_flip(self, offset_of, name, **how):
        """A flipped byte, at the offset that offset_of() finds in an image, is this error."""
        image = self.image()
        image.flip(offset_of(image))
        return self.check_error(image, name, **how)


class DamageTest(BootErrorTest):
    def test_a_disk_that_is_none_of_ours(self):
        """Stage 1 runs nothing of a disk whose header does not begin as it should."""
        self.check_flip(lambda image: HEADER_LBA * SECTOR_BYTES, "STAGE1_DRIVE")

    def test_magic_of_the_header(self):
        self.check_flip(lambda image: HEADER_LBA * SECTOR_BYTES + 2, "HEADER_DAMAGED")

    def test_last_byte_of_the_header(self):
        self.check_flip(lambda image: (HEADER_LBA + 1) * SECTOR_BYTES - 1, "HEADER_DAMAGED")

    def test_middle_of_stage_2(self):
        self.check_flip(lambda image: (STAGE2_LBA + image.stage2_sectors // 2) * SECTOR_BYTES,
                        "STAGE2_DAMAGED")

    def test_last_byte_of_stage_2(self):
        self.check_flip(lambda image: (STAGE2_LBA + image.stage2_sectors) * SECTOR_BYTES - 1,
                        "STAGE2_DAMAGED")

    def test_magic_of_the_plan(self):
        self.check_flip(lambda image: image.plan_offset, "PLAN_DAMAGED")

    def test_a_record_of_the_plan(self):
        self.check_flip(lambda image: image.plan_offset + image.plan_bytes // 2, "PLAN_DAMAGED")

    def test_last_byte_of_the_plan(self):
        self.check_flip(lambda image: image.plan_offset + image.plan_bytes - 1, "PLAN_DAMAGED")

    def test_first_byte_of_the_payload(self):
        line = self.check_flip(lambda image: image.segments[0][0], "PAYLOAD_DAMAGED")
        self.assertIn("segment 0x0", line)

    def test_last_byte_of_the_payload(self):
        line = self.check_flip(lambda image: sum(image.segments[-1]) - 1, "PAYLOAD_DAMAGED")
        self.assertIn("segment 0x3", line)


class DefectTest(BootErrorTest):
    """What no image of the tool's has: the checksums are right."""

    def test_a_record_that_the_loader_does_not_know(self):
        image = self.image()
        image.replace_in_plan(PLAN.size, struct.pack("<HH", 0x7777, RECORD_REQUIRED))
        self.assertIn("record 0x7777", self.check_error(image, "PLAN_UNKNOWN"))

    def test_an_exception_in_the_loader(self):
        image = self.image()
        undefined = self.loader_symbol("loader_main")
        image.replace_code(undefined, UD2)
        line = self.check_error(image, "EXCEPTION")
        self.assertIn(f"vector 0x6, error 0x0, rip {undefined:#x}", line)


class FirmwareTest(BootErrorTest):
    def test_an_image_for_uefi_alone(self):
        image = ImageFile(self.package(self.kernel("plain-gcc"), "--firmware=uefi"))
        self.check_error(image, "UEFI_ONLY")


class RequestTest(BootErrorTest):
    """What a kernel's notes ask for and the machine has not (kernels/asks_too_much.S)."""

    def test_memory(self):
        self.check_error(self.image("asks-too-much-memory"), "LESS_MEMORY")

    def test_five_levels(self):
        self.check_error(self.image("asks-too-much-levels"), "NO_FIVE_LEVELS")

    def test_a_framebuffer(self):
        self.check_error(self.image("asks-too-much-framebuffer"), "NO_FRAMEBUFFER", vga="none")

    def test_more_address_lines(self):
        self.check_error(self.image("asks-too-much-far-memory"), "ADDRESS_WIDTH")


class TableTest(BootErrorTest):
    def test_every_row_is_provoked(self):
        """By a test of this folder or of tests/firmware, which names it."""
        tests = "".join(file.read_text() for folder in ("boot", "firmware")
                        for file in (SOURCE / "tests" / folder).glob("test_*.py"))
        for name in error_table():
            self.assertRegex(tests, rf'check_\w+\((.*\n)?.*"{name}"')
        for name in error_table("WARNING_TABLE"):
            self.assertIn(f'error_table("WARNING_TABLE")["{name}"]', tests)


class CpuTest(BootErrorTest):
    def test_no_cpuid_worth_the_name(self):
        self.check_error(self.image(), "NO_LONG_MODE", cpu="486")

    def test_32_bit_cpu(self):
        self.check_error(self.image(), "NO_LONG_MODE", cpu="pentium3")

    def test_64_bit_cpu_without_long_mode(self):
        self.check_error(self.image(), "NO_LONG_MODE", cpu="qemu64,-lm")


class MemoryTest(BootErrorTest):
    def test_too_little_for_a_kernel_at_a_fixed_address(self):
        self.check_error(self.image("address-low"), "NO_MEMORY", memory="32M")

    def test_too_little_for_a_kernel_at_any_address(self):
        self.check_error(self.image("address-high"), "NO_MEMORY", memory="32M")


class FailingDiskTest(BootErrorTest):
    def rules(self, sector, once=False):
        """Rules for blkdebug: reads that touch this sector fail."""
        path = self.folder / "blkdebug"
        path.write_text(f'[inject-error]\nevent = "read_aio"\nerrno = "5"\n'
                        f'sector = "{sector}"\nonce = "{"on" if once else "off"}"\n')
        return path

    def check_unreadable(self, sector_of, name, **how):
        image = self.image()
        return self.check_error(image, name, blkdebug=self.rules(sector_of(image)), **how)

    def payload_sector(self, image):
        offset, file_bytes = image.segments[-1]
        return (offset + file_bytes // 2) // SECTOR_BYTES

    def test_header(self):
        for bus in ("ide", "ahci", "virtio"):
            with self.subTest(bus=bus):
                self.check_unreadable(lambda image: HEADER_LBA, "STAGE1_READ", bus=bus)

    def test_stage_2(self):
        self.check_unreadable(lambda image: STAGE2_LBA + image.stage2_sectors - 1, "STAGE1_READ")

    def test_plan(self):
        self.check_unreadable(lambda image: image.plan_lba, "DISK_READ")

    def test_payload(self):
        for bus in ("ide", "ahci", "virtio"):
            with self.subTest(bus=bus):
                self.check_unreadable(self.payload_sector, "DISK_READ", bus=bus)

    def test_a_boot_sector_that_cannot_be_read_is_the_firmware_s_matter(self):
        with machine.Machine(self.image().path, blkdebug=self.rules(0)) as guest:
            guest.wait_for(lambda: "No bootable device" in guest.screen_text(),
                           "the firmware's message")
            self.assertEqual(guest.debugcon(), "")

    def test_a_read_that_fails_once_is_tried_again(self):
        for part, sector_of in (("header", lambda image: HEADER_LBA),
                                ("plan", lambda image: image.plan_lba),
                                ("payload", self.payload_sector)):
            with self.subTest(part=part):
                image = self.image()
                rules = self.rules(sector_of(image), once=True)
                with machine.Machine(image.path, blkdebug=rules) as guest:
                    self.check_report(guest)


class ShortDiskTest(BootErrorTest):
    def check_cut(self, sectors_of, name, **how):
        image = self.image()
        image.cut(sectors_of(image))
        return self.check_error(image, name, **how)

    def test_cut_by_one_sector(self):
        for bus in ("ide", "ahci", "virtio"):
            with self.subTest(bus=bus):
                self.check_cut(lambda image: image.image_sectors - 1, "DISK_SHORT", bus=bus)

    def test_cut_in_the_payload(self):
        self.check_cut(lambda image: image.image_sectors // 2, "DISK_SHORT")

    # SeaBIOS boots a disk as short as these from IDE only.
    def test_cut_in_the_plan(self):
        self.check_cut(lambda image: image.plan_lba + 1, "DISK_SHORT", bus="ide")

    def test_cut_before_the_plan(self):
        self.check_cut(lambda image: image.plan_lba, "DISK_SHORT", bus="ide")

    def test_cut_in_stage_2(self):
        self.check_cut(lambda image: STAGE2_LBA + image.stage2_sectors - 1, "STAGE1_READ",
                       bus="ide")

    def test_cut_behind_the_boot_sector(self):
        self.check_cut(lambda image: HEADER_LBA, "STAGE1_READ", bus="ide")


if __name__ == "__main__":
    suite.main()
