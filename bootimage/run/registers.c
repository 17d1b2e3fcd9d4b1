/*
 * Reads the registers of a CPU that has stopped, for the crash report, out of QEMU's text.
 *
 * QEMU prints 64-bit names and widths in 64-bit code only, and 32-bit ones ("EAX=", "EFL=") in all
 * other code, 16-bit code too. What else it prints depends on the version, the accelerator and the
 * CPU, so each "NAME=value" is looked at for itself, wherever it stands and whatever is around it.
 */
#include "run/registers.h"

#include <stdlib.h>
#include <string.h>

/* D/B, as a descriptor has it in its upper half [Intel SDM vol. 3 §3.4.5]. */
#define ATTRIBUTE_IS_32_BIT (UINT32_C(1) << 22)

/* Behind the '=' of a segment register are the selector, the base, the limit and the upper half of
   the descriptor; behind that of a table its address and limit. */
#define VALUE_COUNT 4
#define NAME_BYTES 4
#define CPU_HEADING "CPU#"

/* What is read, and what the rest is made of. */
struct dump {
    struct registers registers;
    uint32_t cs_attributes;
    uint32_t halted;
    bool is_64_bit;
};

enum presence { ALWAYS, IN_64_BIT_CODE, SOMETIMES };

struct field {
    char name[NAME_BYTES + 1]; /* the 64-bit one */
    uint8_t value;             /* which one behind the '=' */
    uint8_t presence;
    uint8_t bytes;
    uint16_t offset;
};

#define FIELD(name, value, member, presence)                                                       \
    {                                                                                              \
        name, value, presence, (uint8_t)sizeof(((struct dump *)NULL)->member),                     \
            (uint16_t)offsetof(struct dump, member)                                                \
    }
#define GENERAL(name, number)                                                                      \
    FIELD(name, 0, registers.general[number], (number) < REGISTERS_R8 ? ALWAYS : IN_64_BIT_CODE)

static const struct field fields[] = {
    GENERAL("RAX", REGISTERS_RAX),
    GENERAL("RCX", REGISTERS_RCX),
    GENERAL("RDX", REGISTERS_RDX),
    GENERAL("RBX", REGISTERS_RBX),
    GENERAL("RSP", REGISTERS_RSP),
    GENERAL("RBP", REGISTERS_RBP),
    GENERAL("RSI", REGISTERS_RSI),
    GENERAL("RDI", REGISTERS_RDI),
    GENERAL("R8", REGISTERS_R8),
    GENERAL("R9", REGISTERS_R8 + 1),
    GENERAL("R10", REGISTERS_R8 + 2),
    GENERAL("R11", REGISTERS_R8 + 3),
    GENERAL("R12", REGISTERS_R8 + 4),
    GENERAL("R13", REGISTERS_R8 + 5),
    GENERAL("R14", REGISTERS_R8 + 6),
    GENERAL("R15", REGISTERS_R8 + 7),
    FIELD("RIP", 0, registers.rip, ALWAYS),
    FIELD("RFL", 0, registers.rflags, ALWAYS),
    FIELD("HLT", 0, halted, SOMETIMES),
    FIELD("ES", 0, registers.es, ALWAYS),
    FIELD("CS", 0, registers.cs, ALWAYS),
    FIELD("CS", 1, registers.cs_base, ALWAYS),
    FIELD("CS", 3, cs_attributes, ALWAYS),
    FIELD("SS", 0, registers.ss, ALWAYS),
    FIELD("DS", 0, registers.ds, ALWAYS),
    FIELD("FS", 0, registers.fs, ALWAYS),
    FIELD("FS", 1, registers.fs_base, ALWAYS),
    FIELD("GS", 0, registers.gs, ALWAYS),
    FIELD("GS", 1, registers.gs_base, ALWAYS),
    FIELD("GDT", 0, registers.gdt, ALWAYS),
    FIELD("IDT", 0, registers.idt, ALWAYS),
    FIELD("IDT", 1, registers.idt_limit, ALWAYS),
    FIELD("CR0", 0, registers.cr0, ALWAYS),
    FIELD("CR2", 0, registers.cr2, ALWAYS),
    FIELD("CR3", 0, registers.cr3, ALWAYS),
    FIELD("CR4", 0, registers.cr4, ALWAYS),
    FIELD("EFER", 0, registers.efer, SOMETIMES),
};

#define FIELD_COUNT (sizeof(fields) / sizeof(fields[0]))

static bool is_name_character(char character)
{
    return (character >= 'A' && character <= 'Z') || (character >= '0' && character <= '9');
}

