/*
 * The profile as a picture: a bar of the whole boot, below it one of the loader's share of it,
 * drawn larger, and a legend with each step's time. The colours of the page follow the reader's
 * light or dark mode; there is no script and no font of its own.
 */
#include "run/profile.h"

#include "error.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* All in pixels. */
#define WIDTH 960
#define MARGIN 32
#define BAR_WIDTH (WIDTH - 2 * MARGIN)
#define BOOT_TOP 124
#define BOOT_HEIGHT 28
#define LOADER_TOP 208
#define LOADER_HEIGHT 44
#define LEGEND_TOP 298
#define LEGEND_STEP 28
#define NAME_X (MARGIN + 26)
#define WHAT_X (MARGIN + 120)
#define SHARE_X (WIDTH - MARGIN)
#define TIME_X (SHARE_X - 100)
/* About what a character of a name takes. */
#define CHARACTER_WIDTH 8
#define TIME_BYTES 40

/* In UTF-8; without the two characters that are none in XML [XML 1.0 §2.2 "Characters"]. */
static void print_escaped(const char *text, FILE *file)
{
    for (; *text; text++) {
        if (strncmp(text, "\xef\xbf\xbe", 3) == 0 || strncmp(text, "\xef\xbf\xbf", 3) == 0) {
            text += 2;
            continue;
        }
        switch (*text) {
        case '&':
            fputs("&amp;", file);
            break;
        case '<':
            fputs("&lt;", file);
            break;
        case '>':
            fputs("&gt;", file);
            break;
        case '"':
            fputs("&quot;", file);
            break;
        default:
            putc(*text, file);
        }
    }
}

static void format_time(const struct profile *profile, uint64_t ticks, char text[TIME_BYTES])
{
    if (profile->ticks_per_ms > 0)
        snprintf(text, TIME_BYTES, "%.3f ms", (double)ticks / profile->ticks_per_ms);
    else
        snprintf(text, TIME_BYTES, "%" PRIu64 " ticks", ticks);
}

static double percent(const struct profile *profile, uint64_t ticks)
{
    return 100.0 * (double)ticks / (double)profile->ticks;
}

static void print_head(const struct profile *profile, const char *title, FILE *file)
{
    const int height = LEGEND_TOP + LEGEND_STEP * (int)profile->row_count;
    char time[TIME_BYTES];

    format_time(profile, profile->ticks, time);
    fprintf(file,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" width=\"%d\" "
            "height=\"%d\" role=\"img\">\n<title>",
            WIDTH, height, WIDTH, height);
    print_escaped(title, file);
    fputs("</title>\n"
          "<style>\n"
          "text { font: 14px system-ui, sans-serif; fill: #1c2128; }\n"
          ".title { font-size: 20px; font-weight: 600; }\n"
          ".quiet { fill: #57606a; }\n"
          ".number { text-anchor: end; font-variant-numeric: tabular-nums; }\n"
          ".inside { text-anchor: middle; fill: #14181d; }\n"
          ".page { fill: #ffffff; }\n"
          ".zoom { fill: #8a919c; fill-opacity: 0.18; }\n"
          "@media (prefers-color-scheme: dark) {\n"
          "text { fill: #e6edf3; }\n"
          ".quiet { fill: #9aa4af; }\n"
          ".page { fill: #14181d; }\n"
          "}\n"
          "</style>\n",
          file);
    fprintf(file,
            "<rect class=\"page\" width=\"%d\" height=\"%d\" rx=\"8\"/>\n"
            "<text class=\"title\" x=\"%d\" y=\"48\">",
            WIDTH, height, MARGIN);
    print_escaped(title, file);
    fprintf(file,
            "</text>\n<text class=\"quiet\" x=\"%d\" y=\"74\">%s from the machine&#8217;s start to "
            "the kernel&#8217;s entry</text>\n",
            MARGIN, time);
}

