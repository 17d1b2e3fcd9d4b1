/*
 * The other CPUs, when the kernel asks for them: each is given a stack and a struct bootinfo_cpu,
 * started, and parked in the hand-over page.
 */
#ifndef BOOTLOADER_CORE_CPUS_H
#define BOOTLOADER_CORE_CPUS_H

struct loader;

/* Before the hand-over page is made: note the boot processor's memory type range registers in
   loader->handover, if other CPUs are asked for. Takes memory. */
void cpus_note_mtrrs(struct loader *loader);

/* Find the CPUs and tell the kernel of them; map their stacks. The boot information has been
   started and is told of them. Takes memory. */
void cpus_prepare(struct loader *loader);

/* Start and park them. The kernel's page tables and the hand-over page are complete, and the
   firmware has been left. */
void cpus_start(struct loader *loader);

#endif
