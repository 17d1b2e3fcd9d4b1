#include "apic.h"

#include "cpu.h"

#define MSR_APIC_BASE 0x1b
#define APIC_BASE_X2APIC 0x400u
#define APIC_BASE_ENABLED 0x800u
#define APIC_BASE_PADDR 0xffffffffff000ull
/* All that the loader's page tables reach. */
#define FOUR_GIB 0x100000000ull

/* Registers in xAPIC mode, by offset, and as MSRs in x2APIC mode. */
#define REGISTER_ID 0x20
#define REGISTER_ID_SHIFT 24
#define REGISTER_COMMAND_LOW 0x300
#define REGISTER_COMMAND_HIGH 0x310
#define MSR_ID 0x802
#define MSR_COMMAND 0x830

/* The interrupt command register; in xAPIC mode the destination is the upper 8 of its 64 bits. */
#define COMMAND_INIT 0x4500u    /* level asserted, edge-triggered */
#define COMMAND_STARTUP 0x4600u /* and the page in bits 0-7 */
#define COMMAND_PENDING 0x1000u
#define XAPIC_LAST_ID 254u /* 255 is all of them */
#define MOST_PENDING_US 1000

struct apic apic_find(const struct cpu_features *cpu)
{
    struct apic apic = {.id = cpu->initial_apic_id};

    if (!cpu->has_apic)
        return apic;
    const uint64_t base = cpu_read_msr(MSR_APIC_BASE), paddr = base & APIC_BASE_PADDR;
    if (!(base & APIC_BASE_ENABLED))
        return apic;
    /* From the APIC itself: firmware may have given it another id than CPUID tells. */
    if (base & APIC_BASE_X2APIC) {
        apic.is_x2apic = true;
        apic.id = (uint32_t)cpu_read_msr(MSR_ID);
    } else if (paddr < FOUR_GIB) {
        apic.registers = paddr;
        apic.id = *(const volatile uint32_t *)(uintptr_t)(paddr + REGISTER_ID) >> REGISTER_ID_SHIFT;
    }
    return apic;
}

bool apic_can_be_x2apic(const struct apic *apic, const struct cpu_features *cpu)
{
    return apic->is_x2apic || (apic->registers && cpu->has_x2apic);
}

void apic_use_x2apic(struct apic *apic)
{
    if (apic->is_x2apic)
        return;
    cpu_write_msr(MSR_APIC_BASE,
                  cpu_read_msr(MSR_APIC_BASE) | APIC_BASE_X2APIC | APIC_BASE_ENABLED);
    apic->is_x2apic = true;
    apic->id = (uint32_t)cpu_read_msr(MSR_ID);
}

bool apic_reaches(const struct apic *apic, uint32_t id)
{
    return apic->is_x2apic || (apic->registers && id <= XAPIC_LAST_ID);
}

/* The command is sent by the write of its lower half, and taken once it is not pending any more. */
static void send_xapic(const struct apic *apic, uint32_t id, uint32_t command)
{
    volatile uint32_t *low = (uint32_t *)(uintptr_t)(apic->registers + REGISTER_COMMAND_LOW);
    volatile uint32_t *high = (uint32_t *)(uintptr_t)(apic->registers + REGISTER_COMMAND_HIGH);
    uint32_t us = 0;

    *high = id << REGISTER_ID_SHIFT;
    *low = command;
    do
        cpu_wait_us(1);
    while (*low & COMMAND_PENDING && ++us < MOST_PENDING_US);
}

static void send(const struct apic *apic, uint32_t id, uint32_t command)
{
    if (apic->is_x2apic) {
        /* Unlike a write to memory, this one would overtake the stores before it. */
        __asm__ volatile("mfence; lfence" : : : "memory");
        cpu_write_msr(MSR_COMMAND, (uint64_t)id << 32 | command);
    } else {
        send_xapic(apic, id, command);
    }
}

void apic_send_init(const struct apic *apic, uint32_t id)
{
    send(apic, id, COMMAND_INIT);
}

void apic_send_startup(const struct apic *apic, uint32_t id, uint64_t page_paddr)
{
    send(apic, id, COMMAND_STARTUP | (uint32_t)(page_paddr >> 12));
}
