/*
 * Second step: the requests of a kernel, each by itself.
 *
 * A kernel that needs a newer contract shall hear just that, so it is told first. Values that have
 * to do with the addresses of others are left to request_place.c.
 */
#include "request.h"

#include "request_rules.h"

#include "bootimage/bootinfo.h"

#include <inttypes.h>
#include <stdlib.h>

#define PAGE_BYTES 4096u

bool request_is(const struct kernel_request *request, uint32_t type)
{
    return (request->type & ~(uint32_t)BOOTINFO_REQUEST_OPTIONAL) == type;
}

static bool check_contract(const struct kernel *kernel, const struct kernel_request *request,
                           struct error *error)
{
    if (request->words[0] <= BOOTINFO_VERSION)
        return true;
    return error_set(error,
                     "%s: needs contract %" PRIu64 ".%" PRIu64 ", this bootimage has %u.%u; use a "
                     "newer bootimage [contract-version]",
                     kernel->path, request->words[0] >> 16, request->words[0] & 0xffff,
                     BOOTINFO_VERSION >> 16, BOOTINFO_VERSION & 0xffff);
}

static bool check_stack(const struct kernel *kernel, const struct kernel_request *request,
                        struct error *error)
{
    if (request->words[0] > 0 && request->words[0] <= REQUEST_STACK_MAXIMUM)
        return true;
    return error_set(error,
                     "%s: BOOTINFO_REQUEST_STACK asks for %" PRIu64 " bytes; ask for 1 byte to 1 "
                     "GiB [stack-size]",
                     kernel->path, request->words[0]);
}

static bool check_memory(const struct kernel *kernel, const struct kernel_request *request,
                         struct error *error)
{
    if (request->words[0] < REQUEST_PHYSICAL_END)
        return true;
    return error_set(error,
                     "%s: BOOTINFO_REQUEST_MEMORY asks for 0x%" PRIx64 " bytes, and no x86-64 "
                     "machine can have 0x%llx; ask for less [memory-size]",
                     kernel->path, request->words[0], REQUEST_PHYSICAL_END);
}

static bool check_switch(const struct kernel *kernel, const struct kernel_request *request,
                         struct error *error)
{
    if (request->words[0] <= 1)
        return true;
    return error_set(error,
                     "%s: BOOTINFO_REQUEST_%s has the word 0x%" PRIx64
                     ", which means nothing; make it 0 or 1 "
                     "[request-value]",
                     kernel->path, request_rule(request)->name, request->words[0]);
}

static bool check_levels(const struct kernel *kernel, const struct kernel_request *request,
                         struct error *error)
{
    if (request->words[0] == 4 || request->words[0] == 5)
        return true;
    return error_set(error,
                     "%s: BOOTINFO_REQUEST_LEVELS asks for page tables of %" PRIu64 " levels; ask "
                     "for 4 or 5 [page-levels]",
                     kernel->path, request->words[0]);
}

static bool check_recursive(const struct kernel *kernel, const struct kernel_request *request,
                            struct error *error)
{
    uint64_t entry = request->words[0];

    if ((entry >= 1 && entry <= 255) || (entry >= 384 && entry <= 509))
        return true;
    return error_set(error,
                     "%s: BOOTINFO_REQUEST_RECURSIVE asks for entry %" PRIu64 " of the root table; "
                     "ask for 1 to 255 or 384 to 509 [recursive-entry]",
                     kernel->path, entry);
}

static bool check_framebuffer(const struct kernel *kernel, const struct kernel_request *request,
                              struct error *error)
{
    uint64_t bits = request->words[2];

    if (bits != 0 && bits != 16 && bits != 24 && bits != 32)
        return error_set(error,
                         "%s: BOOTINFO_REQUEST_FRAMEBUFFER asks for %" PRIu64 " bits per pixel; "
                         "ask for 16, 24, 32 or 0 for any [framebuffer-mode]",
                         kernel->path, bits);
    if (request->words[0] > UINT16_MAX || request->words[1] > UINT16_MAX)
        return error_set(error,
                         "%s: BOOTINFO_REQUEST_FRAMEBUFFER asks for %" PRIu64 " by %" PRIu64
                         " pixels; ask for at most 65535 each way, or 0 for any "
                         "[framebuffer-mode]",
                         kernel->path, request->words[0], request->words[1]);
    return true;
}

