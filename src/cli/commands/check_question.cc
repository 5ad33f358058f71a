#include "cli/commands/check_question.h"

#include <filesystem>
#include <set>

#include "crypto/hash.h"
#include "io/file.h"

namespace modelseal::cli {
namespace {

// A value of an option; of a file, what is in it: another file may lie under the same path next time.
Result<void> add_value(const std::string& value, crypto::Sha256& digest) {
    constexpr std::uint64_t kMost = 256u << 20;  // a fingerprint, say
    std::error_code none;
    const auto status = std::filesystem::status(value, none);
    if (std::filesystem::is_other(status))
        return Error{ErrorKind::usage,
                     value + ": is a pipe or a device, which cannot be compared with an earlier run",
                     "give a file"};
    if (!std::filesystem::is_regular_file(status)) {
        digest.update_text(value + "\n");
        return {};
    }
    MODELSEAL_TRY_ASSIGN(const auto content, io::read_text(value, kMost));
    digest.update_text(content);
    return {};
}

}  // namespace

Result<std::string> question_of(const CLI::App& command, std::span<const CheckKey> keys,
                                const std::string& policy) {
    static const std::set<std::string> others = {
        "TARGET",    "--from",       "--null",    "--each",        "--fail-fast", "--shard",
        "--results", "--resume",     "--cache",   "--json",        "--sarif",     "--junit",
        "--html",    "--html-pairs", "--summary", "--all",         "--jobs",      "--quiet",
        "--color",   "--token-file", "--header",  "--client-cert", "--client-key"};
    // The keys themselves count, and the policy, wherever their files are.
    static const std::set<std::string> known = {"--pub", "--key", "--trust", "--policy"};
    crypto::Sha256 digest;
    for (const auto* option : command.get_options()) {
        const auto name = option->get_name();
        if (option->count() == 0 || others.contains(name)) continue;
        digest.update_text(name + "\n");
        if (known.contains(name)) continue;
        for (const auto& value : option->results()) MODELSEAL_TRY(add_value(value, digest));
    }
    for (const auto& key : keys) {
        digest.update_text(to_hex(key.vendor.id()) + key.customer + "\n");
        // Keys of one customer may differ in it. Of 32 random bytes a digest tells nobody anything.
        digest.update(crypto::Sha256().update(key.secret.bytes()).finish());
    }
    return to_hex(digest.update_text(policy).finish());
}

}  // namespace modelseal::cli
