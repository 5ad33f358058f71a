#include "cli/options/option_info.h"

#include <sstream>

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

}  // namespace modelseal::cli
