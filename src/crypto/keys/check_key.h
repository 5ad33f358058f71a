// The text of NAME.check files; modelseal-seal(5) describes it byte by byte.
#pragma once

#include <string>
#include <string_view>

#include <modelseal/keys.h>

namespace modelseal::crypto {

inline constexpr std::string_view kCheckKeyLabel = "MODELSEAL CHECK KEY";

// `shown` names the file in errors. Malformed unless the text is the one spelling of its content; mismatch if
// the vendor that it names did not sign it.
Result<CheckKey> parse_check_key(std::string_view text, const std::string& shown);

// As new_check_key().
Result<std::string> make_check_key(const SigningKey& vendor, const std::string& customer);

}  // namespace modelseal::crypto
