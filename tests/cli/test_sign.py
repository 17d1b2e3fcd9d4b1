"""--sign and --cert: the loader is signed inside the EFI system partition."""

import os
import subprocess

import image
import support


class Sign(support.ToolTest):
    def setUp(self):
        super().setUp()
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=x",
                        "-keyout", "key", "-out", "cert"], check=True, capture_output=True,
                       cwd=self.folder)
        (self.folder / "tmp").mkdir()
        self.environment = os.environ | {"TMPDIR": str(self.folder / "tmp")}

    def loader(self, *options):
        """The volume and the loader in it, as mtools reads it."""
        self.assertEqual(self.tool("-q", *options, "kernel.elf", env=self.environment), (0, "", ""))
        self.assertEqual(os.listdir(self.folder / "tmp"), [])
        data = self.image.read_bytes()
        made = image.Image(data)
        self.assertEqual(self.tool("verify", "-q", self.image.name), (0, "", ""))
        volume = data[made.esp_lba * 512:(made.esp_lba + made.esp_sectors) * 512]
        self.write("esp", volume)
        subprocess.run(["mcopy", "-n", "-o", "-i", "esp", "::/EFI/BOOT/BOOTX64.EFI", "BOOTX64.EFI"],
                       check=True, cwd=self.folder)
        return volume, (self.folder / "BOOTX64.EFI").read_bytes()

    def test_signed(self):
        volume, unsigned = self.loader()
        signed_volume, signed = self.loader("--sign=key", "--cert=cert")
        self.assertEqual(len(volume), len(signed_volume))
        self.assertGreater(len(signed), len(unsigned))
        subprocess.run(["sbverify", "--cert", "cert", "BOOTX64.EFI"], check=True,
                       capture_output=True, cwd=self.folder)
        subprocess.run(["sbattach", "--remove", "BOOTX64.EFI"], check=True, capture_output=True,
                       cwd=self.folder)
        self.assertEqual(len((self.folder / "BOOTX64.EFI").read_bytes()), len(unsigned))

    def test_the_file_system_is_whole(self):
        self.loader("--sign=key", "--cert=cert")
        done = subprocess.run(["fsck.fat", "-n", "esp"], cwd=self.folder, capture_output=True,
                              text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_errors(self):
        self.assert_fails("--sign and --cert go together: a private key and its certificate; give "
                          "both [sign-alone]", "--sign=key", "kernel.elf", status=2)
        self.assert_fails("--sign signs the loader for UEFI, which --firmware=bios leaves out; leave "
                          "out one of them [sign-bios]", "--sign=key", "--cert=cert",
                          "--firmware=bios", "kernel.elf", status=2)
        self.assert_fails("sbsign: cannot run: No such file or directory; install it (Debian: "
                          "sbsigntool) [sbsign-missing]", "--sign=key", "--cert=cert", "kernel.elf",
                          env=self.environment | {"PATH": "/nowhere"})
        status, output, errors = self.tool("--sign=cert", "--cert=key", "kernel.elf",
                                           env=self.environment)
        self.assertEqual((status, output), (1, ""))
        self.assertRegex(errors, r"\Abootimage: sbsign has not signed the loader with cert and key "
                                 r"\(.+\); give a private key and its certificate, both PEM "
                                 r"\[sbsign-failed\]\n\Z")
        self.assertIn(" [sbsign-failed]", errors)
        self.assertFalse(self.image.exists())
        self.assertEqual(os.listdir(self.folder / "tmp"), [])


if __name__ == "__main__":
    support.main()
