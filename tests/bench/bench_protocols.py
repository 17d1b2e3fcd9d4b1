"""How long it takes from power-on to the first instruction of a kernel, by each boot protocol, of each
size: by our image, by GRUB and by QEMU's own -kernel, where those can.

By the time stamp counter, and by counting instructions. The counter begins at 0 when the machine does,
so it has the firmware's part in it: what a boot sector sees that does nothing is printed, too. The ratios
are of instructions behind that. -kernel has no boot sector: its image comes over a device of QEMU, by
code of the firmware. Prints figures; fails only if something could not be run.
"""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

import figures
from counting import counting

sys.path.insert(0, os.environ["BOOT_TESTS"])
import machine  # noqa: E402 (tests/boot)

TOOL = os.environ["BOOTIMAGE"]
KERNELS = pathlib.Path(os.environ["BENCH_KERNELS"])
SECTOR = pathlib.Path(os.environ["SECTOR"])
PROTOCOLS = ("multiboot1", "multiboot2", "limine", "pvh")
SIZES_KIB = (64, 16 * 1024)
RUNS = 3
WAYS = ("ours", "GRUB", "-kernel")
GRUB_COMMANDS = {"multiboot1": "multiboot", "multiboot2": "multiboot2"}
# QEMU's -kernel knows neither Multiboot 2 nor Limine; of what carries a note of Xen it takes that.
QEMU_KERNELS = ("multiboot1", "pvh")


def start_of(path, arguments, how):
    """Boot once; the counter at the first instruction."""
    how = how | {"arguments": [*how.get("arguments", []), *arguments]}
    with machine.Machine(path, time_limit_s=600, **how) as guest:
        guest.wait_for_debugcon("done\n")
        values = dict(line[2:].split(" = ") for line in guest.debugcon().splitlines()
                      if line.startswith("# "))
    return int(values["start"], 16)


def grub_disk(folder, kernel, command):
    root = folder / "root"
    shutil.rmtree(root, ignore_errors=True)
    (root / "boot/grub").mkdir(parents=True)
    shutil.copy(kernel, root / "kernel")
    (root / "boot/grub/grub.cfg").write_text(f"set timeout=0\n{command} /kernel\nboot\n")
    path = folder / "grub.iso"
    subprocess.run(["grub-mkrescue", "-o", path, root], check=True, capture_output=True,
                   env=os.environ | {"TMPDIR": str(folder)})
    return path


def ways_of(folder, protocol, size_kib):
    """What to boot, and QEMU's arguments for it."""
    kernel = KERNELS / f"bench-{protocol}-{size_kib}.elf"
    image, empty = folder / "image.bin", folder / "empty.bin"
    subprocess.run([TOOL, "-q", kernel, "-o", image], check=True)
    empty.write_bytes(bytes(512))
    ways = {"ours": (image, [])}
    if protocol in GRUB_COMMANDS:
        ways["GRUB"] = (grub_disk(folder, kernel, GRUB_COMMANDS[protocol]), [])
    if protocol in QEMU_KERNELS:
        ways["-kernel"] = (empty, ["-kernel", str(kernel)])
    return ways


def bench_one(folder, protocol, size_kib, how, floor):
    samples = {}
    for way, (path, arguments) in ways_of(folder, protocol, size_kib).items():
        samples[way] = figures.Samples()
        for _ in range(RUNS):
            samples[way].add(start_of(path, arguments, how) - floor)
    cells = [samples[way].text(1e-6) if way in samples else "-" for way in WAYS]
    ratios = [f"{samples[way].median() / samples['ours'].median():.2f}" if way in samples else "-"
              for way in WAYS[1:]]
    return [f"{protocol} {figures.size_text(size_kib * 1024)}", *cells, *ratios]


def bench(folder, title, how):
    floors = figures.Samples()
    for _ in range(RUNS):
        floors.add(start_of(SECTOR, [], how))
    print(f"\n{title}, behind a boot sector's start, which is at {floors.text(1e-6)}; median of {RUNS} "
          "± half the spread", flush=True)
    rows = [bench_one(folder, protocol, size_kib, how, floors.median())
            for protocol in PROTOCOLS for size_kib in SIZES_KIB]
    figures.table(["protocol, kernel", *WAYS, *(f"{way} / ours" for way in WAYS[1:])], rows)


def main():
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(temporary)
        bench(folder, "To the kernel's first instruction: millions of ticks", {})
        bench(folder, "To the kernel's first instruction: millions of instructions", counting(folder))


main()
