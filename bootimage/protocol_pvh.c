/*
 * PVH: kernels that can be a guest of Xen, entered in 32-bit protected mode at the address in their
 * ELF note 18, XEN_ELFNOTE_PHYS32_ENTRY [Xen "x86/HVM direct boot ABI"]. So can Linux, as vmlinux.
 */
#include "protocol.h"

#include "physical.h"

#include "bootimage/image.h"

#include <inttypes.h>
#include <stdio.h>

static enum protocol_mark recognise(const struct kernel *kernel, char *reason, struct error *error)
{
    const struct kernel_pvh *pvh = &kernel->pvh;

    if (pvh->entry_bytes == 0)
        return PROTOCOL_NO_MARK;
    if (pvh->entry_bytes != 4 && pvh->entry_bytes != 8) {
        error_set(
            error,
            "%s: the Xen note with the entry (type 18, XEN_ELFNOTE_PHYS32_ENTRY) holds %" PRIu32
            " bytes; make it a number of 4 or 8 bytes [pvh-note]",
            kernel->path, pvh->entry_bytes);
        return PROTOCOL_BROKEN_MARK;
    }
    snprintf(reason, PROTOCOL_REASON_BYTES, "ELF note of Xen, type 18: entry 0x%" PRIx64,
             pvh->entry_paddr);
    return PROTOCOL_MARKED;
}

static bool validate(struct kernel *kernel, struct error *error)
{
    return physical_check_file(kernel, error) &&
           physical_place(kernel, &kernel->pvh.entry_paddr, error);
}

const struct protocol protocol_pvh = {
    .number = PLAN_PROTOCOL_PVH,
    .name = "pvh",
    .recognise = recognise,
    .validate = validate,
};
