// Secrets that come in environment variables, which every program that is started from here would inherit.
#pragma once

#include <optional>
#include <string>

namespace modelseal::cli {

inline constexpr const char* kPassphraseVariable = "MODELSEAL_PASSPHRASE";
inline constexpr const char* kTokenVariable = "MODELSEAL_TOKEN";

// The variable's value, which is taken out of the environment, its bytes there wiped, and kept for the next
// call. Not thread-safe: main() takes all of them before there are threads.
std::optional<std::string> environment_secret(const char* variable);

}  // namespace modelseal::cli
