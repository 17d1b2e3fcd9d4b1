"""Where the image goes: whole or not there, and never over something that it must not replace."""

import os
import resource
import signal
import stat
import subprocess

import elf
import support
from elf import Segment

ELSEWHERE = "choose another place with -o"


class Refused(support.ToolTest):
    def test_folder_missing(self):
        self.assert_fails("sub/x.bin: cannot create: No such file or directory; create the folder "
                          "first, or choose another with -o [output-create]",
                          "kernel.elf", "-o", "sub/x.bin")

    def test_folder_is_a_file(self):
        self.assert_fails(
            f"kernel.elf/x: cannot create: Not a directory; {ELSEWHERE} [output-create]",
            "kernel.elf", "-o", "kernel.elf/x")

    def test_name_too_long(self):
        name = "x" * 256
        self.assert_fails(f"{name}: cannot create: File name too long; {ELSEWHERE} [output-create]",
                          "kernel.elf", "-o", name)

    def test_folder_not_writable(self):
        rights = self.as_nobody()
        self.folder.chmod(0o555)
        self.addCleanup(self.folder.chmod, 0o755)
        self.assert_fails(f"x.bin: cannot create: Permission denied; {ELSEWHERE} [output-create]",
                          "kernel.elf", "-o", "x.bin", **rights)

    def test_file_not_writable(self):
        self.write("old.bin", b"old").chmod(0o444)
        rights = self.as_nobody()
        self.assert_fails("old.bin: cannot write: Permission denied; change its rights, or "
                          f"{ELSEWHERE} [output-rights]", "kernel.elf", "-o", "old.bin", **rights)

    def test_folder(self):
        self.assert_fails(".: is a folder; name a file in it with -o [output-folder]",
                          "kernel.elf", "-o", ".")

    def test_device_and_others(self):
        cure = ("is not a regular file, and is left alone; write to a file with -o and copy that "
                "[output-not-regular]")
        os.mkfifo(self.folder / "fifo")
        (self.folder / "link").symlink_to("/dev/full")
        # So that a tool gone wrong does not replace the devices of this machine.
        rights = self.as_nobody()
        for name in "fifo", "link", "/dev/full", "/dev/null":
            self.assert_fails(f"{name}: {cure}", "kernel.elf", "-o", name, **rights)

    def test_standard_output(self):
        """A rename would take the file away from whoever reads what is printed."""
        log = self.write("log", b"")
        with open(log, "wb") as output:
            status, _, message = self.tool("kernel.elf", "-o", "/dev/stdout", stdout=output)
        self.assertEqual((status, message), (1, "bootimage: /dev/stdout: is open as standard input, "
                                             "output or error; name another file with -o "
                                             "[output-open]\n"))
        self.assertEqual(self.names(), ["kernel.elf", "log"])
        self.assertEqual(log.read_bytes(), b"")

    def test_kernel_itself(self):
        os.link(self.kernel, self.folder / "hard")
        (self.folder / "soft").symlink_to("kernel.elf")
        (self.folder / "sub").mkdir()
        for name in ["kernel.elf", "./kernel.elf", "sub/../kernel.elf", str(self.kernel), "hard",
                     "soft"]:
            self.assert_fails(f"{name}: is the kernel itself; {ELSEWHERE} [output-is-input]",
                              "kernel.elf", "-o", name)
        self.assert_fails(f"hard: is the kernel itself; {ELSEWHERE} [output-is-input]",
                          "soft", "-o", "hard")

    def test_links_without_end(self):
        (self.folder / "a").symlink_to("b")
        (self.folder / "b").symlink_to("a")
        self.assert_fails("a: leads from one symbolic link to the next without end; "
                          f"{ELSEWHERE} [symlink-loop]", "kernel.elf", "-o", "a")

    def test_disk_full(self):
        message = ("cannot write: File too large; raise the limit of file sizes (ulimit -f), or "
                   "choose another place [output-write]")
        self.write("kernel.elf", elf.build([Segment(0x100000, bytes(1 << 20))]))
        self.write("old.bin", b"old")
        # At the first byte, in the loader, in the plan, in the payload, in its last sector.
        for limit in 0, 100, 32768, 40000, 1 << 20:
            for sigxfsz in signal.SIG_DFL, signal.SIG_IGN:
                self.assert_fails(f"old.bin: {message}", "kernel.elf", "-o", "old.bin",
                                  preexec_fn=lambda: limit_file(limit, sigxfsz))
        self.assert_fails(f"temporary image (in TMPDIR): {message}", "runner", "kernel.elf",
                          preexec_fn=lambda: limit_file(100, signal.SIG_DFL))
        # In the padding.
        self.write("kernel.elf", elf.kernel())
        self.assert_fails(f"old.bin: {message}", "kernel.elf", "-o", "old.bin",
                          preexec_fn=lambda: limit_file(100000, signal.SIG_DFL))


