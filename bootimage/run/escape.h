/*
 * What a guest writes to move a terminal's cursor and change its colours, told from text.
 */
#ifndef BOOTIMAGE_RUN_ESCAPE_H
#define BOOTIMAGE_RUN_ESCAPE_H

#include <stdbool.h>

/* Where in an escape sequence a stream is. */
enum escape {
    ESCAPE_NONE,
    ESCAPE_BEGUN,        /* behind ESC */
    ESCAPE_INTERMEDIATE, /* as in ESC ( B */
    ESCAPE_CONTROL,      /* behind ESC [ */
    ESCAPE_STRING,       /* behind ESC ] and others, up to BEL or ESC \ */
};

/* Whether byte, which comes next, belongs to an escape sequence [ECMA-48 §5.3, §5.4, §5.6]. Start
   from ESCAPE_NONE. What cannot go on in a sequence ends it and is text; a newline always is. */
bool escape_take(enum escape *escape, char byte);

/* As above, and for what a terminal does not show where text is in lines: CR and NUL. */
bool escape_hides(enum escape *escape, char byte);

#endif