/* A required request of this type, or also an optional one that can be met; or NULL. */
static const struct kernel_request *find(const struct kernel *kernel, uint32_t type, bool required)
{
    for (size_t i = 0; i < kernel->request_count; i++) {
        const struct kernel_request *request = &kernel->requests[i];

        if (request->type == type || (!required && request->met && request_is(request, type)))
            return request;
    }
    return NULL;
}

static bool two_bases(const struct kernel *kernel, struct error *error)
{
    return error_set(error,
                     "%s: asks for a random address and for a fixed one; take one of "
                     "BOOTINFO_REQUEST_RANDOM_BASE and BOOTINFO_REQUEST_BASE away [base-twice]",
                     kernel->path);
}

/* Where one of the two bases is optional, it is the other that counts. */
static bool check_random_base(const struct kernel *kernel, const struct kernel_request *request,
                              struct error *error)
{
    if (!check_switch(kernel, request, error))
        return false;
    if (request->words[0] == 0)
        return true;
    if (!kernel->position_independent)
        return error_set(error,
                         "%s: BOOTINFO_REQUEST_RANDOM_BASE needs a position-independent kernel, "
                         "and this one is linked to fixed addresses; link it with -static-pie "
                         "[random-base]",
                         kernel->path);
    return !find(kernel, BOOTINFO_REQUEST_BASE, true) || two_bases(kernel, error);
}

static bool check_base(const struct kernel *kernel, const struct kernel_request *request,
                       struct error *error)
{
    uint64_t base = request->words[0];
    const struct kernel_request *random = find(kernel, BOOTINFO_REQUEST_RANDOM_BASE, false);

    if (!kernel->position_independent)
        return error_set(error,
                         "%s: BOOTINFO_REQUEST_BASE needs a position-independent kernel, and this "
                         "one is linked to fixed addresses; link it with -static-pie [fixed-base]",
                         kernel->path);
    if (base == 0 || base % PAGE_BYTES != 0 || !request_canonical(base, base + 1, 4))
        return error_set(error,
                         "%s: BOOTINFO_REQUEST_BASE asks for 0x%" PRIx64 ", which no page can "
                         "have; ask for a canonical multiple of 4096 [fixed-base]",
                         kernel->path, base);
    if ((request->type & BOOTINFO_REQUEST_OPTIONAL) && random && random->words[0] == 1)
        return two_bases(kernel, error);
    return true;
}

static bool check_unknown(const struct kernel *kernel, const struct kernel_request *request,
                          struct error *error)
{
    return error_set(error,
                     "%s: has a request of type 0x%" PRIx32 ", which contract %u.%u does not know; "
                     "use a newer bootimage [unknown-request]",
                     kernel->path, request->type, BOOTINFO_VERSION >> 16,
                     BOOTINFO_VERSION & 0xffff);
}

/* clang-format off */
static const struct request_rule rules[] = {
    {BOOTINFO_REQUEST_CONTRACT, "CONTRACT", 1, false, check_contract, NULL},
    {BOOTINFO_REQUEST_STACK, "STACK", 1, false, check_stack, request_place_stack},
    {BOOTINFO_REQUEST_MEMORY, "MEMORY", 1, false, check_memory, NULL},
    {BOOTINFO_REQUEST_IDENTITY, "IDENTITY", 1, false, check_switch, NULL},
    {BOOTINFO_REQUEST_MAP, "MAP", 4, true, request_check_map, request_place_map},
    {BOOTINFO_REQUEST_LEVELS, "LEVELS", 1, false, check_levels, NULL},
    {BOOTINFO_REQUEST_RECURSIVE, "RECURSIVE", 1, false, check_recursive, request_place_recursive},
    {BOOTINFO_REQUEST_FRAMEBUFFER, "FRAMEBUFFER", 3, false, check_framebuffer, NULL},
    {BOOTINFO_REQUEST_CPUS, "CPUS", 1, false, check_switch, request_place_cpus},
    {BOOTINFO_REQUEST_KERNEL_FILE, "KERNEL_FILE", 1, false, check_switch, NULL},
    {BOOTINFO_REQUEST_RANDOM_BASE, "RANDOM_BASE", 1, false, check_random_base, NULL},
    {BOOTINFO_REQUEST_BASE, "BASE", 1, false, check_base, NULL},
};
static const struct request_rule unknown = {0, "?", UINT32_MAX, true, check_unknown, NULL};
/* clang-format on */

