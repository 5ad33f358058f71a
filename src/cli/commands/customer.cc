#include <filesystem>
#include <string>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "cli/commands/commands.h"
#include "cli/options/check_keys.h"
#include "cli/options/ledger_option.h"
#include "cli/options/links_option.h"
#include "cli/options/outputs.h"
#include "cli/options/secrets.h"
#include "cli/terminal/answer.h"
#include "crypto/secret.h"
#include "io/file.h"
#include "util/text.h"
#include <modelseal/ledger.h>

namespace modelseal::cli {
namespace {

// A ledger, and the vendor's key to it.
struct CustomerOptions {
    std::string ledger, key, passphrase_file;
};

enum class Key { needed, welcome };

Result<SigningKey> vendor_key(const CustomerOptions& options, Context& context) {
    return signing_key_from(options.key, options.passphrase_file, KeyUse::seals, context.terminal);
}

Result<Ledger> open_ledger(const CustomerOptions& options, Context& context) {
    MODELSEAL_TRY_ASSIGN(const auto key, vendor_key(options, context));
    return Ledger::open(options.ledger, key);
}

void add_customer_options(CLI::App& command, CustomerOptions& options, Key key) {
    add_ledger_option(command, options.ledger,
                      "ledger file (default: the environment variable MODELSEAL_LEDGER)")
        ->required();
    auto* option = command.add_option(
        "-k,--key", options.key,
        key == Key::needed ? "vendor's secret key" : "vendor's secret key, to verify the ledger");
    option->type_name("NAME.key");
    if (key == Key::needed) option->required();
    add_passphrase_option(command, options.passphrase_file);
}

constexpr std::uint32_t kSecretMode = 0600;

struct CustomerFlags {
    CustomerOptions common;
    std::string name, out, existing, reason;
    bool json = false, if_missing = false;
};

Result<void> write_check_key(const Ledger& ledger, const std::string& name, const std::string& path,
                             Context& context) {
    MODELSEAL_TRY_ASSIGN(auto text, ledger.check_key_text(name));
    const crypto::WipeAtEnd wiped(text);
    MODELSEAL_TRY(io::write_text(path, text, kSecretMode, io::WriteMode::exclusive));
    if (context.terminal.quiet()) return {};
    context.terminal.print(fmt::format("{}  check key of {}: send it to them alone, over a secure channel",
                                       util::printable(path), util::printable(name)));
    return {};
}

Error other_check_key(const std::string& path, const std::string& name) {
    return {ErrorKind::mismatch,
            fmt::format("{}: is not the check key that the ledger has of '{}'", util::printable(path),
                        util::printable(name)),
            {}};
}

// --if-missing, and the ledger has the customer. What else was asked for must be as a first run would have left it.
Result<ExitCode> leave(const CustomerFlags& options, const Customer& customer, const Ledger& ledger,
                       Context& context) {
    const auto shown = util::printable(options.common.ledger);
    if (!customer.revoked.empty()) {
        return Error{ErrorKind::unreadable,
                     fmt::format("{}: customer '{}' is there, and was revoked on {}", shown,
                                 util::printable(customer.name), customer.revoked),
                     {},
                     Remedy::show_customer};
    }
    MODELSEAL_TRY_ASSIGN(auto text, ledger.check_key_text(options.name));
    const crypto::WipeAtEnd wiped(text);
    std::error_code failed;
    for (const auto& path : {options.existing, options.out}) {
        if (path.empty() || (path == options.out && !std::filesystem::exists(path, failed))) continue;
        MODELSEAL_TRY_ASSIGN(auto there, io::read_text(path, 1u << 16));
        const crypto::WipeAtEnd wiped_too(there);
        if (there != text) return other_check_key(path, options.name);
    }
    if (!context.terminal.quiet())
        context.terminal.print(fmt::format("{}: has {} already", shown, util::printable(options.name)));
    if (!options.out.empty() && !std::filesystem::exists(options.out, failed))
        MODELSEAL_TRY(write_check_key(ledger, options.name, options.out, context));
    return ExitCode::done;
}

Result<ExitCode> add(const CustomerFlags& options, Context& context) {
    if (!options.if_missing) MODELSEAL_TRY(refuse_existing_key(options.out));
    MODELSEAL_TRY_ASSIGN(const auto key, vendor_key(options.common, context));
    MODELSEAL_TRY_ASSIGN(auto ledger, Ledger::open_or_create(options.common.ledger, key));
    const auto known = options.if_missing ? ledger.customer(options.name)
                                          : Result<Customer>(Error{ErrorKind::unreadable, {}, {}});
    if (known.ok()) return leave(options, *known, ledger, context);
    MODELSEAL_TRY(refuse_existing_key(options.out));
    if (options.existing.empty()) {
        MODELSEAL_TRY(ledger.add(key, options.name));
    } else {
        MODELSEAL_TRY_ASSIGN(const auto existing, load_check_key(options.existing));
        if (existing.customer != options.name) {
            return Error{
                ErrorKind::mismatch,
                fmt::format("{}: is the check key of '{}', not of '{}'", util::printable(options.existing),
                            existing.customer, util::printable(options.name)),
                "add the customer under the name in the key"};
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
        context.terminal.hint(
            fmt::format("'modelseal customer show {0} --ledger {1} -k {2} -o {0}.check' writes their check key",
                        name, util::printable(options.common.ledger), util::printable(options.common.key)));
    }
    return ExitCode::done;
}

Result<Ledger> open_to_look(const CustomerOptions& options, Context& context) {
    if (!options.key.empty()) return open_ledger(options, context);
    auto ledger = Ledger::open_unverified(options.ledger);
    if (ledger.ok()) context.terminal.note("without the vendor's key (-k) the ledger is not verified");
    return ledger;
}

report::LedgerView view_of(const CustomerFlags& options, const Ledger& ledger) {
    return {options.common.ledger, to_hex(ledger.vendor().id()), ledger.verified()};
}

Result<ExitCode> list(const CustomerFlags& options, Context& context) {
    MODELSEAL_TRY_ASSIGN(const auto ledger, open_to_look(options.common, context));
    MODELSEAL_TRY_ASSIGN(const auto customers, ledger.customers());
    const auto view = view_of(options, ledger);
    print_answer(context.terminal, {.json = options.json}, view, customers);
    return ExitCode::done;
}

// With a hint about the customer that was probably meant.
Result<Customer> known_customer(const std::string& name, const Ledger& ledger) {
    auto customer = ledger.customer(name);
    if (customer.ok() || customer.error().kind != ErrorKind::unreadable || !ledger.customers().ok())
        return customer;
    return Error{customer.error().kind, customer.error().message, hint_for_unknown(name, ledger)};
}

Result<ExitCode> show(const CustomerFlags& options, Context& context) {
    if (!options.out.empty() && options.common.key.empty()) {
        return Error{ErrorKind::usage, "-o needs the vendor's key, which decrypts the check keys of the ledger",
                     "give it with -k NAME.key"};
    }
    MODELSEAL_TRY(refuse_existing_key(options.out));
    MODELSEAL_TRY_ASSIGN(const auto ledger, open_to_look(options.common, context));
    MODELSEAL_TRY_ASSIGN(const auto customer, known_customer(options.name, ledger));
    if (!options.out.empty()) {
        MODELSEAL_TRY(write_check_key(ledger, options.name, options.out, context));
        return ExitCode::done;
    }
    MODELSEAL_TRY_ASSIGN(const auto entries, ledger.entries(options.name));
    MODELSEAL_TRY_ASSIGN(auto records, ledger.identity_records());
    std::erase_if(records.identities, [&](const IssuedIdentity& each) { return each.user != options.name; });
    const auto view = view_of(options, ledger);
    print_answer(context.terminal, {.json = options.json}, view, customer, entries, records.identities);
    return ExitCode::done;
}

// Those who verify with an exported registry learn of a revocation from the next one.
std::string identities_text(const Customer& customer) {
    if (customer.identities == 0) return {};
    return fmt::format(
        "; their {} revoked as well, wherever the ledger or a registry exported from now on is used",
        customer.identities == 1 ? "identity is" : "identities are");
}

Result<ExitCode> revoke(const CustomerFlags& options, Context& context) {
    MODELSEAL_TRY_ASSIGN(auto ledger, open_ledger(options.common, context));
    MODELSEAL_TRY_ASSIGN(const auto customer, known_customer(options.name, ledger));
    if (options.if_missing && !customer.revoked.empty()) {
        if (!context.terminal.quiet())
            context.terminal.print(
                fmt::format("{}: was revoked on {}", util::printable(options.name), customer.revoked));
        return ExitCode::done;
    }
    MODELSEAL_TRY(ledger.revoke(options.name, options.reason));
    if (context.terminal.quiet()) return ExitCode::done;
    context.terminal.print(fmt::format(
        "{}: revoked: nothing can be sealed for them from now on; models they have are still checked and "
        "traced{}",
        util::printable(options.name), identities_text(customer)));
    return ExitCode::done;
}

using Verb = Result<ExitCode> (*)(const CustomerFlags& options, Context& context);

// Each verb has its own options: CLI11 would store the environment variable of one verb's --ledger in a shared field even if
// another verb was chosen.
struct Added {
    CLI::App& command;
    CustomerFlags& options;
};
Added add_verb(CLI::App& customer, Context& context, const char* name, const char* summary, const char* example,
               Verb verb) {
    const auto options = std::make_shared<CustomerFlags>();
    CLI::App& command =
        add_command(customer, name, summary,
                    {fmt::format("modelseal customer {} {} --ledger sales.ledger", name, example)});
    on_run(command, context, [options, verb](Context& running) { return verb(*options, running); });
    return {command, *options};
}

void add_name(CLI::App& command, CustomerFlags& options) {
    command.add_option("NAME", options.name, "name of the customer")->required();
}

struct TraceFlags {
    CustomerOptions common;
    std::string file;
    Links links = Links::refused;
    bool json = false;
};

Result<ExitCode> run(const TraceFlags& options, Context& context) {
    MODELSEAL_TRY_ASSIGN(const auto ledger, open_ledger(options.common, context));
    const auto progress = context.progress({"tracing", options.file}, Counted::steps);
    MODELSEAL_TRY_ASSIGN(
        const auto trace,
        trace_model(options.file, ledger,
                    {.jobs = context.jobs, .progress = progress.get(), .limits = {.links = options.links}}));
    print_answer(context.terminal, {.json = options.json, .style = {.rest = "use --json"}}, trace);
    return trace.outcome == TraceReport::Outcome::customer ? ExitCode::done : ExitCode::nothing;
}

void add_customer_trace(CLI::App& customer, Context& context) {
    auto options = std::make_shared<TraceFlags>();
    auto& command = add_command(customer, "trace", "Find the customer that a leaked model was sealed for",
                                {"modelseal customer trace leaked.onnx --ledger sales.ledger -k vendor.key"});
    command.add_option("FILE", options->file, "model file, or folder of shards")->required();
    add_customer_options(command, options->common, Key::needed);
    add_links_option(command, options->links);
    command.add_flag("--json", options->json, "print JSON (schema modelseal-trace/1)");
    on_run(command, context, [options](Context& running) { return run(*options, running); });
}

}  // namespace

void add_customer(CLI::App& program, Context& context) {
    CLI::App& customer =
        add_command(program, "customer", "Keep a ledger of customers, and trace leaked models",
                    {"modelseal customer add acme --ledger sales.ledger -k vendor.key -o acme.check",
                     "modelseal customer trace leaked.onnx --ledger sales.ledger -k vendor.key"});
    customer.require_subcommand(1);

    const auto [adding, to_add] =
        add_verb(customer, context, "add", "Add a customer, with a check key of their own",
                 "acme -k vendor.key -o acme.check", add);
    add_name(adding, to_add);
    add_customer_options(adding, to_add.common, Key::needed);
    adding.add_option("-o,--output", to_add.out, "also write their check key to this file")
        ->type_name("NAME.check");
    adding
        .add_option("--check-key", to_add.existing,
                    "add this check key, which they have already, instead of a new one")
        ->type_name("NAME.check");

    adding.add_flag("--if-missing", to_add.if_missing, "do nothing if the ledger has this customer already");

    const auto [listing, to_list] =
        add_verb(customer, context, "list", "List the customers", "-k vendor.key", list);
    add_customer_options(listing, to_list.common, Key::welcome);
    listing.add_flag("--json", to_list.json, "print JSON (schema modelseal-customers/1)");

    const auto [showing, to_show] = add_verb(
        customer, context, "show", "Show a customer and what was made for them", "acme -k vendor.key", show);
    add_name(showing, to_show);
    add_customer_options(showing, to_show.common, Key::welcome);
    showing.add_option("-o,--output", to_show.out, "write their check key to this file instead")
        ->type_name("NAME.check");
    showing.add_flag("--json", to_show.json, "print JSON (schema modelseal-customer/1)");

    const auto [revoking, to_revoke] =
        add_verb(customer, context, "revoke", "Revoke a customer: nothing can be made for them from now on",
                 "acme -k vendor.key --reason 'contract ended'", revoke);
    add_name(revoking, to_revoke);
    add_customer_options(revoking, to_revoke.common, Key::needed);
    revoking.add_option("--reason", to_revoke.reason, "reason to record in the ledger")->type_name("TEXT");
    revoking.add_flag("--if-missing", to_revoke.if_missing, "do nothing if the customer is revoked already");

    add_customer_trace(customer, context);
}

}  // namespace modelseal::cli
