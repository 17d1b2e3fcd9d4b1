"""How long a boot takes, from the first instruction at 0x7C00 to _start, by the time stamp counter
and by counting instructions; beside it a boot sector (read_floor.asm) that only reads the same
sectors, without and with a copy to high memory.

Prints figures; fails only if something could not be run.
"""

import os
import pathlib
import shutil
import struct
import subprocess
import sys
import tempfile

import figures
from counting import counting

sys.path.insert(0, os.environ["BOOT_TESTS"])
import machine  # noqa: E402 (tests/boot)
from image_file import ImageFile  # noqa: E402

TOOL = os.environ["BOOTIMAGE"]
KERNELS = pathlib.Path(os.environ["BENCH_KERNELS"])
FLOOR = pathlib.Path(os.environ["READ_FLOOR"])
SIZES_KIB = (64, 1024, 16 * 1024, 64 * 1024)
BUSES = ("ide", "ahci", "virtio")
RUNS = 5
TIME_LIMIT_S = 600

# Offset in read_floor.asm of the sectors to read and whether to copy.
PARAMETERS_OFFSET = 432
PARAMETERS = struct.Struct("<IB")

STEPS = ("stage1", "stage2", "loader", "load", "map", "enter", "start")


def floor_image(image, output, copy):
    """The same disk with a boot sector that only reads it."""
    shutil.copyfile(image.path, output)
    code = bytearray(FLOOR.read_bytes())
    PARAMETERS.pack_into(code, PARAMETERS_OFFSET, image.image_sectors - 1, copy)
    with open(output, "r+b") as file:
        file.write(code)


def stamps(path, bus, how):
    """Boot once and give the time stamps by the names of STEPS."""
    with machine.Machine(path, bus=bus, time_limit_s=TIME_LIMIT_S, **how) as guest:
        guest.wait_for_debugcon("done\n")
        values = dict(line[2:].split(" = ") for line in guest.debugcon().splitlines()
                      if line.startswith("# "))
    return {name: int(value, 16) for name, value in values.items()}


def bench_one(folder, bus, size_kib, how):
    """One row: the boot, the two floors, and where the boot's time went."""
    image_path = folder / "image.bin"
    subprocess.run([TOOL, "-q", KERNELS / f"bench-{size_kib}.elf", "-o", image_path], check=True)
    paths = {"boot": image_path, "read": folder / "read.bin", "copy": folder / "copy.bin"}
    image = ImageFile(image_path)
    floor_image(image, paths["read"], False)
    floor_image(image, paths["copy"], True)

    samples = {name: figures.Samples() for name in paths}
    steps = {step: figures.Samples() for step in STEPS[:-1]}
    for _ in range(RUNS):
        for name, path in paths.items():
            taken = stamps(path, bus, how)
            samples[name].add(taken["start"] - taken["stage1"])
            if name == "boot":
                for step, following in zip(STEPS, STEPS[1:]):
                    steps[step].add(taken[following] - taken[step])
    boot, read, copy = (samples[name] for name in ("boot", "read", "copy"))
    return [f"{bus} {figures.size_text(size_kib * 1024)}",
            boot.text(1e-6), read.text(1e-6), copy.text(1e-6),
            f"{boot.median() / read.median():.2f}", f"{boot.median() / copy.median():.2f}",
            " ".join(f"{step} {steps[step].median() / 1e6:.2f}" for step in steps)]


def bench(folder, title, how):
    print(f"\n{title}; median of {RUNS} ± half the spread", flush=True)
    rows = [bench_one(folder, bus, size_kib, how) for bus in BUSES for size_kib in SIZES_KIB]
    figures.table(["disk, kernel", "boot", "read", "read and copy", "boot / read",
                   "boot / read and copy", "of the boot, in each step"], rows)


def main():
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(temporary)
        bench(folder, "Boot by the time stamp counter, millions of ticks", {})
        bench(folder, "Boot by instructions, millions", counting(folder))


main()
