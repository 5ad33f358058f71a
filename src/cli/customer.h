// What the commands under `customer` share: a ledger, and the vendor's key to it.
#pragma once

#include <string>

#include <CLI/CLI.hpp>

#include <modelseal/ledger.h>

namespace modelseal::cli {

struct CustomerOptions {
    std::string ledger, key, passphrase_file;
};

enum class Key { needed, welcome };
void add_customer_options(CLI::App& command, CustomerOptions& options, Key key);

Result<SigningKey> vendor_key(const CustomerOptions& options);
Result<Ledger> open_ledger(const CustomerOptions& options);

}  // namespace modelseal::cli
