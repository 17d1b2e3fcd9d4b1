/*
 * Starting the other CPUs [Intel SDM vol. 3 §9.4.4 "MP Initialization Example"]: an INIT for each,
 * 10 ms for all of them, and then, one CPU at a time, the start-up message, a second one 200 us
 * later if need be. A CPU that still does not come is reset and counts as absent. Next the kernel
 * is entered.
 */
#include "cpus.h"

#include "acpi.h"
#include "loader.h"
#include "request.h"
#include "trampoline.h"

#define INIT_US 10000
#define SECOND_STARTUP_US 200
#define ABSENT_US 1000000
#define POLL_US 10

/* [Intel SDM vol. 3 §12.11 "Memory Type Range Registers (MTRRs)"] */
#define MSR_MTRRCAP 0xfe
#define MTRRCAP_FIXED 0x100u
#define MSR_MTRR_VARIABLE 0x200u /* pairs */
#define MSR_MTRR_DEF_TYPE 0x2ffu

static const uint32_t fixed_mtrrs[] = {0x250, 0x258, 0x259, 0x268, 0x269, 0x26a,
                                       0x26b, 0x26c, 0x26d, 0x26e, 0x26f};
#define FIXED_MTRRS (sizeof(fixed_mtrrs) / sizeof(fixed_mtrrs[0]))

static bool are_wanted(const struct loader *loader)
{
    const struct plan_request *request = request_find(&loader->plan, BOOTINFO_REQUEST_CPUS);

    return request && request->words[0] == 1;
}

void cpus_note_mtrrs(struct loader *loader)
{
    struct handover *handover = &loader->handover;

    if (!are_wanted(loader) || !loader->cpu.has_mtrrs)
        return;
    const uint32_t ability = (uint32_t)cpu_read_msr(MSR_MTRRCAP), pairs = ability & 0xff;
    const uint64_t most = FIXED_MTRRS + 2 * pairs + 1;
    struct handover_msr *list =
        (void *)(uintptr_t)memory_map_take_pages(&loader->map, most * sizeof(*list));
    uint64_t count = 0;

    for (size_t i = 0; ability & MTRRCAP_FIXED && i < FIXED_MTRRS; i++)
        list[count++].number = fixed_mtrrs[i];
    for (uint32_t i = 0; i < 2 * pairs; i++)
        list[count++].number = MSR_MTRR_VARIABLE + i;
    list[count++].number = MSR_MTRR_DEF_TYPE;
    for (uint64_t i = 0; i < count; i++)
        list[i].value = cpu_read_msr(list[i].number);
    handover->mtrrs_paddr = (uintptr_t)list;
    handover->mtrr_count = count;
}

static struct bootinfo_cpu *find(struct bootinfo_cpu *cpus, uint64_t count, uint32_t apic_id)
{
    for (uint64_t i = 0; i < count; i++) {
        if (cpus[i].apic_id == apic_id)
            return &cpus[i];
    }
    return NULL;
}

/* The boot processor first, the others in the order of the MADT; tables have been seen to list a
   CPU twice. Returns how many there are. */
static uint64_t list_cpus(struct bootinfo_cpu *cpus, uint32_t boot_apic_id,
                          const struct acpi_table *madt)
{
    struct acpi_cpu cpu;
    uint64_t count = 1;

    cpus[0].apic_id = boot_apic_id;
    cpus[0].state = BOOTINFO_CPU_BOOT;
    for (uint32_t offset = 0; acpi_next_cpu(madt, &offset, &cpu);) {
        struct bootinfo_cpu *known = find(cpus, count, cpu.apic_id);

        if (!known)
            known = &cpus[count++];
        else if (known != cpus)
            continue;
        known->apic_id = cpu.apic_id;
        known->processor_id = cpu.processor_id;
    }
    return count;
}

static uint64_t take_list(struct loader *loader, const struct acpi_table *madt)
{
    struct acpi_cpu cpu;
    uint64_t most = 1;

    for (uint32_t offset = 0; acpi_next_cpu(madt, &offset, &cpu);)
        most++;
    return memory_map_take_pages(&loader->map, most * sizeof(struct bootinfo_cpu));
}

void cpus_prepare(struct loader *loader)
{
    struct bootinfo *info = loader->info;

    if (!are_wanted(loader))
        return;
    const struct acpi_table madt = acpi_find_madt(info->rsdp_paddr, &loader->map);
    uint64_t paddr = take_list(loader, &madt);
    struct bootinfo_cpu *cpus = (struct bootinfo_cpu *)(uintptr_t)paddr;

    info->cpus = address_space_vaddr(&loader->space, paddr);
    info->cpu_count = list_cpus(cpus, loader->apic.id, &madt);
    cpus[0].stack_top = info->stack_top;
    for (uint64_t i = 1; i < info->cpu_count; i++)
        cpus[i].stack_top = address_space_map_stack(loader, i);
}

/* Another CPU writes it. */
static bool is_parked(const struct bootinfo_cpu *cpu)
{
    return *(const volatile uint32_t *)&cpu->state == BOOTINFO_CPU_PARKED;
}

static void wait_for(const struct bootinfo_cpu *cpu, uint32_t most_us)
{
    for (uint32_t us = 0; us < most_us && !is_parked(cpu); us += POLL_US)
        cpu_wait_us(POLL_US);
}

/* `waiting` is where the CPU looks for its struct. */
static void start_cpu(const struct apic *apic, struct bootinfo_cpu *cpu, uint64_t page_paddr,
                      volatile uint32_t *waiting)
{
    *waiting = (uint32_t)(uintptr_t)cpu;
    apic_send_startup(apic, cpu->apic_id, page_paddr);
    wait_for(cpu, SECOND_STARTUP_US);
    if (!is_parked(cpu)) {
        apic_send_startup(apic, cpu->apic_id, page_paddr);
        wait_for(cpu, ABSENT_US);
    }
    if (is_parked(cpu))
        return;
    /* Should it come now, it would take the struct of another. */
    apic_send_init(apic, cpu->apic_id);
    cpu_wait_us(INIT_US);
    cpu->state = BOOTINFO_CPU_ABSENT;
}

void cpus_start(struct loader *loader)
{
    const struct apic *apic = &loader->apic;
    const uint64_t count = loader->info->cpu_count, page_paddr = firmware_low_page();

    if (count < 2)
        return;
    struct bootinfo_cpu *cpus =
        (struct bootinfo_cpu *)(uintptr_t)(loader->info->cpus - loader->space.physical_memory);
    volatile uint32_t *waiting = trampoline_copy(page_paddr, &loader->handover);
    for (uint64_t i = 1; i < count; i++) {
        if (apic_reaches(apic, cpus[i].apic_id))
            apic_send_init(apic, cpus[i].apic_id);
    }
    cpu_wait_us(INIT_US);
    for (uint64_t i = 1; i < count; i++) {
        if (apic_reaches(apic, cpus[i].apic_id))
            start_cpu(apic, &cpus[i], page_paddr, waiting);
    }
}
