"""How long packaging takes, beside `cp` and `sync` of the same ELF, and how large an image is.

Prints figures; fails only if something could not be run.
"""

import os
import pathlib
import subprocess
import tempfile
import time

import figures

TOOL = os.environ["BOOTIMAGE"]
KERNELS = pathlib.Path(os.environ["BENCH_KERNELS"])
SIZES_KIB = (100, 16 * 1024, 64 * 1024)
RUNS = 5
WARM_UPS = 1

HEADER_OFFSET = 512
IMAGE_SECTORS_OFFSET = HEADER_OFFSET + 24


def milliseconds(*commands):
    start = time.perf_counter()
    for command in commands:
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return (time.perf_counter() - start) * 1000


def bench_time(folder):
    rows = []
    for size_kib in SIZES_KIB:
        kernel = KERNELS / f"bench-{size_kib}.elf"
        copy, image = folder / "copy.elf", folder / "image.bin"
        package, plain, nothing = (figures.Samples() for _ in range(3))
        for run in range(WARM_UPS + RUNS):
            times = (milliseconds([TOOL, "-q", kernel, "-o", image]),
                     milliseconds(["cp", kernel, copy], ["sync", copy]),
                     milliseconds(["true"]))
            if run >= WARM_UPS:
                for samples, value in zip((package, plain, nothing), times):
                    samples.add(value)
        rows.append([figures.size_text(size_kib * 1024), package.text(), plain.text(),
                     nothing.text(), f"{package.median() / plain.median():.2f}",
                     f"{package.median() - nothing.median():.2f}"])
    print(f"Packaging, ms, median of {RUNS} ± half the spread")
    figures.table(["kernel", "bootimage", "cp + sync", "true", "ratio to cp + sync",
                   "more than true"], rows)


def bench_size(folder):
    kernel, image = KERNELS / "bench-64.elf", folder / "image.bin"
    subprocess.run([TOOL, "-q", kernel, "-o", image], check=True)
    data = image.read_bytes()
    sectors = int.from_bytes(data[IMAGE_SECTORS_OFFSET:IMAGE_SECTORS_OFFSET + 8], "little")
    print(f"\nImage of a kernel of {kernel.stat().st_size:,} bytes")
    figures.table(["", "bytes"], [
        ["apparent size", f"{len(data):,}"],
        ["up to the end of the payload", f"{sectors * 512:,}"],
        ["allocated on this file system", f"{image.stat().st_blocks * 512:,}"],
        ["that besides the kernel", f"{image.stat().st_blocks * 512 - 64 * 1024:,}"],
    ])


# In the build folder: on the disk where an image would be made, not in memory.
with tempfile.TemporaryDirectory(dir=KERNELS) as temporary:
    bench_time(pathlib.Path(temporary))
    bench_size(pathlib.Path(temporary))
