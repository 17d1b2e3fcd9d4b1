/*
 * What assembly needs to know of C: offsets and numbers as absolute symbols, so that the linker,
 * and not a second declaration, brings them together.
 */
#include "../core/errors.h"
#include "bios_call.h"

#include <bootimage/image.h>

#define SYMBOL(name, value) __asm__ volatile(".globl " #name "\n.set " #name ", %c0" : : "i"(value))

/* Never called: only its symbols are wanted. */
__attribute__((used)) static void symbols(void)
{
#define ERROR_SYMBOL(number, name, text, cause, cure) SYMBOL(error_number_##name, number);
    ERROR_TABLE(ERROR_SYMBOL)
#undef ERROR_SYMBOL

    SYMBOL(image_header_magic_start, IMAGE_HEADER_MAGIC[0] | IMAGE_HEADER_MAGIC[1] << 8);
    SYMBOL(image_header_stage2_sum, offsetof(struct image_header, stage2_sum));

    SYMBOL(bios_registers_eax, offsetof(struct bios_registers, eax));
    SYMBOL(bios_registers_ebx, offsetof(struct bios_registers, ebx));
    SYMBOL(bios_registers_ecx, offsetof(struct bios_registers, ecx));
    SYMBOL(bios_registers_edx, offsetof(struct bios_registers, edx));
    SYMBOL(bios_registers_esi, offsetof(struct bios_registers, esi));
    SYMBOL(bios_registers_edi, offsetof(struct bios_registers, edi));
    SYMBOL(bios_registers_ebp, offsetof(struct bios_registers, ebp));
    SYMBOL(bios_registers_ds, offsetof(struct bios_registers, ds));
    SYMBOL(bios_registers_es, offsetof(struct bios_registers, es));
    SYMBOL(bios_registers_eflags, offsetof(struct bios_registers, eflags));
    SYMBOL(bios_registers_bytes, sizeof(struct bios_registers));
}
