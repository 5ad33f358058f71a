// Seals that do not hold because the target is not what was sealed, though nothing in it was changed: a folder of models that
// were sealed one by one, or one file of a model that was sealed as a folder.
#pragma once

#include "jobs/check/files.h"
#include "model/model.h"
#include <modelseal/report.h>
#include <modelseal/result.h>

namespace modelseal::jobs {

// The finding of check_seal(), unless the target explains it. A folder without a seal of its own in which a model has one is
// `not_found`, and the finding names that model; so is what has lost the seal by which this could be told. One file of several
// that were sealed together is an Error of kind `unsupported`, if its own tensors show no change; so is an index or a graph of a
// sealed folder, given alone.
//
// Reads models in the folder again, until the first that is sealed on its own; nothing for an intact finding.
Result<SealFinding> explained_by_target(const model::Model& model, const SealSearch& search,
                                        SealFinding finding);

}  // namespace modelseal::jobs
