// --ledger, and how --for is read with it.
#pragma once

#include <optional>
#include <string>

#include <CLI/CLI.hpp>

#include <modelseal/ledger.h>

namespace modelseal::cli {

// Declares --ledger, stored in `file`; the environment variable MODELSEAL_LEDGER is its default.
CLI::Option* add_ledger_option(CLI::App& command, std::string& file, const char* what);

// A hint about a name that no customer has: the customer that was probably meant, or the commands that help.
std::string hint_for_unknown(const std::string& name, const Ledger& ledger);

// The customer that something is made for, and the ledger that records it.
struct Recipient {
    std::optional<Ledger> ledger;  // if one was given
    CheckKey check;                // a customer's, or the public one
    Ledger* ledger_if_given() { return ledger ? &*ledger : nullptr; }
};

// `customer` is the value of --for: a NAME.check file or, with a ledger, the name of a customer in it; empty
// for everybody.
Result<Recipient> recipient_of(const std::string& customer, const std::string& ledger,
                               const SigningKey& vendor);

}  // namespace modelseal::cli
