/*
 * The profile of a boot: the time stamps of struct bootinfo become steps that add up, and a table
 * of them. What the stamps mean depends on the firmware and on the loader's age. Next
 * profile_svg.c makes a picture of it.
 */
#include "run/profile.h"

#include <bootimage/bootinfo.h>

#include <inttypes.h>
#include <math.h>

#define BAR_CHARACTERS 40

static const struct profile_step
    step_bios = {"firmware", "the BIOS, until it starts the boot sector", "#8a919c"},
    step_uefi = {"firmware", "UEFI, until it starts the loader", "#8a919c"},
    step_stage1 = {"stage 1", "read the loader", "#5b8cc0"},
    step_stage2 = {"stage 2", "open A20, ask for memory, enter 64-bit mode", "#76b7b2"},
    step_disk = {"disk", "find the disk that the loader came from", "#5b8cc0"},
    step_plan = {"plan", "read the load plan, place the kernel", "#6bab5f"},
    step_load = {"load", "read the kernel, compare checksums, fill with zeros", "#e6bd3c"},
    step_read = {"read", "wait for the disk", "#e6bd3c"},
    step_copy = {"copy", "move what was read from a buffer to its place", "#f0913a"},
    step_check = {"check", "compare checksums", "#e26a6b"},
    step_clear = {"clear", "fill with zeros, relocate", "#b585ac"},
    step_map = {"map", "page tables, screen, other CPUs; leave the firmware", "#a98672"};

static void add(struct profile *profile, const struct profile_step *step, uint64_t ticks)
{
    profile->rows[profile->row_count++] = (struct profile_row){step, ticks};
}

static bool do_marks_rise(const struct bootinfo *info)
{
    return info->tsc_stage1 <= info->tsc_stage2 && info->tsc_stage2 <= info->tsc_loader &&
           info->tsc_loader <= info->tsc_load && info->tsc_load <= info->tsc_map &&
           info->tsc_map <= info->tsc_enter && info->tsc_enter > 0;
}

static bool add_loading(struct profile *profile, const struct bootinfo *info)
{
    uint64_t rest = info->tsc_map - info->tsc_load;

    if (info->size_bytes < offsetof(struct bootinfo, ticks_check) + sizeof(info->ticks_check)) {
        add(profile, &step_load, rest);
        return true;
    }
    const struct profile_row parts[] = {{&step_read, info->ticks_read},
                                        {&step_copy, info->ticks_copy},
                                        {&step_check, info->ticks_check}};

    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        if (parts[i].ticks > rest)
            return false;
        rest -= parts[i].ticks;
        add(profile, parts[i].step, parts[i].ticks);
    }
    add(profile, &step_clear, rest);
    return true;
}

bool profile_fill(struct profile *profile, const struct bootinfo *info, double ticks_per_ms)
{
    *profile = (struct profile){
        .ticks = info->tsc_enter,
        .ticks_per_ms = isfinite(ticks_per_ms) && ticks_per_ms > 0 ? ticks_per_ms : 0,
    };
    if (!do_marks_rise(info))
        return false;
    if (info->firmware == BOOTINFO_FIRMWARE_UEFI) {
        add(profile, &step_uefi, info->tsc_stage1);
        add(profile, &step_disk, info->tsc_stage2 - info->tsc_stage1);
        add(profile, &step_plan, info->tsc_load - info->tsc_stage2);
    } else {
        add(profile, &step_bios, info->tsc_stage1);
        add(profile, &step_stage1, info->tsc_stage2 - info->tsc_stage1);
        add(profile, &step_stage2, info->tsc_loader - info->tsc_stage2);
        add(profile, &step_plan, info->tsc_load - info->tsc_loader);
    }
    if (!add_loading(profile, info))
        return false;
    add(profile, &step_map, info->tsc_enter - info->tsc_map);
    return true;
}

/* Up to the bar. */
static void print_row(const struct profile *profile, const char *name, uint64_t ticks, FILE *file)
{
    fprintf(file, "%-12s", name);
    if (profile->ticks_per_ms > 0)
        fprintf(file, " %11.3f", (double)ticks / profile->ticks_per_ms);
    fprintf(file, " %15" PRIu64 " %6.1f %%", ticks, 100.0 * (double)ticks / (double)profile->ticks);
}

/* The firmware takes nearly all of the time, so that bars are of what it does not take. */
static void print_bar(const struct profile *profile, uint64_t ticks, FILE *file)
{
    const uint64_t loader_ticks = profile->ticks - profile->rows[0].ticks;
    long length = 0;

    if (loader_ticks > 0)
        length = (long)(BAR_CHARACTERS * ((double)ticks / (double)loader_ticks) + 0.5);
    if (length > 0)
        fputs("  ", file);
    for (long i = 0; i < length; i++)
        putc('#', file);
}

void profile_print(const struct profile *profile, FILE *file)
{
    fprintf(file, "%-12s", "step");
    if (profile->ticks_per_ms > 0)
        fprintf(file, " %11s", "ms");
    fprintf(file, " %15s %8s  %s\n", "ticks", "share", "of the loader's time");
    for (size_t i = 0; i < profile->row_count; i++) {
        const struct profile_row *row = &profile->rows[i];

        print_row(profile, row->step->name, row->ticks, file);
        if (i > 0)
            print_bar(profile, row->ticks, file);
        putc('\n', file);
    }
    print_row(profile, "kernel entry", profile->ticks, file);
    putc('\n', file);
}
