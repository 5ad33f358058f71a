// Files that no output ever replaces: what they hold exists nowhere else. Whoever loses a key loses the models
// that were sealed with it; whoever loses a receipt loses the way back.
#pragma once

#include <filesystem>
#include <optional>
#include <string_view>

#include <modelseal/format.h>

namespace modelseal::io {

// "private key", "public key", "check key", "receipt", "ledger", "fingerprint"; nothing for any other file, and
// for one that cannot be read. Told by the first bytes alone: a damaged one is not replaced either.
std::optional<std::string_view> irreplaceable_kind(const Source& source);

// ErrorKind::usage if there is such a file at `path`. AtomicFile asks this itself; a job that takes long
// asks before it begins.
Result<void> refuse_to_replace(const std::filesystem::path& path);

}  // namespace modelseal::io
