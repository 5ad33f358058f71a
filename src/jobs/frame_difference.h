// Whether what surrounds the tensors differs between two models.
#pragma once

#include "model/model.h"
#include "report/comparison.h"
#include <modelseal/result.h>

namespace modelseal {

// Sets `frame` and `files` of `out`. Byte for byte and file by file, the files as a set: one that was added,
// removed or renamed is named. Not compared if the formats differ, or the files of what is not a folder. What
// follows from the tensors (fields of checksums) is left out.
Result<void> compare_frames(const Model& a, const Model& b, Comparison& out);

}  // namespace modelseal
