// inspect: what a file or a folder is, and what it contains. Executes nothing in it, and shows no secret.
#pragma once

#include <filesystem>
#include <span>

#include "report/inspection.h"
#include <modelseal/format.h>
#include <modelseal/result.h>
#include <modelseal/seal.h>

namespace modelseal {

struct InspectOptions {
    std::span<const CheckKey> keys = {};  // look for a model's seal under these, or open a fingerprint
    unsigned jobs = 0;
    io::Progress* progress = nullptr;  // of the search for the seal
    Limits limits = {};
};

// Recognizes by content, never by name: a key or certificate (PEM), an OpenSSF model signature (a Sigstore
// bundle), a receipt, a fingerprint, or else a model. Keys need no passphrase for this.
Result<Inspection> inspect(const std::filesystem::path& path, const InspectOptions& options = {});

}  // namespace modelseal
