// Keys that commands read from files. Each file is read once, and errors name the option that the file is for.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "cli/terminal/terminal.h"
#include <modelseal/keys.h>
#include <modelseal/result.h>

namespace modelseal::cli {

// As load_public_key() and load_signing_key(), with a hint if the file is another kind of key.
// `passphrase_file`: the value of --passphrase-file.
Result<PublicKey> public_key_from(const std::string& path, KeyUse use);
// Warns of a file that others than its owner can read.
Result<SigningKey> signing_key_from(const std::string& path, const std::string& passphrase_file, KeyUse use,
                                    Terminal& terminal);

// The keys under which a seal is looked for: --pub and --key, each repeatable.
struct CheckKeyFiles {
    std::vector<std::string> public_keys, check_keys;
    std::string folder;  // of public keys: --trust
    bool empty() const { return public_keys.empty() && check_keys.empty() && folder.empty(); }
};

// Declares --pub and --key.
void add_check_key_options(CLI::App& command, CheckKeyFiles& files);
// Declares --trust; `whose`: "vendors", "signers".
void add_trust_folder_option(CLI::App& command, const char* whose, std::string& folder);

// The check key to seal under: the customer's in `file`, or the vendor's public one if `file` is empty.
Result<CheckKey> check_key_for(const std::string& file, const PublicKey& vendor);

// The keys of one command: those that find and verify seals, and those that verify signatures of files. A file
// that is given for both is read once.
class KeySet {
  public:
    // `unsupported` for a key that does not serve seals; of a folder, such keys are left out. A check key belongs to a vendor:
    // ErrorKind::usage if public keys are given as well and that vendor's is not among them. A file in the folder that is not a
    // public key is an Error that names it, and so is a folder without a key for this use.
    Result<void> add_for_seals(const CheckKeyFiles& files);
    // Public keys of signers; `unsupported` for one that does not serve signatures of files.
    Result<void> add_for_signatures(const std::vector<std::string>& files);
    // Of a folder of public keys, those that serve signatures of files. Errors as for add_for_seals().
    Result<void> add_folder_for_signatures(const std::string& folder);

    // Customers' keys first: a customer who gives both most likely has a seal of their own.
    const std::vector<CheckKey>& for_seals() const { return for_seals_; }
    const std::vector<PublicKey>& for_signatures() const { return for_signatures_; }

  private:
    Result<PublicKey> public_key(const std::string& path, KeyUse use);
    // Each key once, in ascending order of ids: whatever their files are called.
    Result<std::vector<PublicKey>> keys_in(const std::string& folder, KeyUse use);
    std::map<std::string, PublicKey> public_keys_;  // by path
    std::set<std::string> check_keys_;              // paths
    std::vector<CheckKey> for_seals_;
    std::vector<PublicKey> for_signatures_;
};

}  // namespace modelseal::cli
