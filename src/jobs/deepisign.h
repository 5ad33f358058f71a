// Sealing and checking with the published scheme, so that both can be compared with the same commands.
#pragma once

#include "io/progress.h"
#include "mark/manifest.h"
#include "model/model.h"
#include <modelseal/seal.h>

namespace modelseal::jobs {

Result<SealSummary> seal_deepisign(const model::Model& model, const std::filesystem::path& out,
                                   const mark::Stamp& stamp, const SealOptions& options,
                                   io::Progress& progress);

// Outcome not_found if no layer bears a mark under this key.
Result<SealFinding> check_deepisign(const model::Model& model, const CheckKey& key, bool all);

}  // namespace modelseal::jobs
