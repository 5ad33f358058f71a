// inspect: what a file or a folder is, and what it holds. Nothing in it is executed, and no secret is shown.
#pragma once

#include <filesystem>

#include "report/inspection.h"
#include <modelseal/format.h>
#include <modelseal/result.h>

namespace modelseal {

// Tells by content, never by name: a key or certificate (PEM), an OpenSSF model signature (a Sigstore bundle),
// or else a model. Keys need no passphrase for this.
Result<Inspection> inspect(const std::filesystem::path& path, const Limits& limits = {});

}  // namespace modelseal
