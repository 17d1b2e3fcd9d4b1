/*
 * See fake_cpus.h. In place of core/cpu.c and core/trampoline.c.
 */
#include "fake_cpus.h"

#include "cpu.h"
#include "fake_firmware.h"
#include "trampoline.h"

#include <bootimage/bootinfo.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define REGISTERS_PADDR 0x4f000000u
#define REGISTERS_BYTES 0x1000u
#define ENABLED 0x800u
#define X2APIC 0x400u
#define IDLE 0x80000000u /* what no message is */

struct fake_apic fake_apic;

static volatile uint32_t waiting; /* of the trampoline */

static void *map(uint64_t paddr, uint64_t bytes)
{
    void *at = (void *)(uintptr_t)paddr;

    if (mmap(at, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) !=
        at) {
        perror("fake CPUs: mmap");
        abort();
    }
    return at;
}

static volatile uint32_t *apic_register(uint32_t offset)
{
    return (volatile uint32_t *)(uintptr_t)(REGISTERS_PADDR + offset);
}

void fake_cpus_start(void)
{
    map(FAKE_BIOS_PADDR, FAKE_BIOS_BYTES);
    map(REGISTERS_PADDR, REGISTERS_BYTES);
    fake_apic = (struct fake_apic){.base = REGISTERS_PADDR | ENABLED | 0x100, .now_us = 1};
    *apic_register(0x300) = IDLE;
}

void fake_checksum(uint8_t *bytes, size_t count, size_t at)
{
    uint8_t sum = 0;

    bytes[at] = 0;
    for (size_t i = 0; i < count; i++)
        sum = (uint8_t)(sum + bytes[i]);
    bytes[at] = (uint8_t)-sum;
}

void fake_table(uint64_t paddr, const char *signature, uint32_t bytes)
{
    uint8_t *table = (uint8_t *)(uintptr_t)paddr;

    memcpy(table, signature, 4);
    memcpy(table + 4, &bytes, sizeof(bytes));
    fake_checksum(table, bytes, 9);
}

void fake_madt(const void *entries, size_t bytes)
{
    const uint64_t xsdt_paddr = FAKE_RSDP_PADDR + 0x100, madt_paddr = FAKE_MADT_PADDR;
    uint8_t *rsdp = (uint8_t *)(uintptr_t)FAKE_RSDP_PADDR;

    memcpy((uint8_t *)(uintptr_t)madt_paddr + 44, entries, bytes);
    fake_table(madt_paddr, "APIC", 44 + (uint32_t)bytes);
    memcpy((uint8_t *)(uintptr_t)xsdt_paddr + 36, &madt_paddr, sizeof(madt_paddr));
    fake_table(xsdt_paddr, "XSDT", 36 + sizeof(madt_paddr));
    memcpy(rsdp, "RSD PTR ", 8);
    rsdp[15] = 2;
    memcpy(rsdp + 24, &xsdt_paddr, sizeof(xsdt_paddr));
    fake_checksum(rsdp, 20, 8);
    fake_checksum(rsdp, 36, 32);
}

static void start(struct fake_cpu *cpu)
{
    if (cpu->inits == 0 || cpu->parks_at_us || ++cpu->startups != cpu->follows_startup)
        return;
    cpu->parks_at_us = fake_apic.now_us + cpu->parks_after_us;
}

/* A message to one CPU: the lower half of the interrupt command register. */
static void receive(uint32_t apic_id, uint32_t command)
{
    const uint32_t kind = command & 0xffffff00u;
    struct fake_cpu *cpu = NULL;

    for (size_t i = 0; i < fake_apic.cpu_count; i++) {
        if (fake_apic.cpus[i].apic_id == apic_id)
            cpu = &fake_apic.cpus[i];
    }
    if (!cpu || (kind != 0x4500 && kind != 0x4600)) {
        fake_apic.strangers++;
        return;
    }
    if (kind == 0x4500) {
        cpu->inits++;
        cpu->startups = 0;
        cpu->parks_at_us = 0;
    } else {
        fake_apic.startup_page_paddr = (uint64_t)(command & 0xff) << 12;
        start(cpu);
    }
}

/* What each CPU does as time goes by. */
static void run(struct fake_cpu *cpu)
{
    if (!cpu->parks_at_us || cpu->parks_at_us > fake_apic.now_us || cpu->cpu_paddr)
        return;
    cpu->cpu_paddr = waiting;
    waiting = 0;
    if (cpu->cpu_paddr)
        ((struct bootinfo_cpu *)(uintptr_t)cpu->cpu_paddr)->state = BOOTINFO_CPU_PARKED;
}

void cpu_wait_us(uint32_t us)
{
    if (*apic_register(0x300) != IDLE) {
        receive(*apic_register(0x310) >> 24, *apic_register(0x300));
        *apic_register(0x300) = IDLE;
    }
    fake_apic.now_us += us;
    for (size_t i = 0; i < fake_apic.cpu_count; i++)
        run(&fake_apic.cpus[i]);
}

uint64_t cpu_read_msr(uint32_t number)
{
    *apic_register(0x20) = fake_apic.id << 24;
    if (number == 0x1b)
        return fake_apic.base | (fake_apic.has_x2apic ? X2APIC : 0);
    if (number == 0x802 && fake_apic.has_x2apic)
        return fake_apic.id;
    if (number == 0xfe)
        return 0x100 | FAKE_MTRR_PAIRS;
    if (number >= 0x200 && number <= 0x2ff)
        return FAKE_MTRR_VALUE + number;
    fprintf(stderr, "fake CPUs: MSR 0x%x is read\n", number);
    abort();
}

void cpu_write_msr(uint32_t number, uint64_t value)
{
    if (number == 0x1b && value == (fake_apic.base | X2APIC) && fake_firmware.left) {
        fake_apic.has_x2apic = true;
        return;
    }
    if (number != 0x830 || !fake_apic.has_x2apic) {
        fprintf(stderr, "fake CPUs: MSR 0x%x is written\n", number);
        abort();
    }
    receive((uint32_t)(value >> 32), (uint32_t)value);
}

volatile uint32_t *trampoline_copy(uint64_t page_paddr, const struct handover *handover)
{
    (void)handover;
    if (!fake_firmware.left || page_paddr != fake_firmware.low_page_paddr) {
        fprintf(stderr, "fake CPUs: a trampoline where it must not be\n");
        abort();
    }
    waiting = 0;
    return &waiting;
}
