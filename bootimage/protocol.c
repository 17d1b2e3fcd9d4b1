/*
 * Second step: the table of boot protocols, most particular first.
 */
#include "protocol.h"

static const struct protocol *const protocols[] = {
    &protocol_plain,
};

const struct protocol *protocol_find(const struct kernel *kernel)
{
    for (size_t i = 0; i < sizeof(protocols) / sizeof(protocols[0]); i++) {
        if (protocols[i]->recognise(kernel))
            return protocols[i];
    }
    return &protocol_plain;
}
