/*
 * Plans for the tests of the loader, written record by record as the tool writes them, and sound
 * until a test damages them. Checksums are libxxhash's.
 */
#ifndef TESTS_UNIT_CORE_PLAN_BUILDER_H
#define TESTS_UNIT_CORE_PLAN_BUILDER_H

#include "firmware.h"

#include <bootimage/image.h>

#include <stdint.h>

#define BUILDER_PLAN_LBA 64u
#define BUILDER_IMAGE_ID 0x1122334455667788ull
#define BUILDER_STACK_BYTES 0x10000u
/* Where the payload begins, from the start of the partition: behind the longest plan. */
#define BUILDER_PAYLOAD_OFFSET 0x500000u

struct plan_builder {
    uint8_t *partition;
    struct image_plan *prefix; /* at its start */
    uint64_t payload_end;      /* from the start of the partition */
};

/* A plan of a kernel that is entered without paging, by this protocol: two regions with a gap, code
   at the start of the first, two modules, sections and a command line. */
#define BUILDER_PHYSICAL_PADDR 0x50200000ull
#define BUILDER_PHYSICAL_BYTES 0x201000ull
void builder_physical(struct plan_builder *builder, uint32_t protocol);

/* A plan without records. There is one disk: a new plan takes the place of the last one. */
void builder_start(struct plan_builder *builder);

/* Append a required record of this many bytes, all 0. */
void *builder_add(struct plan_builder *builder, uint16_t type, uint32_t bytes);

struct plan_protocol *builder_protocol(struct plan_builder *builder, uint64_t entry_vaddr);
struct plan_region *builder_region(struct plan_builder *builder, uint64_t vaddr, uint64_t bytes,
                                   uint64_t paddr);
struct plan_segment *builder_segment(struct plan_builder *builder, uint64_t vaddr, const void *data,
                                     uint64_t bytes);
struct plan_mapping *builder_mapping(struct plan_builder *builder, uint64_t vaddr, uint64_t bytes,
                                     uint32_t rights);
struct plan_command_line *builder_command_line(struct plan_builder *builder, const char *text);
struct plan_module *builder_module(struct plan_builder *builder, const char *name,
                                   const char *arguments, const void *data, uint64_t bytes);
struct plan_request *builder_request(struct plan_builder *builder, uint32_t type, uint64_t word0,
                                     uint64_t word1, uint64_t word2, uint64_t word3);
/* Room for `count` requests, which are all 0. */
struct plan_limine *builder_limine(struct plan_builder *builder, uint32_t base_revision,
                                   uint32_t count);
struct plan_tls *builder_tls(struct plan_builder *builder, uint64_t vaddr, uint64_t file_bytes);

/* The prefix for the records so far and its checksum; the disk goes into the fake machine. */
void builder_finish(struct plan_builder *builder);

/* The checksum alone, over the plan as it is now. */
void builder_sum(struct plan_builder *builder);

/* What the front end would tell the loader of this disk. */
struct firmware_boot builder_boot(const struct plan_builder *builder);

#endif
