/*
 * The plain 32-bit protocol: any freestanding ELF of the 80386, entered in flat 32-bit protected
 * mode at e_entry, with the struct bootinfo that 64-bit kernels get.
 *
 * It has no page tables, so it may ask for nothing that they do; placement.c leaves it where its
 * p_paddr say.
 */
#include "protocol.h"

#include "physical.h"
#include "request.h"
#include "request_rules.h"

#include "bootimage/bootinfo.h"
#include "bootimage/image.h"

#include <elf.h>
#include <inttypes.h>
#include <stdio.h>

static enum protocol_mark recognise(const struct kernel *kernel, char *reason, struct error *error)
{
    (void)error;
    if (kernel->class != ELFCLASS32 || kernel->machine != EM_386)
        return PROTOCOL_NO_MARK;
    snprintf(reason, PROTOCOL_REASON_BYTES, "32-bit x86 ELF without a mark of any other protocol");
    return PROTOCOL_MARKED;
}

static bool check_without_paging(const struct kernel *kernel, const struct kernel_request *request,
                                 struct error *error)
{
    static const uint32_t types[] = {
        BOOTINFO_REQUEST_CONTRACT,    BOOTINFO_REQUEST_STACK,       BOOTINFO_REQUEST_MEMORY,
        BOOTINFO_REQUEST_FRAMEBUFFER, BOOTINFO_REQUEST_KERNEL_FILE,
    };

    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        if (request_is(request, types[i]))
            return true;
    }
    return error_set(error,
                     "%s: BOOTINFO_REQUEST_%s cannot be met for a 32-bit kernel, which is entered "
                     "without paging and on one CPU; leave the note out, or make it optional "
                     "[request-32-bit]",
                     kernel->path, request_rule(request)->name);
}

static bool validate(struct kernel *kernel, struct error *error)
{
    for (size_t i = 0; i < kernel->request_count; i++) {
        struct kernel_request *request = &kernel->requests[i];

        if (!request_settle(kernel, request, check_without_paging, error))
            return false;
    }
    if (kernel->type == ET_DYN)
        return error_set(error,
                         "%s: is position-independent (ET_DYN), but 32-bit relocations are not "
                         "applied; link it with -no-pie [elf-32-bit-pie]",
                         kernel->path);
    return request_check(kernel, error) && physical_check_file(kernel, error) &&
           physical_place(kernel, NULL, error);
}

const struct protocol protocol_plain32 = {
    .number = PLAN_PROTOCOL_PLAIN32,
    .name = "plain32",
    .has_requests = true,
    .recognise = recognise,
    .validate = validate,
};
