// Secrets that a command needs. Passphrases come from --passphrase-file, else from the environment variable
// MODELSEAL_PASSPHRASE, else from the terminal, without echo; never from the command line, which other users of the
// machine can read. No program that is started from here inherits a variable with a secret.
#pragma once

#include <optional>
#include <string>

#include <CLI/CLI.hpp>

#include <modelseal/keys.h>
#include <modelseal/result.h>

namespace modelseal::cli {

inline constexpr const char* kPassphraseVariable = "MODELSEAL_PASSPHRASE";
inline constexpr const char* kTokenVariable = "MODELSEAL_TOKEN";

// Removes the variable from the environment, wipes its bytes there, and keeps the value for later calls. Not
// thread-safe: main() calls it for every variable before it starts threads.
std::optional<std::string> environment_secret(const char* variable);

// Declares --passphrase-file, stored in `file`.
CLI::Option* add_passphrase_option(CLI::App& command, std::string& file);

// For keys that exist: called when a key is encrypted. `file` is the value of --passphrase-file.
Passphrase passphrase_from(const std::string& file);

// For a key that is being made: asked twice on a terminal; an empty one is refused. The caller wipes it.
Result<std::string> new_passphrase(const std::string& file, const std::string& key_file);

// Whether a passphrase would be asked for: it was given neither in a file nor in the environment. `file`: as above.
bool is_asked_for(const std::string& file);

}  // namespace modelseal::cli
