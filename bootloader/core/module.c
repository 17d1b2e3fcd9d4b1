/*
 * Modules, behind the kernel's own segments: each to free pages of its own, wherever they are below
 * 4 GiB. They are taken from the top of memory down, next to each other, so that the memory map
 * stays as short as it was, however many there are. Most kernels that start without paging get them
 * as low as can be, as they may have mapped but a few MiB when they look. Next the boot protocol
 * prepares the machine.
 */
#include "module.h"

#include "load.h"
#include "loader.h"
#include "log.h"
#include "protocol.h"

#include <string.h>

#define ONE_MIB 0x100000ull
#define TWO_GIB 0x80000000ull
#define FOUR_GIB 0x100000000ull

/* The array for the kernel, and the texts behind it. */
struct list {
    struct bootinfo_module *next;
    char *text;
};

static struct plan_module *next_module(const struct plan *plan, const struct plan_module *previous)
{
    return (void *)plan_find(plan, previous ? &previous->record : NULL, PLAN_MODULE);
}

static bool is_kernel_file(const struct plan_module *module)
{
    return module->flags & PLAN_MODULE_KERNEL_FILE;
}

/* Take the memory of the list, all of it at once. */
static struct list start_list(struct loader *loader)
{
    struct modules *modules = &loader->modules;
    const struct plan_module *module = NULL;

    while ((module = next_module(&loader->plan, module))) {
        if (is_kernel_file(module))
            continue;
        modules->count++;
        modules->text_bytes += (uint64_t)module->name_bytes + module->arguments_bytes;
    }
    if (modules->count == 0)
        return (struct list){0};
    uint64_t list_bytes = modules->count * sizeof(struct bootinfo_module);
    modules->paddr = memory_map_take_pages(&loader->map, list_bytes + modules->text_bytes);
    return (struct list){(void *)(uintptr_t)modules->paddr,
                         (void *)(uintptr_t)(modules->paddr + list_bytes)};
}

/* Copy a text behind those before it; returns where the kernel finds it. */
static uint64_t add_text(struct loader *loader, struct list *list, const char *text, uint64_t bytes)
{
    char *copy = list->text;

    memcpy(copy, text, bytes);
    list->text += bytes;
    return address_space_vaddr(&loader->space, (uintptr_t)copy);
}

static void add(struct loader *loader, struct list *list, const struct plan_module *module,
                uint64_t address)
{
    const char *arguments = module->text + module->name_bytes;

    *list->next++ = (struct bootinfo_module){
        .address = address,
        .bytes = module->bytes,
        .name = add_text(loader, list, module->text, module->name_bytes),
        .arguments = add_text(loader, list, arguments, module->arguments_bytes),
    };
}

static uint64_t take(struct loader *loader, uint64_t bytes)
{
    if (loader->traits & (PROTOCOL_PAGING | PROTOCOL_HIGH_MODULES))
        return memory_map_take(&loader->map, bytes, MEMORY_PAGE_BYTES, 0, BOOTINFO_MEMORY_MODULE);
    return memory_map_take_lowest(&loader->map, bytes, ONE_MIB, FOUR_GIB, BOOTINFO_MEMORY_USABLE,
                                  BOOTINFO_MEMORY_MODULE);
}

/* Returns where the kernel finds it; 0 when it is empty. */
static uint64_t load(struct loader *loader, const struct plan_module *module, const char *what,
                     uint64_t index)
{
    uint64_t bytes = (module->bytes + MEMORY_PAGE_BYTES - 1) & ~(MEMORY_PAGE_BYTES - 1);

    if (bytes == 0)
        return 0;
    uint64_t paddr = take(loader, bytes);
    if (!paddr)
        fail(ERROR_NO_MEMORY, {what, index}, {"bytes", module->bytes});
    uint64_t found =
        load_payload(&loader->plan, module->payload_offset, module->bytes, paddr, &loader->ticks);
    if (found != module->xxh64)
        fail(ERROR_PAYLOAD_DAMAGED, {what, index}, {"checksum", found},
             {"expected", module->xxh64});
    memset((void *)(uintptr_t)(paddr + module->bytes), 0, bytes - module->bytes);
    return address_space_vaddr(&loader->space, paddr);
}

void modules_load(struct loader *loader)
{
    if (loader->traits & PROTOCOL_HIGH_MODULES)
        memory_map_retype(&loader->map, TWO_GIB, TWO_GIB, BOOTINFO_MEMORY_USABLE, MEMORY_SHADOWED);
    struct list list = start_list(loader);
    const struct plan_module *module = NULL;
    uint64_t index = 0;

    while ((module = next_module(&loader->plan, module))) {
        if (is_kernel_file(module)) {
            loader->modules.kernel_file = load(loader, module, "kernel file", 0);
            loader->modules.kernel_file_bytes = module->bytes;
        } else {
            add(loader, &list, module, load(loader, module, "module", index));
            index++;
        }
    }
}
