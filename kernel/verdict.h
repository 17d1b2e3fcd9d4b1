/*
 * The end of a run, as a program that started the machine can judge it: two devices that QEMU has
 * if it is asked for them, and `bootimage test` asks (-device pvpanic, -device
 * isa-debug-exit,iobase=0xf4,iosize=0x04). Where they are not, as on every real machine, nothing is
 * written to any port.
 */
#ifndef KERNEL_VERDICT_H
#define KERNEL_VERDICT_H

/* Codes from 1 to 0x7f; QEMU's exit status is (code << 1) | 1. */
enum verdict {
    VERDICT_PASSED = 0x10,
    VERDICT_FAILED = 0x11,
};

/* Says that the kernel has panicked, and stays where it is for a while: whoever started the machine
   may freeze it meanwhile, and look at what is in it. To be called while it still is. */
void verdict_panicked(void);

/* Ends the machine with the verdict; where that cannot be, the processor stops for good. */
_Noreturn void verdict_end(enum verdict verdict);

#endif
