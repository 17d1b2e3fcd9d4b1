/*
 * Position-independent kernels: where they are mapped, and what that changes in their bytes.
 */
#ifndef BOOTLOADER_CORE_RELOCATION_H
#define BOOTLOADER_CORE_RELOCATION_H

#include <stdint.h>

struct plan;

/* Add the distance to every virtual address in the plan. */
void relocation_move(struct plan *plan, uint64_t distance);

/* If the plan asks for a random base, choose it and move every virtual address in the plan. Before
   the placement. Warns when the choice can be guessed. */
void relocation_choose_base(struct plan *plan, int64_t wall_clock_s);

/* Apply the relocations of the kernel in its loaded memory; after the regions were loaded. Fails
   when one would patch anything else. */
void relocation_apply(const struct plan *plan);

#endif
