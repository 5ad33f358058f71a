// A small file that remembers the highest number that was seen of each ledger, so that a registry or ledger that
// was put back to an earlier state is noticed.
//
//     {"schema": "modelseal-newest/1", "ledgers": [{"vendor": HEX, "ledger": HEX, "number": N}, ...]}
//
// Thread safety: none; two programs that write it at once may keep the lower of their numbers until the next time.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <utility>

#include "identity/registry.h"

namespace modelseal::identity {

// By the vendor's public key and the name of the ledger, both hexadecimal.
using Newest = std::map<std::pair<std::string, std::string>, std::uint64_t>;

Result<Newest> decode_newest(const std::string& text, const std::string& name);
std::string encode_newest(const Newest& newest);

// `mismatch` if the file knows a higher number of the registry's ledger; otherwise it knows this one when this
// returns. A missing file is made. `usage` for a registry without a number. A file that is not valid is an error,
// never replaced.
Result<void> remember(const std::filesystem::path& file, const Registry& registry);

}  // namespace modelseal::identity
