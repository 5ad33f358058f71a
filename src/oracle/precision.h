// How coarse answers are, from their looks. Nothing that a server declares is needed for it: answers may have
// been rounded anywhere, and then travel in any form.
#pragma once

#include <span>

#include "oracle/oracle.h"

namespace modelseal::oracle {

// Half of the last decimal's step if the values look as if they had been rounded to few decimals or digits; 0
// if they are as exact as float32.
double decimal_rounding(std::span<const float> values);

// Bits of the significand, 11 (half precision, TF32) or 8 (bfloat16), if all values lie on the grid of that
// format, each within `rounding` of it, and are too many to do so by chance; else 24. Zeros do not count.
unsigned significand_of(std::span<const float> values, double rounding);

// Enters both into `answers`. What is known already is only made coarser.
void note_precision(Answers& answers);

}  // namespace modelseal::oracle
