/*
 * Profiles: the steps add up to the boot whatever the firmware and the loader's age, time stamps
 * that cannot be are refused, and the table and the picture say what the numbers say.
 */
#include "support.h"

#include <bootimage/bootinfo.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "run/profile.h"

/* A boot of 100,000 ticks. */
static struct bootinfo sample(uint32_t firmware)
{
    return (struct bootinfo){
        .version = BOOTINFO_VERSION,
        .size_bytes = sizeof(struct bootinfo),
        .tsc_stage1 = 60000,
        .tsc_stage2 = 64000,
        .tsc_loader = 65000,
        .tsc_load = 70000,
        .tsc_map = 95000,
        .tsc_enter = 100000,
        .firmware = firmware,
        .ticks_read = 12000,
        .ticks_copy = 8000,
        .ticks_check = 4000,
    };
}

static void assert_rows(const struct bootinfo *info, const char *names[], const uint64_t ticks[])
{
    struct profile profile;
    uint64_t sum = 0;

    assert_true(profile_fill(&profile, info, 0));
    for (size_t i = 0; i < profile.row_count; i++) {
        assert_non_null(names[i]);
        assert_string_equal(profile.rows[i].step->name, names[i]);
        assert_int_equal(profile.rows[i].ticks, ticks[i]);
        sum += ticks[i];
    }
    assert_null(names[profile.row_count]);
    assert_int_equal(profile.ticks, info->tsc_enter);
    assert_int_equal(sum, info->tsc_enter);
}

static void on_a_bios(void **state)
{
    const struct bootinfo info = sample(BOOTINFO_FIRMWARE_BIOS);

    (void)state;
    assert_rows(&info,
                (const char *[]){"firmware", "stage 1", "stage 2", "plan", "read", "copy", "check",
                                 "clear", "map", NULL},
                (const uint64_t[]){60000, 4000, 1000, 5000, 12000, 8000, 4000, 1000, 5000});
}

static void on_uefi(void **state)
{
    const struct bootinfo info = sample(BOOTINFO_FIRMWARE_UEFI);

    (void)state;
    assert_rows(
        &info,
        (const char *[]){"firmware", "disk", "plan", "read", "copy", "check", "clear", "map", NULL},
        (const uint64_t[]){60000, 4000, 6000, 12000, 8000, 4000, 1000, 5000});
}

/* Fields that it does not have are not looked at. */
static void of_an_older_loader(void **state)
{
    struct bootinfo info = sample(0);

    (void)state;
    info.version = 0x00010003;
    info.size_bytes = offsetof(struct bootinfo, ticks_read);
    info.ticks_read = UINT64_MAX;
    assert_rows(&info,
                (const char *[]){"firmware", "stage 1", "stage 2", "plan", "load", "map", NULL},
                (const uint64_t[]){60000, 4000, 1000, 5000, 25000, 5000});
}

static void steps_may_take_no_time(void **state)
{
    struct bootinfo info = sample(BOOTINFO_FIRMWARE_BIOS);

    (void)state;
    info.tsc_stage1 = info.tsc_stage2 = info.tsc_loader = info.tsc_load = 70000;
    info.tsc_map = info.tsc_enter;
    info.ticks_read = 30000;
    info.ticks_copy = info.ticks_check = 0;
    assert_rows(&info,
                (const char *[]){"firmware", "stage 1", "stage 2", "plan", "read", "copy", "check",
                                 "clear", "map", NULL},
                (const uint64_t[]){70000, 0, 0, 0, 30000, 0, 0, 0, 0});
}

static void what_cannot_be_is_refused(void **state)
{
    static const struct {
        size_t offset;
        uint64_t value;
    } changes[] = {
        {offsetof(struct bootinfo, tsc_stage1), 64001},
        {offsetof(struct bootinfo, tsc_stage2), 65001},
        {offsetof(struct bootinfo, tsc_loader), 70001},
        {offsetof(struct bootinfo, tsc_load), 95001},
        {offsetof(struct bootinfo, tsc_map), 100001},
        {offsetof(struct bootinfo, tsc_enter), 94999},
        {offsetof(struct bootinfo, ticks_read), 13001},
        {offsetof(struct bootinfo, ticks_copy), 9001},
        {offsetof(struct bootinfo, ticks_check), 5001},
        {offsetof(struct bootinfo, ticks_read), UINT64_MAX},
        {offsetof(struct bootinfo, ticks_copy), UINT64_MAX},
        {offsetof(struct bootinfo, ticks_check), UINT64_MAX},
    };
    const struct bootinfo nothing = {.size_bytes = sizeof(nothing)};
    struct profile profile;

    (void)state;
    assert_false(profile_fill(&profile, &nothing, 0));
    for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
        struct bootinfo info = sample(BOOTINFO_FIRMWARE_BIOS);

        memcpy((uint8_t *)&info + changes[i].offset, &changes[i].value, sizeof(uint64_t));
        assert_false(profile_fill(&profile, &info, 0));
    }
}

/* What a profile prints, to be freed. */
static char *printed(const struct bootinfo *info, double ticks_per_ms, const char *svg_title)
{
    struct profile profile;
    char *text = NULL;
    size_t bytes;
    FILE *file = open_memstream(&text, &bytes);

    assert_non_null(file);
    assert_true(profile_fill(&profile, info, ticks_per_ms));
    if (svg_title)
        assert_true(profile_svg(&profile, svg_title, file));
    else
        profile_print(&profile, file);
    fclose(file);
    return text;
}

static void assert_table(uint32_t firmware, double ticks_per_ms, const char *expected)
{
    const struct bootinfo info = sample(firmware);
    char *text = printed(&info, ticks_per_ms, NULL);

    assert_string_equal(text, expected);
    free(text);
}

