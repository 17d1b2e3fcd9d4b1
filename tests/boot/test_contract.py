"""Every sentence of bootinfo.h, asserted by a kernel (kernels/contract.c) on several machines.

What depends on the machine or the image is judged here: texts, the boot drive, the disk signature,
the memory map against what QEMU was told.
"""

import datetime
import re
import struct

import machine
import suite

# How many checks contract.c makes: one that was never reached is missed.
CHECKS = 89

USABLE = 1
NMI_MASK = 0x80  # in what is written to port 0x70
DISK_SIGNATURE_OFFSET = 440
MIB = 2**20


class ContractTest(suite.BootTest):
    def check_contract(self, kernel="contract-high", memory_mib=256, options=(), **how):
        """Boot the kernel on a machine, and give its values."""
        values, count = self.boot(kernel, *options, memory=f"{memory_mib}M", **how)
        self.assertEqual(count, CHECKS)
        return values

    def test_linked_high(self):
        self.check_contract("contract-high")

    def test_linked_low(self):
        values = self.check_contract("contract-low")
        self.assertEqual(int(values["kernel_paddr"], 16), 0x100000)

    def test_the_physical_address_of_the_linker_counts(self):
        values = self.check_contract("contract-high")
        self.assertEqual(int(values["kernel_paddr"], 16), 0x200000)

    def test_linked_at_another_address_than_its_physical_one(self):
        values = self.check_contract("contract-elsewhere")
        self.assertEqual(int(values["kernel_paddr"], 16), 0x800000)

    def test_linked_to_where_there_is_no_memory(self):
        values = self.check_contract("contract-absent", memory_mib=256)
        self.assertLess(int(values["kernel_paddr"], 16), 256 * MIB)

    def test_a_machine_with_pci_express(self):
        self.check_contract(machine="q35")

    def test_a_cpu_without_nx(self):
        self.check_contract(cpu="qemu64,-nx")

    def test_a_cpu_with_everything(self):
        self.check_contract(cpu="max")

    def test_a_cpu_with_five_levels_of_pages(self):
        self.check_contract(cpu="qemu64,la57=on")

    def test_five_levels_of_pages(self):
        for how in ({}, {"machine": "q35", "memory_mib": 6144}):
            self.check_contract("contract-five", cpu="max,la57=on", **how)

    def test_pages_of_1_gib(self):
        for cpu in ("qemu64,+pdpe1gb", "qemu64,-pdpe1gb", "max"):
            with self.subTest(cpu=cpu):
                self.check_contract(cpu=cpu, memory_mib=6144, machine="q35")

    def test_little_memory(self):
        self.check_contract(memory_mib=32)

    def test_memory_up_to_the_hole_below_4_gib(self):
        self.check_contract(memory_mib=3072, machine="q35")

    def test_memory_above_4_gib(self):
        self.check_contract(memory_mib=5120)

    def test_memory_that_is_not_zero_at_power_on(self):
        for kernel in ("contract-high", "contract-low"):
            with self.subTest(kernel=kernel):
                self.assertEqual(self.boot(kernel, **self.used_memory(64))[1], CHECKS)

    def test_names_and_numbers(self):
        image = self.package(self.kernel("contract-high"))
        signature, = struct.unpack_from("<I", image.read_bytes(), DISK_SIGNATURE_OFFSET)
        with machine.Machine(image) as guest:
            values, _ = self.check_report(guest)
        self.assertEqual(values["loader_name"], "bootimage")
        self.assertRegex(values["loader_version"], r"^\d+\.\d+\.\d+$")
        self.assertEqual(values["command_line"], "")
        self.assertEqual(int(values["boot_drive"], 16), 0x80)
        self.assertEqual(int(values["disk_signature"], 16), signature)

    def check_facts(self, **how):
        """Boot with facts that QEMU was told, and compare the firmware's tables with a search of
        the memory. Gives the values."""
        rtc = ("-rtc", "base=2031-05-06T07:08:09,clock=vm")
        image = self.package(self.kernel("contract-high"))
        with machine.Machine(image, arguments=rtc, **how) as guest:
            values, _ = self.check_report(guest)
            rom = guest.memory(0xE0000, 0x20000)
        rsdp, smbios, smbios3 = (
            next((0xE0000 + at for at in range(0, len(rom), 16) if rom.startswith(mark, at)), 0)
            for mark in (b"RSD PTR ", b"_SM_", b"_SM3_"))
        self.assertNotEqual(rsdp, 0)
        self.assertNotEqual((smbios, smbios3), (0, 0))
        self.assertEqual(int(values["rsdp_paddr"], 16), rsdp)
        self.assertEqual(int(values["smbios_paddr"], 16), smbios)
        self.assertEqual(int(values["smbios3_paddr"], 16), smbios3)
        self.assertEqual(int(values["firmware"], 16), 1)
        begin = datetime.datetime(2031, 5, 6, 7, 8, 9, tzinfo=datetime.timezone.utc).timestamp()
        self.assertIn(int(values["wall_clock_s"], 16) - begin, range(0, 3600))
        return values

    def check_seeds(self, *boots):
        """None of their words is any other."""
        words = [values[f"random_seed{i}"] for values in boots for i in range(4)]
        self.assertEqual(len(set(words)), len(words))

    def test_acpi_smbios_the_clock_and_a_cpu_without_random_numbers(self):
        values = self.check_facts(cpu="qemu64")
        self.assertEqual(int(values["random_source"], 16), 0)
        self.check_seeds(values, self.check_facts(cpu="qemu64"))

    def test_smbios_of_64_bits_and_random_numbers_of_the_cpu(self):
        how = {"machine": "q35", "machine_options": ",smbios-entry-point-type=64"}
        values = self.check_facts(cpu="max", **how)
        self.assertIn(int(values["random_source"], 16), (1, 2))  # not every QEMU has RDSEED
        self.check_seeds(values, self.check_facts(cpu="max", **how))
        values = self.check_facts(cpu="qemu64,+rdrand", **how)
        self.assertEqual(int(values["random_source"], 16), 1)
        self.assertNotEqual(int(values["smbios3_paddr"], 16), 0)

    def test_a_machine_without_acpi(self):
        values = self.check_contract("contract-high", machine_options=",acpi=off")
        self.assertEqual(int(values["rsdp_paddr"], 16), 0)

    def test_the_command_line_arrives_byte_for_byte(self):
        text = "root=/dev/sda1  quiet 'two words' \u00fcml\u00e4ut " + "x" * 3000
        values = self.check_contract(options=["--cmdline", text])
        self.assertEqual(values["command_line"].encode("latin-1").decode(), text)

    def test_the_memory_map_is_the_machine_s(self):
        image = self.package(self.kernel("contract-high"))
        with machine.Machine(image, memory="128M") as guest:
            self.check_report(guest)
            report = guest.debugcon()
        ranges = [(int(base, 16), int(size, 16), int(kind)) for base, size, kind in
                  re.findall(r"^# range = (\S+) (\S+) (\d)$", report, re.MULTILINE)]
        self.assertLessEqual(sum(size for base, size, kind in ranges if kind == USABLE), 128 * MIB)
        self.assertGreater(sum(size for base, size, kind in ranges if kind == USABLE), 125 * MIB)
        for base, size, kind in ranges:
            if kind == USABLE:
                self.assertTrue(base + size <= 0xA0000 or 0x100000 <= base)
                self.assertLessEqual(base + size, 128 * MIB)

    def test_the_local_apic_is_as_the_firmware_left_it(self):
        """As a boot sector finds it that the same firmware starts."""
        def local_apic(image, **how):
            with machine.Machine(image, **how) as guest:
                guest.wait_for_halt()
                return guest.monitor("info lapic")
        sector = suite.build_path("SECTORS") / "sector-print.img"
        image = self.package(self.kernel("contract-high"))
        for how in ({}, {"machine": "q35", "processors": "2"}):
            before = local_apic(sector, **how)
            self.assertIn("APIC enabled", before)
            self.assertEqual(local_apic(image, **how), before)

    def test_nmi_is_masked(self):
        """Port 0x70 cannot be read: QEMU is asked to note down all that is written to ports."""
        trace = self.folder / "trace"
        with machine.Machine(self.package(self.kernel("contract-high")), arguments=[
                "-trace", f"memory_region_ops_write,file={machine.comma_escaped(trace)}"]) as guest:
            self.check_report(guest)
        writes = [(int(port, 16), int(value, 16)) for port, value in re.findall(
            r"addr (0x70|0xe9) value (\S+) ", trace.read_text(encoding="latin-1"))]
        before_the_kernel = writes[:writes.index((0xE9, ord("e")))]
        last = next(value for port, value in reversed(before_the_kernel) if port == 0x70)
        self.assertEqual(last & NMI_MASK, NMI_MASK)

    def test_a_kernel_for_version_1_0(self):
        self.assertEqual(self.boot("old", "--cmdline", "of 1.0")[1], 11)

    def test_an_exception_resets_as_there_is_no_idt(self):
        with machine.Machine(self.package(self.kernel("reset"))) as guest:
            guest.wait_for_reset()
            self.assertEqual(guest.debugcon(), "!")


if __name__ == "__main__":
    suite.main()
