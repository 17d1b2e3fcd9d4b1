/*
 * The table of boot protocols.
 */
#include "protocol.h"

#include "log.h"

static const struct protocol protocols[] = {
    {PLAN_PROTOCOL_PLAIN, PROTOCOL_PAGING, 0, protocol_plain_prepare, protocol_plain_enter},
    {PLAN_PROTOCOL_PLAIN32, 0, 0, protocol_plain32_prepare, protocol_plain32_enter},
    {PLAN_PROTOCOL_MULTIBOOT1, PROTOCOL_KEEPS_INTERRUPTS, 0, protocol_multiboot1_prepare,
     protocol_multiboot1_enter},
    {PLAN_PROTOCOL_MULTIBOOT2, PROTOCOL_KEEPS_INTERRUPTS, 0, protocol_multiboot2_prepare,
     protocol_multiboot2_enter},
    {PLAN_PROTOCOL_LINUX, PROTOCOL_HIGH_MODULES, PLAN_LINUX, protocol_linux_prepare,
     protocol_linux_enter},
    {PLAN_PROTOCOL_LINUX16, PROTOCOL_KEEPS_INTERRUPTS | PROTOCOL_HIGH_MODULES | PROTOCOL_BIOS, 0,
     protocol_linux16_prepare, protocol_linux16_enter},
    {PLAN_PROTOCOL_LIMINE, PROTOCOL_PAGING, PLAN_LIMINE, protocol_limine_prepare,
     protocol_limine_enter},
    {PLAN_PROTOCOL_PVH, 0, 0, protocol_pvh_prepare, protocol_pvh_enter},
};

const struct protocol *protocol_find(uint32_t number)
{
    for (size_t i = 0; i < sizeof(protocols) / sizeof(protocols[0]); i++) {
        if (protocols[i].number == number)
            return &protocols[i];
    }
    fail(ERROR_PLAN_UNKNOWN, {"protocol", number});
}
