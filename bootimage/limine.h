/*
 * What a kernel carries of the Limine boot protocol: its base revision tag, its requests, and the
 * markers around them [Limine "Base Revisions", "Features", "Requests Delimiters"].
 *
 * limine.c finds them, protocol_limine.c says what comes of them.
 */
#ifndef BOOTIMAGE_LIMINE_H
#define BOOTIMAGE_LIMINE_H

#include "error.h"
#include "kernel.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Of every request: four words that name it, its revision, and where its response goes. */
#define LIMINE_REQUEST_BYTES 48u
#define LIMINE_REVISION 32u /* offset */
#define LIMINE_FIELDS 48u   /* offset of those that only some have */

struct limine_feature {
    uint64_t id[2]; /* third and fourth word; the first two are the same in all */
    const char *name;
    uint32_t number; /* enum plan_limine_feature; 0: known, and never answered on a PC */
    uint32_t bytes;  /* of the request in its revision 0 */
};

/* Addresses are those of the ELF file. */
struct limine_request {
    const struct limine_feature *feature; /* NULL: unknown */
    uint64_t id[2];
    uint64_t vaddr;
    uint64_t file_offset;
};

struct limine_place {
    uint64_t vaddr;
    uint64_t file_offset; /* 0: there is none, as the file begins with the ELF header */
};

struct limine {
    struct limine_place tag, second_tag; /* of the base revision */
    uint64_t revision;                   /* that the tag asks for; 0 without a tag */
    struct limine_place start, end;      /* the last start marker and the first end marker */
    struct limine_request *requests;     /* by rising address */
    size_t request_count;
    size_t unaligned_count; /* what looks like a request at an address that none may have */
    struct limine_place unaligned;
};

/* Looks through all segments; with is_hasty only until something is found. Give back with
   limine_free() in either case. Fails where the file cannot be read. */
bool limine_find(struct limine *limine, const struct kernel *kernel, bool is_hasty,
                 struct error *error);

void limine_free(struct limine *limine);

/* Does the address lie between the markers, as far as there are any? */
bool limine_is_between_markers(const struct limine *limine, uint64_t vaddr);

/* The request whose four words stand at the address, as in the ELF file; feature is NULL if it is
   none that is known. False: there is no request, and no error is set; or the file cannot be read.
 */
bool limine_request_at(struct limine_request *request, const struct kernel *kernel, uint64_t vaddr,
                       struct error *error);

/* Appends it. */
bool limine_add(struct limine *limine, const struct limine_request *request, struct error *error);

/* The section of a kernel of base revision 0 that lists its requests; 0 bytes: there is none. */
struct limine_list {
    uint64_t vaddr;
    uint64_t bytes;
};
struct limine_list limine_list_section(const struct kernel *kernel);

/* A request of a known feature in a section that no segment loads. */
struct limine_lost {
    const struct limine_feature *feature; /* NULL: there is none */
    uint64_t file_offset;
    char section[64];
};

bool limine_find_lost(struct limine_lost *lost, const struct kernel *kernel, struct error *error);

#endif
