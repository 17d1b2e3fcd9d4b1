/*
 * The verdict of a run: the last thing that a kernel does that panics, or that tests itself. It may
 * assume nothing, as a panic comes at any time.
 *
 * These ports belong to other devices on real machines: Intel's chipsets often have their GPIO or
 * their power management at 0x500, and some boards decode 0xf4. So a virtual machine has to be seen
 * first, and then the device; nothing is written without. [QEMU "PVPANIC DEVICE"]
 */
#include "verdict.h"

#include "cpu.h"
#include "io.h"
#include "serial.h"

#include <cpuid.h>
#include <stdbool.h>
#include <stdint.h>

/* Reads as the events that it knows, takes those that happened. */
#define PVPANIC 0x505
#define PVPANIC_PANICKED 0x01

/* Reads as 0; what is written to it ends QEMU. */
#define DEBUG_EXIT 0xF4
#define DEBUG_EXIT_PRESENT 0

/* What a port reads as that nothing is at. */
#define PORT_ABSENT 0xFF

/* A read of a port takes 0.2 to 5 us in a virtual machine: this is at most half a second. */
#define VERDICT_WAIT_READS 100000

/* 0 on all real processors; QEMU sets it in each of its models. */
#define CPUID_1_ECX_HYPERVISOR (1u << 31)

static bool verdict_is_virtual_machine(void)
{
    unsigned int eax, ebx, ecx, edx;

    return __get_cpuid(1, &eax, &ebx, &ecx, &edx) && ecx & CPUID_1_ECX_HYPERVISOR;
}

static bool verdict_has_pvpanic(void)
{
    uint8_t events;

    if (!verdict_is_virtual_machine())
        return false;
    events = inb(PVPANIC);
    return events != PORT_ABSENT && events & PVPANIC_PANICKED;
}

static bool verdict_has_debug_exit(void)
{
    return verdict_is_virtual_machine() && inb(DEBUG_EXIT) == DEBUG_EXIT_PRESENT;
}

void verdict_panicked(void)
{
    serial_flush();
    if (!verdict_has_pvpanic())
        return;
    outb(PVPANIC, PVPANIC_PANICKED);
    for (int i = 0; i < VERDICT_WAIT_READS; i++)
        inb(PVPANIC);
}

void verdict_end(enum verdict verdict)
{
    /* What the port still holds is gone with QEMU. */
    serial_flush();
    if (verdict_has_debug_exit())
        outb(DEBUG_EXIT, (uint8_t)verdict);
    cpu_halt();
}
