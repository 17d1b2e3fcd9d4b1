/*
 * Files that a kernel of the Limine boot protocol names itself: its internal modules [Limine
 * "Module Feature"].
 */
#ifndef BOOTIMAGE_LIMINE_MODULE_H
#define BOOTIMAGE_LIMINE_MODULE_H

#include "limine.h"

/* Reads what the request names into kernel->modules, and looks at the files; their paths are
   relative to the kernel's. One that is not there is an error if the kernel requires it, else a
   warning. */
bool limine_module_read(struct kernel *kernel, const struct limine_request *request,
                        struct error *error);

/* Are they, and those of options, not too many? */
bool limine_module_check_count(const struct kernel *kernel, size_t option_count,
                               struct error *error);

#endif
