"""Position-independent kernels (kernels/pie.c): relocated, at the usual, a chosen or a random place."""

import machine
import suite

# How many checks pie.c makes.
CHECKS = 6
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

    def test_at_the_address_of_the_option(self):
        self.assertEqual(self.slide("pie", "--base=0xffffffffa0000000"), 0xffffffffa0000000)
        self.assertEqual(self.slide("pie-relr", "--base=0x40000000"), 0x40000000)

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
                text = "bootimage: W1 the kernel's random address comes from clocks"
                self.assertEqual(text in guest.debugcon(), warned)


if __name__ == "__main__":
    suite.main()
