/*
 * The hand-over page: made here, and started. The code itself is handover.asm.
 */
#include "handover.h"

#include "limine.h"

#include <bootimage/bootinfo.h>

#include <stddef.h>
#include <string.h>

#define EFER_LME (1u << 8)
#define EFER_NXE (1u << 11)
#define CR4_PAE (1u << 5)
#define CR4_OSFXSR (1u << 9)
#define CR4_OSXMMEXCPT (1u << 10)
#define CR4_LA57 (1u << 12)
#define APIC_BASE_X2APIC (1u << 10)
#define APIC_BASE_ENABLED (1u << 11)

/* What the code finds behind itself, as handover.asm lays it out; limits and selectors are there
   already. */
struct settings {
    uint64_t entry_vaddr;
    uint64_t stack_top_vaddr;
    uint64_t argument;
    uint64_t physical_memory;
    uint64_t moves_paddr;
    uint64_t move_count;
    uint16_t padding1[3], gdt_limit;
    uint64_t gdt_vaddr;
    uint16_t padding2[3], switch_gdt_limit;
    uint64_t switch_gdt_paddr;
    uint16_t padding4[3], protected_gdt_limit;
    uint64_t protected_gdt_paddr;
    uint32_t tables_paddr;
    uint32_t efer;
    uint32_t cr4;
    uint32_t long_mode_paddr;
    uint16_t long_mode_selector, padding3;
    uint32_t apic_mode; /* bits of IA32_APIC_BASE that other CPUs set */
    struct handover_registers protected;
    uint32_t code_selector, data_selector, thread_selector; /* the last one for FS and GS */
    uint32_t pat_low, pat_high;
    uint32_t goto_offset;
    uint32_t mtrrs_paddr, mtrr_count;
};

/* handover.asm has these as numbers. */
_Static_assert(offsetof(struct bootinfo_cpu, state) == 8, "CPU_STATE");
_Static_assert(offsetof(struct bootinfo_cpu, stack_top) == 16, "CPU_STACK_TOP");
_Static_assert(offsetof(struct bootinfo_cpu, argument) == 24, "CPU_ARGUMENT");
_Static_assert(BOOTINFO_CPU_PARKED == 2, "CPU_PARKED");
_Static_assert(offsetof(struct handover_move, to_paddr) == 8, "MOVE_TO");
_Static_assert(offsetof(struct handover_move, bytes) == 16, "MOVE_BYTES");
_Static_assert(sizeof(struct handover_move) == 24, "MOVE_SIZE");
_Static_assert(offsetof(struct handover_msr, value) == 8, "MSR_VALUE");
_Static_assert(sizeof(struct handover_msr) == 16, "MSR_SIZE");

/* handover.asm */
extern const uint8_t handover_code[], handover_code_end[];
extern const uint8_t handover_32[], handover_long_mode[];
extern const uint8_t handover_gdt[], handover_gdt_end[], handover_switch_gdt[];
extern const uint8_t handover_limine_gdt[], handover_limine_gdt_end[];
extern const uint8_t handover_protected_gdt[];
extern const uint8_t handover_settings[];

/* What 64-bit kernels find, by contract. */
struct convention {
    const uint8_t *gdt, *gdt_end;
    uint32_t code_selector, data_selector, thread_selector;
    uint32_t pat_low, pat_high;
    uint32_t goto_offset; /* in the struct that a CPU is given */
};

/* Entries of the PAT from right to left: write-back, write-through, uncached minus, uncached. Then
   write-combining and write-protected, and the first two again. */
static const struct convention bootinfo_convention = {
    .gdt = handover_gdt,
    .gdt_end = handover_gdt_end,
    .code_selector = 0x08,
    .data_selector = 0x10,
    .thread_selector = 0,
    .pat_low = 0x00070406,
    .pat_high = 0x00070501,
    .goto_offset = offsetof(struct bootinfo_cpu, goto_address),
};

