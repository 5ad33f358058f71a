// Completion scripts: they know all that the program knows, and each shell takes them.
#include <algorithm>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/commands/commands.h"
#include "cli/options/help.h"
#include "cli/program.h"
#include "tests/support/run.h"
#include "tests/support/scratch.h"

namespace modelseal::cli {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::IsSupersetOf;
using testing::Not;
using Strings = std::vector<std::string>;

Strings lines_of(const std::string& text) {
    Strings lines;
    std::istringstream stream(text);
    for (std::string line; std::getline(stream, line);) lines.push_back(line);
    return lines;
}

// All words that the program understands, commands and options, in any position.
Strings words_of(const CLI::App& app) {
    Strings words;
    for (const CLI::Option* option : app.get_options()) {
        for (const auto& each : spellings(*option)) words.push_back(each);
        for (const auto& each : choices(*option)) words.push_back(each);
    }
    for (const CLI::App* command : app.get_subcommands({})) {
        words.push_back(command->get_name());
        for (const auto& each : words_of(*command)) words.push_back(each);
    }
    return words;
}

class CompletionScript : public testing::TestWithParam<const char*> {
  protected:
    CompletionScript() {
        const std::string shell = GetParam();
        script_ = shell == "bash"  ? bash_completion(*program_)
                  : shell == "zsh" ? zsh_completion(*program_)
                                   : fish_completion(*program_);
    }
    Context context_;
    std::unique_ptr<CLI::App> program_ = build_program(context_);
    std::string script_;
};

TEST_P(CompletionScript, KnowsEveryCommandOptionAndChoice) {
    const Strings words = words_of(*program_);
    EXPECT_THAT(words, IsSupersetOf({"keygen", "--type", "ed25519", "--jobs", "-h"}));
    for (std::string word : words) {
        // fish names options without their dashes: "-l type", "-s k"
        if (std::string(GetParam()) == "fish" && word.starts_with("--")) word = "-l " + word.substr(2) + " ";
        if (std::string(GetParam()) == "fish" && word.size() == 2 && word[0] == '-') word.insert(1, "s ");
        EXPECT_THAT(script_, HasSubstr(word));
    }
}

TEST_P(CompletionScript, IsWhatTheCommandPrints) {
    const auto outcome = test::run(test::modelseal({"completion", GetParam()}));
    EXPECT_EQ(outcome.code, 0);
    EXPECT_EQ(outcome.out, script_);
}

TEST_P(CompletionScript, IsAcceptedByItsShell) {
    if (!test::installed(GetParam())) GTEST_SKIP() << "no " << GetParam();
    const test::Scratch scratch;
    const auto outcome = test::run({GetParam(), "-n", scratch.write("script", script_)});
    EXPECT_EQ(outcome.code, 0) << outcome.err;
    EXPECT_EQ(outcome.err, "");
}

INSTANTIATE_TEST_SUITE_P(Shells, CompletionScript, testing::Values("bash", "zsh", "fish"),
                         [](const auto& each) { return std::string(each.param); });

// The completions of bash for the last of `words`.
Strings offers_of_bash(const std::string& words) {
    Context context;
    const test::Scratch scratch;
    const std::string ask =
        ". ./script; COMP_WORDS=(" + words +
        "); COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); _modelseal; printf '%s\\n' \"${COMPREPLY[@]}\"";
    scratch.write("script", bash_completion(*build_program(context)));
    return lines_of(test::run({"bash", "-c", ask}, {.folder = scratch.path()}).out);
}

// The same of zsh, whose own functions are replaced by ones that print.
Strings offers_of_zsh(const std::string& words) {
    Context context;
    const test::Scratch scratch;
    const std::string ask =
        "compdef() { : }; _files() { print FILES }; compadd() { shift; print -l -- \"$@\" };"
        "_describe() { print -l -- \"${(@P)@[-1]%%:*}\" }; . ./script; words=(" +
        words + "); CURRENT=${#words}; _modelseal";
    scratch.write("script", zsh_completion(*build_program(context)));
    return lines_of(test::run({"zsh", "-f", "-c", ask}, {.folder = scratch.path()}).out);
}

Strings offers_of_fish(const std::string& line) {
    Context context;
    const test::Scratch scratch;
    scratch.write("script", fish_completion(*build_program(context)));
    const auto outcome = test::run({"fish", "--no-config", "-c", "source ./script; complete -C '" + line + "'"},
                                   {.folder = scratch.path()});
    Strings offers = lines_of(outcome.out);
    for (auto& each : offers) each = each.substr(0, each.find('\t'));
    return offers;
}

TEST(BashCompletion, OffersWhatFits) {
    if (!test::installed("bash")) GTEST_SKIP() << "no bash";
    EXPECT_THAT(offers_of_bash("modelseal ''"), IsSupersetOf({"keygen", "completion"}));
    EXPECT_THAT(offers_of_bash("modelseal key"), Contains("keygen"));
    EXPECT_THAT(offers_of_bash("modelseal key"), Not(Contains("completion")));
    EXPECT_THAT(offers_of_bash("modelseal --quiet key"), Contains("keygen"));
    EXPECT_EQ(offers_of_bash("modelseal keygen --ty"), Strings{"--type"});
    EXPECT_EQ(offers_of_bash("modelseal keygen --type p"), (Strings{"p256", "p384", "p521"}));
    EXPECT_EQ(offers_of_bash("modelseal keygen x --color a"), (Strings{"auto", "always"}));
    EXPECT_EQ(offers_of_bash("modelseal completion ''"), (Strings{"bash", "zsh", "fish"}));
    EXPECT_EQ(offers_of_bash("modelseal keygen -k v"), Strings{""});  // bash then offers files
}

TEST(ZshCompletion, OffersWhatFits) {
    if (!test::installed("zsh")) GTEST_SKIP() << "no zsh";
    EXPECT_THAT(offers_of_zsh("modelseal ''"), IsSupersetOf({"keygen", "completion"}));
    EXPECT_THAT(offers_of_zsh("modelseal ''"), Not(Contains("--jobs")));
    EXPECT_THAT(offers_of_zsh("modelseal keygen --"), IsSupersetOf({"--type", "--jobs", "--help"}));
    EXPECT_EQ(offers_of_zsh("modelseal keygen --type ''"),
              (Strings{"ed25519", "p256", "p384", "p521", "check"}));
    EXPECT_EQ(offers_of_zsh("modelseal completion ''"), (Strings{"bash", "zsh", "fish"}));
    EXPECT_EQ(offers_of_zsh("modelseal keygen ''"), Strings{"FILES"});
    EXPECT_EQ(offers_of_zsh("modelseal keygen -k ''"), Strings{"FILES"});
}

TEST(FishCompletion, OffersWhatFits) {
    if (!test::installed("fish")) GTEST_SKIP() << "no fish";
    EXPECT_THAT(offers_of_fish("modelseal "), IsSupersetOf({"keygen", "completion"}));
    EXPECT_EQ(offers_of_fish("modelseal keygen --ty"), Strings{"--type"});
    EXPECT_EQ(offers_of_fish("modelseal keygen --type p"), (Strings{"p256", "p384", "p521"}));
    EXPECT_THAT(offers_of_fish("modelseal completion "), IsSupersetOf({"bash", "fish", "zsh"}));
    EXPECT_THAT(offers_of_fish("modelseal completion --"), Not(Contains("--type")));
}

}  // namespace
}  // namespace modelseal::cli
