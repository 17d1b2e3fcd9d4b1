/*
 * How fast the time stamp counter runs: what CPUID says [Intel SDM vol. 3 §18.7.3 "Determining the
 * Processor Base Frequency"], else what the 8254 timer's third channel measures, which is the
 * loudspeaker's and of use to nobody at boot.
 */
#include "../core/cpu.h"
#include "../core/firmware.h"
#include "io.h"

#define LEAF_TSC 0x15
#define LEAF_FREQUENCY 0x16
#define HZ_PER_MHZ 1000000u
#define TIMER_HZ 1193182u
#define TIMER_COUNT 5966u /* 5 ms */
#define TIMER_CHANNEL_2 0x42
#define TIMER_COMMAND 0x43
#define COMMAND_COUNT_DOWN_2 0xb0 /* channel 2, both bytes, mode 0 */
#define SPEAKER 0x61
#define SPEAKER_GATE 0x01
#define SPEAKER_ON 0x02
#define SPEAKER_OUTPUT 0x20
/* Longer than that on any CPU: the timer's clock is off. */
#define MOST_TICKS 1000000000ull

/* Where the crystal's frequency is left out, the counter runs at the CPU's base frequency. */
static uint64_t hz_by_cpuid(void)
{
    const uint32_t last = cpu_id(0, 0).eax;

    if (last < LEAF_TSC)
        return 0;
    const struct cpu_id leaf = cpu_id(LEAF_TSC, 0);
    if (leaf.eax == 0 || leaf.ebx == 0)
        return 0;
    if (leaf.ecx == 0 && last >= LEAF_FREQUENCY)
        return (uint64_t)(cpu_id(LEAF_FREQUENCY, 0).eax & 0xffff) * HZ_PER_MHZ;
    return (uint64_t)leaf.ecx * leaf.ebx / leaf.eax;
}

static uint64_t hz_by_timer(void)
{
    const uint8_t speaker = io_in8(SPEAKER);
    uint64_t ticks = 0;

    io_out8(SPEAKER, (uint8_t)((speaker & ~SPEAKER_ON) | SPEAKER_GATE));
    io_out8(TIMER_COMMAND, COMMAND_COUNT_DOWN_2);
    io_out8(TIMER_CHANNEL_2, TIMER_COUNT & 0xff);
    io_out8(TIMER_CHANNEL_2, TIMER_COUNT >> 8);
    const uint64_t start = cpu_read_tsc();
    while (!(io_in8(SPEAKER) & SPEAKER_OUTPUT) && ticks < MOST_TICKS)
        ticks = cpu_read_tsc() - start;
    io_out8(SPEAKER, speaker);
    return ticks < MOST_TICKS ? ticks * TIMER_HZ / TIMER_COUNT : 0;
}

uint64_t firmware_tsc_hz(void)
{
    const uint64_t hz = hz_by_cpuid();

    return hz ? hz : hz_by_timer();
}