/* A part of a bar, with its time for those who point at it. */
static void print_part(const struct profile *profile, const struct profile_row *row, double x,
                       double width, int top, int height, FILE *file)
{
    char time[TIME_BYTES];

    format_time(profile, row->ticks, time);
    fprintf(file,
            "<rect x=\"%.2f\" y=\"%d\" width=\"%.2f\" height=\"%d\" fill=\"%s\">"
            "<title>%s: %s</title></rect>\n",
            x, top, width, height, row->step->color, row->step->name, time);
}

/* Rows beside each other, from x on, so many pixels for a tick. Returns where they end. */
static double print_parts(const struct profile *profile, size_t first, double x, double scale,
                          int top, int height, FILE *file)
{
    for (size_t i = first; i < profile->row_count; i++) {
        const struct profile_row *row = &profile->rows[i];
        const double width = (double)row->ticks * scale;

        if (row->ticks > 0)
            print_part(profile, row, x, width, top, height, file);
        x += width;
    }
    return x;
}

/* The names of the loader's steps, where they fit. */
static void print_names(const struct profile *profile, double scale, FILE *file)
{
    double x = MARGIN;

    for (size_t i = 1; i < profile->row_count; i++) {
        const struct profile_row *row = &profile->rows[i];
        const double width = (double)row->ticks * scale;

        if (width > (double)(strlen(row->step->name) + 1) * CHARACTER_WIDTH)
            fprintf(file, "<text class=\"inside\" x=\"%.2f\" y=\"%d\">%s</text>\n", x + width / 2,
                    LOADER_TOP + LOADER_HEIGHT / 2 + 5, row->step->name);
        x += width;
    }
}

static void print_bars(const struct profile *profile, FILE *file)
{
    const uint64_t loader_ticks = profile->ticks - profile->rows[0].ticks;
    const double scale = BAR_WIDTH / (double)profile->ticks;
    const double begin = MARGIN + (double)profile->rows[0].ticks * scale;

    fprintf(file, "<text class=\"quiet\" x=\"%d\" y=\"%d\">the whole boot</text>\n", MARGIN,
            BOOT_TOP - 10);
    print_parts(profile, 0, MARGIN, scale, BOOT_TOP, BOOT_HEIGHT, file);
    if (loader_ticks == 0)
        return;
    const double loader_scale = BAR_WIDTH / (double)loader_ticks;
    fprintf(file,
            "<path class=\"zoom\" d=\"M%.2f %d H%d V%d H%d Z\"/>\n"
            "<text class=\"quiet\" x=\"%d\" y=\"%d\">the loader</text>\n",
            begin, BOOT_TOP + BOOT_HEIGHT, WIDTH - MARGIN, LOADER_TOP, MARGIN, MARGIN,
            LOADER_TOP - 10);
    print_parts(profile, 1, MARGIN, loader_scale, LOADER_TOP, LOADER_HEIGHT, file);
    print_names(profile, loader_scale, file);
}

static void print_legend(const struct profile *profile, FILE *file)
{
    char time[TIME_BYTES];
    int y = LEGEND_TOP;

    for (size_t i = 0; i < profile->row_count; i++, y += LEGEND_STEP) {
        const struct profile_row *row = &profile->rows[i];

        format_time(profile, row->ticks, time);
        fprintf(file,
                "<rect x=\"%d\" y=\"%d\" width=\"14\" height=\"14\" rx=\"3\" fill=\"%s\"/>\n"
                "<text x=\"%d\" y=\"%d\">%s</text>\n"
                "<text class=\"quiet\" x=\"%d\" y=\"%d\">%s</text>\n"
                "<text class=\"number\" x=\"%d\" y=\"%d\">%s</text>\n"
                "<text class=\"number quiet\" x=\"%d\" y=\"%d\">%.1f %%</text>\n",
                MARGIN, y - 12, row->step->color, NAME_X, y, row->step->name, WHAT_X, y,
                row->step->what, TIME_X, y, time, SHARE_X, y, percent(profile, row->ticks));
    }
}

bool profile_svg(const struct profile *profile, const char *title, FILE *file)
{
    char *text = error_escape(title);

    if (!text)
        return false;
    print_head(profile, text, file);
    print_bars(profile, file);
    print_legend(profile, file);
    fputs("</svg>\n", file);
    free(text);
    return fflush(file) == 0 && !ferror(file);
}
