// Options of `verify` and `check` alike: which signers of an OpenSSF signature are trusted, and which files need no
// signature.
#pragma once

#include <span>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "cli/options/option_rules.h"
#include <modelseal/oms.h>

namespace modelseal::cli {

struct TrustFlags {
    std::vector<std::string> signers, chain, timestamp_chain, ignore;
    std::string trusted_root, identity, issuer, subject;
    bool no_ignore_git_paths = false, ignore_unsigned_files = false;
    bool empty() const { return signers.empty() && chain.empty() && trusted_root.empty(); }
    std::vector<std::string> files() const;  // every file that is read
};

// Declares the option for public keys of signers; its name is --pub in `verify` and --signer in `check`.
void add_signer_option(CLI::App& command, const char* name, TrustFlags& flags);
// Declares --cert-chain, --trusted-root, --identity, --issuer, --subject and --tsa-chain. `signer` is the name
// that add_signer_option() was called with before.
void add_trust_options(CLI::App& command, const char* signer, TrustFlags& flags);
// Declares --ignore, --no-ignore-git-paths and --ignore-unsigned-files.
void add_coverage_options(CLI::App& command, TrustFlags& flags);

// Which of these options need another one.
std::span<const OptionRule> trust_rules();

// Without the signature's path. `signers`: the keys of `flags.signers`.
SignatureCheck signature_check(const TrustFlags& flags, const std::vector<PublicKey>& signers);

}  // namespace modelseal::cli
