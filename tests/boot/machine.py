"""One QEMU machine under test: start it, wait for what it does, look at it, leave nothing behind.

Used as a context manager. Verdicts never hang on how long something takes: every wait polls for a
state (a text that was printed, a processor that halted, a reset) and fails at once when that state
can no longer come; the time limit is only there so that a hang ends. A machine that reset itself
is kept standing, so that its registers and its output can be put into the failure's message.
Whatever happens, the boot disk must not have been written; of a QEMU that its guest ended, nobody
can know.
"""

import contextlib
import ctypes
import os
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile
import time

import glyphs
from qmp import Qmp, QmpClosed, QmpError

QEMU = os.environ.get("QEMU", "qemu-system-x86_64")
TIME_LIMIT_S = 120
POLL_S = 0.02

COM1 = "serial"
DEBUGCON = "debugcon"

SCREEN_PADDR = 0xB8000
SCREEN_COLUMNS = 80
SCREEN_ROWS = 25

# OVMF: code, and variables of which each machine gets a copy.
OVMF_CODE = pathlib.Path("/usr/share/OVMF/OVMF_CODE_4M.fd")
OVMF_VARS = pathlib.Path("/usr/share/OVMF/OVMF_VARS_4M.fd")
# The same with Secure Boot, which wants a machine with system management mode.
OVMF_SECURE_CODE = pathlib.Path("/usr/share/OVMF/OVMF_CODE_4M.secboot.fd")

# The first words of every error line of the loader.
ERROR = re.compile(r"bootimage: E(\d+) [^\r\n]*")

# QEMU's arguments that attach the drive "disk" to a bus: of the controller, and of the disk. On
# q35 "ahci" is the machine's own controller, on pc it is a card.
CONTROLLERS = {
    "ide": ([], "ide-hd,bus=ide.0"),
    "ahci": (["-device", "ahci,id=ahci"], "ide-hd,bus=ahci.0"),
    "virtio": ([], "virtio-blk-pci"),
    "nvme": ([], "nvme,serial=1"),
    "lsi": (["-device", "lsi53c895a,id=lsi"], "scsi-hd,bus=lsi.0"),
    "xhci": (["-device", "qemu-xhci,id=usb"], "usb-storage,bus=usb.0"),
    "ehci": (["-device", "usb-ehci,id=usb"], "usb-storage,bus=usb.0"),
    "uhci": (["-device", "piix3-usb-uhci,id=usb"], "usb-storage,bus=usb.0"),
    "virtio-scsi": (["-device", "virtio-scsi-pci,id=scsi"], "scsi-hd,bus=scsi.0"),
}
BUSES = {(bus, machine): [*controller, "-device", f"{disk},drive=disk,bootindex=1"]
         for bus, (controller, disk) in CONTROLLERS.items() for machine in ("pc", "q35")}
BUSES["ahci", "q35"] = BUSES["ide", "pc"]
del BUSES["ide", "q35"]


class MachineFailure(AssertionError):
    """The machine did not do what the test waits for."""


class MachineReset(MachineFailure):
    """The guest reset itself: a triple fault, unless it asked for it."""


class MachineTimeout(MachineFailure):
    """The time limit passed."""


class DiskWritten(MachineFailure):
    """Something was written to the boot disk."""


def comma_escaped(path):
    """A path as it stands in an option of QEMU, where commas separate."""
    return str(path).replace(",", ",,")


def die_with_parent():
    """Runs in the child: however the test ends, even by SIGKILL, QEMU ends with it."""
    pr_set_pdeathsig = 1
    ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGKILL)


