/*
 * The way back to real mode: made here. The code itself is real_mode.asm.
 */
#include "real_mode.h"

#include <string.h>

/* What the code finds behind itself. */
struct settings {
    uint16_t segment;
    uint16_t stack;
};

/* real_mode.asm */
extern const uint8_t real_mode_code[], real_mode_code_end[], real_mode_settings[];

void real_mode_copy(uint8_t *place, uint16_t segment, uint16_t stack)
{
    const uintptr_t start = (uintptr_t)real_mode_code;
    const struct settings settings = {segment, stack};

    memcpy(place, real_mode_code, (uintptr_t)real_mode_code_end - start);
    memcpy(place + ((uintptr_t)real_mode_settings - start), &settings, sizeof(settings));
}
