"""How long a boot on UEFI takes, from the first instruction of BOOTX64.EFI to _start, by the time
stamp counter; beside it an application (uefi_floor.c) that only reads the same sectors, by one call of
Block I/O, and then leaves the firmware. And how large images are.

Prints figures; fails only if something could not be run.
"""

import os
import pathlib
import subprocess
import sys
import tempfile

import figures

sys.path.insert(0, os.environ["BOOT_TESTS"])
import machine  # noqa: E402 (tests/boot)
from image_file import ImageFile  # noqa: E402

TOOL = os.environ["BOOTIMAGE"]
KERNELS = pathlib.Path(os.environ["BENCH_KERNELS"])
FLOOR = os.environ["UEFI_FLOOR"]
SIZES_KIB = (64, 1024, 16 * 1024, 64 * 1024)
BUSES = ("ahci", "virtio", "ide")
RUNS = 3
STEPS = ("stage1", "stage2", "loader", "load", "map", "enter", "start")


def stamps(path, bus, arguments=()):
    how = {"machine": "pc" if bus == "ide" else "q35", "firmware": "uefi"}
    with machine.Machine(path, bus=bus, time_limit_s=600, arguments=arguments, **how) as guest:
        guest.wait_for_debugcon("done\n")
        values = dict(line[2:].split(" = ") for line in guest.debugcon().splitlines()
                      if line.startswith("# "))
    return {name: int(value, 16) for name, value in values.items()}


def bench_boot(folder, bus, size_kib):
    image = folder / "image.bin"
    subprocess.run([TOOL, "-q", KERNELS / f"bench-{size_kib}.elf", "-o", image], check=True)
    sectors = ImageFile(image).image_sectors
    boot, read, leave = figures.Samples(), figures.Samples(), figures.Samples()
    steps = {step: figures.Samples() for step in STEPS[:-1]}
    for _ in range(RUNS):
        taken = stamps(image, bus)
        boot.add(taken["start"] - taken["stage1"])
        for step, following in zip(STEPS, STEPS[1:]):
            steps[step].add(taken[following] - taken[step])
        floor = stamps(image, bus, ("-kernel", FLOOR, "-append", str(sectors)))
        read.add(floor["read"])
        leave.add(floor["leave"])
    return [f"{bus} {figures.size_text(size_kib * 1024)}", boot.text(1e-6), read.text(1e-6),
            f"{boot.median() / read.median():.2f}", leave.text(1e-6),
            " ".join(f"{step} {steps[step].median() / 1e6:.2f}" for step in steps)]


def size_row(folder, firmware, size_kib):
    """The bytes that a file has, and those that take room on a disk."""
    image = folder / "image.bin"
    subprocess.run([TOOL, "-q", f"--firmware={firmware}", KERNELS / f"bench-{size_kib}.elf", "-o",
                    image], check=True)
    status = image.stat()
    kernel = sum(size for _, size in ImageFile(image).segments)
    return [f"{firmware}, {figures.size_text(size_kib * 1024)}", str(status.st_size),
            str(status.st_blocks * 512), str(status.st_blocks * 512 - kernel)]


def main():
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(temporary)
        print("Bytes of an image")
        figures.table(["firmware, kernel", "apparent", "data", "data without the kernel's"],
                      [size_row(folder, firmware, size_kib)
                       for firmware in ("bios", "uefi", "both") for size_kib in (64, 1024)])
        print(f"\nBoot on UEFI, millions of ticks; median of {RUNS} ± half the spread", flush=True)
        figures.table(["disk, kernel", "boot", "one read", "boot / read",
                       "leaving", "of the boot, in each step"],
                      [bench_boot(folder, bus, size_kib) for bus in BUSES
                       for size_kib in SIZES_KIB])


main()
