// Whether the files are those of a statement that is believed.
#pragma once

#include "oms/digests.h"
#include "oms/statement.h"
#include "oms/tree.h"
#include <modelseal/oms.h>

namespace modelseal::oms {

// Fills in what was compared and every file that is not as signed. An Error only if a file could not be read.
// `shared` may be null.
Result<void> compare_files(const std::filesystem::path& path, const Statement& statement,
                           const VerifyOptions& options, const SharedFiles* shared, SignatureFinding& finding);

}  // namespace modelseal::oms
