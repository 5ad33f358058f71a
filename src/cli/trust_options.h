// Whom to trust for an OpenSSF signature, and what of the model it need not cover: the same for `verify` and
// `check`.
#pragma once

#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include <modelseal/oms.h>

namespace modelseal::cli {

struct TrustFlags {
    std::vector<std::string> chain, timestamp_chain, ignore;
    std::string trusted_root, identity, issuer;
    bool no_ignore_git_paths = false, ignore_unsigned_files = false;
    bool names_authority() const { return !chain.empty() || !trusted_root.empty(); }
    std::vector<std::string> files() const;  // that are read
};

// Declares --cert-chain, --tsa-chain, --trusted-root, --identity, --issuer, --ignore, --no-ignore-git-paths and
// --ignore-unsigned-files.
void add_trust_options(CLI::App& command, TrustFlags& flags);

// Without signature, keys, jobs and progress.
VerifyOptions verify_options(const TrustFlags& flags);

}  // namespace modelseal::cli
