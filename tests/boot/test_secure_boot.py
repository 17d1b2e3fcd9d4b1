"""Secure Boot, with a key of one's own: an unsigned loader is refused by the firmware, a signed one
boots. README has the recipe."""

import machine
import secure_boot
import suite

SECURE = {"firmware": "uefi-secure", "machine": "q35", "machine_options": ",smm=on"}


class SecureBootTest(suite.BootTest):
    def setUp(self):
        self.key, self.certificate = secure_boot.make_key(self.folder, "own")
        self.variables = secure_boot.enroll(machine.OVMF_VARS, self.certificate,
                                            self.folder / "variables")

    def check_refused(self, image):
        with machine.Machine(image, variables=self.variables, **SECURE) as guest:
            guest.wait_for(lambda: "Access Denied" in guest.serial(), "the firmware to refuse")
            self.assertEqual(guest.debugcon(), "")

    def sign(self, key, certificate):
        return self.package(self.kernel("contract-high"), "--sign", key, "--cert", certificate)

    def test_signed(self):
        """And the kernel finds everything as it is promised."""
        _, count = self.boot_image(self.sign(self.key, self.certificate), variables=self.variables,
                                   **SECURE)
        self.assertEqual(count, 89)

    def test_unsigned(self):
        self.check_refused(self.package(self.kernel("contract-high")))

    def test_signed_by_somebody_else(self):
        self.check_refused(self.sign(*secure_boot.make_key(self.folder, "other")))

    def test_changed_after_it_was_signed(self):
        image = self.sign(self.key, self.certificate)
        data = bytearray(image.read_bytes())
        at = data.rindex(b"cannot read the boot disk")  # in the UEFI loader, behind stage 2
        data[at] ^= 1
        image.write_bytes(data)
        self.check_refused(image)


if __name__ == "__main__":
    suite.main()
