"""Kernels of other boot protocols: each field that they are given is what the specification says."""

import suite
from suite import UEFI

MIB = 2**20
TEXT, RGB = 2, 1


class ProtocolTest(suite.BootTest):
    def kernel(self, name):
        return suite.build_path("PROTOCOLS") / f"{name}.elf"

    def boot(self, kernel, *options, **how):
        """With what the kernels expect: a command line, and modules."""
        for index, size in enumerate((5000, 70000, 0)):
            file = self.folder / f"m{index}"
            file.write_bytes(bytes((at * 7 + index) % 256 for at in range(size)))
        return super().boot(
            kernel, "--cmdline", "one two  three", "--module",
            f"{self.folder / 'm0'}=first,with arguments", "--module", str(self.folder / "m1"),
            "--module", str(self.folder / "m2"), *options, **how)

    def number(self, values, name):
        return int(values[name], 16)


class Multiboot1Test(ProtocolTest):
    def test_on_bios(self):
        values, count = self.boot("multiboot1")
        self.assertEqual(count, 23)
        self.assertEqual(self.number(values, "boot_device"), 0x8000FFFF)
        self.assertEqual(self.number(values, "framebuffer_type"), TEXT)
        self.assertNotEqual(self.number(values, "pic"), 0xFF, "as the BIOS had it")
        self.assertGreater(self.number(values, "usable"), 255 * MIB)

    def test_on_uefi(self):
        values, count = self.boot("multiboot1", **UEFI)
        self.assertEqual(count, 23)
        self.assertEqual(self.number(values, "boot_device"), 0)
        self.assertEqual(self.number(values, "framebuffer_type"), RGB)

    def test_a_video_mode(self):
        for how in {}, UEFI:
            values, _ = self.boot("multiboot1-video", **how)
            self.assertEqual([self.number(values, f"framebuffer_{name}")
                              for name in ("type", "width", "height", "bpp")], [RGB, 800, 600, 32])

    def test_a_machine_without_a_screen(self):
        values, _ = self.boot("multiboot1-video", vga="none")
        self.assertNotEqual(self.number(values, "framebuffer_type"), RGB)

    def test_bss_that_only_the_address_fields_know(self):
        for how in {}, UEFI:
            _, count = self.boot("multiboot1-fields", **how)
            self.assertEqual(count, 21)

    def test_over_the_interrupt_vectors(self):
        self.boot("multiboot1-low")

    def test_where_the_bios_loader_is(self):
        for how in {}, UEFI:
            self.boot("multiboot1-lower", **how)

    def test_where_the_uefi_firmware_is(self):
        self.boot("multiboot1-12-mib", **UEFI)

    def test_memory_that_is_not_zero_at_power_on(self):
        self.boot("multiboot1", **self.used_memory(64))
        self.boot("multiboot1-fields", **self.used_memory(64))

    def test_memory_above_4_gib(self):
        values, _ = self.boot("multiboot1", memory="5G")
        self.assertGreater(self.number(values, "usable"), 4 * 1024 * MIB)


class Multiboot2Test(ProtocolTest):
    def test_on_bios(self):
        values, count = self.boot("multiboot2")
        self.assertEqual(count, 29)
        self.assertEqual(self.number(values, "boot_drive"), 0x80)
        self.assertEqual(self.number(values, "framebuffer_type"), TEXT)
        self.assertEqual(values["load_base"], values["load_start"])
        self.assertNotEqual(self.number(values, "pic"), 0xFF, "as the BIOS had it")

    def test_on_uefi(self):
        values, count = self.boot("multiboot2", **UEFI)
        self.assertEqual(count, 30)
        self.assertEqual(self.number(values, "efi"), 1)
        self.assertEqual(self.number(values, "rsdp_2"), 1)
        self.assertEqual(self.number(values, "framebuffer_type"), RGB)

    def test_a_video_mode(self):
        for how in {}, UEFI:
            values, _ = self.boot("multiboot2-video", **how)
            self.assertEqual([self.number(values, f"framebuffer_{name}")
                              for name in ("type", "width", "height")], [RGB, 800, 600])

    def test_boot_services_that_go_on(self):
        self.boot("multiboot2-services")
        image = self.package(self.kernel("multiboot2-services"))
        with suite.machine.Machine(image, **UEFI) as guest:
            guest.wait_for_debugcon("entered with boot services\n")


class PvhTest(ProtocolTest):
    def test_on_both(self):
        for kernel in "pvh", "pvh-8":
            for how in {}, UEFI:
                with self.subTest(kernel=kernel, how=how):
                    values, count = self.boot(kernel, **how)
                    self.assertEqual(count, 17)
                    self.assertGreater(self.number(values, "usable"), 240 * MIB)


class Plain32Test(ProtocolTest):
    def test_on_both(self):
        for how, firmware in (({}, 1), (UEFI, 2)):
            values, count = self.boot("plain32", **how)
            self.assertEqual(count, 22)
            self.assertEqual(self.number(values, "firmware"), firmware)
            self.assertEqual(self.number(values, "framebuffer_count"), firmware - 1)

    def test_a_stack_that_the_kernel_asks_for(self):
        self.boot("plain32-asks")


if __name__ == "__main__":
    suite.main()
