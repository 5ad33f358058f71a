// Measures how coarse answers are from the values alone: they may have been rounded anywhere, and then sent
// in any datatype, whatever a server declares.
#pragma once

#include <span>

#include "oracle/oracle.h"

namespace modelseal::oracle {

// Half of the last decimal's step if the values appear to be rounded to few decimals or digits; 0 if they are
// as exact as float32.
double decimal_rounding(std::span<const float> values);

// Bits of the significand, 11 (half precision, TF32) or 8 (bfloat16), if all values are on the grid of that
// format, each within `rounding` of it, and are too many for a coincidence; else 24. Zeros do not count.
unsigned significand_of(std::span<const float> values, double rounding);

// What rounding to the nearest value of a format with so many bits moves `value` by at most: half of its step there. 0 for
// float32. Half precision has no exponent below -14, so that its steps do not get smaller.
double half_step(float value, unsigned bits);

// Of an answer: by its rounding and its precision.
double rounding_of(float value, double rounding, unsigned significand);

// The largest of all answers; 0 if they are as exact as float32.
double largest_rounding(const Answers& answers);

// Enters both into `answers`. Known values only become coarser.
void note_precision(Answers& answers);

}  // namespace modelseal::oracle
