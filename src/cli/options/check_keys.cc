#include "cli/options/check_keys.h"

#include <algorithm>

#include <fmt/format.h>

#include "cli/commands/command.h"
#include "crypto/ecdsa.h"
#include "util/text.h"

namespace modelseal::cli {

void add_check_key_options(CLI::App& command, CheckKeyFiles& files) {
    add_list(command, "--pub", files.public_keys, "vendor's public key, for seals for everybody; repeatable",
             "NAME.pub");
    add_list(command, "--key", files.check_keys, "your check key, for seals for you alone; repeatable",
             "CUSTOMER.check");
}

Result<CheckKey> check_key_for(const std::string& file, const PublicKey& vendor) {
    if (file.empty()) return public_check_key(vendor);
    return load_check_key(file);
}

namespace {

// A public key of another kind may be a signer's.
Result<PublicKey> load_vendor_key(const std::string& path) {
    auto key = load_public_key(path);
    if (key.ok() || !crypto::load_ec_public_key(path).ok()) return key;
    return Error{key.error().kind, key.error().message,
                 "give a signer's key with --signer of 'modelseal check'"};
}

}  // namespace

Result<std::vector<CheckKey>> load_check_keys(const CheckKeyFiles& files) {
    std::vector<CheckKey> keys;
    std::vector<PublicKey> vendors;
    for (const auto& path : files.public_keys) {
        MODELSEAL_TRY_ASSIGN(const auto vendor, load_vendor_key(path));
        vendors.push_back(vendor);
    }
    for (const auto& path : files.check_keys) {
        MODELSEAL_TRY_ASSIGN(auto key, load_check_key(path));
        if (!vendors.empty() && std::ranges::find(vendors, key.vendor) == vendors.end()) {
            return Error{ErrorKind::usage,
                         fmt::format("{}: belongs to vendor key {}, which none of --pub is",
                                     util::printable(path), to_hex(key.vendor.id())),
                         "give the public key of the vendor that issued this check key"};
        }
        keys.push_back(std::move(key));
    }
    for (const auto& vendor : vendors) keys.push_back(public_check_key(vendor));
    return keys;
}

}  // namespace modelseal::cli
