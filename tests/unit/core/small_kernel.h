/*
 * A kernel of one region for the tests of the whole core: code, constants, a hole, and data.
 */
#ifndef TESTS_UNIT_CORE_SMALL_KERNEL_H
#define TESTS_UNIT_CORE_SMALL_KERNEL_H

#include "contract.h"
#include "fake_firmware.h"
#include "plan_builder.h"

#define SMALL_KERNEL_ENTRY 0x1234u /* from its start */
#define SMALL_KERNEL_BYTES 0x8000u

/* Append it to a plan, with the protocol, which is returned. */
struct plan_protocol *small_kernel_build(struct plan_builder *builder, uint64_t vaddr,
                                         uint64_t paddr);

/* Finish the plan and boot it. */
enum fake_end small_kernel_boot(struct plan_builder *builder);

/* The plan does not boot, with this error; the firmware was not left. */
void small_kernel_fails(struct plan_builder *builder, unsigned int error);

/* Check the boot that came to its end. `about` says what was asked for; the kernel itself, which
   lies at `paddr`, is filled in. */
void small_kernel_check(struct contract_kernel about, uint64_t vaddr, uint64_t paddr);

#endif
