"""Kernels that others wrote, from Debian's packages, each up to its own first words.

Xen and its shim have no kernel to start behind them, and say so: that is what they print under GRUB,
too. The shim by PVH wants a Xen around it, whatever starts it.
"""

import struct

import machine
import suite
from suite import UEFI

XEN_OPTIONS = "xen com1=115200,8n1 console=com1,vga"
NO_DOM0 = "dom0 kernel not specified"


class ForeignKernelTest(suite.BootTest):
    def find(self, pattern):
        """A file of those that setup.sh has fetched."""
        found = sorted(suite.build_path("FOREIGN").glob(pattern))
        self.assertEqual(len(found), 1, f"{pattern}: start setup.sh once more")
        return found[0]

    def serial_of(self, pattern, text, *options, **how):
        """All that the kernel prints on COM1, up to a text; then it may do as it likes."""
        image = self.package(self.find(pattern), *options)
        with machine.Machine(image, memory="512M", **how) as guest:
            guest.allow_reset()
            guest.wait_for(lambda: text in guest.serial(), f"{text!r} on COM1")
            return guest.serial()


class XenTest(ForeignKernelTest):
    """Multiboot 2, as its header goes before; on UEFI by its 64-bit entry, with boot services."""

    def check(self, **how):
        said = self.serial_of("boot/xen-4.17-amd64.gz", NO_DOM0, "--cmdline", XEN_OPTIONS, **how)
        self.assertIn("Xen version 4.17", said)
        self.assertIn("Command line: com1=115200,8n1 console=com1,vga", said)
        return said

    def test_on_bios(self):
        self.check()

    def test_on_uefi(self):
        self.check(**UEFI)

    def test_a_module_is_its_kernel(self):
        file = self.folder / "no-kernel"
        file.write_bytes(b"this is no kernel" + bytes(10000))
        said = self.serial_of("boot/xen-4.17-amd64.gz", "Could not construct domain 0", "--cmdline",
                              XEN_OPTIONS, "--module", f"{file}=dom0,with options")
        self.assertIn("Xen version 4.17", said)


class ShimTest(ForeignKernelTest):
    """Three protocols in one file."""

    def test_multiboot(self):
        for protocol in "multiboot1", "multiboot2":
            with self.subTest(protocol):
                said = self.serial_of("usr/lib/xen-4.17/boot/xen-shim", NO_DOM0, "--cmdline",
                                      XEN_OPTIONS, "--protocol", protocol)
                self.assertIn("Xen version 4.17", said)

    def test_pvh(self):
        """Under QEMU's own -kernel, it says the same."""
        image = self.package(self.find("usr/lib/xen-4.17/boot/xen-shim"), "--protocol", "pvh")
        with machine.Machine(image, memory="512M") as guest:
            guest.allow_reset()
            guest.wait_for(lambda: "Xen call trace" in guest.debugcon(), "its trace on port 0xE9")
            self.assertIn("pvh_init", guest.debugcon())


class MachTest(ForeignKernelTest):
    """Multiboot 1 in a 64-bit file, with two kinds of addresses; it prints on the VGA screen."""

    def test_on_bios(self):
        image = self.package(self.find("boot/gnumach-1.8-486.gz"))
        with machine.Machine(image, memory="512M") as guest:
            guest.wait_for(lambda: "bootstrap_create" in guest.screen_text(), "its last words")
            said = guest.screen_text()
        self.assertIn("GNU Mach 1.8", said)
        self.assertIn("biosmem: physical memory map:", said)
        self.assertRegex(said, r"000000000000100000:00000000001ff[0-9a-f]{5}, available")


class InvadersTest(ForeignKernelTest):
    """Multiboot 1, by the address fields of its header."""

    def test_on_bios(self):
        image = self.package(self.find("boot/invaders.exec"))
        with machine.Machine(image) as guest:
            guest.wait_for(lambda: "-*-" in guest.screen_text(), "the invaders")


def newc(name, mode, data=b"", device=(0, 0)):
    """A file in an archive of the kind that Linux unpacks."""
    fields = [0, mode, 0, 0, 1, 0, len(data), 0, 0, *device, len(name) + 1, 0]
    head = b"070701" + b"".join(b"%08X" % field for field in fields) + name.encode() + b"\0"
    return head + bytes(-len(head) % 4) + data + bytes(-len(data) % 4)


