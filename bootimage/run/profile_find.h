/*
 * The profile of a machine: from what the loader left in its memory.
 */
#ifndef BOOTIMAGE_RUN_PROFILE_FIND_H
#define BOOTIMAGE_RUN_PROFILE_FIND_H

#include "run/bootinfo_finder.h"
#include "run/machine.h"
#include "run/profile.h"

#include <stdbool.h>

/* The boot information in the memory of a machine that is stopped, or of one that has ended and
   whose memory was kept. False: there is none. */
bool machine_find_bootinfo(struct machine *machine, struct found_bootinfo *found);

/* Ticks as profile_fill() has them. */
bool profile_find(struct profile *profile, struct machine *machine, double ticks_per_ms);

#endif
