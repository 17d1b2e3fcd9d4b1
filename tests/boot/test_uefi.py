"""What a BIOS boot promises, on UEFI, from the same image file; and every kind of disk."""

import glyphs
import machine
import suite
from image_file import ImageFile
from suite import UEFI

CONTRACT_CHECKS = 89
MIB = 2**20
TEXT_SCREEN = 0x2


class ContractTest(suite.BootTest):
    """The kernel of test_contract.py."""

    def check_contract(self, kernel="contract-high", options=(), **how):
        values, count = self.boot(kernel, *options, **UEFI | how)
        self.assertEqual(count, CONTRACT_CHECKS)
        self.assertEqual(int(values["firmware"], 16), 2)
        return values

    def test_one_image_on_both(self):
        for kernel in ("contract-high", "contract-low"):
            image = self.package(self.kernel(kernel))
            for how in ({"firmware": "bios", "machine": "pc"}, UEFI):
                with self.subTest(kernel=kernel, how=how):
                    values, count = self.boot_image(image, **how)
                    self.assertEqual(count, CONTRACT_CHECKS)
                    self.assertEqual(int(values["firmware"], 16), 2 if how == UEFI else 1)

    def test_where_the_firmware_keeps_the_physical_address_of_the_linker(self):
        """OVMF keeps 8 MiB for good: the kernel is placed elsewhere and mapped where it is linked."""
        values = self.check_contract("contract-elsewhere")
        self.assertNotEqual(int(values["kernel_paddr"], 16), 8 * MIB)

    def test_where_the_firmware_is_until_it_is_left(self):
        """A kernel that must be there waits elsewhere and is moved last."""
        image = ImageFile(self.package(self.kernel("contract-high")))
        for paddr in (9 * MIB, 12 * MIB, 20 * MIB):
            image.pin(paddr)
            values, count = self.boot_image(image.path, **UEFI)
            self.assertEqual(count, CONTRACT_CHECKS)
            self.assertEqual(int(values["kernel_paddr"], 16), paddr)

    def test_a_cpu_without_nx(self):
        self.check_contract(cpu="qemu64,-nx")

    def test_five_levels_of_pages(self):
        self.check_contract("contract-five", cpu="max,la57=on", memory="5G")

    def test_memory_above_4_gib(self):
        self.check_contract(memory="5G", cpu="qemu64,+pdpe1gb")

    def test_memory_that_is_not_zero_at_power_on(self):
        self.check_contract(**UEFI | self.used_memory(256))

    def test_the_disk_signature_and_the_command_line(self):
        image = self.package(self.kernel("contract-high"), "--cmdline", "on UEFI, too")
        signature = int.from_bytes(image.read_bytes()[440:444], "little")
        values, _ = self.boot_image(image, **UEFI)
        self.assertEqual(values["command_line"], "on UEFI, too")
        self.assertEqual(int(values["disk_signature"], 16), signature)
        self.assertEqual(int(values["boot_drive"], 16), 0)

    def test_a_machine_without_a_screen(self):
        self.check_contract(vga="none")


