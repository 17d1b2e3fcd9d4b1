/*
 * Looks at a machine that runs: whether the screen shows what is expected, and whether the guest
 * has stopped for good.
 */
#include "run/session.h"

#include "run/registers.h"
#include "run/screen.h"
#include "run/screen_picture.h"

#include <stdlib.h>
#include <string.h>

#define TEXT_SCREEN_PADDR 0xB8000
#define RFLAGS_IF 0x200

bool session_open_looks(struct session *session, struct error *error)
{
    const struct options_expectations *expectations = &session->options->expectations;

    session->screens_seen = calloc(expectations->screen.count + 1, sizeof(bool));
    session->fonts = calloc(expectations->fonts.count + 1, sizeof(*session->fonts));
    if (!session->screens_seen || !session->fonts)
        return error_out_of_memory(error);
    if (!screen_font_built_in(&session->fonts[session->font_count++], error))
        return false;
    for (size_t i = 0; i < expectations->fonts.count; i++) {
        if (!screen_font_open(&session->fonts[session->font_count++], expectations->fonts.texts[i],
                              error))
            return false;
    }
    return true;
}

void session_close_looks(struct session *session)
{
    for (size_t i = 0; i < session->font_count; i++)
        screen_font_close(&session->fonts[i]);
    free(session->fonts);
    free(session->screens_seen);
}

static void look_at_screen(struct session *session)
{
    const struct options_texts *texts = &session->options->expectations.screen;
    uint8_t cells[SCREEN_TEXT_BYTES];
    size_t bytes;
    uint8_t *picture;

    if (texts->count == 0)
        return;
    if (machine_read_physical(&session->machine, TEXT_SCREEN_PADDR, cells, sizeof(cells))) {
        for (size_t i = 0; i < texts->count; i++)
            session->screens_seen[i] |= screen_text_shows(cells, texts->texts[i]);
    }
    picture = machine_screenshot(&session->machine, "ppm", &bytes);
    for (size_t i = 0; picture && i < texts->count; i++)
        session->screens_seen[i] |= screen_picture_shows(picture, bytes, session->fonts,
                                                         session->font_count, texts->texts[i]);
    free(picture);
}

/* A sum of where all CPUs are halted; 0 if one of them is not, or would wake by an interrupt and
   that counts. */
static uint64_t halted_at(struct session *session, bool for_good)
{
    char *text = machine_monitor(&session->machine, "info registers -a");
    const char *rest = text;
    struct registers registers;
    unsigned int cpu;
    uint64_t sum = 0;

    while (rest && registers_next(&registers, &cpu, &rest)) {
        if (!registers.is_halted || (for_good && registers.rflags & RFLAGS_IF)) {
            sum = 0;
            break;
        }
        sum += registers.rip + 1;
    }
    free(text);
    return sum;
}

bool session_is_idle(struct session *session)
{
    return halted_at(session, false) != 0;
}

/* Once may be by chance, as a CPU that waits to be started is halted, too. */
static void look_at_cpus(struct session *session)
{
    const uint64_t place = halted_at(session, true);

    if (place != 0 && place == session->halted_at) {
        session_end_line(session);
        session->facts.has_stopped = true;
    }
    session->halted_at = place;
}

void session_look(struct session *session, bool at_end)
{
    if (session->options->command != COMMAND_TEST)
        return;
    serial_settle(&session->serial, at_end);
    look_at_screen(session);
    if (!at_end && !session->options->gdb_port)
        look_at_cpus(session);
}

void session_find_unmet(struct session *session)
{
    const struct options_expectations *expectations = &session->options->expectations;
    const char *serial = serial_unmet(&session->serial);
    const char *screen = NULL;

    for (size_t i = expectations->screen.count; i > 0; i--) {
        if (!session->screens_seen[i - 1])
            screen = expectations->screen.texts[i - 1];
    }
    session->facts.expects = expectations->serial.count + expectations->screen.count > 0;
    session->facts.unmet = NULL;
    if (!serial && !screen)
        return;
    snprintf(session->unmet, sizeof(session->unmet), "%s \"%s\"",
             serial ? "--expect-serial" : "--expect-screen", serial ? serial : screen);
    session->facts.unmet = session->unmet;
}
