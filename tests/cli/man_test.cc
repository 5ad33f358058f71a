// Every command has a page man/modelseal-NAME.1 that describes exactly the options that it has. Pages are
// mdoc(7): an option's description starts with a line ".It Fl k , Fl -key Ar FILE".
#include <filesystem>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/options/help.h"
#include "cli/program.h"
#include "tests/support/run.h"
#include "tests/support/scratch.h"

namespace modelseal::cli {
namespace {

using testing::HasSubstr;
using Words = std::set<std::string>;

std::filesystem::path man_folder() {
    return std::filesystem::path(MODELSEAL_SOURCE_DIR) / "man";
}

std::string page(const std::string& name) {
    return test::content_of(man_folder() / name);
}

// Options that the lines which start with `start` name: "Fl -key" is --key.
Words options_in(const std::string& text, const std::string& start) {
    Words found;
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
        if (!line.starts_with(start)) continue;
        std::istringstream words(line);
        for (std::string word, before; words >> word; before = word) {
            if (before == "Fl" || before == ".Fl") found.insert("-" + word);
        }
    }
    return found;
}

// "modelseal-hook-oci.1", for a command of a command that has a page of its own; else that of the command.
std::string page_of(const CLI::App& command) {
    std::string name = command.get_name() + ".1";
    for (const auto* above = command.get_parent(); above != nullptr && above->get_parent() != nullptr;
         above = above->get_parent())
        name = above->get_name() + "-" + name;
    return "modelseal-" + name;
}

bool has_page(const CLI::App& command) {
    return std::filesystem::exists(man_folder() / page_of(command));
}

Words options_of(const CLI::App& command) {
    Words found;
    for (const CLI::Option* option : command.get_options()) {
        if (is_inherited(command, *option)) continue;
        for (const auto& each : spellings(*option)) found.insert(each);
    }
    for (const CLI::App* below : command.get_subcommands({})) {
        if (command.get_parent() != nullptr && !has_page(*below)) found.merge(options_of(*below));
    }
    return found;
}

class ManPages : public testing::Test {
  protected:
    Context context_;
    std::unique_ptr<CLI::App> program_ = build_program(context_);
};

TEST_F(ManPages, DescribeExactlyTheOptionsOfTheirCommand) {
    for (const CLI::App* command : program_->get_subcommands({})) {
        const std::string name = "modelseal-" + command->get_name() + ".1";
        ASSERT_TRUE(std::filesystem::exists(man_folder() / name)) << "the command has no page man/" << name;
        EXPECT_EQ(options_in(page(name), ".It Fl"), options_of(*command)) << name;
    }
}

TEST_F(ManPages, OfTheirOwnDescribeExactlyTheOptionsOfACommandOfACommand) {
    unsigned count = 0;
    for (const CLI::App* command : program_->get_subcommands({})) {
        for (const CLI::App* below : command->get_subcommands({})) {
            if (!has_page(*below)) continue;
            ++count;
            EXPECT_EQ(options_in(page(page_of(*below)), ".It Fl"), options_of(*below)) << page_of(*below);
            EXPECT_THAT(page(page_of(*command)),
                        HasSubstr(".Xr " + page_of(*below).substr(0, page_of(*below).size() - 2)))
                << "the page of the command does not name it";
        }
    }
    EXPECT_GT(count, 0u);
}

TEST_F(ManPages, DescribeTheOptionsOfEveryCommandOnTheMainPage) {
    EXPECT_EQ(options_in(page("modelseal.1"), ".It Fl"), options_of(*program_));
}

TEST_F(ManPages, NameEveryCommandOnTheMainPage) {
    for (const CLI::App* command : program_->get_subcommands({})) {
        EXPECT_THAT(page("modelseal.1"), HasSubstr(".It Xr modelseal-" + command->get_name() + " 1\n"));
    }
}

TEST_F(ManPages, MentionNoUnknownOption) {
    Words known = options_of(*program_);
    for (const CLI::App* command : program_->get_subcommands({})) {
        known.merge(options_of(*command));
        for (const CLI::App* below : command->get_subcommands({})) known.merge(options_of(*below));
    }
    for (const auto& file : std::filesystem::directory_iterator(man_folder())) {
        const Words mentioned = options_in(test::content_of(file.path()), ".");
        EXPECT_THAT(mentioned, testing::Each(testing::AnyOfArray(known))) << file.path();
    }
}

TEST_F(ManPages, DescribeTheOptionsThatHelpShows) {
    for (const CLI::App* command : program_->get_subcommands({})) {
        std::string help = command->help("", CLI::AppFormatMode::All);
        for (const CLI::App* below : command->get_subcommands({}))
            help += below->help("", CLI::AppFormatMode::All);
        for (const auto& option : options_of(*command))
            EXPECT_THAT(help, HasSubstr(option)) << command->get_name();
        for (const auto& option : options_of(*program_))
            EXPECT_THAT(help, HasSubstr(option)) << command->get_name();
    }
}

TEST_F(ManPages, HaveTheUsualSections) {
    for (const auto& file : std::filesystem::directory_iterator(man_folder())) {
        if (file.path().extension() != ".1") continue;
        for (const char* section : {"NAME", "SYNOPSIS", "DESCRIPTION", "EXIT STATUS", "EXAMPLES", "SEE ALSO"}) {
            EXPECT_THAT(test::content_of(file.path()), HasSubstr(std::string("\n.Sh ") + section + "\n"))
                << file.path();
        }
    }
}

TEST_F(ManPages, PassMandocWithoutAWarning) {
    if (!test::installed("mandoc")) GTEST_SKIP() << "no mandoc";
    for (const auto& file : std::filesystem::directory_iterator(man_folder())) {
        const auto outcome = test::run({"mandoc", "-Tlint", "-Wwarning", file.path()});
        EXPECT_EQ(outcome.code, 0) << outcome.out << outcome.err;
    }
}

}  // namespace
}  // namespace modelseal::cli
