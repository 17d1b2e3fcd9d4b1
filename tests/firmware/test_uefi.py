"""The loader on firmware that has the quirks of uefi_shim.c."""

import machine
import suite
from image_file import error_table
from suite import UEFI

CONTRACT_CHECKS = 87


class UefiShimTest(suite.BootTest):
    def start(self, quirk):
        """Arguments of QEMU that start the loader behind the shim."""
        return ("-kernel", str(suite.build_path("UEFI_SHIM")), "-append", quirk)

    def check_boots(self, quirk, kernel="contract-high", **how):
        image = self.package(self.kernel(kernel))
        with machine.Machine(image, arguments=self.start(quirk), **UEFI | how) as guest:
            _, count = self.check_report(guest)
            if kernel == "contract-high":
                self.assertEqual(count, CONTRACT_CHECKS)

    def check_stops(self, quirk, name):
        number, text = error_table()[name]
        image = self.package(self.kernel("plain-gcc"))
        with machine.Machine(image, arguments=self.start(quirk), **UEFI) as guest:
            found, line = guest.wait_for_error()
            self.assertEqual(found, number, line)
            self.assertRegex(line, rf"^bootimage: E{number} {text} \(status 0x8000000000000002\)$")

    def test_without_a_quirk(self):
        self.check_boots("none")

    def test_a_loader_above_4_gib(self):
        self.check_boots("high", memory="5G")

    def test_memory_that_cannot_be_executed(self):
        self.check_boots("no-execute")

    def test_a_key_that_is_old_again_and_again(self):
        self.check_boots("exit-late")

    def test_a_firmware_that_stays(self):
        self.check_stops("exit-never", "LEAVE")

    def test_a_map_of_3000_odd_descriptors(self):
        self.check_boots("map")

    def test_short_reads(self):
        for kernel in ("contract-high", "plain-gcc"):
            self.check_boots("read-128", kernel)

    def test_reads_to_whole_pages(self):
        """Segments of these kernels begin anywhere in a page, and are large."""
        for kernel in ("shared-page", "one-segment"):
            self.check_boots("align", kernel)

    def test_reads_of_one_sector(self):
        self.check_boots("read-1")


if __name__ == "__main__":
    suite.main()
