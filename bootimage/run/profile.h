/*
 * Where the time of a boot went, from the machine's start to the kernel's first instruction, by the
 * time stamps that the loader left in struct bootinfo: as a table for a terminal and as a picture.
 */
#ifndef BOOTIMAGE_RUN_PROFILE_H
#define BOOTIMAGE_RUN_PROFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct bootinfo;

#define PROFILE_MOST_ROWS 9

/* A kind of work; there are more than one boot has. */
struct profile_step {
    const char *name;
    const char *what;  /* a few words: what is done in it */
    const char *color; /* of the picture, as CSS has it */
};

struct profile_row {
    const struct profile_step *step;
    uint64_t ticks;
};

/* The first row is the firmware, all others are the loader's. */
struct profile {
    struct profile_row rows[PROFILE_MOST_ROWS];
    size_t row_count;
    uint64_t ticks;      /* of all rows together */
    double ticks_per_ms; /* 0: unknown */
};

/* ticks_per_ms: of the guest's time stamp counter, which began at 0 with the machine; 0: unknown.
   False: the time stamps do not rise, or the parts are longer than the whole. */
bool profile_fill(struct profile *profile, const struct bootinfo *info, double ticks_per_ms);

void profile_print(const struct profile *profile, FILE *file);

/* An SVG picture that needs no other file. title: what was booted. False: memory or the file
   failed. */
bool profile_svg(const struct profile *profile, const char *title, FILE *file);

#endif
