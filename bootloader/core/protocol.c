/*
 * The table of boot protocols.
 */
#include "protocol.h"

#include "log.h"

static const struct protocol protocols[] = {
    {PLAN_PROTOCOL_PLAIN, protocol_plain_prepare, protocol_plain_enter},
};

const struct protocol *protocol_find(uint32_t number)
{
    for (size_t i = 0; i < sizeof(protocols) / sizeof(protocols[0]); i++) {
        if (protocols[i].number == number)
            return &protocols[i];
    }
    fail(ERROR_PLAN_UNKNOWN, {"protocol", number});
}
