#include <filesystem>
#include <map>

#include <fmt/format.h>

#include "cli/commands/commands.h"
#include "cli/options/check_keys.h"
#include "cli/options/outputs.h"
#include "cli/options/secrets.h"
#include "crypto/secret.h"
#include "crypto/token/pkcs11_uri.h"
#include "crypto/token/token.h"
#include "io/file.h"
#include "util/text.h"
#include <modelseal/keys.h>

namespace modelseal::cli {
namespace {

struct KeygenFlags {
    std::string name;
    std::string type = "ed25519";
    std::string vendor_key;
    std::string customer;
    std::string passphrase_file;
    std::string from;
    bool no_passphrase = false;
};

constexpr std::uint32_t kKeyMode = 0600, kOpenMode = 0644;

struct PemPair {
    std::string secret, open;
};

const std::map<std::string, KeyType>& key_types() {
    static const std::map<std::string, KeyType> types = {{"ed25519", KeyType::ed25519},
                                                         {"p256", KeyType::p256},
                                                         {"p384", KeyType::p384},
                                                         {"p521", KeyType::p521}};
    return types;
}

Result<void> check_options(const KeygenFlags& options) {
    for (const char* ending : {".key", ".pub", ".check"}) {
        if (options.name.ends_with(ending)) {
            const std::string bare = options.name.substr(0, options.name.size() - std::string(ending).size());
            return Error{ErrorKind::usage, "NAME has an ending that keygen adds itself",
                         fmt::format("try 'modelseal keygen {}'", util::printable(bare))};
        }
    }
    const bool check = options.type == "check";
    if (check && options.vendor_key.empty()) {
        return Error{ErrorKind::usage, "a check key is bound to a vendor's key, and none is given",
                     "give it with -k VENDOR.key"};
    }
    if (!check && !(options.vendor_key.empty() && options.customer.empty())) {
        return Error{ErrorKind::usage,
                     fmt::format("{} has no effect without --type check",
                                 options.customer.empty() ? "-k" : "--customer"),
                     ""};
    }
    if (check && options.no_passphrase) {
        return Error{ErrorKind::usage, "a check key is never encrypted: leave out --no-passphrase", ""};
    }
    return {};
}

// Writes both files or neither.
Result<void> write_pair(const KeygenFlags& options, const PemPair& pair) {
    const std::string secret_path = options.name + ".key", open_path = options.name + ".pub";
    MODELSEAL_TRY_ASSIGN(auto secret, io::AtomicFile::create(secret_path, kKeyMode, io::WriteMode::exclusive));
    MODELSEAL_TRY_ASSIGN(auto open, io::AtomicFile::create(open_path, kOpenMode, io::WriteMode::exclusive));
    MODELSEAL_TRY(secret.write(0, std::as_bytes(std::span(pair.secret))));
    MODELSEAL_TRY(open.write(0, std::as_bytes(std::span(pair.open))));
    MODELSEAL_TRY(open.commit());
    if (auto done = secret.commit(); !done.ok()) {
        std::error_code ignored;
        std::filesystem::remove(open_path, ignored);
        return done;
    }
    return {};
}

std::string_view uses_of(const SigningKey& key) {
    if (!key.serves(KeyUse::file_signatures)) return "seals models";
    return key.serves(KeyUse::seals) ? "seals and signs models" : "signs models";
}

Result<ExitCode> generate_pair(const KeygenFlags& options, Context& context) {
    MODELSEAL_TRY(refuse_existing_key(options.name + ".key"));
    MODELSEAL_TRY(refuse_existing_key(options.name + ".pub"));
    std::string passphrase;
    const crypto::WipeAtEnd wiped(passphrase);
    if (!options.no_passphrase) {
        MODELSEAL_TRY_ASSIGN(passphrase, new_passphrase(options.passphrase_file, options.name + ".key"));
    }
    const auto key = SigningKey::generate(key_types().at(options.type));
    PemPair pair{.open = public_key_pem(key.public_key())};
    const crypto::WipeAtEnd wiped_pem(pair.secret);
    MODELSEAL_TRY_ASSIGN(pair.secret, signing_key_pem(key, passphrase));
    MODELSEAL_TRY(write_pair(options, pair));
    if (context.terminal.quiet()) return ExitCode::done;
    const std::string name = util::printable(options.name);
    context.terminal.print(fmt::format("{}.key  secret key: {}; {}", name, uses_of(key),
                                       passphrase.empty() ? "not encrypted" : "encrypted with the passphrase"));
    context.terminal.print(
        fmt::format("{}.pub  public key: give it to everyone who checks these models", name));
    context.terminal.print(fmt::format("key id {}", to_hex(key.public_key().id())));
    return ExitCode::done;
}

Result<ExitCode> generate_check_key(const KeygenFlags& options, Context& context) {
    const std::string path = options.name + ".check";
    MODELSEAL_TRY(refuse_existing_key(path));
    const std::string customer =
        options.customer.empty() ? std::filesystem::path(options.name).filename().string() : options.customer;
    MODELSEAL_TRY_ASSIGN(const SigningKey vendor, signing_key_from(options.vendor_key, options.passphrase_file,
                                                                   KeyUse::seals, context.terminal));
    MODELSEAL_TRY_ASSIGN(std::string text, new_check_key(vendor, customer));
    const crypto::WipeAtEnd wiped(text);
    MODELSEAL_TRY(io::write_text(path, text, kKeyMode, io::WriteMode::exclusive));
    if (context.terminal.quiet()) return ExitCode::done;
    context.terminal.print(
        fmt::format("{}  check key of {}: send it to them alone, over a secure channel; it checks models "
                    "sealed for them",
                    util::printable(path), util::printable(customer)));
    context.terminal.print(fmt::format("vendor key id {}", to_hex(vendor.public_key().id())));
    return ExitCode::done;
}

// Writes the public half of a key that is in a token.
Result<ExitCode> copy_public_half(const KeygenFlags& options, Context& context) {
    const std::string path = options.name + ".pub";
    MODELSEAL_TRY(refuse_existing_key(path));
    if (!crypto::is_pkcs11_uri(options.from)) {
        return Error{ErrorKind::usage, "--from takes the PKCS#11 URI of a key in a token",
                     "such as 'pkcs11:token=NAME;object=NAME'; for a key file, 'openssl pkey -pubout' writes "
                     "the public key"};
    }
    MODELSEAL_TRY_ASSIGN(const auto key,
                         crypto::load_token_public_key(options.from, passphrase_from(options.passphrase_file)));
    MODELSEAL_TRY(io::write_text(path, public_key_pem(key), kOpenMode, io::WriteMode::exclusive));
    if (context.terminal.quiet()) return ExitCode::done;
    context.terminal.print(
        fmt::format("{}  public key of the key in the token, on {}: give it to everyone who checks these "
                    "models",
                    util::printable(path), name_of(key.type())));
    context.terminal.print(fmt::format("key id {}", to_hex(key.id())));
    return ExitCode::done;
}

Result<ExitCode> run(const KeygenFlags& options, Context& context) {
    MODELSEAL_TRY(check_options(options));
    if (!options.from.empty()) return copy_public_half(options, context);
    return options.type == "check" ? generate_check_key(options, context) : generate_pair(options, context);
}

}  // namespace

void add_keygen(CLI::App& program, Context& context) {
    auto options = std::make_shared<KeygenFlags>();
    CLI::App& command =
        add_command(program, "keygen", "Make a key pair, or a check key for a customer",
                    {"modelseal keygen vendor", "modelseal keygen acme --type check -k vendor.key"});
    command.add_option("NAME", options->name, "base name: makes NAME.key and NAME.pub, or NAME.check")
        ->required();
    CLI::Option* type =
        command
            .add_option(
                "--type", options->type,
                "kind of key: ed25519 seals, p384 and p521 sign, p256 does both, check is for a customer "
                "(default: ed25519)")
            ->type_name("TYPE")
            ->check(CLI::IsMember({"ed25519", "p256", "p384", "p521", "check"}));
    command.add_option("-k,--vendor-key", options->vendor_key, "vendor's secret key (with --type check)")
        ->type_name("FILE");
    command
        .add_option("--customer", options->customer, "name of the customer in the check key (default: NAME)")
        ->type_name("TEXT");
    CLI::Option* none =
        command.add_flag("--no-passphrase", options->no_passphrase, "do not encrypt the secret key");
    command.add_option("--from", options->from, "write only NAME.pub, of a key in a token (PKCS#11 URI)")
        ->type_name("URI")
        ->excludes(none)
        ->excludes(type);
    add_passphrase_option(command, options->passphrase_file)->excludes(none);
    on_run(command, context, [options](Context& running) { return run(*options, running); });
}

}  // namespace modelseal::cli
