#include "cli/options/ledger_option.h"

#include <algorithm>

#include <fmt/format.h>

#include "cli/options/check_keys.h"
#include "cli/options/suggest.h"
#include "util/text.h"

namespace modelseal::cli {
namespace {

// For a --for value that is neither a customer in the ledger nor a file.
Result<CheckKey> unknown(const std::string& name, const Ledger& ledger) {
    return Error{ErrorKind::unreadable,
                 fmt::format("{}: no customer '{}', and no file of that name",
                             util::printable(ledger.path().string()), util::printable(name)),
                 hint_for_unknown(name, ledger)};
}

Result<CheckKey> key_from(const std::string& customer, const Ledger& ledger) {
    auto key = ledger.check_key(customer);
    if (key.ok() || key.error().kind != ErrorKind::unreadable) return key;
    std::error_code ignored;
    if (std::filesystem::exists(customer, ignored)) return load_check_key(customer);
    return unknown(customer, ledger);
}

}  // namespace

std::string hint_for_unknown(const std::string& name, const Ledger& ledger) {
    std::vector<std::string> names;
    if (const auto customers = ledger.customers(); customers.ok()) {
        for (const auto& each : *customers) names.push_back(each.name);
    }
    const auto meant = nearest(name, names);
    if (!meant.empty()) return did_you_mean({util::printable(meant)});
    return "'modelseal customer list' shows them, 'modelseal customer add' adds one";
}

CLI::Option* add_ledger_option(CLI::App& command, std::string& file, const char* what) {
    return command.add_option("--ledger", file, what)->type_name("FILE")->envname("MODELSEAL_LEDGER");
}

Result<Recipient> recipient_of(const std::string& customer, const std::string& ledger,
                               const SigningKey& vendor) {
    if (ledger.empty()) {
        MODELSEAL_TRY_ASSIGN(auto check, check_key_for(customer, vendor.public_key()));
        return Recipient{std::nullopt, std::move(check)};
    }
    MODELSEAL_TRY_ASSIGN(auto book, Ledger::open(ledger, vendor));
    if (customer.empty()) return Recipient{std::move(book), public_check_key(vendor.public_key())};
    MODELSEAL_TRY_ASSIGN(auto check, key_from(customer, book));
    return Recipient{std::move(book), std::move(check)};
}

}  // namespace modelseal::cli
