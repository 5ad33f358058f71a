// JSON of registries, read strictly.
#pragma once

#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include <modelseal/result.h>

namespace modelseal::hook {

// ErrorKind::malformed for anything but one object that can be read in one way only; messages begin with `what`.
Result<nlohmann::json> parse_json_object(std::string_view text, const std::string& what);

// A member of an object; empty if it is missing, or not a text, or `object` is not one.
std::string text_field(const nlohmann::json& object, const char* key);

}  // namespace modelseal::hook
