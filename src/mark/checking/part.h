// A look at some tensors of a sealed model that reads nothing of the others.
//
// The vendor signed one root over all tensors, which some of them do not give. What they can be compared with is the check value of each
// block: 24 bits of its digest (32 in version 1), which stand in cells, or after the signature of the manifest, and are signed by nobody.
// So a part that differs proves that the model is not as sealed; a part that agrees proves nothing against somebody who can write cells,
// that is, who has the check key (which is public, unless the seal was made for a customer), nor against somebody who tries 2^24 changes
// of a block that carries nothing. This is why such a finding is `partial` at best.
#pragma once

#include <functional>
#include <optional>
#include <string_view>

#include "model/model.h"
#include <modelseal/keys.h>
#include <modelseal/progress.h>
#include <modelseal/report.h>

namespace modelseal::mark {

using ChosenTensor = std::function<bool(std::string_view name)>;

// Nothing if there is no seal under this key. Else `partial`, or `tampered`; an Error (unsupported) where only a complete check can say
// what became of the seal: its manifest or some of the check values did not survive, or the tensors are not those that were sealed.
// Precondition: at least one tensor is chosen. `all`: chosen tensors without a change are listed as well. Patterns are the caller's to add.
Result<std::optional<SealFinding>> check_part(const model::Model& model, const CheckKey& key,
                                              const ChosenTensor& chosen, bool all, unsigned jobs,
                                              Progress& progress);

// The stamp alone, of a seal whose manifest is signed: no tensor is compared. As above.
Result<std::optional<SealFinding>> read_stamp(const model::Model& model, const CheckKey& key, unsigned jobs);

}  // namespace modelseal::mark
