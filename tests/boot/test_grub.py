"""The kernels of test_protocols.py, started by GRUB: what another loader tells them passes the same
checks. So these are the specification's, and not what our loader happens to do. Each difference is
listed here, with what the specification says of it.
"""

import os
import re
import shutil
import subprocess

import machine
import suite
from suite import UEFI

BOTH = {
    "the command line": "GRUB puts words with blanks in them into quotes; the text is free",
    "the loader's name": "it is another loader",
}
# Of Multiboot 1 on a BIOS.
BIOS_1 = {"the APM table": "its flag is not set: no kernel requires the table"}
# Of Multiboot 2 on a BIOS.
BIOS_2 = {
    "it is apart from the kernel":
        "GRUB puts it into a hole between two segments, which is no memory of the kernel; ours never "
        "does, as kernels take what lies from their first byte to their last for theirs",
    "SMBIOS, of version 2 or later": "a tag may be missing that no kernel requires",
    "the boot device, and nothing of EFI": "GRUB boots the whole disk, as an ISO has no partition",
}
UEFI_2 = {"SMBIOS, of version 2 or later": BIOS_2["SMBIOS, of version 2 or later"]}


def iso_of(folder, files, *commands):
    """A disk with these files, by their names, on which GRUB obeys the commands and boots."""
    root = folder / "root"
    (root / "boot/grub").mkdir(parents=True)
    for name, path in files.items():
        shutil.copy(path, root / name)
    (root / "boot/grub/grub.cfg").write_text("\n".join(("set timeout=0", *commands, "boot\n")))
    path = folder / "grub.iso"
    done = subprocess.run(["grub-mkrescue", "-o", path, root], capture_output=True, text=True,
                          check=False, timeout=120, env=os.environ | {"TMPDIR": str(folder)})
    if done.returncode != 0:
        raise AssertionError(f"grub-mkrescue: {done.stderr}")
    return path


class GrubTest(suite.BootTest):
    def iso(self, kernel, suffix):
        """A disk that GRUB boots the kernel from, with the modules of test_protocols.py."""
        files = {"kernel": suite.build_path("PROTOCOLS") / f"{kernel}.elf"}
        for index, size in enumerate((5000, 70000, 0)):
            files[f"m{index}"] = self.folder / f"m{index}"
            files[f"m{index}"].write_bytes(bytes((at * 7 + index) % 256 for at in range(size)))
        return iso_of(self.folder, files, f"multiboot{suffix} /kernel one 'two ' three",
                      f"module{suffix} /m0 first with arguments", f"module{suffix} /m1 m1",
                      f"module{suffix} /m2 m2")

    def check(self, kernel, suffix, expected, **how):
        """Just these checks fail."""
        with machine.Machine(self.iso(kernel, suffix), **how) as guest:
            guest.wait_for_debugcon("done\n")
            report = guest.debugcon()
        failed = re.findall(r"^not ok \d+ - (.*)$", report, re.MULTILINE)
        self.assertEqual(sorted(failed), sorted(expected), report)
        self.assertGreater(len(re.findall(r"^ok ", report, re.MULTILINE)), 15)

    def test_multiboot_1_on_bios(self):
        self.check("multiboot1", "", BOTH | BIOS_1)

    def test_multiboot_1_on_uefi(self):
        self.check("multiboot1", "", BOTH, **UEFI)

    def test_multiboot_2_on_bios(self):
        self.check("multiboot2", "2", BOTH | BIOS_2)

    def test_multiboot_2_on_uefi(self):
        self.check("multiboot2", "2", BOTH | UEFI_2, **UEFI)


if __name__ == "__main__":
    suite.main()
