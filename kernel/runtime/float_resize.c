/*
 * Runtime: float to double, which is exact, and double to float, which rounds. A NaN keeps its sign
 * and the upper bits of its payload.
 *
 * [IEEE 754-2008 §5.4.2 "Conversion operations for floating-point formats"]
 */
#include "float_calls.h"
#include "float_number.h"

uint64_t __extendsfdf2(uint32_t value)
{
    return float_pack(FLOAT_DOUBLE, float_unpack(FLOAT_SINGLE, value));
}

uint32_t __truncdfsf2(uint64_t value)
{
    return (uint32_t)float_pack(FLOAT_SINGLE, float_unpack(FLOAT_DOUBLE, value));
}
