#include "cli/help.h"

#include <algorithm>
#include <sstream>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "cli/option_info.h"

namespace modelseal::cli {
namespace {

constexpr std::size_t kIndent = 2, kColumn = 28, kWidth = 80;

// `left` in the first column, `right` beside it, broken between words.
std::string row(const std::string& left, const std::string& right) {
    std::string out = std::string(kIndent, ' ') + left;
    std::size_t at = out.size();
    if (at + 2 > kColumn) {
        out += "\n";
        at = 0;
    }
    out.append(kColumn - at, ' ');
    at = kColumn;
    std::istringstream words(right);
    for (std::string word; words >> word;) {
        if (at > kColumn && at + 1 + word.size() > kWidth) {
            out += "\n" + std::string(kColumn, ' ');
            at = kColumn;
        }
        if (at > kColumn) ++at, out += " ";
        out += word;
        at += word.size();
    }
    return out + "\n";
}

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

// Those of CLI11's own group under `title`, each other group under its name, in the order in which they come.
std::string options_of(const CLI::App& app, const std::string& title) {
    std::vector<std::pair<std::string, std::string>> groups = {{"Options", ""}};
    for (const CLI::Option* option : app.get_options()) {
        if (option->get_group().empty() || option->get_positional()) continue;
        if (option == app.get_help_ptr() && app.get_parent() != nullptr)
            continue;  // with those of every command
        auto group =
            std::ranges::find(groups, option->get_group(), [](const auto& each) { return each.first; });
        if (group == groups.end()) group = groups.insert(groups.end(), {option->get_group(), ""});
        group->second += row(spelled(*option), option->get_description());
    }
    std::string out;
    for (const auto& [name, rows] : groups) {
        if (rows.empty()) continue;
        out += fmt::format("\n{}:\n{}", name == "Options" ? title : name, rows);
    }
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

std::string positionals_of(const CLI::App& app) {
    std::string rows;
    for (const CLI::Option* option : app.get_options()) {
        if (option->get_positional()) rows += row(option->get_name(true, false), option->get_description());
    }
    return rows.empty() ? "" : "\n" + rows;
}

std::string commands_of(const CLI::App& app) {
    std::string rows;
    for (const CLI::App* command : app.get_subcommands({})) {
        rows += row(command->get_name(), command->get_description());
    }
    return rows.empty() ? "" : "\ncommands:\n" + rows;
}

const CLI::App& root_of(const CLI::App& app) {
    const CLI::App* at = &app;
    while (at->get_parent() != nullptr) at = at->get_parent();
    return *at;
}

class HelpFormatter final : public CLI::FormatterBase {
  public:
    std::string make_help(const CLI::App* app, std::string, CLI::AppFormatMode) const override {
        const CLI::App& root = root_of(*app);
        std::string out = full_name(*app) + ": " + app->get_description() + "\n\n" + usage_of(*app);
        out += positionals_of(*app) + commands_of(*app);
        if (app != &root) out += options_of(*app, "options");
        out += options_of(root, "options of every command");
        if (!app->get_footer().empty()) out += "\n" + app->get_footer() + "\n";
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
