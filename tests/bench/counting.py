"""Machines whose time stamp counter counts instructions, so that figures repeat."""

import os
import sys

sys.path.insert(0, os.environ["BOOT_TESTS"])
import machine  # noqa: E402 (tests/boot)


def counting(folder):
    """How to count instructions here; io_uring makes the count repeat, where it is permitted."""
    how = {"accelerator": "tcg,thread=single", "arguments": ["-icount", "shift=0,sleep=off"]}
    try:
        image = folder / "probe.bin"
        image.write_bytes(bytes(512))
        with machine.Machine(image, drive=",aio=io_uring", **how):
            pass
        return how | {"drive": ",aio=io_uring"}
    except machine.MachineFailure as failure:
        reason = next((line for line in str(failure).splitlines() if "io_uring" in line), "")
        print(f"\nNo io_uring here, so that counts do not repeat exactly: {reason}")
        return how
