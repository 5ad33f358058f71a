// From evidence to findings: what changed, where, and how much of the mark is gone.
//
// A block is named as changed if its check value is not the one that was sealed, or if its cell is not valid, or
// holds something else than it should. Check values place a change; whether there is one follows from the
// signed digests alone. So a tensor of which no sealed check value survived is called changed where the weights
// as a whole do not match, and the bit error rate is that of the check values and cells that can be compared.
//
// The frame is judged apart from the weights: a container's checksum that is wrong only because the tensor under
// it changed does not count as a change of the frame.
#pragma once

#include "mark/checking/evidence.h"
#include <modelseal/report.h>

namespace modelseal::mark {

// `given`: the model that `evidence` was gathered from. `all`: intact tensors are listed as well.
SealFinding judge(const model::Model& given, const Evidence& evidence, bool all);

}  // namespace modelseal::mark
