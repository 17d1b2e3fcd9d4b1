/*
 * Verbs that need interrupts: an IDT with a gate for the timer of the PC, or for page faults, and
 * nothing else. An exception without a gate ends as in faults.c, at whatever depth of handlers.
 */
#include "crash.h"

#define PAGE_FAULT 14
#define TIMER 32 /* the vector of IRQ 0 */
#define GATES 33
#define GATE_INTERRUPT 0x8e /* present, ring 0, interrupts off in the handler */
#define CODE_SELECTOR 0x08  /* bootinfo.h */
#define PIC_1 0x20
#define PIC_2 0xa0
#define PIC_END 0x20
#define PIC_ALL_BUT_TIMER 0xfe
#define PIT_CHANNEL_0 0x40
#define PIT_COMMAND 0x43
#define PIT_SQUARE_WAVE 0x36 /* channel 0, both bytes, mode 3 */
#define PIT_100_HZ 11932

struct gate {
    uint16_t offset_low, selector;
    uint8_t stack, type;
    uint16_t offset_middle;
    uint32_t offset_high, reserved;
};

static struct gate idt[GATES];
static volatile uint64_t ticks, ticks_most = ~0ull;
static volatile int one = 1, zero;

/* entry.S */
void timer_entry(void);
void page_fault_entry(void);
/* For it. */
void timer_tick(void);
void page_fault_handle(void);

static void set_gate(unsigned int vector, void (*entry)(void))
{
    const uint64_t offset = (uintptr_t)entry;
    const struct __attribute__((packed)) {
        uint16_t limit;
        uint64_t base;
    } table = {sizeof(idt) - 1, (uintptr_t)idt};

    idt[vector] = (struct gate){
        .offset_low = (uint16_t)offset,
        .selector = CODE_SELECTOR,
        .type = GATE_INTERRUPT,
        .offset_middle = (uint16_t)(offset >> 16),
        .offset_high = (uint32_t)(offset >> 32),
    };
    __asm__ volatile("lidt %0" : : "m"(table), "m"(idt));
}

/* IRQ 0 at TIMER, 100 times in a second; everything else masked. */
static void start_timer(void)
{
    static const uint8_t set_up[][2] = {{PIC_1, 0x11},          {PIC_2, 0x11},  {PIC_1 + 1, TIMER},
                                        {PIC_2 + 1, TIMER + 8}, {PIC_1 + 1, 4}, {PIC_2 + 1, 2},
                                        {PIC_1 + 1, 1},         {PIC_2 + 1, 1}};

    set_gate(TIMER, timer_entry);
    for (size_t i = 0; i < sizeof(set_up) / sizeof(set_up[0]); i++)
        write_port(set_up[i][0], set_up[i][1]);
    write_port(PIC_2 + 1, 0xff);
    write_port(PIC_1 + 1, PIC_ALL_BUT_TIMER);
    write_port(PIT_COMMAND, PIT_SQUARE_WAVE);
    write_port(PIT_CHANNEL_0, PIT_100_HZ & 0xff);
    write_port(PIT_CHANNEL_0, PIT_100_HZ >> 8);
}

FRAME static void count_tick(void)
{
    if (++ticks >= ticks_most)
        *(volatile uint64_t *)UNMAPPED_VADDR = ticks; /* CRASH: fault-in-interrupt */
}

void timer_tick(void)
{
    count_tick();
    write_port(PIC_1, PIC_END);
}

FRAME static void wait_for_interrupts(void)
{
    __asm__ volatile("sti; 0: hlt; jmp 0b"); /* CRASH: hang-interrupts */
}

FRAME static void hang_interrupts(const char *argument)
{
    (void)argument;
    start_timer();
    wait_for_interrupts();
}

FRAME static void fault_in_interrupt(const char *argument)
{
    (void)argument;
    ticks_most = 3;
    start_timer();
    wait_for_interrupts();
}

void page_fault_handle(void)
{
    zero = one / zero; /* CRASH: fault-in-handler-second */
}

FRAME static void touch(uint64_t vaddr)
{
    *(volatile uint64_t *)vaddr = 1; /* CRASH: fault-in-handler */
}

FRAME static void fault_in_handler(const char *argument)
{
    (void)argument;
    set_gate(PAGE_FAULT, page_fault_entry);
    touch(UNMAPPED_VADDR);
}

const struct verb interrupts_verbs[] = {
    {"hang-interrupts", hang_interrupts},
    {"fault-in-interrupt", fault_in_interrupt},
    {"fault-in-handler", fault_in_handler},
    {NULL, NULL},
};
