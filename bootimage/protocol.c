/*
 * Second step: the table of boot protocols, most particular first.
 */
#include "protocol.h"

#include <stdio.h>
#include <string.h>

static const struct protocol *const protocols[] = {
    &protocol_limine, &protocol_multiboot2, &protocol_multiboot1, &protocol_pvh,
    &protocol_linux,  &protocol_linux16,    &protocol_plain32,    &protocol_plain,
};

#define PROTOCOL_COUNT (sizeof(protocols) / sizeof(protocols[0]))

static bool choose_by_name(struct protocol_choice *choice, const struct kernel *kernel,
                           const char *name, struct error *error)
{
    char names[PROTOCOL_REASON_BYTES];
    size_t bytes = 0;

    for (size_t i = 0; i < PROTOCOL_COUNT; i++) {
        bytes += (size_t)snprintf(names + bytes, sizeof(names) - bytes, "%s%s", i ? ", " : "",
                                  protocols[i]->name);
        if (strcmp(protocols[i]->name, name) == 0)
            choice->protocol = protocols[i];
    }
    if (!choice->protocol)
        return error_set(error, "--protocol is %s; give one of %s [protocol-name]", name, names);
    switch (choice->protocol->recognise(kernel, choice->reason, error)) {
    case PROTOCOL_MARKED:
        return true;
    case PROTOCOL_BROKEN_MARK:
        return false;
    case PROTOCOL_NO_MARK:
    default:
        return error_set(error,
                         "%s: carries no mark of the protocol %s; leave --protocol out, or check "
                         "that the linker script keeps the header or note [protocol-absent]",
                         kernel->path, name);
    }
}

static bool is_plain(const struct protocol *protocol)
{
    return protocol == &protocol_plain || protocol == &protocol_plain32;
}

/* Our own note goes before all other marks. The plain ones are last, and take what carries none. */
bool protocol_choose(struct protocol_choice *choice, const struct kernel *kernel, const char *name,
                     struct error *error)
{
    struct error broken = {0};

    *choice = (struct protocol_choice){0};
    if (name)
        return choose_by_name(choice, kernel, name, error);
    for (size_t i = 0; i < PROTOCOL_COUNT && !choice->protocol; i++) {
        if (is_plain(protocols[i]) ? broken.text != NULL : kernel->request_count > 0)
            continue;
        if (protocols[i]->recognise(kernel, choice->reason, &broken) == PROTOCOL_MARKED)
            choice->protocol = protocols[i];
    }
    if (!choice->protocol) {
        error->text = broken.text;
        broken.text = NULL;
    }
    error_free(&broken);
    return choice->protocol != NULL;
}

const char *protocol_plain_name(const struct kernel *kernel)
{
    char reason[PROTOCOL_REASON_BYTES];
    bool is_32 = protocol_plain32.recognise(kernel, reason, NULL) == PROTOCOL_MARKED;

    return is_32 ? protocol_plain32.name : protocol_plain.name;
}

static const struct protocol *find(uint32_t number)
{
    for (size_t i = 0; i < PROTOCOL_COUNT; i++) {
        if (protocols[i]->number == number)
            return protocols[i];
    }
    return NULL;
}

const char *protocol_name(uint32_t number)
{
    const struct protocol *protocol = find(number);

    return protocol ? protocol->name : "unknown";
}

bool protocol_has_requests(uint32_t number)
{
    const struct protocol *protocol = find(number);

    return protocol && protocol->has_requests;
}
