"""Kernels that know nothing of bootimage boot as they are: any compiler, any linker, any address.

Each of them (kernels/) checks its own memory and reports; what is on the screen is read here.
"""

import machine
import suite

# Large enough for the payload of 64 MiB, and no larger.
LARGE = "256M"


class ForeignKernelTest(suite.BootTest):
    def boot_and_see(self, kernel, text, checks):
        """Boot a kernel that writes the text in bright green to the last row of the screen."""
        with machine.Machine(self.package(self.kernel(kernel))) as guest:
            _, count = self.check_report(guest)
            self.assertEqual(count, checks)
            expected = [(character, 0x0A) for character in text]
            self.assertEqual(guest.screen()[machine.SCREEN_ROWS - 1][:len(text)], expected)

    def boot_at(self, kernel, address, payload_bytes):
        values, count = self.boot(kernel, memory=LARGE)
        self.assertEqual(count, 3)
        self.assertEqual(int(values["address"], 16), address)
        self.assertEqual(int(values["payload"], 16), payload_bytes)

    def test_assembly_alone(self):
        self.boot_and_see("screen", "assembly alone", 0)

    def test_c_by_gcc_and_ld(self):
        self.boot_and_see("plain-gcc", "plain kernel", 6)

    def test_c_by_clang_and_lld(self):
        self.boot_and_see("plain-clang", "plain kernel", 6)

    def test_rust(self):
        self.boot_and_see("rust", "rust kernel", 3)

    def test_offsets_that_are_not_congruent(self):
        self.boot_and_see("odd-offsets", "plain kernel", 6)

    def test_physical_addresses_that_mean_nothing(self):
        self.boot_and_see("odd-paddr", "plain kernel", 6)

    def test_segments_far_from_each_other_in_physical_memory(self):
        self.boot_and_see("scattered", "plain kernel", 6)

    def test_one_segment_with_all_rights(self):
        with machine.Machine(self.package(self.kernel("one-segment"))) as guest:
            self.assertEqual(self.check_report(guest)[1], 3)

    def test_segments_that_share_a_page(self):
        self.boot_at("shared-page", 0x400000, 3 * 2**20 // 2)

    def test_the_rights_of_segments_that_share_pages_and_of_empty_ones(self):
        self.assertEqual(self.boot("shared")[1], 5)

    def test_a_thousand_segments(self):
        self.assertEqual(self.boot("many-segments")[1], 1)

    def test_memory_that_is_not_zero_at_power_on(self):
        for kernel, checks in (("plain-gcc", 6), ("plain-clang", 6), ("many-segments", 1)):
            with self.subTest(kernel=kernel):
                self.assertEqual(self.boot(kernel, **self.used_memory(64))[1], checks)

    def test_64_mib_linked_low(self):
        self.boot_at("address-low", 0x100000, 64 * 2**20)

    def test_64_mib_linked_high(self):
        self.boot_at("address-high", 0xFFFFFFFF80000000, 64 * 2**20)

    def test_linked_into_the_map_of_physical_memory(self):
        self.boot_at("address-upper", 0xFFFF800000100000, 4 * 2**20)

    def test_floating_point_by_calls(self):
        self.assertEqual(self.boot("floating")[1], 13)


if __name__ == "__main__":
    suite.main()