/* The same, but write-protected comes before write-combining [Limine "Caching", "x86-64"]. */
static const struct convention limine_convention = {
    .gdt = handover_limine_gdt,
    .gdt_end = handover_limine_gdt_end,
    .code_selector = 0x28,
    .data_selector = 0x30,
    .thread_selector = 0x30,
    .pat_low = 0x00070406,
    .pat_high = 0x00070105,
    .goto_offset = offsetof(struct limine_mp_info, goto_address),
};

/* Where in the page a part of the code lies. */
static uint32_t offset_of(const uint8_t *part)
{
    return (uint32_t)((uintptr_t)part - (uintptr_t)handover_code);
}

static void set_up_protected_mode(struct settings *settings, uint32_t page_paddr)
{
    settings->protected_gdt_paddr = page_paddr + offset_of(handover_protected_gdt);
    settings->efer = 0;
    settings->cr4 = 0;
}

static void set_up_convention(struct settings *settings, const struct handover *handover)
{
    const struct convention *convention =
        handover->is_limine ? &limine_convention : &bootinfo_convention;

    settings->gdt_vaddr =
        handover->physical_memory + handover->page_paddr + offset_of(convention->gdt);
    settings->gdt_limit = (uint16_t)(convention->gdt_end - convention->gdt - 1);
    settings->code_selector = convention->code_selector;
    settings->data_selector = convention->data_selector;
    settings->thread_selector = convention->thread_selector;
    settings->pat_low = convention->pat_low;
    settings->pat_high = convention->pat_high;
    settings->goto_offset = convention->goto_offset;
}

void handover_copy(const struct handover *handover)
{
    const uint32_t page_paddr = (uint32_t)handover->page_paddr;
    uint8_t *page = (uint8_t *)(uintptr_t)page_paddr;

    memcpy(page, handover_code, offset_of(handover_code_end));
    struct settings *settings = (struct settings *)(page + offset_of(handover_settings));
    settings->entry_vaddr = handover->entry_vaddr;
    settings->stack_top_vaddr = handover->stack_top_vaddr;
    settings->argument = handover->argument;
    settings->physical_memory = handover->physical_memory;
    settings->moves_paddr = handover->moves_paddr;
    settings->move_count = handover->move_count;
    settings->mtrrs_paddr = (uint32_t)handover->mtrrs_paddr;
    settings->mtrr_count = (uint32_t)handover->mtrr_count;
    settings->switch_gdt_paddr = page_paddr + offset_of(handover_switch_gdt);
    settings->tables_paddr = (uint32_t)handover->tables_paddr;
    settings->efer = EFER_LME | (handover->has_nx ? EFER_NXE : 0);
    settings->cr4 = CR4_PAE | CR4_OSFXSR | CR4_OSXMMEXCPT | (handover->levels == 5 ? CR4_LA57 : 0);
    settings->apic_mode = handover->has_x2apic ? APIC_BASE_X2APIC | APIC_BASE_ENABLED : 0;
    settings->long_mode_paddr = page_paddr + offset_of(handover_long_mode);
    settings->protected = handover->registers;
    set_up_convention(settings, handover);
    if (handover->tables_paddr == 0)
        set_up_protected_mode(settings, page_paddr);
}

struct handover_door handover_door(const struct handover *handover)
{
    const uint32_t page_paddr = (uint32_t)handover->page_paddr;

    return (struct handover_door){
        .page_paddr = page_paddr,
        .entry_paddr = page_paddr + offset_of(handover_32),
        .gdt_paddr = page_paddr + offset_of(handover_switch_gdt),
    };
}

void handover_enter(const struct handover *handover)
{
    void (*enter)(void) = (__typeof__(enter))(uintptr_t)handover->page_paddr;

    enter();
}

void handover_enter_services(uint64_t entry, const struct handover_services *registers)
{
    __asm__ volatile("and $-16, %%rsp\n\t"
                     "push $0\n\t" /* the return address of the entry */
                     "jmp *%0"
                     :
                     : "r"(entry), "a"(registers->rax), "b"(registers->rbx), "d"(registers->rdx),
                       "S"(registers->rsi), "D"(registers->rdi)
                     : "memory");
}
