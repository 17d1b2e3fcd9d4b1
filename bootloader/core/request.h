/*
 * What the kernel asks for: the requests of the plan, looked up by those who act on them. A request
 * that cannot be met stops the boot, unless it is optional: then the kernel is told.
 */
#ifndef BOOTLOADER_CORE_REQUEST_H
#define BOOTLOADER_CORE_REQUEST_H

#include <bootimage/bootinfo.h>

#include <stdbool.h>
#include <stdint.h>

struct plan;
struct plan_request;

/* The first request of this type, BOOTINFO_REQUEST_, behind `previous` or of all for NULL, that has
   not been given up. NULL: there is none. */
struct plan_request *request_next(const struct plan *plan, const struct plan_request *previous,
                                  uint32_t type);

/* The only request of this type; NULL: there is none, or it has been given up. */
struct plan_request *request_find(const struct plan *plan, uint32_t type);

/* The request cannot be met. True: it is optional, and the kernel will read so; false: the caller
   has to fail. */
bool request_give_up(struct plan_request *request);

/* Does a record make sense by itself? */
bool request_is_sound(const struct plan_request *request);

/* Is each request, but for MAP, made at most once? */
bool requests_agree(const struct plan *plan);

/* Give up what this loader does not know and what needs a newer one. Fails when that is not
   optional. */
void requests_check(const struct plan *plan);

/* The request for a minimum of memory, when `usable_bytes` are left for the kernel. Fails when that
   is too little and the request is not optional. */
void requests_check_memory(const struct plan *plan, uint64_t usable_bytes);

/* All requests as the kernel is told of them. Returns how many there are; writes them to `echo`
   unless that is NULL. */
uint64_t requests_echo(const struct plan *plan, struct bootinfo_request *echo);

#endif
