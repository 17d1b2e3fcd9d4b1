"""One image file on every disk and machine that SeaBIOS boots from: the contract holds on each.
"""

import machine
import suite


class HostTest(suite.BootTest):
    def test_every_disk_of_every_machine(self):
        image = self.package(self.kernel("contract-high"))
        for bus, kind in machine.BUSES:
            with self.subTest(bus=bus, machine=kind):
                with machine.Machine(image, bus=bus, machine=kind) as guest:
                    values, _ = self.check_report(guest)
                    self.assertEqual(int(values["boot_drive"], 16), 0x80)


if __name__ == "__main__":
    suite.main()
