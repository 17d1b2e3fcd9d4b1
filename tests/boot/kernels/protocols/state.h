/*
 * What every kernel of a foreign protocol is entered with, and what they all look at.
 */
#ifndef TESTS_BOOT_KERNELS_PROTOCOLS_STATE_H
#define TESTS_BOOT_KERNELS_PROTOCOLS_STATE_H

#include "../report.h"

#define RFLAGS_IF (1u << 9)
#define RFLAGS_TF (1u << 8)
#define RFLAGS_VM (1u << 17)
#define CR0_PE (1u << 0)
#define CR0_PG (1u << 31)
#define ONE_MIB 0x100000u

struct state {
    uint32_t eax, ebx, ecx, edx, esi, edi, ebp, esp, eflags;
};
extern struct state state;
extern const char load_start[], bss_end[];

void check(void);

static inline uint32_t read_cr0(void)
{
    uint32_t value;
    __asm__ volatile("mov %%cr0, %0" : "=r"(value));
    return value;
}

static inline uint32_t read_cr4(void)
{
    uint32_t value;
    __asm__ volatile("mov %%cr4, %0" : "=r"(value));
    return value;
}

static inline uint8_t read_port(uint16_t port)
{
    uint8_t value;
    __asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
    return value;
}

static inline uint64_t read_efer(void)
{
    uint64_t value;
    __asm__ volatile("rdmsr" : "=A"(value) : "c"(0xc0000080));
    return value;
}

/* The segment in the descriptor table: a limit of 4 GiB, and rights of this type. */
static inline bool is_flat(uint32_t selector, uint32_t wanted)
{
    uint32_t limit = 0, rights = 0;

    __asm__ volatile("lsl %1, %0" : "+r"(limit) : "r"(selector));
    __asm__ volatile("lar %1, %0" : "+r"(rights) : "r"(selector));
    /* Present, ring 0, code or data, and 32-bit; "accessed" may be either. */
    return limit == 0xffffffff && (rights & 0x00c0fe00) == (0x00c09000 | wanted);
}

#define SEGMENT_CODE 0x0a00u /* may be executed and read */
#define SEGMENT_DATA 0x0200u /* may be written */

static inline bool is_segment(const char *name)
{
    uint32_t selector = 0;

    switch (name[0]) {
    case 'c':
        __asm__ volatile("mov %%cs, %0" : "=r"(selector));
        return is_flat(selector, SEGMENT_CODE);
    case 'd':
        __asm__ volatile("mov %%ds, %0" : "=r"(selector));
        break;
    case 'e':
        __asm__ volatile("mov %%es, %0" : "=r"(selector));
        break;
    case 'f':
        __asm__ volatile("mov %%fs, %0" : "=r"(selector));
        break;
    case 'g':
        __asm__ volatile("mov %%gs, %0" : "=r"(selector));
        break;
    default:
        __asm__ volatile("mov %%ss, %0" : "=r"(selector));
        break;
    }
    return is_flat(selector, SEGMENT_DATA);
}

static inline bool is_a20_open(void)
{
    volatile uint32_t *low = (volatile uint32_t *)0x7000, *high = (volatile uint32_t *)0x107000;
    uint32_t low_was = *low, high_was = *high;
    bool open;

    *low = 0x12345678;
    *high = 0x9abcdef0;
    open = *low == 0x12345678;
    *low = low_was;
    *high = high_was;
    return open;
}

/* What all protocols say of the machine. */
static inline void check_machine(void)
{
    report_check((read_cr0() & (CR0_PE | CR0_PG)) == CR0_PE, "protected mode, paging off");
    report_check(is_segment("cs") && is_segment("ds") && is_segment("es") && is_segment("fs") &&
                     is_segment("gs") && is_segment("ss"),
                 "flat 32-bit segments");
    report_check(!(state.eflags & (RFLAGS_IF | RFLAGS_TF | RFLAGS_VM)), "interrupts off");
    report_check(is_a20_open(), "A20 is open");
}

static inline bool is_text(const char *text, const char *wanted)
{
    while (*wanted && *text == *wanted)
        text++, wanted++;
    return *text == *wanted;
}

static inline bool begins(const char *text, const char *wanted)
{
    while (*wanted && *text == *wanted)
        text++, wanted++;
    return *wanted == '\0';
}

/* What a BIOS tells of itself; of Multiboot 1 and 2 alike. */
struct apm {
    uint16_t version, code_segment;
    uint32_t offset;
    uint16_t code_16_segment, data_segment, flags, code_bytes, code_16_bytes, data_bytes;
};

static inline bool is_apm(const struct apm *apm)
{
    return apm->version >= 0x100 && apm->version <= 0x102 && apm->code_segment &&
           apm->code_16_segment && apm->data_segment && (apm->flags & 2) && apm->code_bytes;
}

static inline uint16_t read_16(const uint8_t *at)
{
    return (uint16_t)(at[0] | at[1] << 8);
}

/* The blocks of VBE, functions 0 and 1, of a mode with this framebuffer; the number has bit 14 set
   for a linear one. */
static inline bool is_vbe(const uint8_t *controller, const uint8_t *mode_info, uint16_t mode,
                          uint32_t width, uint32_t height, uint64_t paddr)
{
    return controller[0] == 'V' && controller[1] == 'E' && controller[2] == 'S' &&
           controller[3] == 'A' && read_16(controller + 4) >= 0x200 &&
           (read_16(mode_info) & 0x99) == 0x99 && read_16(mode_info + 18) == width &&
           read_16(mode_info + 20) == height && *(const uint32_t *)(mode_info + 40) == paddr &&
           (mode & 0x4000) && (mode & 0x1ff) >= 0x100;
}

/* Does [start, end) lie apart from the kernel? */
static inline bool is_apart(uint64_t start, uint64_t end)
{
    return end <= (uintptr_t)load_start || start >= (uintptr_t)bss_end;
}

/* The tests' modules: byte n of module m is 7 * n + m. */
static inline bool is_module(uint64_t start, uint64_t end, unsigned index)
{
    for (uint64_t at = start; at < end; at++) {
        if (*(const uint8_t *)(uintptr_t)at != (uint8_t)((at - start) * 7 + index))
            return false;
    }
    return is_apart(start, end);
}

/* A memory map, range by range: sorted, disjoint, and the kernel in usable memory. */
struct map_check {
    uint64_t end;
    uint64_t usable;
    bool is_sorted, has_kernel;
};

static inline void map_check(struct map_check *map, uint64_t base, uint64_t bytes, uint32_t type)
{
    if (base < map->end || bytes == 0)
        map->is_sorted = false;
    map->end = base + bytes;
    if (type != 1)
        return;
    map->usable += bytes;
    if (base <= (uintptr_t)load_start && base + bytes >= (uintptr_t)bss_end)
        map->has_kernel = true;
}

#endif
