/*
 * The checks of a plan that was read whole.
 */
#ifndef BOOTLOADER_CORE_PLAN_CHECK_H
#define BOOTLOADER_CORE_PLAN_CHECK_H

struct plan;

/* Check every record of the plan, and what they say of each other. Fails when a record makes no
   sense or asks for what this loader does not know. */
void plan_check(const struct plan *plan);

#endif
