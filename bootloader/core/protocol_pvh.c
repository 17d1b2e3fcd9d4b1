/*
 * PVH, the direct boot of Xen guests: entered in 32-bit protected mode at the address in an ELF
 * note, with the address of a struct hvm_start_info in EBX [Xen "x86/HVM direct boot ABI", and
 * public/arch-x86/hvm/start_info.h].
 */
#include "information.h"
#include "protocol.h"

#define START_MAGIC 0x336ec578u
#define START_VERSION 1u

/* All addresses are physical; those of what is not there are 0. */
struct start_info {
    uint32_t magic;              /* 0: START_MAGIC */
    uint32_t version;            /* 4: START_VERSION */
    uint32_t flags;              /* 8: 0, as there is no Xen */
    uint32_t module_count;       /* 12 */
    uint64_t modules_paddr;      /* 16: of struct start_module[] */
    uint64_t command_line_paddr; /* 24 */
    uint64_t rsdp_paddr;         /* 32 */
    uint64_t memory_map_paddr;   /* 40: of struct start_memory[] */
    uint32_t memory_map_count;   /* 48 */
    uint32_t reserved;           /* 52: 0 */
};

struct start_module {
    uint64_t paddr;              /* 0 */
    uint64_t bytes;              /* 8 */
    uint64_t command_line_paddr; /* 16 */
    uint64_t reserved;           /* 24: 0 */
};

struct start_memory {
    uint64_t paddr;    /* 0 */
    uint64_t bytes;    /* 8 */
    uint32_t type;     /* 16: as E820 has it */
    uint32_t reserved; /* 20: 0 */
};

_Static_assert(sizeof(struct start_info) == 56, "start_info");
_Static_assert(sizeof(struct start_module) == 32, "start_module");
_Static_assert(sizeof(struct start_memory) == 24, "start_memory");

void protocol_pvh_prepare(struct loader *loader)
{
    uint64_t line_bytes;

    information_command_line(loader, &line_bytes);
    information_start(loader);
    information_take(loader, sizeof(struct start_info) + line_bytes +
                                 loader->modules.count * sizeof(struct start_module) +
                                 information_module_text_bytes(loader) +
                                 information_map_ranges(loader) * sizeof(struct start_memory));
}

static void describe_modules(struct loader *loader, struct start_info *start)
{
    const struct bootinfo_module *modules = modules_list(&loader->modules);
    const uint64_t count = loader->modules.count;

    if (count == 0)
        return;
    struct start_module *told = information_add(loader, count * sizeof(*told));
    for (uint64_t i = 0; i < count; i++)
        told[i] = (struct start_module){
            .paddr = modules[i].address,
            .bytes = modules[i].bytes,
            .command_line_paddr = information_copy_module_text(loader, &modules[i]),
        };
    start->module_count = (uint32_t)count;
    start->modules_paddr = information_paddr(loader, told);
}

static void describe_memory(struct loader *loader, struct start_info *start)
{
    const struct memory_map *map = &loader->map;
    struct start_memory *told = information_add(loader, map->count * sizeof(*told));

    for (size_t i = 0; i < map->count; i++)
        told[i] = (struct start_memory){
            .paddr = map->ranges[i].base_paddr,
            .bytes = map->ranges[i].bytes,
            .type = information_e820_type(map->ranges[i].type),
        };
    start->memory_map_paddr = information_paddr(loader, told);
    start->memory_map_count = (uint32_t)map->count;
}

void protocol_pvh_enter(struct loader *loader)
{
    uint64_t line_bytes;
    const char *line = information_command_line(loader, &line_bytes);

    information_leave(loader);
    struct start_info *start = information_add(loader, sizeof(*start));
    *start = (struct start_info){
        .magic = START_MAGIC,
        .version = START_VERSION,
        .rsdp_paddr = loader->info->rsdp_paddr,
        .command_line_paddr = information_copy(loader, line, line_bytes),
    };
    describe_modules(loader, start);
    describe_memory(loader, start);
    information_enter(loader, 0, information_paddr(loader, start), 0);
}
