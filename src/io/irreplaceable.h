// Files that no output ever replaces, because their content exists nowhere else: without a key nothing can be
// sealed under it any more, without a receipt no model can be restored.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include <modelseal/format.h>

namespace modelseal::io {

// "private key", "public key", "check key", "receipt", "ledger", "fingerprint"; nullopt for any other file,
// and for one that cannot be read. Recognized as file_kind.h does.
std::optional<std::string_view> irreplaceable_kind(const Source& source);

// ErrorKind::usage if there is such a file at `path`. AtomicFile calls this itself; a long job calls it
// before it begins.
Result<void> refuse_to_replace(const std::filesystem::path& path);

}  // namespace modelseal::io
