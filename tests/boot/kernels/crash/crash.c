/*
 * A kernel that does what its command line says, to be judged by `bootimage test`:
 *
 *   say 1..1|ok 1 - first|; exit 0x10
 *
 * Verbs, each with an argument or without, separated by ';'; see the tables of faults.c, machine.c
 * and interrupts.c. After the last the processor halts for good. It assumes only what bootinfo.h
 * promises, has no IDT but where a verb makes one, and is linked and built in several ways
 * (meson.build).
 */
#include "crash.h"

#include <stdbool.h>

const struct bootinfo *crash_info;

void _start(const struct bootinfo *info);

/* The text behind the verb and its blank, or NULL if the statement is of another verb. */
static const char *argument_of(const char *statement, const char *verb)
{
    while (*verb != '\0' && *statement == *verb) {
        statement++;
        verb++;
    }
    if (*verb != '\0')
        return NULL;
    if (*statement == ' ')
        return statement + 1;
    return *statement == ';' || *statement == '\0' ? statement : NULL;
}

FRAME static bool obey(const char *statement, const struct verb *verbs)
{
    for (; verbs->name; verbs++) {
        const char *argument = argument_of(statement, verbs->name);

        if (argument) {
            verbs->run(argument);
            return true;
        }
    }
    return false;
}

/* The next statement, or the 0 at the end of the last. */
static const char *next_statement(const char *text)
{
    while (*text != ';' && *text != '\0')
        text++;
    while (*text == ';' || *text == ' ')
        text++;
    return text;
}

void _start(const struct bootinfo *info)
{
    const char *statement = (const char *)(uintptr_t)info->command_line;

    crash_info = info;
    for (; *statement != '\0'; statement = next_statement(statement)) {
        if (!obey(statement, faults_verbs) && !obey(statement, machine_verbs))
            obey(statement, interrupts_verbs);
    }
    for (;;)
        __asm__ volatile("cli; hlt");
}
