/*
 * Text in XML, of which some characters must not be, however they are written.
 */
#ifndef BOOTIMAGE_RUN_XML_H
#define BOOTIMAGE_RUN_XML_H

#include <stdio.h>

/* Between tags. What is no character of UTF-8 or of XML becomes U+FFFD; terminal escapes, NUL and
   CR are left out. */
void xml_write_text(const char *bytes, size_t count, FILE *output);

/* The same as ' name="text"', with a newline as &#10;. */
void xml_write_attribute(const char *name, const char *text, FILE *output);

#endif
