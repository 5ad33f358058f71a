#include "cli/usage_error.h"

#include <algorithm>
#include <cctype>
#include <string>
#include <vector>

#include "cli/help.h"
#include "cli/suggest.h"
#include "util/text.h"

namespace modelseal::cli {
namespace {

// The innermost command that was named, or the program.
const CLI::App& chosen(const CLI::App& program) {
    const CLI::App* at = &program;
    while (!at->get_subcommands().empty()) at = at->get_subcommands().front();
    return *at;
}

std::vector<std::string> known_options(const CLI::App& command) {
    std::vector<std::string> known;
    for (const CLI::App* at = &command; at != nullptr; at = at->get_parent()) {
        for (const CLI::Option* option : at->get_options()) {
            for (const auto& each : option->get_lnames()) known.push_back("--" + each);
        }
    }
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
    std::string meant;
    if (option) meant = nearest(bare, known_options(command));
    if (expects_command) meant = nearest(word, known_commands(command));
    const std::string what = option            ? "unknown option '" + util::printable(bare)
                             : expects_command ? "unknown command '" + util::printable(word)
                                               : "unexpected word '" + util::printable(word);
    return {ErrorKind::usage, what + "'", meant.empty() ? see_help(command) : "did you mean '" + meant + "'?"};
}

// CLI11 speaks in sentences; our messages start small and end without a period.
std::string in_our_words(std::string text) {
    if (text.size() > 1 && std::isupper(static_cast<unsigned char>(text[0])) != 0 &&
        std::islower(static_cast<unsigned char>(text[1])) != 0) {
        text[0] = static_cast<char>(std::tolower(static_cast<unsigned char>(text[0])));
    }
    while (text.ends_with('.') || text.ends_with('\n')) text.pop_back();
    return util::printable(text);
}

}  // namespace

Error usage_error(const CLI::App& program, const CLI::ParseError& error, std::string_view first_word) {
    const CLI::App& command = chosen(program);
    // Asked first: CLI11 would rather complain about a missing command than about a misspelt one.
    if (const std::string word = unknown_word(program); !word.empty()) {
        return unknown(word == first_word ? program : command, word);
    }
    if (error.get_name() == "RequiredError" && !command.get_subcommands({}).empty()) {
        return {ErrorKind::usage, full_name(command) + " needs a command", see_help(command)};
    }
    return {ErrorKind::usage, in_our_words(error.what()), see_help(command)};
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