class LinuxTest(ForeignKernelTest):
    """Debian's kernel, up to a program of its initrd; then it powers the machine off."""

    OPTIONS = "console=ttyS0 panic=-1 loglevel=7"

    def initrd(self):
        program = (suite.build_path("PROTOCOLS") / "init.elf").read_bytes()
        archive = (newc("dev", 0o40755) + newc("dev/console", 0o20600, device=(5, 1))
                   + newc("init", 0o100755, program) + newc("TRAILER!!!", 0))
        path = self.folder / "initrd"
        path.write_bytes(archive)
        return path

    def check(self, kernel, *options, **how):
        image = self.package(kernel, "--cmdline", self.OPTIONS, "--module", str(self.initrd()),
                             *options)
        with machine.Machine(image, memory="512M", **how) as guest:
            guest.allow_reset()
            guest.wait_for(lambda: "bootimage: this is the initrd" in guest.serial(),
                           "the line of the initrd")
            said = guest.serial()
        self.assertIn("Linux version 6.1.", said)
        self.assertIn(f"Command line: {self.OPTIONS}", said)
        return said

    def test_bzimage_on_bios(self):
        said = self.check(self.find("boot/vmlinuz-*"))
        self.assertIn("Console: colour VGA+ 80x25", said)

    def test_bzimage_on_uefi(self):
        said = self.check(self.find("boot/vmlinuz-*"), **UEFI)
        self.assertIn("efi: EFI v2.", said)
        self.assertIn("ACPI: RSDP 0x", said)

    def vmlinux(self):
        """The ELF file in the bzImage, compressed by LZ4 as it is there."""
        data = self.find("boot/vmlinuz-*").read_bytes()
        offset, length = struct.unpack_from("<II", data, 0x248)
        start = (data[0x1F1] + 1) * 512 + offset
        path = self.folder / "vmlinux.lz4"
        path.write_bytes(data[start : start + length])
        return path

    def test_vmlinux_by_pvh(self):
        self.check(self.vmlinux())


class RealModeTest(ForeignKernelTest):
    """Programs with Linux's header that call the BIOS."""

    def test_ipxe(self):
        image = self.package(self.find("boot/ipxe.lkrn"))
        with machine.Machine(image) as guest:
            guest.wait_for(lambda: "No more network devices" in guest.screen_text(), "its last words")
            self.assertIn("iPXE initialising devices...ok", guest.screen_text())

    def test_memdisk(self):
        """With a floppy disk whose boot sector prints a line, and stops."""
        code = bytes.fromhex("fc31c08ed8be207cac84c07406b40ecd10ebf5faf4ebfd")
        sector = (code.ljust(32, b"\0") + b"booted by memdisk\0").ljust(510, b"\0") + b"\x55\xaa"
        floppy = self.folder / "floppy"
        floppy.write_bytes(sector + bytes(1440 * 1024 - 512))
        image = self.package(self.find("usr/lib/syslinux/memdisk"), "--module", str(floppy),
                             "--cmdline", "floppy")
        with machine.Machine(image) as guest:
            guest.wait_for_halt()
            said = guest.screen_text()
        self.assertIn("command line: floppy", said)
        self.assertIn("booted by memdisk", said)

    def test_on_uefi(self):
        image = self.package(self.find("usr/lib/syslinux/memdisk"))
        with machine.Machine(image, **UEFI) as guest:
            self.assertEqual(guest.wait_for_error()[0], 25)


class MemtestTest(ForeignKernelTest):
    """A program with Linux's header."""

    def test_on_bios(self):
        for name in "x64", "ia32":
            image = self.package(self.find(f"boot/memtest86+{name}.bin"))
            with machine.Machine(image) as guest:
                guest.wait_for(lambda: "Memtest86+ v6.10" in guest.screen_text(), "its title")
                guest.wait_for(lambda: "Pass" in guest.screen_text(), "its table")


if __name__ == "__main__":
    suite.main()
