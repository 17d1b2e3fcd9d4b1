/*
 * The rights of memory, tried out: what must fault does, on the address and for the reason that it
 * should, and what must not does not. rights.asm has the accesses; page_walk.h is only used to find
 * the other addresses of a page. Without NX all memory that can be read can be executed.
 */
#include "page_walk.h"
#include "report.h"

#include <stddef.h>

#define IDENTITY_END 0x100000000ull
#define RETURN 0xC3 /* the instruction */

/* Of the error code of a page fault. */
#define FAULT_PRESENT 0x1u
#define FAULT_WRITE 0x2u
#define FAULT_FETCH 0x10u

struct fault {
    uint64_t happened;
    uint64_t error;
    uint64_t cr2;
};

extern struct fault rights_fault;
void rights_start(void);
void rights_read(uint64_t vaddr);
void rights_write(uint64_t vaddr);
void rights_execute(uint64_t vaddr);
void rights_overflow(void);
void _start(const struct bootinfo *info);

static const uint8_t rodata = RETURN;
static volatile uint8_t data = RETURN;
static volatile uint8_t bss;
__attribute__((section(".data.rel.ro"))) static volatile uint8_t relro = RETURN;

static bool cpu_has_nx;

static uint64_t address(const volatile void *pointer)
{
    return (uint64_t)(uintptr_t)pointer;
}

static uint64_t text(void)
{
    return (uint64_t)(uintptr_t)_start;
}

static bool faulted(uint64_t vaddr, uint64_t error)
{
    return rights_fault.happened && rights_fault.cr2 == vaddr && rights_fault.error == error;
}

static bool read_faults(uint64_t vaddr)
{
    rights_read(vaddr);
    return faulted(vaddr, 0);
}

static bool write_faults(uint64_t vaddr)
{
    rights_write(vaddr);
    return faulted(vaddr, FAULT_WRITE | FAULT_PRESENT);
}

/* Where every alias of a page is read-only, too: in the first 4 GiB, and in the map of all RAM. */
static bool alias_writes_fault(uint64_t vaddr)
{
    uint64_t cr3;

    __asm__("mov %%cr3, %0" : "=r"(cr3));
    const uint64_t paddr = page_paddr(cr3, vaddr);

    return write_faults(paddr) && write_faults(page_physical_memory() + paddr);
}

static bool write_works(uint64_t vaddr)
{
    rights_write(vaddr);
    return !rights_fault.happened;
}

/* On a CPU without NX it does not fault; that a return stands there is the caller's to see to. */
static bool execute_faults(uint64_t vaddr)
{
    rights_execute(vaddr);
    return cpu_has_nx ? faulted(vaddr, FAULT_FETCH | FAULT_PRESENT) : !rights_fault.happened;
}

static bool alias_executions_fault(uint64_t vaddr)
{
    uint64_t cr3;

    __asm__("mov %%cr3, %0" : "=r"(cr3));
    const uint64_t paddr = page_paddr(cr3, vaddr);

    return execute_faults(paddr) && execute_faults(page_physical_memory() + paddr);
}

static void check_what_is_not_mapped(const struct bootinfo *info)
{
    report_check(read_faults(0) && read_faults(PAGE_BYTES - 1), "a read of page 0 faults");
    rights_read(PAGE_BYTES);
    report_check(!rights_fault.happened, "a read of page 1 does not");
    report_check(read_faults(IDENTITY_END), "a read at 4 GiB faults");
    report_check(read_faults(info->physical_memory + (1ull << 40)),
                 "a read of physical memory at 1 TiB, where there is none, faults");
    report_check(read_faults(BOOTINFO_STACK_TOP), "a read above the stack faults");
    rights_overflow();
    report_check(faulted(info->stack_top - info->stack_bytes - 8, FAULT_WRITE),
                 "a stack that overflows faults on the page below it");
    rights_read(info->stack_top - info->stack_bytes);
    report_check(!rights_fault.happened, "the lowest byte of the stack is mapped");
}

static void check_writes(void)
{
    report_check(write_faults(text()), "a write to text faults");
    report_check(write_faults(address(&rodata)), "a write to rodata faults");
    report_check(write_faults(address(&relro)), "a write to what PT_GNU_RELRO names faults");
    report_check(alias_writes_fault(text()), "a write to text by another address faults");
    report_check(alias_writes_fault(address(&rodata)),
                 "a write to rodata by another address faults");
    report_check(alias_writes_fault(address(&relro)),
                 "a write to what PT_GNU_RELRO names by another address faults");
    report_check(write_works(address(&data)) && write_works(address(&bss)),
                 "writes to data and bss do not");
}

static void check_executions(void)
{
    volatile uint8_t on_stack = RETURN;

    bss = RETURN;
    report_check(execute_faults(address(&rodata)), "execution of rodata faults");
    report_check(execute_faults(address(&relro)), "execution of what PT_GNU_RELRO names faults");
    report_check(execute_faults(address(&data)), "execution of data faults");
    report_check(execute_faults(address(&bss)), "execution of bss faults");
    report_check(execute_faults(address(&on_stack)), "execution of the stack faults");
    report_check(alias_executions_fault(address(&data)),
                 "execution of data by another address faults");
}

static bool has_nx(void)
{
    uint32_t eax = 0x80000001, ebx, ecx, edx;

    __asm__ volatile("cpuid" : "+a"(eax), "=b"(ebx), "=c"(ecx), "=d"(edx));
    return (edx >> 20 & 1) != 0;
}

void _start(const struct bootinfo *info)
{
    report_entered();
    cpu_has_nx = has_nx();
    rights_start();
    check_what_is_not_mapped(info);
    check_writes();
    check_executions();
    report_done();
}
