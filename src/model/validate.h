// What every model must keep to, whatever its format: the last line of defence behind the adapters.
#pragma once

#include "model/model.h"
#include <modelseal/result.h>

namespace modelseal {

// Names are unique; each segment is inside its file and as long as its elements say; nothing overlaps: segments
// of any tensors, and the fields of checksums. Kind malformed, or internal where only an adapter can be wrong.
Result<void> validate_model(const Model& model);

}  // namespace modelseal
