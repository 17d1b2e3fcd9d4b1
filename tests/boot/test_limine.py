"""Kernels of the Limine boot protocol: each answer is what the specification says, by base revision."""

import gzip

import suite
from suite import UEFI

MIB = 2**20
CHECKS_OF_A_CPU = 4


class LimineTest(suite.BootTest):
    def kernel(self, name):
        return suite.build_path("LIMINE") / f"{name}.elf"

    def content(self, size, number):
        return bytes((at * 7 + number) % 256 for at in range(size))

    def boot(self, name, **how):
        """A copy of the kernel, beside the files that it names itself; with modules and a command
        line. Gives its values, and the number of checks but for those of each other CPU."""
        kernel = self.folder / "the-kernel.elf"
        kernel.write_bytes(self.kernel(name).read_bytes())
        (self.folder / "inside").write_bytes(self.content(3000, 3))
        (self.folder / "folder").mkdir(exist_ok=True)
        (self.folder / "folder" / "packed").write_bytes(gzip.compress(self.content(9000, 4)))
        for index, size in enumerate((5000, 70000, 0)):
            (self.folder / f"m{index}").write_bytes(self.content(size, index))
        image = self.package(
            kernel, "--cmdline", "one two  three", "--module",
            f"{self.folder / 'm0'}=first,with arguments", "--module", str(self.folder / "m1"),
            "--module", str(self.folder / "m2"))
        values, count = self.boot_image(image, **how)
        self.assertEqual(values["path"], "/the-kernel.elf")
        self.assertEqual(self.number(values, "file_bytes"), kernel.stat().st_size)
        self.assertEqual(self.number(values, "disk_id").to_bytes(4, "little"),
                         image.read_bytes()[440:444])
        self.assertEqual(self.number(values, "firmware"), 2 if how.get("firmware") else 0)
        return values, count - CHECKS_OF_A_CPU * (self.number(values, "cpus") - 1)

    def number(self, values, name):
        return int(values[name], 16)


class Revisions(LimineTest):
    def test_each_on_bios(self):
        for name, count in (("none", 57), ("0", 59), ("1", 59), ("2", 59), ("3", 59), ("9", 59)):
            with self.subTest(name):
                values, found = self.boot(f"limine-{name}")
                self.assertEqual(found, count)
                self.assertGreater(self.number(values, "usable"), 200 * MIB)

    def test_each_on_uefi(self):
        for name, count in (("none", 60), ("1", 62), ("3", 62)):
            with self.subTest(name):
                values, found = self.boot(f"limine-{name}", **UEFI)
                self.assertEqual(found, count)
                self.assertGreater(self.number(values, "usable"), 150 * MIB)

    def test_tables_are_where_other_revisions_say(self):
        for how in {}, UEFI:
            old, new = (self.boot(f"limine-{revision}", **how)[0] for revision in (2, 3))
            for name in "rsdp", "smbios", "efi_system_table":
                self.assertEqual(old.get(name), new.get(name))

    def test_memory_above_4_gib(self):
        for name in "none", "1", "3":
            values, _ = self.boot(f"limine-{name}", memory="5G", machine="q35")
            self.assertGreater(self.number(values, "usable"), 4.8 * 1024 * MIB)

    def test_memory_that_is_not_zero_at_power_on(self):
        self.boot("limine-none", **self.used_memory(256))
        self.boot("limine-3", **self.used_memory(256), firmware="uefi", machine="q35")


class Requests(LimineTest):
    def test_where_they_are_found(self):
        """In a list, between markers, and in kernels that are moved to the top."""
        for name, count in (("list", 58), ("markers", 59), ("pie", 59), ("pie-list", 58)):
            for how, more in (({}, 0), (UEFI, 3)):
                with self.subTest(name=name, how=how):
                    self.assertEqual(self.boot(f"limine-{name}", **how)[1], count + more)

    def test_all_cpus(self):
        for how in {"machine": "pc"}, {"machine": "q35"}, UEFI:
            for name in "none", "3":
                with self.subTest(name=name, how=how):
                    values, _ = self.boot(f"limine-{name}", processors="8", **how)
                    self.assertEqual(self.number(values, "cpus"), 8)

    def test_x2apic_where_the_machine_has_none(self):
        values, _ = self.boot("limine-x2apic", processors="2")
        self.assertEqual(self.number(values, "x2apic"), 0)

    def test_paging_modes(self):
        five = {"cpu": "max,la57=on"}
        for name, how, levels in (("wants-five", five, 1), ("wants-five", {}, 0),
                                  ("needs-five", five, 1), ("3", five, 0)):
            with self.subTest(name=name, how=how):
                values, _ = self.boot(f"limine-{name}", processors="2", **how)
                self.assertEqual(self.number(values, "paging_mode"), levels)

    def test_a_machine_without_a_screen(self):
        values, _ = self.boot("limine-3", vga="none")
        self.assertNotIn("width", values)

    def test_the_screen(self):
        for how, size in ({}, (1024, 768)), (UEFI, (1280, 800)):
            values, _ = self.boot("limine-3", **how)
            self.assertEqual([self.number(values, name) for name in ("width", "height")], [*size])
            self.assertGreater(self.number(values, "modes"), 5)
            # OVMF tells of none.
            self.assertEqual(self.number(values, "edid"), 0 if how else 128)

    def test_the_date(self):
        values, _ = self.boot("limine-3", arguments=["-rtc", "base=2031-05-06T07:08:09"])
        self.assertIn(self.number(values, "date") - 1935817689, range(60))


if __name__ == "__main__":
    suite.main()
