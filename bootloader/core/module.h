/*
 * Modules: files that come with the kernel, the kernel's own among them.
 */
#ifndef BOOTLOADER_CORE_MODULE_H
#define BOOTLOADER_CORE_MODULE_H

#include <stdint.h>

struct loader;

/* What the kernel is told, with addresses in its own address space. */
struct modules {
    uint64_t paddr; /* of struct bootinfo_module[], in memory of the loader; 0: there are none */
    uint64_t count;
    uint64_t text_bytes;  /* of all names and arguments, with the 0 at the end of each */
    uint64_t kernel_file; /* 0: there is none */
    uint64_t kernel_file_bytes;
};

/* Before the kernel's address space is in force, or without one. */
static inline struct bootinfo_module *modules_list(const struct modules *modules)
{
    return (struct bootinfo_module *)(uintptr_t)modules->paddr;
}

/* Load every module of the plan to memory of its own, and compare its checksum. Sets
   loader->modules. Fails when a module is damaged, or when memory is short. */
void modules_load(struct loader *loader);

#endif
