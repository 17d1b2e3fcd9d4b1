/*
 * The kernel's requests, as the tool wrote them into the plan. What the host could check has been
 * checked there; here is what depends on the loader, and the checks of a plan with a defect. What
 * depends on the machine is checked by whoever acts on the request.
 */
#include "request.h"

#include "log.h"
#include "memory_map.h"
#include "plan.h"

/* Addresses that page tables can hold [Intel SDM vol. 3 §4.5 "4-Level Paging and 5-Level Paging"].
 */
#define PADDR_END (1ull << 52)
#define CACHING (BOOTINFO_MAP_UNCACHED | BOOTINFO_MAP_WRITE_COMBINING)
#define MAP_FLAGS (BOOTINFO_MAP_WRITABLE | BOOTINFO_MAP_EXECUTABLE | CACHING)

static uint32_t type_of(const struct plan_request *request)
{
    return request->type & ~(uint32_t)BOOTINFO_REQUEST_OPTIONAL;
}

static bool is_known(const struct plan_request *request)
{
    return type_of(request) >= BOOTINFO_REQUEST_CONTRACT &&
           type_of(request) <= BOOTINFO_REQUEST_BASE;
}

static bool can_be_met(const struct plan_request *request)
{
    return is_known(request) &&
           (type_of(request) != BOOTINFO_REQUEST_CONTRACT || request->words[0] <= BOOTINFO_VERSION);
}

static struct plan_request *next(const struct plan *plan, const struct plan_request *previous)
{
    return (void *)plan_find(plan, previous ? &previous->record : NULL, PLAN_REQUEST);
}

struct plan_request *request_next(const struct plan *plan, const struct plan_request *previous,
                                  uint32_t type)
{
    struct plan_request *request = next(plan, previous);

    while (request && (type_of(request) != type || !request->met))
        request = next(plan, request);
    return request;
}

struct plan_request *request_find(const struct plan *plan, uint32_t type)
{
    return request_next(plan, NULL, type);
}

bool request_give_up(struct plan_request *request)
{
    request->met = 0;
    return request->type & BOOTINFO_REQUEST_OPTIONAL;
}

static bool is_map_sound(const uint64_t words[])
{
    const uint64_t vaddr = words[0], paddr = words[1], bytes = words[2], flags = words[3];

    return (vaddr | paddr | bytes) % MEMORY_PAGE_BYTES == 0 && bytes > 0 && paddr < PADDR_END &&
           bytes <= PADDR_END - paddr && bytes - 1 <= UINT64_MAX - vaddr &&
           (flags & ~(uint64_t)MAP_FLAGS) == 0 && (flags & CACHING) != CACHING;
}

/* The words of a request that has been given up on the host may be anything. */
bool request_is_sound(const struct plan_request *request)
{
    const uint64_t word = request->words[0];

    if (request->met == 0)
        return request->type & BOOTINFO_REQUEST_OPTIONAL;
    if (request->met != 1)
        return false;
    switch (type_of(request)) {
    case BOOTINFO_REQUEST_IDENTITY:
    case BOOTINFO_REQUEST_CPUS:
        return word <= 1;
    case BOOTINFO_REQUEST_MAP:
        return is_map_sound(request->words);
    case BOOTINFO_REQUEST_LEVELS:
        return word == 4 || word == 5;
    case BOOTINFO_REQUEST_RECURSIVE:
        return (word >= 1 && word <= 255) || (word >= 384 && word <= 509);
    default:
        return true;
    }
}

bool requests_agree(const struct plan *plan)
{
    const struct plan_request *request = NULL;
    uint32_t seen = 0;

    while ((request = next(plan, request))) {
        uint32_t bit = is_known(request) && request->met ? 1u << type_of(request) : 0;

        if (seen & bit && type_of(request) != BOOTINFO_REQUEST_MAP)
            return false;
        seen |= bit;
    }
    return true;
}

void requests_check(const struct plan *plan)
{
    struct plan_request *request = NULL;

    while ((request = next(plan, request))) {
        if (request->met && !can_be_met(request) && !request_give_up(request))
            fail(ERROR_PLAN_UNKNOWN, {"request", request->type}, {"word", request->words[0]});
    }
}

void requests_check_memory(const struct plan *plan, uint64_t usable_bytes)
{
    struct plan_request *request = request_find(plan, BOOTINFO_REQUEST_MEMORY);

    if (request && usable_bytes < request->words[0] && !request_give_up(request))
        fail(ERROR_LESS_MEMORY, {"usable", usable_bytes}, {"wanted", request->words[0]});
}

uint64_t requests_echo(const struct plan *plan, struct bootinfo_request *echo)
{
    const struct plan_request *request = NULL;
    uint64_t count = 0;

    for (; (request = next(plan, request)); count++) {
        const uint64_t *words = request->words;

        if (echo)
            echo[count] = (struct bootinfo_request){
                request->type, request->met, {words[0], words[1], words[2], words[3]}};
    }
    return count;
}
