/*
 * The kernel's segments, and the stacks that exceptions of the worst kind run on.
 */
#ifndef KERNEL_SEGMENTS_H
#define KERNEL_SEGMENTS_H

/* Selectors in the GDT. The task segment takes two entries. */
#define SEGMENT_CODE 0x08
#define SEGMENT_DATA 0x10
#define SEGMENT_TASK 0x18

/* Numbers in the interrupt stack table of the task segment. */
enum segments_stack {
    SEGMENTS_STACK_CURRENT, /* none of its own: the interrupted code's */
    SEGMENTS_STACK_DOUBLE_FAULT,
    SEGMENTS_STACK_PAGE_FAULT,
    SEGMENTS_STACK_NMI,
    SEGMENTS_STACK_MACHINE_CHECK,
    SEGMENTS_STACK_COUNT,
};

/* Replaces the loader's GDT, which lies in memory to be reclaimed, and loads the task register. */
void segments_init(void);

#endif