class KernelsTest(suite.BootTest):
    """Kernels of other files, each in one machine that is hard enough."""

    def test_requests(self):
        values, _ = self.boot("requests", processors="2", **UEFI)
        self.assertEqual(int(values["framebuffer_count"], 16), 1)
        self.assertEqual(int(values["flags"], 16) & TEXT_SCREEN, 0)

    def test_other_cpus(self):
        values, count = self.boot("cpus", processors="8", **UEFI)
        self.assertEqual(count, 21)
        self.assertEqual(int(values["cpu_count"], 16), 8)

    def test_other_cpus_with_five_levels(self):
        self.boot("cpus", processors="3", cpu="max,la57=on", **UEFI)

    def test_position_independent_kernels(self):
        for kernel in ("pie", "pie-relr", "pie-random"):
            with self.subTest(kernel=kernel):
                self.boot(kernel, **UEFI | {"cpu": "max"})

    def test_thread_local_storage(self):
        self.boot("tls-pie", **UEFI)

    def test_rights(self):
        self.boot("rights-high", **UEFI)

    def test_usable_memory_is_nobody_s(self):
        values, _ = self.boot("fill", **UEFI)
        self.assertGreater(int(values["usable"], 16), 240 * MIB)

    def test_modules(self):
        options = []
        for index, size in enumerate((0, 1, 4095, 4096, 4097, 700_000)):
            file = self.folder / f"m{index:04}"
            file.write_bytes(bytes((at * 7 + index) % 256 for at in range(size)))
            options += ["--module", f"{file},first, of many" if index == 0 else str(file)]
        values, _ = self.boot("requests", *options, **UEFI)
        self.assertEqual(int(values["module_count"], 16), 6)

    def test_64_mib_linked_at_1_mib(self):
        """OVMF's own memory lies in the way."""
        self.boot("address-low", **UEFI)

    def test_kernels_of_other_makes(self):
        self.boot("old", "--cmdline", "of 1.0", **UEFI)
        for kernel in ("shared", "tls", "rights-low", "requests-cc", "requests-asm", "rust",
                       "scattered", "many-segments", "odd-paddr", "plain-clang"):
            with self.subTest(kernel):
                self.boot(kernel, **UEFI)

    def test_linked_to_where_there_is_no_memory(self):
        values, _ = self.boot("contract-absent", **UEFI)
        self.assertLess(int(values["kernel_paddr"], 16), 256 * MIB)

    def test_a_plain_kernel(self):
        self.boot("plain-gcc", "--firmware=uefi", **UEFI)


class DiskTest(suite.BootTest):
    """The project's own kernel, from each disk that OVMF boots."""

    def check_disk(self, bus, **how):
        with machine.Machine(suite.build_path("KERNEL_IMAGE"), bus=bus, **UEFI | how) as guest:
            guest.wait_for_serial("Command line: ")
            guest.wait_for_halt()
            self.assertIn("Hello World!", guest.serial())

    def test_the_screen_says_what_the_serial_port_says(self):
        """Glyph by glyph; Hello World! in red."""
        font = glyphs.Font(suite.build_path("FONT").read_bytes())
        with machine.Machine(suite.build_path("KERNEL_IMAGE"), **UEFI) as guest:
            guest.wait_for_serial("Command line: ")
            guest.wait_for_halt()
            picture = guest.picture()
            lines = guest.serial().partition("Hello World!")[2].splitlines()
        self.assertEqual(font.row(picture, 0), ("Hello World!", {b"\xaa\0\0"}))
        for number, line in enumerate(lines[1:], 1):
            self.assertEqual(font.row(picture, number), (line.rstrip(), {b"\xaa\xaa\xaa"}))

    def test_ide(self):
        self.check_disk("ide", machine="pc")

    def test_ahci(self):
        self.check_disk("ahci")

    def test_virtio(self):
        self.check_disk("virtio")

    def test_nvme(self):
        self.check_disk("nvme")

    def test_usb_3(self):
        self.check_disk("xhci")

    def test_usb_2(self):
        self.check_disk("ehci")

    def test_virtio_scsi(self):
        self.check_disk("virtio-scsi")

    def test_the_disk_that_the_loader_came_from(self):
        """Beside another that has a kernel, too; even when only a partition of it is left."""
        other = self.package(self.kernel("contract-high"), name="other.bin")
        beside = ("-drive", f"if=none,id=other,format=raw,snapshot=on,file={other}", "-device",
                  "virtio-blk-pci,drive=other,addr=0x1c,bootindex=2")
        image = self.package(self.kernel("pie"))
        self.assertNotEqual(self.boot_image(image, arguments=beside, **UEFI)[1], CONTRACT_CHECKS)
        with image.open("r+b") as file:
            file.seek(512)
            file.write(bytes(512))
        self.assertNotEqual(self.boot_image(image, arguments=beside, **UEFI)[1], CONTRACT_CHECKS)

    def test_a_loader_that_comes_from_elsewhere(self):
        """QEMU hands it to the firmware itself: no controller has a driver then."""
        for bus in ("ahci", "nvme"):
            self.check_disk(bus, arguments=("-kernel", str(suite.build_path("UEFI_LOADER"))))


if __name__ == "__main__":
    suite.main()
