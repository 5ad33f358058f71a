// Whom to trust for an OpenSSF signature, and what of the model it need not cover: the same for `verify` and
// `check`.
#pragma once

#include <span>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "cli/option_rules.h"
#include <modelseal/oms.h>

namespace modelseal::cli {

struct TrustFlags {
    std::vector<std::string> signers, chain, timestamp_chain, ignore;
    std::string trusted_root, identity, issuer, subject;
    bool no_ignore_git_paths = false, ignore_unsigned_files = false;
    bool empty() const { return signers.empty() && chain.empty() && trusted_root.empty(); }
    std::vector<std::string> files() const;  // that are read
};

// Declares `signer`, the option for public keys of signers, and --cert-chain, --tsa-chain, --trusted-root,
// --identity, --issuer, --subject, --ignore, --no-ignore-git-paths and --ignore-unsigned-files.
void add_trust_options(CLI::App& command, const char* signer, TrustFlags& flags);

// What some of these need.
std::span<const OptionRule> trust_rules();

// Without signature, jobs and progress.
VerifyOptions verify_options(const TrustFlags& flags);

}  // namespace modelseal::cli
