#include "cli/options/usage_error.h"

#include <algorithm>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "cli/options/help.h"
#include "cli/options/suggest.h"
#include "util/text.h"

namespace modelseal::cli {
namespace {

// The innermost command that was named, or the program.
const CLI::App& chosen(const CLI::App& program) {
    const CLI::App* at = &program;
    while (!at->get_subcommands().empty()) at = at->get_subcommands().front();
    return *at;
}

// Those of the command and of its parents.
template <class Visit>
void for_each_option(const CLI::App& command, Visit visit) {
    for (const CLI::App* at = &command; at != nullptr; at = at->get_parent()) {
        for (const CLI::Option* option : at->get_options()) visit(*option);
    }
}

// Long names first: for "--out" the nearest one is not "-o".
std::vector<std::string> known_options(const CLI::App& command) {
    std::vector<std::string> known;
    for_each_option(command, [&](const CLI::Option& option) {
        for (const auto& each : option.get_lnames()) known.push_back("--" + each);
        for (const auto& each : option.get_snames()) known.push_back("-" + each);
    });
    return known;
}

std::vector<std::string> known_commands(const CLI::App& command) {
    std::vector<std::string> known;
    for (const CLI::App* each : command.get_subcommands({})) known.push_back(each->get_name());
    return known;
}

std::string see_help(const CLI::App& command) {
    return "'" + full_name(command) + " --help' shows the usage";
}

// The first word that neither the command nor the program knows, or nothing.
std::string unknown_word(const CLI::App& program) {
    for (const CLI::App* at = &program;;) {
        if (const auto words = at->remaining(false); !words.empty()) return words.front();
        if (at->get_subcommands().empty()) return "";
        at = at->get_subcommands().front();
    }
}

Error unknown(const CLI::App& command, const std::string& word) {
    const bool option = word.size() > 1 && word.front() == '-';
    const bool expects_command = !option && !command.get_subcommands({}).empty();
    std::string bare = word.substr(0, word.find('='));
    std::string hint;
    if (option) hint = did_you_mean(options_meant(bare, known_options(command)));
    if (expects_command) {
        auto known = known_commands(command);
        if (command.get_parent() == nullptr)
            known.insert(known.end(), {"help", "version"});  // words of their own
        const auto meant = command_meant(word, known);
        if (!meant.empty()) hint = did_you_mean({meant});
    }
    const std::string what = option            ? "unknown option '" + util::printable(bare)
                             : expects_command ? "unknown command '" + util::printable(word)
                                               : "unexpected word '" + util::printable(word);
    return {ErrorKind::usage, what + "'", hint.empty() ? see_help(command) : hint};
}

// CLI11 begins a message about an option with its name.
const CLI::Option* option_at_front(const CLI::App& command, std::string_view text) {
    const CLI::Option* found = nullptr;
    for_each_option(command, [&](const CLI::Option& option) {
        const auto name = option.get_name();
        const bool here = text.starts_with(name) && text.size() > name.size() &&
                          (text[name.size()] == ':' || text[name.size()] == ' ');
        if (here && found == nullptr) found = &option;
    });
    return found;
}

// "bash, zsh or fish"
std::string either(const std::vector<std::string>& words) {
    if (words.size() == 1) return words.front();
    return fmt::format("{} or {}", fmt::join(words.begin(), words.end() - 1, ", "), words.back());
}

struct Complaint {
    std::string message, hint;
};

// "dsa not in {ed25519,...}", "Value 0 not in range 1 to 1024", or the message of a validator of our own.
Complaint about_value(const CLI::Option& option, std::string_view text) {
    constexpr std::string_view kNotIn = " not in ", kValue = "Value ", kRange = " not in range ";
    const auto name = option.get_name();
    if (const auto known = choices(option); !known.empty() && text.rfind(kNotIn) != text.npos) {
        const auto value = std::string(text.substr(0, text.find(kNotIn)));
        const auto meant = nearest(value, known);
        return {fmt::format("{} takes {}, not '{}'", name, either(known), util::printable(value)),
                meant.empty() ? "" : did_you_mean({meant})};
    }
    if (const auto at = text.find(kRange); text.starts_with(kValue) && at != text.npos) {
        const auto value = text.substr(kValue.size(), at - kValue.size());
        return {fmt::format("{} takes a number from {}, not '{}'", name, text.substr(at + kRange.size()),
                            util::printable(value)),
                ""};
    }
    return {fmt::format("{}: {}", name, util::printable(text)), ""};
}

// "Could not convert: --jobs = many"
Complaint about_conversion(const CLI::App& command, std::string_view text) {
    const auto colon = text.find(": ");
    const auto rest = colon == text.npos ? text : text.substr(colon + 2);
    const auto* option = option_at_front(command, rest);
    if (option == nullptr) return {util::printable(text), ""};
    const auto equals = rest.find(" = ");
    if (value_name(*option).empty() || equals == rest.npos) return {option->get_name() + " takes no value", ""};
    return {fmt::format("{} takes {}, not '{}'", option->get_name(), value_name(*option),
                        util::printable(rest.substr(equals + 3))),
            ""};
}

// "--json excludes --sarif", "--parent-pub requires --parent"
Complaint about_company(std::string text) {
    constexpr std::string_view kExcludes = " excludes ", kRequires = " requires ";
    if (const auto at = text.find(kExcludes); at != text.npos) {
        return {fmt::format("{} and {} cannot be used together", text.substr(0, at),
                            text.substr(at + kExcludes.size())),
                ""};
    }
    if (const auto at = text.find(kRequires); at != text.npos) text.replace(at, kRequires.size(), " needs ");
    return {util::printable(text), ""};
}

// "--ledger: 1 required FILE missing", "--type: At Most 1 required but received 2"
Complaint about_count(const CLI::App& command, std::string_view text) {
    const auto* option = option_at_front(command, text);
    if (option == nullptr) return {util::printable(text), ""};
    const auto name = option->get_name();
    if (text.find("disallowed flag override") != text.npos || value_name(*option).empty()) {
        return {name + " takes no value", ""};
    }
    if (text.find("At Most") != text.npos) return {name + " may be given once", ""};
    return {fmt::format("{} needs a value: {}", name, value_name(*option)), ""};
}

// CLI11 has sentences; our messages begin in lower case and have no period.
Complaint in_our_words(const CLI::App& command, const CLI::ParseError& error) {
    const std::string text = error.what(), kind = error.get_name();
    if (kind == "ValidationError") {
        if (const auto* option = option_at_front(command, text)) {
            return about_value(*option, std::string_view(text).substr(option->get_name().size() + 2));
        }
    }
    if (kind == "ConversionError") return about_conversion(command, text);
    if (kind == "ArgumentMismatch") return about_count(command, text);
    return about_company(text);
}

}  // namespace

Error usage_error(const CLI::App& program, const CLI::ParseError& error, std::string_view first_word) {
    const CLI::App& command = chosen(program);
    // First, because CLI11 reports a misspelled command as a missing one.
    if (const std::string word = unknown_word(program); !word.empty()) {
        return unknown(word == first_word ? program : command, word);
    }
    const auto [message, hint] = in_our_words(command, error);
    return {ErrorKind::usage, message, hint.empty() ? see_help(command) : hint};
}

bool lacks_command(const CLI::App& program, const CLI::ParseError& error) {
    return error.get_name() == "RequiredError" && unknown_word(program).empty() &&
           !chosen(program).get_subcommands({}).empty();
}

Result<void> refuse_empty_values(const CLI::App& program) {
    for (const CLI::App* at = &program;; at = at->get_subcommands().front()) {
        for (const CLI::Option* option : at->get_options()) {
            const auto& values = option->results();
            if (std::ranges::find(values, std::string()) == values.end()) continue;
            return Error{ErrorKind::usage, option->get_name() + " is empty", see_help(*at)};
        }
        if (at->get_subcommands().empty()) return {};
    }
}

}  // namespace modelseal::cli
