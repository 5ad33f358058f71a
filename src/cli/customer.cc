
#include "cli/customer.h"

#include <filesystem>

#include <fmt/format.h>

#include "cli/commands.h"
#include "cli/customer_trace.h"
#include "cli/ledger_option.h"
#include "cli/passphrase.h"
#include "crypto/secret.h"
#include "io/file.h"
#include "report/ledger.h"
#include "util/text.h"

namespace modelseal::cli {
namespace {

constexpr std::uint32_t kSecretMode = 0600;

struct CustomerFlags {
    CustomerOptions common;
    std::string name, out, existing, reason;
    bool json = false;
};

// Before anything is written to the ledger; the file is made exclusively all the same.
Result<void> must_not_exist(const std::string& path) {
    std::error_code ignored;
    if (path.empty() || !std::filesystem::exists(std::filesystem::symlink_status(path, ignored))) return {};
    return Error{ErrorKind::unreadable,
                 util::printable(path) + ": exists already, and a key is never overwritten",
                 "choose another name, or move the old key away"};
}

Result<void> write_check_key(const Ledger& ledger, const std::string& name, const std::string& path,
                             Context& context) {
    MODELSEAL_TRY_ASSIGN(auto text, ledger.check_key_text(name));
    const crypto::WipeAtEnd wiped(text);
    MODELSEAL_TRY(io::write_text(path, text, kSecretMode, io::WriteMode::exclusive));
    if (context.terminal.quiet()) return {};
    context.terminal.print(fmt::format("{}  the check key of {}: send it to them alone, over a secure channel",
                                       util::printable(path), util::printable(name)));
    return {};
}

Result<ExitCode> add(const CustomerFlags& options, Context& context) {
    MODELSEAL_TRY(must_not_exist(options.out));
    MODELSEAL_TRY_ASSIGN(const auto key, vendor_key(options.common));
    MODELSEAL_TRY_ASSIGN(auto ledger, Ledger::open_or_create(options.common.ledger, key));
    if (options.existing.empty()) {
        MODELSEAL_TRY(ledger.add(key, options.name));
    } else {
        MODELSEAL_TRY_ASSIGN(const auto existing, load_check_key(options.existing));
        if (existing.customer != options.name) {
            return Error{
                ErrorKind::mismatch,
                fmt::format("{}: the check key of '{}', not of '{}'", util::printable(options.existing),
                            existing.customer, util::printable(options.name)),
                "give the customer the name that stands in the key"};
        }
        MODELSEAL_TRY_ASSIGN(auto text, io::read_text(options.existing, 1u << 16));
        const crypto::WipeAtEnd wiped(text);
        MODELSEAL_TRY(ledger.add_existing(text, util::printable(options.existing)));
    }
    const auto name = util::printable(options.name);
    if (!context.terminal.quiet()) {
        context.terminal.print(fmt::format("{}: added {}", util::printable(options.common.ledger), name));
    }
    if (!options.out.empty()) {
        MODELSEAL_TRY(write_check_key(ledger, options.name, options.out, context));
    } else if (options.existing.empty() && !context.terminal.quiet()) {
        context.terminal.note(fmt::format(
            "'modelseal customer show {} -o FILE' writes the check key that they check with", name));
    }
    return ExitCode::done;
}

Result<Ledger> open_to_look(const CustomerOptions& options, Context& context) {
    if (!options.key.empty()) return open_ledger(options);
    context.terminal.note("without the vendor's key (-k) nothing of this is verified");
    return Ledger::open_unverified(options.ledger);
}

report::LedgerView view_of(const CustomerFlags& options, const Ledger& ledger) {
    return {options.common.ledger, to_hex(ledger.vendor().id()), ledger.verified()};
}

Result<ExitCode> list(const CustomerFlags& options, Context& context) {
    MODELSEAL_TRY_ASSIGN(const auto ledger, open_to_look(options.common, context));
    MODELSEAL_TRY_ASSIGN(const auto customers, ledger.customers());
    const auto view = view_of(options, ledger);
    context.terminal.print(options.json ? to_json(view, customers)
                                        : to_text(view, customers, {.color = context.terminal.color()}));
    return ExitCode::done;
}

Result<ExitCode> show(const CustomerFlags& options, Context& context) {
    if (!options.out.empty() && options.common.key.empty()) {
        return Error{ErrorKind::usage, "-o takes the vendor's key, under which check keys are encrypted",
                     "give it with -k NAME.key"};
    }
    MODELSEAL_TRY(must_not_exist(options.out));
    MODELSEAL_TRY_ASSIGN(const auto ledger, open_to_look(options.common, context));
    MODELSEAL_TRY_ASSIGN(const auto customer, ledger.customer(options.name));
    if (!options.out.empty()) {
        MODELSEAL_TRY(write_check_key(ledger, options.name, options.out, context));
        return ExitCode::done;
    }
    MODELSEAL_TRY_ASSIGN(const auto entries, ledger.entries(options.name));
    const auto view = view_of(options, ledger);
    context.terminal.print(options.json
                               ? to_json(view, customer, entries)
                               : to_text(view, customer, entries, {.color = context.terminal.color()}));
    return ExitCode::done;
}

Result<ExitCode> revoke(const CustomerFlags& options, Context& context) {
    MODELSEAL_TRY_ASSIGN(auto ledger, open_ledger(options.common));
    MODELSEAL_TRY(ledger.revoke(options.name, options.reason));
    if (context.terminal.quiet()) return ExitCode::done;
    context.terminal.print(
        fmt::format("{}: revoked: nothing is sealed for them any more; what they have keeps checking, and is "
                    "traced as before",
                    util::printable(options.name)));
    return ExitCode::done;
}

using Verb = Result<ExitCode> (*)(const CustomerFlags& options, Context& context);

// Each has options of its own: one variable would be set by what the environment says of any of them.
struct Added {
    CLI::App& command;
    CustomerFlags& options;
};
Added add_verb(CLI::App& customer, Context& context, const char* name, const char* description, Verb verb) {
    const auto options = std::make_shared<CustomerFlags>();
    CLI::App& command = add_command(customer, name, description);
    on_run(command, context, [options, verb](Context& with) { return verb(*options, with); });
    return {command, *options};
}

void add_name(CLI::App& command, CustomerFlags& options) {
    command.add_option("NAME", options.name, "the customer")->required();
}

}  // namespace

Result<SigningKey> vendor_key(const CustomerOptions& options) {
    return load_signing_key(options.key, passphrase_from(options.passphrase_file));
}

Result<Ledger> open_ledger(const CustomerOptions& options) {
    MODELSEAL_TRY_ASSIGN(const auto key, vendor_key(options));
    return Ledger::open(options.ledger, key);
}

void add_customer_options(CLI::App& command, CustomerOptions& options, Key key) {
    add_ledger_option(command, options.ledger, "the ledger; default: the environment variable MODELSEAL_LEDGER")
        ->required();
    auto* option = command.add_option(
        "-k,--key", options.key,
        key == Key::needed ? "the vendor's secret key" : "the vendor's secret key, to verify what is shown");
    option->type_name("NAME.key");
    if (key == Key::needed) option->required();
    add_passphrase_option(command, options.passphrase_file);
}

void add_customer(CLI::App& program, Context& context) {
    CLI::App& customer = add_command(
        program, "customer", "keeps a ledger of customers, and tells for whom a file that leaked was sealed");
    customer.require_subcommand(1);

    const auto [adding, to_add] =
        add_verb(customer, context, "add", "adds a customer, with a check key of their own", add);
    add_name(adding, to_add);
    add_customer_options(adding, to_add.common, Key::needed);
    adding.add_option("-o,--output", to_add.out, "also write the check key, to send to them")
        ->type_name("NAME.check");
    adding.add_option("--check-key", to_add.existing, "take this check key, which they have, not a fresh one")
        ->type_name("NAME.check");

    const auto [listing, to_list] = add_verb(customer, context, "list", "lists the customers", list);
    add_customer_options(listing, to_list.common, Key::welcome);
    listing.add_flag("--json", to_list.json, "print modelseal-customers/1 JSON");

    const auto [showing, to_show] =
        add_verb(customer, context, "show", "shows a customer and what was made for them", show);
    add_name(showing, to_show);
    add_customer_options(showing, to_show.common, Key::welcome);
    showing.add_option("-o,--output", to_show.out, "write their check key instead")->type_name("NAME.check");
    showing.add_flag("--json", to_show.json, "print modelseal-customer/1 JSON");

    const auto [revoking, to_revoke] = add_verb(
        customer, context, "revoke", "revokes a customer: nothing can be made for them from now on", revoke);
    add_name(revoking, to_revoke);
    add_customer_options(revoking, to_revoke.common, Key::needed);
    revoking.add_option("--reason", to_revoke.reason, "why, for whoever reads the ledger")->type_name("TEXT");

    add_customer_trace(customer, context);
}

}  // namespace modelseal::cli
