/*
 * Names for places in code, and the calls that led there.
 */
#include "run/report_view.h"

#include "run/unwind.h"

#include <stdlib.h>

#define PLACES_MOST 16
#define FRAMES_MOST 64

static json_t *text_or_null(const char *text)
{
    return text ? report_text(text) : json_null();
}

static json_t *place_of(uint64_t vaddr, const struct debuginfo_place *place)
{
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:b}", "vaddr", report_hex(vaddr), "function",
                     text_or_null(place->function), "symbol", text_or_null(place->symbol), "offset",
                     json_integer((json_int_t)place->offset), "file", text_or_null(place->file),
                     "line", place->line ? json_integer(place->line) : json_null(), "inlined",
                     place->is_inlined);
}

json_t *report_place(const struct report_view *view, uint64_t vaddr)
{
    struct debuginfo_place places[PLACES_MOST];

    if (!view->debuginfo ||
        debuginfo_places(view->debuginfo, vaddr - view->slide, places, PLACES_MOST) == 0)
        return json_null();
    return place_of(vaddr, &places[0]);
}

static bool read_memory(void *context, uint64_t vaddr, void *bytes, size_t count)
{
    return report_read(context, vaddr, bytes, count);
}

static const char *way_name(enum unwind_way way)
{
    switch (way) {
    case UNWIND_CFI:
        return "cfi";
    case UNWIND_FRAME_POINTER:
        return "frame-pointer";
    case UNWIND_EXCEPTION_FRAME:
        return "exception-frame";
    case UNWIND_STACK_TOP:
        return "stack-top";
    case UNWIND_PC:
    default:
        return "pc";
    }
}

/* A frame is one function, and those that were inlined into it. */
static int add_frame(const struct report_view *view, json_t *stack,
                     const struct unwind_frame *frame)
{
    const uint64_t pc = frame->pc - (frame->is_call ? 1 : 0) - view->slide;
    struct debuginfo_place places[PLACES_MOST];
    size_t count = debuginfo_places(view->debuginfo, pc, places, PLACES_MOST);
    int failed = 0;

    if (count == 0) {
        places[0] = (struct debuginfo_place){0};
        count = 1;
    }
    for (size_t i = 0; i < count; i++) {
        json_t *place = place_of(frame->pc, &places[i]);

        /* What comes after the call is where it goes on. */
        if (frame->is_call && places[i].symbol)
            json_object_set_new(place, "offset", json_integer((json_int_t)places[i].offset + 1));
        json_object_set_new(place, "by", json_string(i == 0 ? way_name(frame->by) : "inline"));
        failed |= json_array_append_new(stack, place);
    }
    return failed;
}

json_t *report_stack(const struct report_view *view, const struct registers *registers)
{
    struct report_view copy = *view;
    const struct unwind_memory memory = {read_memory, &copy};
    struct unwind_frame *frames = calloc(FRAMES_MOST, sizeof(*frames));
    json_t *stack = json_array();
    size_t count = 0;

    if (frames && view->debuginfo)
        count = unwind(view->debuginfo, view->slide, registers, &memory, frames, FRAMES_MOST);
    for (size_t i = 0; i < count; i++)
        add_frame(view, stack, &frames[i]);
    free(frames);
    return stack;
}
