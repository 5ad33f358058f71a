// Strict JSON for text from files: it can be read in one way only.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include <modelseal/format.h>

namespace modelseal::formats {

// Values in one document: the tree takes up to a hundred times the memory of the text.
inline constexpr std::uint64_t kMaxJsonValues = 1u << 20;

// Parses all of `text`, which is at `offset` of `source` (for messages, which begin with `what`). Refuses
// what RFC 8259 does not allow, a byte order mark, a duplicate key in an object (two readers would see two
// documents), containers nested deeper than `max_depth`, and more than kMaxJsonValues values.
Result<nlohmann::json> parse_json(const Source& source, std::uint64_t offset, std::string_view text,
                                  std::string_view what, std::uint32_t max_depth);

// The same for an object that may be large: each member is passed to `visit` as soon as it is complete, and
// only its key is kept. kMaxJsonValues is the limit of each member. Ends with the first Error of `visit`.
using JsonMember = std::function<Result<void>(const std::string& key, const nlohmann::json& value)>;
Result<void> parse_json_members(const Source& source, std::uint64_t offset, std::string_view text,
                                std::string_view what, std::uint32_t max_depth, const JsonMember& visit);

}  // namespace modelseal::formats
