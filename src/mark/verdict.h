// From evidence to findings: what changed, where, and how much of the mark is gone.
#pragma once

#include "mark/evidence.h"
#include <modelseal/report.h>

namespace modelseal::mark {

// `model` is the one that evidence was gathered from. `all`: intact tensors are listed as well.
SealFinding judge(const model::Model& model, const Evidence& evidence, bool all);

}  // namespace modelseal::mark
