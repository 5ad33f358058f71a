// The white-box half of a check: is the seal in the weights there, and does it hold?
#pragma once

#include "mark/scan.h"
#include "model/model.h"
#include <modelseal/seal.h>

namespace modelseal::jobs {

// Whether the files stayed as they were meanwhile is for the caller to ask.
Result<SealFinding> check_seal(const Model& model, const CheckOptions& options, const mark::Pass& pass);

}  // namespace modelseal::jobs
