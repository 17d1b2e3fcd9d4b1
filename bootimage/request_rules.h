/*
 * Between request.c, which has the table of requests, and request_place.c, which knows addresses.
 */
#ifndef BOOTIMAGE_REQUEST_RULES_H
#define BOOTIMAGE_REQUEST_RULES_H

#include "request.h"

/* Behind the last physical address that page tables can hold
   [Intel SDM vol. 3 §4.5 "4-Level Paging and 5-Level Paging"]. */
#define REQUEST_PHYSICAL_END (1ull << 52)

struct request_rule {
    uint32_t type;
    const char *name; /* behind BOOTINFO_REQUEST_ */
    uint32_t words;   /* at most */
    bool many;        /* may be asked for more than once */
    /* By itself. */
    bool (*check)(const struct kernel *kernel, const struct kernel_request *request,
                  struct error *error);
    /* Against the addresses of all else; NULL: it has none. */
    bool (*place)(const struct kernel *kernel, const struct kernel_request *request,
                  struct error *error);
};

/* Whether it is of this type, optional or not. */
bool request_is(const struct kernel_request *request, uint32_t type);

/* Of a request that this version does not know, too: its check refuses it. */
const struct request_rule *request_rule(const struct kernel_request *request);

/* Calls check, and turns a refusal into a warning where the request is optional. */
bool request_settle(struct kernel *kernel, struct kernel_request *request,
                    bool (*check)(const struct kernel *, const struct kernel_request *,
                                  struct error *),
                    struct error *error);

/* Whether [start, end) are canonical addresses of one half, with 4 or 5 levels of page tables
 * [Intel SDM vol. 1 §3.3.7.1 "Canonical Addressing"]. */
bool request_canonical(uint64_t start, uint64_t end, unsigned levels);

bool request_check_map(const struct kernel *kernel, const struct kernel_request *request,
                       struct error *error);
bool request_place_map(const struct kernel *kernel, const struct kernel_request *request,
                       struct error *error);
bool request_place_recursive(const struct kernel *kernel, const struct kernel_request *request,
                             struct error *error);
bool request_place_stack(const struct kernel *kernel, const struct kernel_request *request,
                         struct error *error);
bool request_place_cpus(const struct kernel *kernel, const struct kernel_request *request,
                        struct error *error);

#endif
