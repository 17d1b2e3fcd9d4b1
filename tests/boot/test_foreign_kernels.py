"""Kernels that others wrote, from Debian's packages, each up to its own first words.

Xen and its shim have no kernel to start behind them, and say so: that is what they print under GRUB,
too. The shim by PVH wants a Xen around it, whatever starts it.
"""

import gzip
import struct

import glyphs
import machine
import suite
import test_grub
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
        """It wants a Xen around it, and shows where it missed it."""
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
        # Which only its stub can find out, while boot services are there.
        self.assertIn("secureboot: Secure boot disabled", said)

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

    def floppy(self):
        """One whose boot sector prints a line, and stops."""
        code = bytes.fromhex("fc31c08ed8be207cac84c07406b40ecd10ebf5faf4ebfd")
        sector = (code.ljust(32, b"\0") + b"booted by memdisk\0").ljust(510, b"\0") + b"\x55\xaa"
        floppy = self.folder / "floppy"
        floppy.write_bytes(sector + bytes(1440 * 1024 - 512))
        return floppy

    def test_memdisk(self):
        floppy = self.floppy()
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

    def test_on_uefi(self):
        """By its 64-bit entry; it sets a mode of 640 by 480, and writes to the middle of that."""
        image = self.package(self.find("boot/memtest86+x64.bin"))
        with machine.Machine(image, **UEFI) as guest:
            guest.wait_for(lambda: glyphs.shows(guest.picture(), "Using: All Cores", height=16),
                           "its table")


class OtherLoadersTest(ForeignKernelTest):
    """What is waited for above is what these kernels print, whoever starts them: QEMU's own -kernel
    or, where that does not take the file, GRUB."""

    def by_qemu(self, file, *arguments, memory="512M"):
        disk = self.folder / "disk"
        disk.write_bytes(bytes(512))
        return machine.Machine(disk, memory=memory, arguments=["-kernel", str(file), *arguments])

    def unpacked(self, pattern):
        path = self.folder / "kernel"
        path.write_bytes(gzip.decompress(self.find(pattern).read_bytes()))
        return path

    def test_xen(self):
        with self.by_qemu(self.unpacked("boot/xen-4.17-amd64.gz"), "-append", XEN_OPTIONS) as guest:
            guest.allow_reset()
            guest.wait_for(lambda: NO_DOM0 in guest.serial(), "its last words")
            self.assertIn("Xen version 4.17", guest.serial())

    def test_the_shim_by_multiboot(self):
        with self.by_qemu(self.find("usr/lib/xen-4.17/boot/xen-shim"), "-append",
                          XEN_OPTIONS) as guest:
            guest.allow_reset()
            guest.wait_for(lambda: NO_DOM0 in guest.serial(), "its last words")

    def test_the_shim_by_pvh(self):
        """Which QEMU takes where there is no Multiboot header."""
        path = self.folder / "shim"
        data = self.find("usr/lib/xen-4.17/boot/xen-shim").read_bytes()
        path.write_bytes(data.replace(struct.pack("<I", 0x1BADB002), bytes(4), 1))
        with self.by_qemu(path) as guest:
            guest.allow_reset()
            guest.wait_for(lambda: "Xen call trace" in guest.debugcon(), "its trace on port 0xE9")
            self.assertIn("pvh_init", guest.debugcon())

    def test_mach_by_grub(self):
        disk = test_grub.iso_of(self.folder, {"kernel": self.unpacked("boot/gnumach-1.8-486.gz")},
                                "multiboot /kernel")
        with machine.Machine(disk, memory="512M") as guest:
            guest.wait_for(lambda: "bootstrap_create" in guest.screen_text(), "its last words")
            self.assertIn("GNU Mach 1.8", guest.screen_text())

    def test_invaders(self):
        with self.by_qemu(self.find("boot/invaders.exec")) as guest:
            guest.wait_for(lambda: "-*-" in guest.screen_text(), "the invaders")

    def test_linux(self):
        initrd = LinuxTest.initrd(self)
        with self.by_qemu(self.find("boot/vmlinuz-*"), "-initrd", str(initrd), "-append",
                          LinuxTest.OPTIONS) as guest:
            guest.allow_reset()
            guest.wait_for(lambda: "bootimage: this is the initrd" in guest.serial(), "the initrd")
            self.assertIn(f"Command line: {LinuxTest.OPTIONS}", guest.serial())

    def test_ipxe(self):
        with self.by_qemu(self.find("boot/ipxe.lkrn")) as guest:
            guest.wait_for(lambda: "No more network devices" in guest.screen_text(), "its last words")

    def test_memdisk(self):
        with self.by_qemu(self.find("usr/lib/syslinux/memdisk"), "-initrd",
                          str(RealModeTest.floppy(self)), "-append", "floppy") as guest:
            guest.wait_for_halt()
            self.assertIn("booted by memdisk", guest.screen_text())

    def test_memtest(self):
        with self.by_qemu(self.find("boot/memtest86+x64.bin")) as guest:
            guest.wait_for(lambda: "Memtest86+ v6.10" in guest.screen_text(), "its title")


if __name__ == "__main__":
    suite.main()
