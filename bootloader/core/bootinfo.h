/*
 * struct bootinfo, as the loader fills it for the kernel.
 */
#ifndef BOOTLOADER_CORE_BOOTINFO_H
#define BOOTLOADER_CORE_BOOTINFO_H

struct loader;

/* Take memory for it and say what is known by now: all of bootinfo but the memory map, and what
   other steps of prepare find out. Sets loader->info. */
void bootinfo_start(struct loader *loader);

/* Hand over the memory map. Nothing may be taken from it any more, and the plan is gone. */
void bootinfo_finish(struct loader *loader);

/* Leave the firmware, and tell the kernel how it left memory. */
void bootinfo_leave(struct loader *loader);

#endif