static void tables(void **state)
{
    (void)state;
    assert_table(BOOTINFO_FIRMWARE_BIOS, 1000,
                 "step                  ms           ticks    share  of the loader's time\n"
                 "firmware          60.000           60000   60.0 %\n"
                 "stage 1            4.000            4000    4.0 %  ####\n"
                 "stage 2            1.000            1000    1.0 %  #\n"
                 "plan               5.000            5000    5.0 %  #####\n"
                 "read              12.000           12000   12.0 %  ############\n"
                 "copy               8.000            8000    8.0 %  ########\n"
                 "check              4.000            4000    4.0 %  ####\n"
                 "clear              1.000            1000    1.0 %  #\n"
                 "map                5.000            5000    5.0 %  #####\n"
                 "kernel entry     100.000          100000  100.0 %\n");
    assert_table(BOOTINFO_FIRMWARE_UEFI, 0,
                 "step                   ticks    share  of the loader's time\n"
                 "firmware               60000   60.0 %\n"
                 "disk                    4000    4.0 %  ####\n"
                 "plan                    6000    6.0 %  ######\n"
                 "read                   12000   12.0 %  ############\n"
                 "copy                    8000    8.0 %  ########\n"
                 "check                   4000    4.0 %  ####\n"
                 "clear                   1000    1.0 %  #\n"
                 "map                     5000    5.0 %  #####\n"
                 "kernel entry          100000  100.0 %\n");
}

static void a_rate_that_is_none_is_not_used(void **state)
{
    const struct bootinfo info = sample(BOOTINFO_FIRMWARE_BIOS);
    const double rates[] = {-1, (double)NAN, (double)INFINITY};
    struct profile profile;

    (void)state;
    for (size_t i = 0; i < sizeof(rates) / sizeof(rates[0]); i++) {
        assert_true(profile_fill(&profile, &info, rates[i]));
        assert_true(profile.ticks_per_ms == 0);
    }
}

static size_t count(const char *text, const char *part)
{
    size_t found = 0;

    for (; (text = strstr(text, part)); text += strlen(part))
        found++;
    return found;
}

static void a_picture(void **state)
{
    const struct bootinfo info = sample(BOOTINFO_FIRMWARE_BIOS);
    char *text = printed(&info, 1000, "a<b>&\"c\"\n\xff\xef\xbf\xbe\xef\xbf\xbf.elf");

    (void)state;
    assert_memory_equal(text, "<svg xmlns=\"http://www.w3.org/2000/svg\" ", 40);
    assert_string_equal(text + strlen(text) - 7, "</svg>\n");
    assert_int_equal(count(text, ">a&lt;b&gt;&amp;&quot;c&quot;\\x0a\\xff.elf<"), 2);
    assert_int_equal(count(text, ">100.000 ms from the machine"), 1);
    /* 896 pixels for 100 ms, then for the loader's 40. */
    assert_int_equal(count(text, "<rect x=\"32.00\" y=\"124\" width=\"537.60\" height=\"28\""), 1);
    assert_int_equal(count(text, "<rect x=\"659.20\" y=\"124\" width=\"107.52\" height=\"28\""), 1);
    assert_int_equal(count(text, "<rect x=\"256.00\" y=\"208\" width=\"268.80\" height=\"44\""), 1);
    assert_int_equal(count(text, "height=\"28\" fill="), 9);
    assert_int_equal(count(text, "height=\"44\" fill="), 8);
    assert_int_equal(count(text, "<title>read: 12.000 ms</title>"), 2);
    assert_int_equal(count(text, ">wait for the disk<"), 1);
    assert_int_equal(count(text, ">12.0 %<"), 1);
    /* stage 2 and clear are too narrow for their names */
    assert_int_equal(count(text, "<text class=\"inside\""), 6);
    assert_int_equal(count(text, "script"), 0);
    free(text);
}

static void a_picture_of_the_firmware_alone(void **state)
{
    struct bootinfo info = sample(BOOTINFO_FIRMWARE_BIOS);

    (void)state;
    info.tsc_stage1 = info.tsc_stage2 = info.tsc_loader = info.tsc_load = info.tsc_map =
        info.tsc_enter;
    info.ticks_read = info.ticks_copy = info.ticks_check = 0;
    char *text = printed(&info, 0, "x");
    assert_int_equal(count(text, " fill=\"#8a919c\""), 2);
    assert_int_equal(count(text, ">100000 ticks<"), 1);
    assert_int_equal(count(text, "<rect x="), 1 + 9); /* the bar, and the legend */
    assert_int_equal(count(text, "class=\"zoom\""), 0);
    free(text);
    text = printed(&info, 0, NULL);
    assert_int_equal(count(text, "#"), 0);
    free(text);
}

static void a_full_disk_is_told(void **state)
{
    const struct bootinfo info = sample(BOOTINFO_FIRMWARE_BIOS);
    FILE *file = fopen("/dev/full", "w");
    struct profile profile;

    (void)state;
    assert_non_null(file);
    assert_true(profile_fill(&profile, &info, 0));
    assert_false(profile_svg(&profile, "x", file));
    fclose(file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(on_a_bios),
        cmocka_unit_test(on_uefi),
        cmocka_unit_test(of_an_older_loader),
        cmocka_unit_test(steps_may_take_no_time),
        cmocka_unit_test(what_cannot_be_is_refused),
        cmocka_unit_test(tables),
        cmocka_unit_test(a_rate_that_is_none_is_not_used),
        cmocka_unit_test(a_picture),
        cmocka_unit_test(a_picture_of_the_firmware_alone),
        cmocka_unit_test(a_full_disk_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
