#include "cli/options/trust_options.h"

#include "cli/commands/command.h"

namespace modelseal::cli {

std::vector<std::string> TrustFlags::files() const {
    auto all = signers;
    all.insert(all.end(), chain.begin(), chain.end());
    all.insert(all.end(), timestamp_chain.begin(), timestamp_chain.end());
    all.push_back(trusted_root);
    return all;
}

void add_signer_option(CLI::App& command, const char* name, TrustFlags& flags) {
    add_list(command, name, flags.signers, "public key of a trusted signer (P-256, P-384, P-521); repeatable",
             "PEM");
}

void add_trust_options(CLI::App& command, const char* signer, TrustFlags& flags) {
    auto* key = command.get_option(signer);
    auto* chain = add_list(command, "--cert-chain", flags.chain,
                           "trust certificates of these authorities; repeatable", "PEM");
    auto* root = command
                     .add_option("--trusted-root", flags.trusted_root,
                                 "Sigstore's trusted root, for keyless signatures; needs no network")
                     ->type_name("JSON");
    chain->excludes(key);
    root->excludes(key)->excludes(chain);
    command.add_option("--identity", flags.identity, "identity that must have signed (with --trusted-root)")
        ->type_name("NAME");
    command
        .add_option("--issuer", flags.issuer,
                    "OIDC issuer that must have authenticated the signer (with --trusted-root)")
        ->type_name("URL");
    command
        .add_option("--subject", flags.subject,
                    "subject that the signer's certificate must have (with --cert-chain)")
        ->type_name("NAME");
    add_list(command, "--tsa-chain", flags.timestamp_chain,
             "trust timestamps of these authorities, so that a signature outlives its certificate", "PEM");
}

void add_coverage_options(CLI::App& command, TrustFlags& flags) {
    add_list(command, "--ignore", flags.ignore, "file or folder that need not be signed; repeatable", "PATH");
    command.add_flag("--no-ignore-git-paths", flags.no_ignore_git_paths,
                     "require signatures of the files of Git at the top of the model as well");
    command.add_flag("--ignore-unsigned-files", flags.ignore_unsigned_files,
                     "accept files that the signature does not name");
}

std::span<const OptionRule> trust_rules() {
    static const std::vector<OptionRule> rules = {
        {"--identity", {"--trusted-root"}}, {"--issuer", {"--trusted-root"}},
        {"--trusted-root", {"--identity"}}, {"--trusted-root", {"--issuer"}},
        {"--subject", {"--cert-chain"}},    {"--tsa-chain", {"--cert-chain"}},
    };
    return rules;
}

SignatureCheck signature_check(const TrustFlags& flags, const std::vector<PublicKey>& signers) {
    SignatureCheck out{.public_keys = signers,
                       .anchors = flags.chain,
                       .subject = flags.subject,
                       .trusted_root = flags.trusted_root,
                       .identity = flags.identity,
                       .issuer = flags.issuer,
                       .timestamp_anchors = flags.timestamp_chain,
                       .ignore_git_paths = !flags.no_ignore_git_paths,
                       .ignore_unsigned_files = flags.ignore_unsigned_files};
    out.ignore.assign(flags.ignore.begin(), flags.ignore.end());
    return out;
}

}  // namespace modelseal::cli
