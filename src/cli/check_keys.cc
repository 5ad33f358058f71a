#include "cli/check_keys.h"

#include "cli/command.h"
#include "crypto/ecdsa.h"

namespace modelseal::cli {

void add_check_key_options(CLI::App& command, CheckKeyFiles& files) {
    add_list(command, "--pub", files.public_keys,
             "a public key, of the vendor or of a signer; this or --key is needed", "NAME.pub");
    add_list(command, "--key", files.check_keys, "your check key, if the model was sealed for you",
             "CUSTOMER.check");
}

Result<CheckKey> check_key_for(const std::string& file, const PublicKey& vendor) {
    if (file.empty()) return public_check_key(vendor);
    return load_check_key(file);
}

Result<std::vector<CheckKey>> load_check_keys(const CheckKeyFiles& files) {
    std::vector<CheckKey> keys;
    for (const auto& path : files.check_keys) {
        MODELSEAL_TRY_ASSIGN(auto key, load_check_key(path));
        keys.push_back(std::move(key));
    }
    for (const auto& path : files.public_keys) {
        MODELSEAL_TRY_ASSIGN(const auto key, load_public_key(path));
        keys.push_back(public_check_key(key));
    }
    return keys;
}

Result<KeysByUse> load_keys_by_use(const CheckKeyFiles& files) {
    KeysByUse keys;
    MODELSEAL_TRY_ASSIGN(keys.seals, load_check_keys({.check_keys = files.check_keys}));
    for (const auto& path : files.public_keys) {
        const auto key = load_public_key(path);
        const bool seals_only = key && key->type() == KeyType::ed25519;
        const bool signs = !seals_only && crypto::load_ec_public_key(path).ok();
        if (!key && !signs) return key.error();
        if (key) keys.seals.push_back(public_check_key(*key));
        if (signs) keys.signatures.push_back(path);
    }
    return keys;
}

}  // namespace modelseal::cli
