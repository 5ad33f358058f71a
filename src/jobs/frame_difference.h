// Whether what surrounds the tensors differs between two models.
#pragma once

#include "model/model.h"
#include "report/comparison.h"
#include <modelseal/result.h>

namespace modelseal {

// Byte for byte and file by file; not compared if the formats or the lists of files differ. What follows from
// the tensors (fields of checksums) is left out.
Result<Comparison::Frame> compare_frames(const Model& a, const Model& b);

}  // namespace modelseal
