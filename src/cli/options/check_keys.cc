#include "cli/options/check_keys.h"

#include <algorithm>
#include <filesystem>

#include <fmt/format.h>

#include "cli/commands/command.h"
#include "cli/options/secrets.h"
#include "crypto/keys/key_facts.h"
#include "crypto/keys/pem.h"
#include "crypto/secret.h"
#include "crypto/token/pkcs11_uri.h"
#include "io/folder.h"
#include "util/text.h"

namespace modelseal::cli {
namespace {

// For a public key that serves another use.
const char* hint_for_other_use(KeyUse use) {
    return use == KeyUse::seals
               ? "a signer's key is for 'modelseal verify --pub' and 'modelseal check --signer'"
               : "'modelseal check --pub' looks for a seal with it; for a signature, ask the signer for their "
                 "public key";
}

// For a file that is not a public key; empty if its content is not recognized.
std::string hint_for_other_file(std::string_view text, KeyUse use) {
    const auto facts = crypto::describe_key(text, {});
    if (!facts.ok()) return {};
    const bool seals = use == KeyUse::seals;
    switch (facts->half) {
        case crypto::KeyFacts::Half::secret:
            return "use the .pub file next to it";
        case crypto::KeyFacts::Half::check:
            return seals ? "give a check key with --key" : "'modelseal check --key' looks for a seal with it";
        case crypto::KeyFacts::Half::certificate:
            return seals ? "'openssl x509 -pubkey -noout' prints the public key of a certificate"
                         : "give certificates to trust with --cert-chain";
        case crypto::KeyFacts::Half::open:
            break;
    }
    return {};
}

std::string hint_for_signing(std::string_view text) {
    const auto facts = crypto::describe_key(text, {});
    if (!facts.ok()) return "'modelseal keygen' makes a key";
    switch (facts->half) {
        case crypto::KeyFacts::Half::open:
            return "use the .key file next to it";
        case crypto::KeyFacts::Half::check:
            return "a check key only checks; give the vendor's own key, NAME.key";
        case crypto::KeyFacts::Half::certificate:
            return "give the private key of the certificate";
        case crypto::KeyFacts::Half::secret:
            break;
    }
    return "'modelseal keygen NAME --type p256' makes a key for seals and for signatures";
}

Error hinted(Error error, std::string hint) {
    if (error.hint.empty()) error.hint = std::move(hint);
    return error;
}

Result<PublicKey> read_public_key(const std::string& path, KeyUse use) {
    MODELSEAL_TRY(crypto::must_be_file(path));
    MODELSEAL_TRY_ASSIGN(std::string text, crypto::read_key_file(path));
    const crypto::WipeAtEnd wiped(text);  // a private key may have been given by mistake
    auto key = crypto::parse_public_key(text, util::printable(path));
    if (key.ok()) return key;
    return hinted(std::move(key).error(), hint_for_other_file(text, use));
}

// Whether the permissions of a private key's file let others read it. A pipe has its own.
void warn_if_readable(const std::string& path, Terminal& terminal) {
    using std::filesystem::perms;
    std::error_code failed;
    const auto status = std::filesystem::status(path, failed);
    if (failed || !std::filesystem::is_regular_file(status)) return;
    if ((status.permissions() & (perms::group_read | perms::others_read)) == perms::none) return;
    const auto shown = util::printable(path);
    terminal.warning(
        fmt::format("{0}: other users can read this private key; 'chmod 600 {0}' prevents it", shown));
}

Result<void> must_be_for(const PublicKey& key, KeyUse use, const std::string& path) {
    auto done = must_serve(key, use, util::printable(path));
    if (done.ok()) return done;
    return hinted(std::move(done).error(), hint_for_other_use(use));
}

}  // namespace

Result<PublicKey> public_key_from(const std::string& path, KeyUse use) {
    MODELSEAL_TRY_ASSIGN(auto key, read_public_key(path, use));
    MODELSEAL_TRY(must_be_for(key, use, path));
    return key;
}

Result<SigningKey> signing_key_from(const std::string& path, const std::string& passphrase_file, KeyUse use,
                                    Terminal& terminal) {
    const auto passphrase = passphrase_from(passphrase_file);
    if (crypto::is_pkcs11_uri(path)) return load_signing_key(path, passphrase, use);
    MODELSEAL_TRY_ASSIGN(std::string text, crypto::read_key_file(path));
    const crypto::WipeAtEnd wiped(text);
    warn_if_readable(path, terminal);
    const auto shown = util::printable(path);
    auto key = crypto::parse_signing_key(text, shown, passphrase);
    constexpr int kTries = 3;  // of somebody who types
    for (int tries = 1; tries < kTries && is_asked_for(passphrase_file); ++tries) {
        if (key.ok() || key.error().kind != ErrorKind::mismatch) break;
        terminal.error(key.error());
        key = crypto::parse_signing_key(text, shown, passphrase);
    }
    const auto fits = key.ok() ? must_serve(key->public_key(), use, shown) : Result<void>(key.error());
    if (fits.ok()) return key;
    if (fits.error().kind != ErrorKind::unsupported) return fits.error();
    return hinted(fits.error(), hint_for_signing(text));
}

void add_check_key_options(CLI::App& command, CheckKeyFiles& files) {
    add_list(command, "--pub", files.public_keys, "vendor's public key, for seals for everybody; repeatable",
             "NAME.pub");
    add_list(command, "--key", files.check_keys, "your check key, for seals for you alone; repeatable",
             "CUSTOMER.check");
}

void add_trust_folder_option(CLI::App& command, const char* whose, std::string& folder) {
    command
        .add_option("--trust", folder,
                    fmt::format("folder of public keys of {}, any of which may have made it", whose))
        ->type_name("DIR");
}

Result<CheckKey> check_key_for(const std::string& file, const PublicKey& vendor) {
    if (file.empty()) return public_check_key(vendor);
    return load_check_key(file);
}

Result<PublicKey> KeySet::public_key(const std::string& path, KeyUse use) {
    auto known = public_keys_.find(path);
    if (known == public_keys_.end()) {
        MODELSEAL_TRY_ASSIGN(const auto key, read_public_key(path, use));
        known = public_keys_.emplace(path, key).first;
    }
    MODELSEAL_TRY(must_be_for(known->second, use, path));
    return known->second;
}

Result<std::vector<PublicKey>> KeySet::keys_in(const std::string& path, KeyUse use) {
    constexpr std::uint64_t kMostKeys = 10'000;
    MODELSEAL_TRY_ASSIGN(const auto folder, io::Folder::open(path));
    // Hidden files and folders are those of tools that keep the folder.
    const auto skip = [](const io::Folder::Entry& entry) {
        return entry.kind == io::Folder::Entry::Kind::folder || entry.path.starts_with('.');
    };
    MODELSEAL_TRY_ASSIGN(const auto entries, folder.entries(kMostKeys, 1, skip));
    std::map<KeyId, PublicKey> found;
    for (const auto& entry : entries) {
        const auto file = (std::filesystem::path(path) / entry.path).string();
        MODELSEAL_TRY_ASSIGN(const auto key, read_public_key(file, use));
        if (key.serves(use)) found.emplace(key.id(), key);
    }
    if (found.empty()) {
        return Error{ErrorKind::usage,
                     fmt::format("{}: no public key in it that serves {}", util::printable(path),
                                 use == KeyUse::seals ? "seals" : "signatures of files"),
                     "put the .pub files of those you trust into it"};
    }
    std::vector<PublicKey> keys;
    for (const auto& [id, key] : found) keys.push_back(key);
    return keys;
}

Result<void> KeySet::add_for_seals(const CheckKeyFiles& files) {
    std::vector<PublicKey> vendors;
    for (const auto& path : files.public_keys) {
        MODELSEAL_TRY_ASSIGN(const auto vendor, public_key(path, KeyUse::seals));
        vendors.push_back(vendor);
    }
    if (!files.folder.empty()) {
        MODELSEAL_TRY_ASSIGN(const auto more, keys_in(files.folder, KeyUse::seals));
        for (const auto& vendor : more) {
            if (std::ranges::find(vendors, vendor) == vendors.end()) vendors.push_back(vendor);
        }
    }
    for (const auto& path : files.check_keys) {
        if (!check_keys_.insert(path).second) continue;
        MODELSEAL_TRY_ASSIGN(auto key, load_check_key(path));
        if (!vendors.empty() && std::ranges::find(vendors, key.vendor) == vendors.end()) {
            return Error{ErrorKind::usage,
                         fmt::format("{}: belongs to vendor key {}, which none of the public keys is",
                                     util::printable(path), to_hex(key.vendor.id())),
                         "give the public key of the vendor that issued this check key"};
        }
        for_seals_.push_back(std::move(key));
    }
    for (const auto& vendor : vendors) for_seals_.push_back(public_check_key(vendor));
    return {};
}

Result<void> KeySet::add_folder_for_signatures(const std::string& folder) {
    MODELSEAL_TRY_ASSIGN(const auto keys, keys_in(folder, KeyUse::file_signatures));
    for_signatures_.insert(for_signatures_.end(), keys.begin(), keys.end());
    return {};
}

Result<void> KeySet::add_for_signatures(const std::vector<std::string>& files) {
    for (const auto& path : files) {
        MODELSEAL_TRY_ASSIGN(const auto key, public_key(path, KeyUse::file_signatures));
        for_signatures_.push_back(key);
    }
    return {};
}

}  // namespace modelseal::cli
