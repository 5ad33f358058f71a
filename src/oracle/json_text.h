// JSON as model servers write and read it.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include <modelseal/result.h>

namespace modelseal::oracle {

// Parses strictly (formats/json.h), except that NaN, Infinity and -Infinity outside strings, which many
// servers write, become null. Messages begin with "SOURCE: WHAT".
Result<nlohmann::json> parse_answer(std::string_view text, const std::string& source, std::string_view what);

// A server's description of an error, made printable and cut: the string under "error", else the text.
std::string complaint_of(std::string_view body);

// Appends "[1.5,-0.25]"; every float32 round-trips.
void append_numbers(std::string& text, std::span<const float> values);

// The same as nested lists: append_nested(text, six values, {3, 2}) appends "[[1,2],[3,4],[5,6]]".
void append_nested(std::string& text, std::span<const float> values, std::span<const std::int64_t> shape);

// A member of `object` if it exists and has that type: member(answer, "outputs", &json::is_array).
const nlohmann::json* member(const nlohmann::json& object, const char* key,
                             bool (nlohmann::json::*is)() const noexcept);

// A whole number from -1 to 2^40, also as a string, as the JSON of protobuf has 64-bit integers.
std::optional<std::int64_t> extent_of(const nlohmann::json& value);

// The value as text, whatever its bytes.
std::string dump(const nlohmann::json& value);

}  // namespace modelseal::oracle
