// Reads a policy (modelseal-policy(5)): TOML, in which every key is known and every rule can apply.
#pragma once

#include <string>
#include <string_view>

#include "policy/rules.h"
#include <modelseal/result.h>

namespace modelseal::policy {

inline constexpr std::size_t kMostPolicyBytes = 1u << 20;
inline constexpr std::int64_t kPolicyVersion = 1;

// `name` begins the messages: "NAME:LINE:COLUMN: ...". ErrorKind::malformed for what is not TOML, `unsupported` for
// another version, `usage` for everything else that is wrong with it: unknown keys, values out of range, unknown or double
// vendors, a rule that an earlier one hides, and a requirement that nothing could meet. No file is read.
Result<Rules> parse_policy(std::string_view text, const std::string& name);

}  // namespace modelseal::policy
