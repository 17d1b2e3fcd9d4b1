/*
 * Exceptions inside the loader: reported, instead of a reset that says nothing.
 */
#include "../core/log.h"
#include "bios.h"

#define VECTORS 32
#define STUB_BYTES 16
#define SELECTOR_CODE64 0x08
#define GATE_INTERRUPT 0x8e /* present, ring 0, interrupt gate */

/* A gate of the 64-bit IDT [Intel SDM vol. 3 §6.14.1 "64-Bit Mode IDT"]. */
struct gate {
    uint16_t offset_0;  /* 0 */
    uint16_t selector;  /* 2 */
    uint8_t stack;      /* 4 */
    uint8_t type;       /* 5 */
    uint16_t offset_16; /* 6 */
    uint32_t offset_32; /* 8 */
    uint32_t reserved;  /* 12 */
};
_Static_assert(sizeof(struct gate) == 16, "gate");

/* exceptions.asm */
extern const uint8_t exceptions_stubs[VECTORS][STUB_BYTES];

_Noreturn void exceptions_report(uint64_t vector, uint64_t error, uint64_t rip, uint64_t cr2);

static struct gate idt[VECTORS];

void exceptions_start(void)
{
    for (unsigned int i = 0; i < VECTORS; i++) {
        uint64_t stub = (uintptr_t)exceptions_stubs[i];

        idt[i] = (struct gate){
            .offset_0 = (uint16_t)stub,
            .selector = SELECTOR_CODE64,
            .type = GATE_INTERRUPT,
            .offset_16 = (uint16_t)(stub >> 16),
        };
    }
    struct __attribute__((packed)) {
        uint16_t limit;
        uint64_t base;
    } pointer = {sizeof(idt) - 1, (uintptr_t)idt};
    __asm__ volatile("lidt %0" : : "m"(pointer));
}

_Noreturn void exceptions_report(uint64_t vector, uint64_t error, uint64_t rip, uint64_t cr2)
{
    fail(ERROR_EXCEPTION, {"vector", vector}, {"error", error}, {"rip", rip}, {"cr2", cr2});
}
