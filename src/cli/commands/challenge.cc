#include <fmt/format.h>

#include "cli/commands/commands.h"
#include "cli/options/check_keys.h"
#include "cli/options/outputs.h"
#include "util/text.h"
#include <modelseal/fingerprint.h>

namespace modelseal::cli {
namespace {

struct ChallengeFlags {
    std::string fingerprint, out;
    CheckKeyFiles keys;
};

// Tries the keys until one opens the fingerprint. If none does, the error is the last key's.
Result<ChallengeSummary> write(const ChallengeFlags& options, const std::vector<CheckKey>& keys) {
    for (std::size_t i = 0;; ++i) {
        auto summary = write_challenge(options.fingerprint, keys[i], options.out);
        const bool another = !summary.ok() && summary.error().kind == ErrorKind::mismatch;
        if (!another || i + 1 == keys.size()) return summary;
    }
}

// The key options as they were given, for the hint about the next command.
std::string key_words(const CheckKeyFiles& keys) {
    std::string words;
    for (const auto& each : keys.public_keys) words += " --pub " + util::printable(each);
    for (const auto& each : keys.check_keys) words += " --key " + util::printable(each);
    return words;
}

Result<ExitCode> run(const ChallengeFlags& options, Context& context) {
    MODELSEAL_TRY(refuse_overwriting(options.out, {options.fingerprint}));
    if (options.keys.empty()) {
        return Error{ErrorKind::usage, "no key to open the fingerprint with",
                     "give your check key with --key CUSTOMER.check, or the vendor's public key with --pub"};
    }
    KeySet keys;
    MODELSEAL_TRY(keys.add_for_seals(options.keys));
    MODELSEAL_TRY_ASSIGN(const auto summary, write(options, keys.for_seals()));
    if (context.terminal.quiet()) return ExitCode::done;
    const auto folder = util::printable(options.out);
    context.terminal.print(fmt::format("{} {}: {} inputs ({})", context.terminal.paint(Tone::good, "wrote"),
                                       folder, summary.inputs, summary.format));
    context.terminal.print(fmt::format("  answer them as {}/README.txt describes, then run", folder));
    context.terminal.print(fmt::format("  modelseal check --responses {} --fingerprint {}{}", folder,
                                       util::printable(options.fingerprint), key_words(options.keys)));
    return ExitCode::done;
}

}  // namespace

void add_challenge(CLI::App& program, Context& context) {
    auto options = std::make_shared<ChallengeFlags>();
    auto& command =
        add_command(program, "challenge", "Write the inputs of a fingerprint, to be answered offline",
                    {"modelseal challenge net.fp --key acme.check -o challenge"});
    command.add_option("FP", options->fingerprint, "fingerprint file")->required();
    add_check_key_options(command, options->keys);
    command.add_option("-o,--output", options->out, "folder to make")->required()->type_name("DIR");
    on_run(command, context, [options](Context& running) { return run(*options, running); });
}

}  // namespace modelseal::cli
