// Where passphrases come from: --passphrase-file, else the environment variable MODELSEAL_PASSPHRASE, else the
// terminal, with the echo off. Never the command line, which other users of the machine can read.
#pragma once

#include <string>

#include <CLI/CLI.hpp>

#include <modelseal/keys.h>
#include <modelseal/result.h>

namespace modelseal::cli {

// Declares --passphrase-file, stored in `file`.
CLI::Option* add_passphrase_option(CLI::App& command, std::string& file);

// For keys that exist: asked when one turns out to be encrypted. `file` is the value of --passphrase-file.
Passphrase passphrase_from(const std::string& file);

// For a key that is being made: asked twice on a terminal; an empty one is refused. The caller wipes it.
Result<std::string> new_passphrase(const std::string& file, const std::string& key_file);

}  // namespace modelseal::cli
