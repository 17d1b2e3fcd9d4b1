/*
 * Is KVM of use on this machine? Some that are there start no guest, stop QEMU, or emulate every
 * instruction, as nested ones do, and are slower than QEMU alone by far.
 */
#ifndef BOOTIMAGE_RUN_KVM_H
#define BOOTIMAGE_RUN_KVM_H

#include <stdbool.h>

#define KVM_DEVICE "/dev/kvm"
/* Ten times what it takes, as the machine may be busy. */
#define KVM_LIMIT_MS 3000

/* Has this QEMU boot a small guest by KVM, and waits for it as long as the limit. False, at once,
   if the device cannot be opened. Says nothing, and leaves no process and no file, even if a signal
   comes that ends this process. */
bool kvm_works(const char *device, const char *qemu, unsigned int limit_ms);

#endif
