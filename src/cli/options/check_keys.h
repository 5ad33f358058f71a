// The keys under which a seal is looked for: --pub and --key, each repeatable.
#pragma once

#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include <modelseal/keys.h>
#include <modelseal/result.h>

namespace modelseal::cli {

struct CheckKeyFiles {
    std::vector<std::string> public_keys, check_keys;
    bool empty() const { return public_keys.empty() && check_keys.empty(); }
};

// Declares --pub and --key.
void add_check_key_options(CLI::App& command, CheckKeyFiles& files);

// The key under which to seal: a customer's, or without a file the vendor's public one.
Result<CheckKey> check_key_for(const std::string& file, const PublicKey& vendor);

// The customers' keys first, as the more likely ones. A check key belongs to a vendor: ErrorKind::usage if
// public keys are given as well and that vendor's is not among them.
Result<std::vector<CheckKey>> load_check_keys(const CheckKeyFiles& files);

}  // namespace modelseal::cli
