/*
 * A kernel to be packed by the tool and placed by the core. It never runs.
 */
#include <stdint.h>

static volatile uint64_t zeros[2000];
static volatile uint64_t data[700] = {0x1122334455667788, [699] = 0x99aabbccddeeff00};
static const volatile char constants[5000] = "constants";

_Noreturn void start(void);

_Noreturn void start(void)
{
    for (unsigned int i = 0;; i++)
        zeros[i % 2000] = data[i % 700] + (uint64_t)constants[i % 5000];
}
