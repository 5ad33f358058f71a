#include "cli/trust_options.h"

#include "cli/command.h"

namespace modelseal::cli {

std::vector<std::string> TrustFlags::files() const {
    auto all = chain;
    all.insert(all.end(), timestamp_chain.begin(), timestamp_chain.end());
    all.push_back(trusted_root);
    return all;
}

void add_trust_options(CLI::App& command, TrustFlags& flags) {
    add_list(command, "--cert-chain", flags.chain,
             "certificates of authorities to trust; may be given several times", "PEM");
    add_list(command, "--tsa-chain", flags.timestamp_chain,
             "timestamp authorities to trust: their word lets a signature outlive its certificate", "PEM");
    command
        .add_option("--trusted-root", flags.trusted_root,
                    "Sigstore's trusted root, for keyless signatures; nothing is asked over the network")
        ->type_name("JSON");
    command.add_option("--identity", flags.identity, "who must have signed, with --trusted-root")
        ->type_name("NAME");
    command.add_option("--issuer", flags.issuer, "who must have vouched for them, with --trusted-root")
        ->type_name("URL");
    add_list(command, "--ignore", flags.ignore,
             "a file or folder that need not be signed; may be given several times", "PATH");
    command.add_flag("--no-ignore-git-paths", flags.no_ignore_git_paths,
                     "the files of Git at the top of the model must be signed as well");
    command.add_flag("--ignore-unsigned-files", flags.ignore_unsigned_files,
                     "let files pass that the signature does not name");
}

VerifyOptions verify_options(const TrustFlags& flags) {
    VerifyOptions out{.anchors = flags.chain,
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
