"""Position-independent kernels (kernels/pie.c): relocated, at the usual, a chosen or a random place;
and what moves with them (kernels/tls.c)."""

import machine
import suite
from image_file import error_table

# How many checks pie.c and tls.c make.
CHECKS = 6
TLS_CHECKS = 7
ASKED_BASE = 0xffffffffb0000000
KERNEL_BASE = 0xffffffff80000000
RANDOM_FIRST = 0xffffff8000000000
RANDOM_STEP = 0x200000
BOOTS = 32
LEAST_DIFFERENT = 28


class PieTest(suite.BootTest):
    def slide(self, kernel, *options, **how):
        values, count = self.boot(kernel, *options, memory="64M", **how)
        self.assertEqual(count, CHECKS)
        return int(values["kernel_slide"], 16)

    def test_relative_relocations(self):
        self.assertEqual(self.slide("pie"), KERNEL_BASE)

    def test_packed_relocations(self):
        self.assertEqual(self.slide("pie-relr"), KERNEL_BASE)

    def test_relocations_by_symbols(self):
        """64 and GLOB_DAT, as in what is linked with -shared."""
        self.assertEqual(self.slide("pie-shared"), KERNEL_BASE)
        self.assertGreaterEqual(self.slide("pie-shared", "--kaslr", cpu="max"), RANDOM_FIRST)

    def test_at_the_address_of_the_option(self):
        self.assertEqual(self.slide("pie", "--base=0xffffffffa0000000"), 0xffffffffa0000000)
        self.assertEqual(self.slide("pie-relr", "--base=0x40000000"), 0x40000000)

    def test_linked_elsewhere(self):
        """GNU ld makes an ET_EXEC of it: it stays where it was linked, or moves if it is to."""
        self.assertEqual(self.slide("pie-elsewhere"), 0)
        self.assertEqual(self.slide("pie-elsewhere", "--base=0x50000000"), 0x10000000)
        self.assertGreaterEqual(self.slide("pie-elsewhere", "--kaslr", cpu="max"),
                                RANDOM_FIRST - 0x40000000)

    def test_at_the_address_of_the_note(self):
        for kernel in ("pie-base", "pie-base-cc", "pie-base-asm"):
            with self.subTest(kernel=kernel):
                self.assertEqual(self.slide(kernel), ASKED_BASE)

    def test_at_a_random_address_by_the_note(self):
        for kernel in ("pie-random", "pie-random-cc", "pie-random-asm"):
            with self.subTest(kernel=kernel):
                slides = {self.slide(kernel, cpu="max") for _ in range(2)}
                self.assertEqual(len(slides), 2)
                for slide in slides:
                    self.assertEqual(slide % RANDOM_STEP, 0)
                    self.assertGreaterEqual(slide, RANDOM_FIRST)

    def check_tls(self, kernel, *options, **how):
        values, count = self.boot(kernel, *options, **how)
        self.assertEqual(count, TLS_CHECKS)
        return {name: int(value, 16) for name, value in values.items()}

    def test_thread_local_storage(self):
        values = self.check_tls("tls")
        self.assertEqual(values["kernel_slide"], 0)
        self.assertGreater(values["tls_file_bytes"], 0)

    def test_thread_local_storage_that_moves(self):
        for options, how in (((), {}), (("--kaslr",), {"cpu": "max"})):
            values = self.check_tls("tls-pie", *options, **how)
            self.assertGreaterEqual(values["kernel_slide"], RANDOM_FIRST)
            self.assertGreater(values["tls_file_bytes"], 0)
            self.assertGreater(values["relro_pages"], 0)

    def test_thread_local_storage_of_zeros_behind_the_last_segment(self):
        values = self.check_tls("tls-zeros")
        self.assertEqual(values["tls_file_bytes"], 0)
        self.assertEqual(values["tls_template"] % 0x1000, 0)

    def test_at_random_addresses(self):
        slides = [self.slide("pie-relr" if boot % 2 else "pie", "--kaslr", cpu="max")
                  for boot in range(BOOTS)]
        self.assertGreaterEqual(len(set(slides)), LEAST_DIFFERENT)
        for slide in slides:
            self.assertEqual(slide % RANDOM_STEP, 0)
            self.assertGreaterEqual(slide, RANDOM_FIRST)

    def test_a_random_address_that_can_be_guessed_is_warned_of(self):
        image = self.package(self.kernel("pie"), "--kaslr")
        for cpu, warned in (("qemu64", True), ("max", False)):
            with machine.Machine(image, cpu=cpu) as guest:
                guest.wait_for_debugcon("done\n")
                number, text = error_table("WARNING_TABLE")["WEAK_RANDOM"]
                line = f"bootimage: W{number} {text}"
                for where in (guest.debugcon(), guest.serial(), guest.screen_text()):
                    self.assertEqual(line in where, warned)


if __name__ == "__main__":
    suite.main()