class Machine:
    def __init__(self, image, bus="ahci", machine="pc", memory="256M", cpu="qemu64",
                 processors="1", machine_options="", drive="", blkdebug=None, accelerator="tcg", arguments=(),
                 time_limit_s=TIME_LIMIT_S, firmware="bios", vga="std", variables=OVMF_VARS):
        """image: path of the raw disk; blkdebug: path of a file of rules of failing reads;
        processors: value of -smp; firmware: bios, uefi or uefi-secure (use a q35 then);
        variables: what the last two begin with;
        vga: value of -vga;
        machine_options, drive: more options (",name=value") of -machine and -drive."""
        self._deadline = time.monotonic() + time_limit_s
        self._process = None
        self._firmware, self._has_screen = firmware, vga != "none"
        self._qmp = None
        self._may_reset = False
        self._has_exited = False
        self._folder = pathlib.Path(tempfile.mkdtemp(prefix="bootimage-"))
        file = comma_escaped(image)
        if blkdebug:
            file = f"blkdebug:{comma_escaped(blkdebug)}:{file}"
        self._command = [
            QEMU, "-no-user-config", "-nodefaults",
            "-machine", machine + machine_options, "-accel", accelerator,
            "-cpu", cpu, "-smp", processors, "-m", memory,
            "-display", "none", "-vga", vga, *self._flash(firmware, variables),
            "-drive", f"if=none,id=disk,format=raw,snapshot=on,file={file}{drive}",
            *BUSES[bus, machine],
            "-chardev", f"file,id=serial,path={self._path(COM1)}",
            "-serial", "chardev:serial",
            "-chardev", f"file,id=debugcon,path={self._path(DEBUGCON)}",
            "-device", "isa-debugcon,iobase=0xe9,chardev=debugcon",
            "-chardev", f"socket,id=qmp,path={self._path('qmp')}",
            "-mon", "chardev=qmp,mode=control",
            "-action", "reboot=shutdown,shutdown=pause",
            *arguments,
        ]

    def _flash(self, firmware, template):
        """QEMU's arguments for the firmware; variables that a guest writes are gone with it."""
        if firmware == "bios":
            return []
        variables = self._path("variables")
        shutil.copyfile(template, variables)
        code = OVMF_CODE if firmware == "uefi" else OVMF_SECURE_CODE
        return ["-drive", f"if=pflash,format=raw,unit=0,readonly=on,file={code}",
                "-drive", f"if=pflash,format=raw,unit=1,file={variables}",
                *(["-global", "driver=cfi.pflash01,property=secure,value=on"]
                  if firmware == "uefi-secure" else [])]

    def __enter__(self):
        try:
            self._start()
        except BaseException:
            self._clean_up()
            raise
        return self

    def __exit__(self, kind, error, traceback):
        try:
            if kind is None and not self._has_exited:
                self._check_alive("the end of the test")
                self.check_disk_unwritten()
        finally:
            self._clean_up()

    def _start(self):
        self._qmp = Qmp(str(self._path("qmp")))
        with open(self._path("stderr"), "wb") as stderr:
            # The overlay of snapshot=on goes to TMPDIR.
            self._process = subprocess.Popen(
                self._command, stdin=subprocess.DEVNULL, stdout=stderr, stderr=stderr,
                env=os.environ | {"TMPDIR": str(self._folder)}, preexec_fn=die_with_parent)
        while not self._qmp.accept(POLL_S):
            if self._process.poll() is not None:
                self._fail(MachineFailure, "QEMU did not start")
            self._check_time("QEMU to start")

    def _clean_up(self):
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        if self._qmp is not None:
            self._qmp.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _path(self, name):
        return self._folder / name

    def process_id(self):
        return self._process.pid

    # What the guest has put out so far.

    def _output(self, name):
        try:
            return self._path(name).read_bytes().decode("latin-1")
        except FileNotFoundError:
            return ""

    def serial(self):
        return self._output(COM1)

    def debugcon(self):
        return self._output(DEBUGCON)

    def screen(self):
        """The VGA text screen: a list of rows, each a list of (character, attribute)."""
        cells = self.memory(SCREEN_PADDR, SCREEN_ROWS * SCREEN_COLUMNS * 2)
        pairs = list(zip(cells[0::2].decode("cp437"), cells[1::2]))
        return [pairs[i:i + SCREEN_COLUMNS] for i in range(0, len(pairs), SCREEN_COLUMNS)]

    def screen_text(self):
        """The screen's characters, row after row with nothing between: a long line wraps."""
        return "".join(character for row in self.screen() for character, _ in row)

    def memory(self, paddr, size_bytes):
        path = self._path("memory")
        self._qmp.command("pmemsave", val=paddr, size=size_bytes, filename=str(path))
        return path.read_bytes()

    def monitor(self, command):
        """What QEMU's monitor answers."""
        return self._qmp.command("human-monitor-command", **{"command-line": command})

    def registers(self):
        """Registers by QEMU's names, such as RIP, EFL, CR0 (and HLT, 1 in a halted processor)."""
        text = self.monitor("info registers")
        return {name: int(value, 16)
                for name, value in re.findall(r"\b([A-Z][A-Z0-9]+) ?=\s*([0-9a-f]+)\b", text)}

    def halted_processors(self):
        """Numbers of those that are halted, by what QEMU tells of all of them."""
        text = self.monitor("info registers -a")
        return {int(number) for number, registers in
                re.findall(r"CPU#(\d+)\s(.*?)(?=CPU#|\Z)", text, re.DOTALL)
                if "HLT=1" in registers}

    # Waiting.

    def wait_for(self, condition, what):
        """Poll until the condition holds; a reset or the end of QEMU is a failure by name."""
        while True:
            self._check_alive(what)
            if condition():
                return
            self._check_time(what)
            try:
                self._qmp.poll(POLL_S)
            except QmpClosed:
                self._fail(MachineFailure, f"QEMU ended while the test waited for {what}")

    def wait_for_debugcon(self, text):
        """Wait until the kernel has printed the text on port 0xE9."""
        self._wait_for_text(self.debugcon, text, "the debug console")

    def wait_for_serial(self, text):
        """Wait until the kernel has printed the text on COM1."""
        self._wait_for_text(self.serial, text, "COM1")

    def _wait_for_text(self, output, text, where):
        """An error of the loader, or a processor that halted for good, fails at once."""
        what = f"{text!r} on {where}"

        def printed():
            stopped = self._is_halted()
            if text in output():
                return True
            if ERROR.search(output()):
                self._fail(MachineFailure, f"the loader gave up; the test waited for {what}")
            if stopped:
                self._fail(MachineFailure, f"the guest stopped; the test waited for {what}")
            return False
        self.wait_for(printed, what)

    def wait_for_halt(self):
        """Wait until the processor halted for good: HLT with interrupts off."""
        self.wait_for(self._is_halted, "the processor to stop for good")

    def _is_halted(self):
        """Halted with interrupts off, and still there a moment later."""
        place = self._halted_at()
        if place is None:
            return False
        self._qmp.poll(POLL_S)
        return self._halted_at() == place

    def _halted_at(self):
        """The instruction pointer of a processor that is halted with interrupts off, else None."""
        registers = self.registers()
        flags = registers.get("EFL", registers.get("RFL"))
        if registers["HLT"] != 1 or flags & 0x200:
            return None
        return registers.get("EIP", registers.get("RIP"))

    def wait_for_error(self):
        """Wait for the loader's error line and its stop: (number, line), the same on all three."""
        self.wait_for(lambda: ERROR.search(self.debugcon()),
                      "an error line of the loader on the debug console")
        self.wait_for_halt()
        found = ERROR.search(self.debugcon())
        line = found.group(0)
        if line not in self.serial():
            self._fail(MachineFailure, f"{line!r} is not on COM1")
        if not self._screen_shows(line):
            self._fail(MachineFailure, f"{line!r} is not on the screen")
        return int(found.group(1)), line

    def _screen_shows(self, line):
        if not self._has_screen:
            return True
        if self._firmware == "bios":
            return line in self.screen_text()
        return glyphs.shows(self.picture(), line)

    def picture(self):
        """What the screen shows, as a glyphs.Picture."""
        path = self._path("picture")
        self._qmp.command("screendump", filename=str(path))
        return glyphs.Picture(path.read_bytes())

    def allow_reset(self):
        """The guest may reset itself when it has done what the test waits for."""
        self._may_reset = True

    def wait_for_reset(self):
        """Wait until the guest resets itself; for tests in which it must."""
        self._may_reset = True
        while not self._was_reset():
            self._check_time("a reset")
            self._qmp.poll(POLL_S)

    def wait_for_exit(self, status):
        """Wait until the guest ends QEMU by isa-debug-exit, with this status."""
        while self._process.poll() is None:
            if self._was_reset():
                self._fail(MachineReset, "the guest reset itself before it ended QEMU")
            self._check_time("the guest to end QEMU")
            with contextlib.suppress(QmpClosed):
                self._qmp.poll(POLL_S)
        if self._process.returncode != status:
            self._fail(MachineFailure, f"QEMU's status is {self._process.returncode}, not {status}")
        self._has_exited = True

    # Checks.

    def check_disk_unwritten(self):
        written = [f"{device['device']}: {device['stats']['wr_operations']}"
                   for device in self._qmp.command("query-blockstats")
                   if device["device"] == "disk" and device["stats"]["wr_operations"] != 0]
        if written:
            self._fail(DiskWritten, f"the boot disk was written ({', '.join(written)})")

    def _was_reset(self):
        return any(event["event"] == "SHUTDOWN" and event["data"]["reason"] == "guest-reset"
                   for event in self._qmp.events)

    def _check_alive(self, what):
        if self._was_reset() and not self._may_reset:
            self._fail(MachineReset, f"the guest reset itself (a triple fault?) before {what}")
        if self._process.poll() is not None:
            self._fail(MachineFailure, f"QEMU ended while the test waited for {what}")

    def _check_time(self, what):
        if time.monotonic() > self._deadline:
            self._fail(MachineTimeout, f"the time limit passed while the test waited for {what}")

    def _fail(self, kind, message):
        """Raise, with all that may help to find out why."""
        parts = [message, "command: " + " ".join(self._command)]
        for name in ("stderr", COM1, DEBUGCON):
            parts.append(f"{name}: {self._output(name).rstrip()}")
        try:
            rows = ["".join(character for character, _ in row) for row in self.screen()]
            parts.append("screen:\n" + "\n".join(row.rstrip(" \0") for row in rows).rstrip())
            parts.append(self.monitor("info registers"))
        except (QmpClosed, QmpError, AttributeError, OSError):
            parts.append("(QEMU is gone: no screen and no registers)")
        raise kind("\n".join(parts)) from None