/* The name before the '=' at equals, by its 64-bit form; "" where there is none. */
static void read_name(char name[NAME_BYTES + 1], const char *text, const char *equals,
                      bool *is_64_bit)
{
    const char *end = equals;
    const char *start;

    while (end > text && end[-1] == ' ')
        end--;
    for (start = end; start > text && is_name_character(start[-1]); start--)
        ;
    size_t length = (size_t)(end - start);
    if (length > NAME_BYTES)
        length = 0;
    memcpy(name, start, length);
    name[length] = 0;
    *is_64_bit = name[0] == 'R';
    if (length == 3 && name[0] == 'E')
        name[0] = 'R';
}

static bool hexadecimal_digit(char character, unsigned int *digit)
{
    if (character >= '0' && character <= '9')
        *digit = (unsigned int)(character - '0');
    else if (character >= 'a' && character <= 'f')
        *digit = (unsigned int)(character - 'a') + 10;
    else
        return false;
    return true;
}

/* The numbers of the line from text on; returns how many there are. */
static size_t read_values(uint64_t values[VALUE_COUNT], const char *text, const char *end)
{
    size_t count;

    for (count = 0; count < VALUE_COUNT; count++) {
        unsigned int digit;
        const char *start;

        while (text < end && *text == ' ')
            text++;
        values[count] = 0;
        for (start = text; text < end && hexadecimal_digit(*text, &digit); text++)
            values[count] = values[count] << 4 | digit;
        bool is_whole = text == end || *text == ' ' || *text == '\r' || *text == '\n';
        if (text == start || !is_whole)
            break;
    }
    return count;
}

static void store(struct dump *dump, const struct field *field, uint64_t value)
{
    char *member = (char *)dump + field->offset;

    if (field->bytes == sizeof(uint16_t))
        memcpy(member, &(uint16_t){(uint16_t)value}, sizeof(uint16_t));
    else if (field->bytes == sizeof(uint32_t))
        memcpy(member, &(uint32_t){(uint32_t)value}, sizeof(uint32_t));
    else
        memcpy(member, &value, sizeof(value));
}

/* Of two values for a register, the first counts: the second is of another CPU. */
static void read_field(struct dump *dump, bool is_read[FIELD_COUNT], const char *text,
                       const char *equals, const char *end)
{
    char name[NAME_BYTES + 1];
    bool is_64_bit;

    read_name(name, text, equals, &is_64_bit);
    if (!*name)
        return;
    uint64_t values[VALUE_COUNT];
    size_t count = read_values(values, equals + 1, end);
    for (size_t i = 0; i < FIELD_COUNT; i++) {
        const struct field *field = &fields[i];

        if (is_read[i] || field->value >= count || strcmp(field->name, name) != 0)
            continue;
        store(dump, field, values[field->value]);
        is_read[i] = true;
        if (strcmp(name, "RIP") == 0)
            dump->is_64_bit = is_64_bit;
    }
}

bool registers_parse(struct registers *registers, const char *text, size_t bytes)
{
    struct dump dump = {0};
    bool is_read[FIELD_COUNT] = {false};
    const char *end = text + bytes;
    const char *equals = text;

    while ((equals = memchr(equals, '=', (size_t)(end - equals)))) {
        read_field(&dump, is_read, text, equals, end);
        equals++;
    }
    for (size_t i = 0; i < FIELD_COUNT; i++) {
        bool is_needed = fields[i].presence == ALWAYS ||
                         (fields[i].presence == IN_64_BIT_CODE && dump.is_64_bit);

        if (is_needed && !is_read[i])
            return false;
    }
    *registers = dump.registers;
    registers->is_halted = dump.halted;
    registers->bits = dump.is_64_bit ? 64 : dump.cs_attributes & ATTRIBUTE_IS_32_BIT ? 32 : 16;
    return true;
}

const char *registers_name(enum registers_general number, unsigned int bits)
{
    static const char names[2][REGISTERS_GENERAL_COUNT][4] = {
        {"eax", "ecx", "edx", "ebx", "esp", "ebp", "esi", "edi"},
        {"rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi", "r8", "r9", "r10", "r11", "r12",
         "r13", "r14", "r15"},
    };

    return names[bits == 64][number];
}

bool registers_next(struct registers *registers, unsigned int *cpu, const char **text)
{
    while (**text) {
        const char *heading = strstr(*text, CPU_HEADING);
        const char *dump = heading ? heading + strlen(CPU_HEADING) : *text;
        const char *end = strstr(dump, CPU_HEADING);

        *cpu = heading ? (unsigned int)strtoul(dump, NULL, 10) : 0;
        if (!end)
            end = dump + strlen(dump);
        *text = end;
        if (registers_parse(registers, dump, (size_t)(end - dump)))
            return true;
    }
    return false;
}
