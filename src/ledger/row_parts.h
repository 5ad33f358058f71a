// What the readers and writers of all tables share: checks of fields, and the order of bytes under a MAC.
#pragma once

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "crypto/hash.h"
#include "io/rfc3339.h"
#include "ledger/rows.h"
#include "util/error.h"
#include "util/text.h"

namespace modelseal::ledger {

inline Error damaged(const Database& database, const char* table, std::int64_t id, const char* what) {
    auto error = util::malformed(database.shown(), fmt::format("damaged: row {} of {}: {}", id, table, what));
    error.hint = "restore it from a backup";
    return error;
}

inline bool showable(std::string_view text, std::size_t most) {
    return text.size() <= most && util::printable(text) == text;
}

inline bool in_time(std::int64_t seconds) {
    return seconds >= 0 && seconds <= io::kLastSecond;
}

template <std::size_t N>
bool take(const std::vector<std::byte>& bytes, std::array<std::byte, N>& out) {
    if (bytes.size() != N) return false;
    std::ranges::copy(bytes, out.begin());
    return true;
}

inline void update_bytes(crypto::Sha256& hash, std::span<const std::byte> bytes) {
    hash.update_number(bytes.size()).update(bytes);
}

inline std::uint64_t unsigned_of(std::int64_t number) {
    return static_cast<std::uint64_t>(number);
}

// As much of a name as fits, and as can be shown.
inline std::string shortened(const std::string& text) {
    auto shown = util::printable(text);
    if (shown.size() <= kMostText) return shown;
    shown.resize(kMostText);
    while (!util::is_utf8(shown)) shown.pop_back();
    return shown;
}

}  // namespace modelseal::ledger
