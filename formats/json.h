// Strict JSON for what comes out of files: one reading only.
#pragma once

#include <cstdint>
#include <string_view>

#include <nlohmann/json.hpp>

#include <modelseal/format.h>

namespace modelseal::formats {

// Parses the whole of `text`, which stands at `offset` of `source` (for messages, that begin with `what`).
// Refuses what RFC 8259 does not allow, a key that comes twice in one object (two readers would see two
// documents), and containers nested deeper than `max_depth`.
Result<nlohmann::json> parse_json(const Source& source, std::uint64_t offset, std::string_view text,
                                  std::string_view what, std::uint32_t max_depth);

}  // namespace modelseal::formats
