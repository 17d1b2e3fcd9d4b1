/*
 * The serial port's bytes, line by line. A line is searched each time that more of it has come, as
 * a prompt ends without a line feed; but where it ends is known by a line feed or a pause only.
 */
#include "run/serial.h"

#include <stdlib.h>
#include <string.h>

bool serial_open(struct serial *serial, const struct options_texts *patterns, struct error *error)
{
    char why[128];

    *serial = (struct serial){0};
    serial->patterns = calloc(patterns->count + 1, sizeof(*serial->patterns));
    if (!serial->patterns)
        return error_out_of_memory(error);
    for (size_t i = 0; i < patterns->count; i++) {
        struct serial_pattern *pattern = &serial->patterns[i];
        int number = regcomp(&pattern->regex, patterns->texts[i], REG_EXTENDED | REG_NOSUB);

        if (number != 0) {
            regerror(number, &pattern->regex, why, sizeof(why));
            return error_set(error,
                             "--expect-serial is %s: %s; give an extended regular expression "
                             "[expect-regex]",
                             patterns->texts[i], why);
        }
        pattern->text = patterns->texts[i];
        serial->pattern_count++;
    }
    return true;
}

/* flags: REG_NOTEOL while the line may go on. */
static void search(struct serial *serial, int flags)
{
    serial->line[serial->line_bytes] = 0;
    for (size_t i = 0; i < serial->pattern_count; i++) {
        struct serial_pattern *pattern = &serial->patterns[i];

        if (!pattern->was_seen)
            pattern->was_seen = regexec(&pattern->regex, serial->line, 0, NULL, flags) == 0;
    }
}

static void keep(struct serial *serial, const char *bytes, size_t count)
{
    if (count > SERIAL_TAIL_BYTES) {
        bytes += count - SERIAL_TAIL_BYTES;
        count = SERIAL_TAIL_BYTES;
    }
    if (serial->tail_bytes + count > sizeof(serial->tail)) {
        size_t kept = SERIAL_TAIL_BYTES;

        memmove(serial->tail, serial->tail + serial->tail_bytes - kept, kept);
        serial->tail_bytes = kept;
    }
    memcpy(serial->tail + serial->tail_bytes, bytes, count);
    serial->tail_bytes += count;
}

void serial_feed(struct serial *serial, const char *bytes, size_t count)
{
    keep(serial, bytes, count);
    serial->is_quiet = false;
    if (serial->pattern_count == 0)
        return;
    for (size_t i = 0; i < count; i++) {
        if (escape_hides(&serial->escape, bytes[i]))
            continue;
        if (bytes[i] == '\n' || serial->line_bytes == SERIAL_LINE_BYTES) {
            search(serial, 0);
            serial->line_bytes = 0;
        }
        if (bytes[i] != '\n')
            serial->line[serial->line_bytes++] = bytes[i];
    }
    search(serial, REG_NOTEOL);
}

void serial_settle(struct serial *serial, bool at_end)
{
    if (serial->line_bytes > 0 && (serial->is_quiet || at_end))
        search(serial, 0);
    serial->is_quiet = true;
}

const char *serial_unmet(const struct serial *serial)
{
    for (size_t i = 0; i < serial->pattern_count; i++) {
        if (!serial->patterns[i].was_seen)
            return serial->patterns[i].text;
    }
    return NULL;
}

const char *serial_tail(const struct serial *serial, size_t *bytes)
{
    *bytes = serial->tail_bytes < SERIAL_TAIL_BYTES ? serial->tail_bytes : SERIAL_TAIL_BYTES;
    return serial->tail + serial->tail_bytes - *bytes;
}

void serial_close(struct serial *serial)
{
    for (size_t i = 0; i < serial->pattern_count; i++)
        regfree(&serial->patterns[i].regex);
    free(serial->patterns);
}
