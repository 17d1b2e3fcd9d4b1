/*
 * <string.h> for compilers that bring no C library: what runtime has of it.
 */
#ifndef RUNTIME_FREESTANDING_STRING_H
#define RUNTIME_FREESTANDING_STRING_H

#include "../runtime.h"

#endif
