#include "cli/options/help.h"

#include <algorithm>
#include <sstream>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "cli/terminal/width.h"

namespace modelseal::cli {

// CLI11 puts the names of the checks after that of the type: "WHEN:{auto,always,never}".
std::string value_name(const CLI::Option& option) {
    if (option.get_type_size() == 0) return "";
    const std::string full = option.get_type_name();
    return full.substr(0, full.find(':'));
}

std::vector<std::string> choices(const CLI::Option& option) {
    const std::string full = option.get_type_name();
    const auto open = full.find('{'), close = full.rfind('}');
    if (open == std::string::npos || close == std::string::npos || close < open) return {};
    std::vector<std::string> out;
    std::istringstream words(full.substr(open + 1, close - open - 1));
    for (std::string word; std::getline(words, word, ',');) out.push_back(word);
    return out;
}

std::vector<std::string> spellings(const CLI::Option& option) {
    std::vector<std::string> out;
    for (const auto& each : option.get_snames()) out.push_back("-" + each);
    for (const auto& each : option.get_lnames()) out.push_back("--" + each);
    return out;
}

bool is_inherited(const CLI::App& command, const CLI::Option& option) {
    if (command.get_parent() == nullptr) return false;
    return &option == command.get_help_ptr() || &option == command.get_help_all_ptr();
}

namespace {

constexpr std::size_t kIndent = 2, kBelow = 8;
constexpr std::string_view kFirstGroup = "Options";  // CLI11's own

// Two columns; on a narrow terminal the second one stands below the first.
class Rows {
  public:
    // `start`: of the second column, if there is room.
    explicit Rows(std::size_t columns, std::size_t start = 28)
        : columns_(columns), start_(columns < start + 36 ? kBelow : start) {}
    std::string row(const std::string& left, const std::string& right) const {
        std::string out = std::string(kIndent, ' ') + left;
        std::size_t at = out.size();
        if (at + 2 > start_ || start_ == kBelow) {
            out += "\n";
            at = 0;
        }
        out.append(start_ - at, ' ');
        at = start_;
        std::istringstream words(right);
        for (std::string word; words >> word;) {
            if (at > start_ && at + 1 + word.size() > columns_) {
                out += "\n" + std::string(start_, ' ');
                at = start_;
            }
            if (at > start_) ++at, out += " ";
            out += word;
            at += word.size();
        }
        return out + "\n";
    }

  private:
    std::size_t columns_, start_;
};

std::string value_of(const CLI::Option& option) {
    const std::string name = value_name(option);
    return name.empty() ? "" : " " + name;
}

// "-k, --key FILE", "    --type TYPE"
std::string spelled(const CLI::Option& option) {
    std::string out;
    for (const auto& each : option.get_snames()) out += (out.empty() ? "-" : ", -") + each;
    for (const auto& each : option.get_lnames()) out += (out.empty() ? "    --" : ", --") + each;
    return out + value_of(option);
}

struct Group {
    std::string name, rows;
    std::size_t options = 0;
};

// In the order in which they were declared.
std::vector<Group> groups_of(const CLI::App& app, const Rows& rows) {
    std::vector<Group> groups = {{std::string(kFirstGroup), ""}};
    for (const CLI::Option* option : app.get_options()) {
        if (option->get_group().empty() || option->get_positional()) continue;
        if (is_inherited(app, *option)) continue;  // with those of every command
        auto group = std::ranges::find(groups, option->get_group(), &Group::name);
        if (group == groups.end()) group = groups.insert(groups.end(), {option->get_group(), "", 0});
        group->rows += rows.row(spelled(*option), option->get_description());
        ++group->options;
    }
    return groups;
}

// The first group is called `title`.
std::string options_of(const CLI::App& app, const std::string& title, CLI::AppFormatMode mode,
                       const Rows& rows) {
    std::string out;
    std::vector<std::string> left_out;
    for (const auto& [name, text, options] : groups_of(app, rows)) {
        const bool first = name == kFirstGroup;
        if (options == 0) continue;
        if (!first && mode != CLI::AppFormatMode::All) {
            left_out.push_back(fmt::format("{} ({})", name, options));
            continue;
        }
        out += fmt::format("\n{}:\n{}", first ? title : name, text);
    }
    if (!left_out.empty()) out += fmt::format("\nmore with --help-all: {}\n", fmt::join(left_out, ", "));
    return out;
}

bool repeats(const CLI::Option& option) {
    return option.get_expected_max() > 1;
}

std::string usage_of(const CLI::App& app) {
    std::string out = "usage: " + full_name(app);
    for (const CLI::Option* option : app.get_options()) {
        if (!option->get_positional()) continue;
        const std::string name = option->get_name(true, false) + (repeats(*option) ? "..." : "");
        out += option->get_required() ? " " + name : " [" + name + "]";
    }
    for (const CLI::Option* option : app.get_options()) {
        if (option->get_positional() || !option->get_required()) continue;
        const std::string name =
            option->get_snames().empty() ? "--" + option->get_lnames()[0] : "-" + option->get_snames()[0];
        out += " " + name + value_of(*option);
    }
    if (!app.get_subcommands({}).empty()) out += " COMMAND";
    return out + " [options]\n";
}

std::string positionals_of(const CLI::App& app, const Rows& rows) {
    std::string out;
    for (const CLI::Option* option : app.get_options()) {
        if (option->get_positional()) out += rows.row(option->get_name(true, false), option->get_description());
    }
    return out.empty() ? "" : "\n" + out;
}

std::string commands_of(const CLI::App& app, std::size_t columns) {
    const Rows rows(columns, 16);
    std::string out;
    for (const CLI::App* command : app.get_subcommands({})) {
        out += rows.row(command->get_name(), command->get_description());
    }
    return out.empty() ? "" : "\ncommands:\n" + out;
}

std::string examples_of(const CLI::App& app) {
    const auto examples = app.get_footer();
    if (examples.empty()) return {};
    std::istringstream lines(examples);
    std::string out = examples.find('\n') == std::string::npos ? "\nexample:\n" : "\nexamples:\n";
    for (std::string line; std::getline(lines, line);) out += "  " + line + "\n";
    return out;
}

const CLI::App& root_of(const CLI::App& app) {
    const CLI::App* at = &app;
    while (at->get_parent() != nullptr) at = at->get_parent();
    return *at;
}

class HelpFormatter final : public CLI::FormatterBase {
  public:
    std::string make_help(const CLI::App* app, std::string, CLI::AppFormatMode mode) const override {
        const auto columns = help_columns();
        const Rows rows(columns);
        const CLI::App& root = root_of(*app);
        const bool is_root = app == &root;
        std::string out = wrapped(app->get_description() + "\n\n" + usage_of(*app), columns);
        if (!is_root) out += examples_of(*app);
        out += positionals_of(*app, rows) + commands_of(*app, columns);
        if (!is_root) out += wrapped(options_of(*app, "options", mode, rows), columns);
        out += options_of(root, "options of every command", mode, rows);
        if (is_root) out += "\n" + wrapped(app->get_footer(), columns) + "\n";
        return out;
    }
};

}  // namespace

std::shared_ptr<CLI::FormatterBase> help_formatter() {
    return std::make_shared<HelpFormatter>();
}

std::string full_name(const CLI::App& command) {
    const CLI::App* parent = command.get_parent();
    return parent == nullptr ? command.get_name() : full_name(*parent) + " " + command.get_name();
}

}  // namespace modelseal::cli
