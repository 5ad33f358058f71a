
#include "cli/passphrase.h"

#include "cli/environment_secret.h"
#include "cli/prompt.h"
#include "crypto/secret.h"
#include "io/file.h"
#include "util/text.h"

namespace modelseal::cli {
namespace {

constexpr std::uint64_t kMaximalFile = 64u << 10;

// The first line of the file, without its end.
Result<std::string> from_file(const std::string& file) {
    MODELSEAL_TRY_ASSIGN(std::string text, io::read_text(file, kMaximalFile));
    const crypto::WipeAtEnd wiped(text);
    std::string line = text.substr(0, text.find('\n'));
    if (line.ends_with('\r')) line.pop_back();
    if (line.empty()) {
        return Error{ErrorKind::usage,
                     util::printable(file) + ": the first line of the passphrase file is empty", ""};
    }
    return line;
}

Error no_source(const std::string& key_file) {
    return {ErrorKind::usage,
            util::printable(key_file) + ": needs a passphrase, and there is no terminal to ask for it",
            std::string("give --passphrase-file, or set ") + kPassphraseVariable};
}

// From the two places that need no terminal; nothing if neither was given.
Result<std::optional<std::string>> without_asking(const std::string& file) {
    if (!file.empty()) {
        MODELSEAL_TRY_ASSIGN(std::string word, from_file(file));
        return std::optional(std::move(word));
    }
    return environment_secret(kPassphraseVariable);
}

}  // namespace

CLI::Option* add_passphrase_option(CLI::App& command, std::string& file) {
    return command
        .add_option("--passphrase-file", file,
                    "read the passphrase from the first line of FILE (default: MODELSEAL_PASSPHRASE, else ask)")
        ->type_name("FILE");
}

Passphrase passphrase_from(const std::string& file) {
    return [file](const std::string& key_file) -> Result<std::string> {
        MODELSEAL_TRY_ASSIGN(auto given, without_asking(file));
        if (given) return std::move(*given);
        MODELSEAL_TRY_ASSIGN(auto typed, ask_hidden("passphrase of " + util::printable(key_file) + ": "));
        if (!typed) return no_source(key_file);
        return std::move(*typed);
    };
}

Result<std::string> new_passphrase(const std::string& file, const std::string& key_file) {
    const std::string shown = util::printable(key_file);
    const Error empty{ErrorKind::usage, shown + ": the passphrase is empty",
                      "--no-passphrase makes an unencrypted key"};
    MODELSEAL_TRY_ASSIGN(auto given, without_asking(file));
    if (given && given->empty()) return empty;
    if (given) return std::move(*given);
    MODELSEAL_TRY_ASSIGN(auto typed, ask_hidden("new passphrase for " + shown + ": "));
    if (!typed) {
        Error error = no_source(key_file);
        error.hint += ", or make an unencrypted key with --no-passphrase";
        return error;
    }
    const crypto::WipeAtEnd wiped(*typed);
    if (typed->empty()) return empty;
    MODELSEAL_TRY_ASSIGN(auto again, ask_hidden("repeat it: "));
    if (!again) return no_source(key_file);
    const crypto::WipeAtEnd wiped_again(*again);
    if (*typed != *again) return Error{ErrorKind::usage, shown + ": the two passphrases differ", ""};
    return std::move(*typed);
}

}  // namespace modelseal::cli
