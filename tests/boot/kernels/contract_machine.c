/*
 * The contract kernel, THE MACHINE AT ENTRY: registers, segments, the local APIC.
 */
#include "contract.h"

/* Write-back, write-through, uncached minus, uncached; write-combining, write-protected, and the
   last two again. */
#define PAT 0x0007050100070406ull

#define APIC_BASE_BOOT_PROCESSOR 0x100u
#define APIC_BASE_X2APIC 0x400u
#define APIC_ID 0x20u /* the register */
#define MSR_X2APIC_ID 0x802u

static void check_general_registers(const struct entry_state *s)
{
    report_check(s->rdi == address(contract_info), "RDI holds the address of struct bootinfo");
    report_check((s->rax | s->rbx | s->rcx | s->rdx | s->rsi | s->rbp) == 0 &&
                     (s->r8 | s->r9 | s->r10 | s->r11 | s->r12 | s->r13 | s->r14 | s->r15) == 0,
                 "the other general registers are 0");
    report_check(s->rsp == BOOTINFO_STACK_TOP - 8, "RSP is the top of the stack minus 8");
    report_check((s->rsp + 8) % 16 == 0, "RSP + 8 is a multiple of 16");
    report_check(*(const uint64_t *)s->rsp == 0, "the quadword at RSP is 0");
    report_check(s->rflags == 0x2, "RFLAGS is 2: interrupts off, direction up");
}

static bool x87_works(void)
{
    uint32_t one = 0;

    __asm__ volatile("fld1; fistpl %0" : "=m"(one));
    return one == 1;
}

static void check_control_registers(const struct entry_state *s)
{
    const uint64_t cr0_set = 0x80010033; /* PG, WP, NE, ET, MP, PE */
    const uint64_t cr0_clear = 0xC;      /* TS, EM */
    const uint64_t long_mode = 0x500;    /* LMA, LME */

    report_check((s->cr0 & cr0_set) == cr0_set, "CR0 has PE, MP, ET, NE, WP and PG set");
    report_check((s->cr0 & cr0_clear) == 0, "CR0 has EM and TS clear");
    report_check(s->cr4 == (page_levels() == 5 ? 0x1620 : 0x620),
                 "CR4 has PAE, OSFXSR and OSXMMEXCPT set, LA57 with 5 levels, nothing else");
    report_check((s->efer & long_mode) == long_mode, "EFER has LME and LMA set");
    report_check(((s->efer >> 11 & 1) != 0) == contract_cpu_has_nx,
                 "EFER has NXE where the CPU has it");
    report_check((s->cr3 & ~PAGE_ADDRESS) == 0, "CR3 has no PCID and no cache flags");
    report_check(s->pat == PAT, "the PAT is as promised");
    report_check((s->dr7 & 0xFF) == 0, "DR7 arms no breakpoint");
    report_check(s->fcw == 0x37F, "FCW is 0x37F");
    report_check((s->fsw & 0xB8FF) == 0 && s->ftw == 0xFFFF,
                 "the x87 is empty and has no exception");
    report_check(x87_works(), "the x87 works");
    report_check(s->mxcsr == 0x1F80, "MXCSR is 0x1F80");
}

static void check_segments(const struct entry_state *s)
{
    const uint64_t *gdt = (const uint64_t *)s->gdt_base;

    report_check(s->gdt_limit >= 23, "the GDT has three entries");
    report_check(gdt[0] == 0, "the GDT begins with the null entry");
    /* Present, DPL 0, code, readable; L set, D clear. */
    report_check((gdt[1] >> 40 & 0xFA) == 0x9A && (gdt[1] >> 52 & 0x6) == 0x2,
                 "GDT entry 0x08 is 64-bit code");
    /* Present, DPL 0, data, writable, expand-up. */
    report_check((gdt[2] >> 40 & 0xFE) == 0x92, "GDT entry 0x10 is data");
    report_check(s->cs == 0x08, "CS is 0x08");
    report_check(s->ss == 0x10 && s->ds == 0x10 && s->es == 0x10, "SS, DS and ES are 0x10");
    report_check((s->fs | s->gs) == 0, "FS and GS are null");
    report_check((s->fs_base | s->gs_base | s->kernel_gs_base) == 0,
                 "the bases of FS and GS are 0");
    report_check(contract_memory_type(page_paddr(s->cr3, s->gdt_base), s->gdt_limit + 1) ==
                     BOOTINFO_MEMORY_LOADER,
                 "the GDT lies in memory of type LOADER");
    report_check(s->idt_limit == 0, "there is no IDT");
    report_check(s->ldtr == 0, "there is no LDT");
    report_check(s->tr == 0, "there is no TR");
    report_check(s->pics == 0xFFFF, "the PICs have all lines masked");
    report_check(s->in_service == 0, "the PICs have no interrupt in service");
}

/* The APIC's registers lie below 4 GiB, where they are mapped one to one. */
static uint32_t own_apic_id(const struct entry_state *s)
{
    if (s->apic_base & APIC_BASE_X2APIC)
        return (uint32_t)contract_read_msr(MSR_X2APIC_ID);
    return *(const volatile uint32_t *)((s->apic_base & PAGE_ADDRESS) + APIC_ID) >> 24;
}

static void check_apic(const struct entry_state *s)
{
    report_check((s->apic_base & APIC_BASE_BOOT_PROCESSOR) != 0, "this is the boot processor");
    report_check(contract_info->boot_cpu_apic_id == own_apic_id(s),
                 "bootinfo tells the APIC id of this CPU");
    report_check((contract_info->flags & BOOTINFO_X2APIC) ==
                     (s->apic_base & APIC_BASE_X2APIC ? BOOTINFO_X2APIC : 0),
                 "BOOTINFO_X2APIC tells the mode of the APIC");
}

void contract_check_machine(void)
{
    check_general_registers(&entry_state);
    check_control_registers(&entry_state);
    check_segments(&entry_state);
    check_apic(&entry_state);
}