const struct request_rule *request_rule(const struct kernel_request *request)
{
    for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
        if (request_is(request, rules[i].type))
            return &rules[i];
    }
    return &unknown;
}

bool request_settle(struct kernel *kernel, struct kernel_request *request,
                    bool (*check)(const struct kernel *, const struct kernel_request *,
                                  struct error *),
                    struct error *error)
{
    if (check(kernel, request, error))
        return true;
    request->met = false;
    if (!(request->type & BOOTINFO_REQUEST_OPTIONAL))
        return false;
    error_demote(error);
    return true;
}

static bool check_words(const struct kernel *kernel, const struct kernel_request *request,
                        struct error *error)
{
    const struct request_rule *rule = request_rule(request);

    if (request->word_count <= rule->words)
        return true;
    return error_set(error,
                     "%s: BOOTINFO_REQUEST_%s has %" PRIu32
                     " words, but takes no more than %" PRIu32 "; leave the "
                     "others out [note-words]",
                     kernel->path, rule->name, request->word_count, rule->words);
}

/* The loader would have to guess which of two counts, optional or not. */
static bool check_once(const struct kernel *kernel, const struct kernel_request *request,
                       struct error *error)
{
    const struct kernel_request *end = kernel->requests + kernel->request_count;
    const struct request_rule *rule = request_rule(request);

    for (const struct kernel_request *other = request + 1; !rule->many && other < end; other++) {
        if (request_is(other, rule->type))
            return error_set(error,
                             "%s: BOOTINFO_REQUEST_%s is asked for twice, 0x%" PRIx64
                             " and 0x%" PRIx64 "; take one of the notes away [request-twice]",
                             kernel->path, rule->name, request->words[0], other->words[0]);
    }
    return true;
}

bool request_check(struct kernel *kernel, struct error *error)
{
    for (size_t i = 0; i < kernel->request_count; i++) {
        if (kernel->requests[i].type == BOOTINFO_REQUEST_CONTRACT &&
            !check_contract(kernel, &kernel->requests[i], error))
            return false;
    }
    for (size_t i = 0; i < kernel->request_count; i++) {
        struct kernel_request *request = &kernel->requests[i];

        if (!check_words(kernel, request, error) || !check_once(kernel, request, error) ||
            !request_settle(kernel, request, request_rule(request)->check, error))
            return false;
    }
    return true;
}

void request_drop(struct kernel *kernel, uint32_t type)
{
    size_t kept = 0;

    for (size_t i = 0; i < kernel->request_count; i++) {
        if (!request_is(&kernel->requests[i], type))
            kernel->requests[kept++] = kernel->requests[i];
    }
    kernel->request_count = kept;
}

bool request_override(struct kernel *kernel, uint32_t type, uint64_t word, struct error *error)
{
    request_drop(kernel, type);
    struct kernel_request *more =
        realloc(kernel->requests, (kernel->request_count + 1) * sizeof(*kernel->requests));
    if (!more)
        return error_out_of_memory(error);
    more[kernel->request_count++] =
        (struct kernel_request){.type = type, .word_count = 1, .words = {word}, .met = true};
    kernel->requests = more;
    return true;
}

uint64_t request_word(const struct kernel *kernel, uint32_t type, uint64_t otherwise)
{
    const struct kernel_request *request = find(kernel, type, false);

    return request && request->met ? request->words[0] : otherwise;
}

uint64_t request_stack_bytes(const struct kernel *kernel)
{
    uint64_t bytes = request_word(kernel, BOOTINFO_REQUEST_STACK, REQUEST_STACK_BYTES);

    return (bytes + PAGE_BYTES - 1) / PAGE_BYTES * PAGE_BYTES;
}
