#ifndef BOOTIMAGE_RUN_UNWIND_H
#define BOOTIMAGE_RUN_UNWIND_H
#include "run/debuginfo.h"
#include "run/registers.h"
struct unwind_memory { bool (*read)(void *context, uint64_t vaddr, void *bytes, size_t count); void *context; };
enum unwind_way { UNWIND_PC, UNWIND_CFI, UNWIND_FRAME_POINTER, UNWIND_STACK_TOP, UNWIND_EXCEPTION_FRAME };
struct unwind_frame { uint64_t pc, sp, cfa; enum unwind_way by; bool is_call; };
size_t unwind(struct debuginfo *debuginfo, uint64_t slide, const struct registers *registers, const struct unwind_memory *memory, struct unwind_frame *frames, size_t most);
#endif
