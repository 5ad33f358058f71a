// --ledger, and what it makes of --for.
#pragma once

#include <optional>
#include <string>

#include <CLI/CLI.hpp>

#include <modelseal/ledger.h>

namespace modelseal::cli {

// Declares --ledger, which the environment variable MODELSEAL_LEDGER gives as well, stored in `file`.
CLI::Option* add_ledger_option(CLI::App& command, std::string& file, const char* what);

// For whom something is made, and where that is put down.
struct Recipient {
    std::optional<Ledger> ledger;  // if one was given
    CheckKey check;                // a customer's, or the public one
    Ledger* book() { return ledger ? &*ledger : nullptr; }
};

// `customer` is the value of --for: a NAME.check file or, with a ledger, the name of a customer in it; empty
// for everybody.
Result<Recipient> recipient_of(const std::string& customer, const std::string& ledger,
                               const SigningKey& vendor);

}  // namespace modelseal::cli