def limit_file(size, sigxfsz):
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
    # Python itself ignores the signal.
    signal.signal(signal.SIGXFSZ, sigxfsz)


class Written(support.ToolTest):
    def package(self, output, **options):
        self.assertEqual(self.tool("-q", "kernel.elf", "-o", output, **options), (0, "", ""))

    def test_replaces_an_old_image(self):
        self.write("x.bin", bytes(1 << 20))
        self.package("x.bin")
        self.assertEqual(self.names(), ["kernel.elf", "x.bin"])
        self.assertEqual((self.folder / "x.bin").stat().st_size, 516096)

    def test_symbolic_link_is_followed(self):
        (self.folder / "sub").mkdir()
        (self.folder / "to-new").symlink_to("sub/to-newer")
        (self.folder / "sub/to-newer").symlink_to("../new.bin")
        (self.folder / "to-old").symlink_to(self.write("old.bin", b"old"))
        for link, target in ("to-new", "new.bin"), ("to-old", "old.bin"):
            self.package(link)
            self.assertTrue((self.folder / link).is_symlink())
            self.assertFalse((self.folder / target).is_symlink())
            self.assertEqual((self.folder / target).stat().st_size, 516096)
        self.assertEqual(self.names(), ["kernel.elf", "new.bin", "old.bin", "sub", "to-new",
                                        "to-old"])

    def test_other_hard_links_keep_the_old_image(self):
        os.link(self.write("old.bin", b"old"), self.folder / "other")
        self.package("old.bin")
        self.assertEqual((self.folder / "other").read_bytes(), b"old")

    def test_mode(self):
        for mask, mode in (0o022, 0o644), (0o077, 0o600), (0, 0o666):
            self.package("new.bin", umask=mask)
            self.assertEqual(stat.S_IMODE((self.folder / "new.bin").stat().st_mode), mode)
            (self.folder / "new.bin").unlink()
        for mode in 0o640, 0o755, 0o666:
            self.write("old.bin", b"old").chmod(mode)
            self.package("old.bin", umask=0o077)
            self.assertEqual(stat.S_IMODE((self.folder / "old.bin").stat().st_mode), mode)

    def test_longest_name(self):
        self.package("x" * 255)


class Signals(support.ToolTest):
    """A signal while the image is written leaves nothing behind. tests/unit/test_atomic_file.c does
    this without a race; here it is the whole tool, which may be done before the signal comes."""

    def test_signals_leave_nothing(self):
        self.write("kernel.elf", elf.build([Segment(0x100000, bytes(64 << 20))]))
        for number in signal.SIGHUP, signal.SIGINT, signal.SIGTERM:
            process = subprocess.Popen([support.TOOL, "-q", "kernel.elf"], cwd=self.folder)
            while process.poll() is None and len(self.names()) == 1:
                pass
            process.send_signal(number)
            status = process.wait(support.TIME_LIMIT_S)
            self.assertIn(status, (-number, 0))
            self.assertEqual(self.names(), ["kernel.elf"] if status else
                             ["bootimage-kernel.bin", "kernel.elf"])
            self.image.unlink(missing_ok=True)


if __name__ == "__main__":
    support.main()
