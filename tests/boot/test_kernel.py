"""The project's own kernel: what a newcomer sees after the first build, on each disk and machine.
"""

import re

import machine
import suite

HELLO = "Hello World!"
RED_ON_BLACK = 0x04
COMMAND_LINE = "hello=world quiet"


class KernelTest(suite.BootTest):
    def check_hello(self, **how):
        image = self.package(suite.build_path("KERNEL"), "--cmdline", COMMAND_LINE)
        with machine.Machine(image, **how) as guest:
            guest.wait_for_serial(COMMAND_LINE)
            guest.wait_for_halt()
            row = guest.screen()[0]
            self.assertEqual(row[:len(HELLO)],
                             [(character, RED_ON_BLACK) for character in HELLO])
            self.assertEqual("".join(character for character, _ in row[len(HELLO):]).strip(), "")
            self.check_text(guest.serial())
            return guest.serial(), guest.screen_text()

    def check_text(self, serial):
        """What the kernel says, in its order."""
        text = serial.replace("\r\n", "\n")
        self.assertRegex(text, re.compile(
            r"^Hello World!\n"
            r"Loader: bootimage \d+\.\d+\.\d+\n"
            r"Screen: text\n"
            r"Memory: \d+ MiB usable, \d+ ranges\n"
            r"(  0x[0-9a-f]{16}-0x[0-9a-f]{16} +\d+ KiB  [\w ]+\n)+"
            rf"Command line: {COMMAND_LINE}\n$", re.MULTILINE))

    def test_ide(self):
        self.check_hello(bus="ide")

    def test_ahci(self):
        self.check_hello(bus="ahci")

    def test_virtio(self):
        self.check_hello(bus="virtio")

    def test_q35_ahci(self):
        self.check_hello(bus="ahci", machine="q35")

    def test_q35_virtio(self):
        self.check_hello(bus="virtio", machine="q35")

    def test_32_mib(self):
        serial, _ = self.check_hello(memory="32M")
        self.assertRegex(serial, r"Memory: (30|31|32) MiB usable")

    def test_3_gib(self):
        serial, _ = self.check_hello(memory="3G")
        self.assertRegex(serial, r"Memory: 307[012] MiB usable")

    def test_the_screen_says_what_the_serial_port_says(self):
        serial, screen = self.check_hello()
        for line in serial.splitlines():
            self.assertIn(line, screen)

    def test_the_image_of_the_build(self):
        with machine.Machine(suite.build_path("KERNEL_IMAGE")) as guest:
            guest.wait_for_serial("Command line: ")
            guest.wait_for_halt()
            self.assertEqual(guest.screen()[0][:len(HELLO)],
                             [(character, RED_ON_BLACK) for character in HELLO])


if __name__ == "__main__":
    suite.main()
