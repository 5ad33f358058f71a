#include "cli/check_keys.h"

namespace modelseal::cli {

void add_check_key_options(CLI::App& command, CheckKeyFiles& files) {
    command.add_option("--pub", files.public_keys, "the vendor's public key; this or --key is needed")
        ->type_name("NAME.pub")
        ->expected(1)
        ->allow_extra_args(false)
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
    command.add_option("--key", files.check_keys, "your check key, if the model was sealed for you")
        ->type_name("CUSTOMER.check")
        ->expected(1)
        ->allow_extra_args(false)
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
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

}  // namespace modelseal::cli
