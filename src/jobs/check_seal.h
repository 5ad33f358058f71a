// The white-box half of a check: is the seal in the weights there, and does it hold?
#pragma once

#include <span>

#include "io/progress.h"
#include "mark/scan.h"
#include "model/model.h"
#include <modelseal/keys.h>
#include <modelseal/report.h>

namespace modelseal::jobs {

struct SealSearch {
    std::span<const CheckKey> keys;  // tried in turn; the first under which there is a seal counts
    bool all = false;                // list intact tensors as well
    mark::Pass pass = {};
    io::Progress* progress = nullptr;
};

// What was found, whatever the caller expects: that is for policy::decide(). A mark of the deepisign scheme is
// a finding as well. Whether the files stayed as they were meanwhile is for the caller to ask.
Result<SealFinding> check_seal(const Model& model, const SealSearch& search);

}  // namespace modelseal::jobs
