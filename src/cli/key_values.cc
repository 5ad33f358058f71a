#include "cli/key_values.h"

#include <fmt/format.h>

#include "util/text.h"

namespace modelseal::cli {

Result<std::vector<std::pair<std::string, std::string>>> key_values(const std::vector<std::string>& texts,
                                                                    const char* option) {
    std::vector<std::pair<std::string, std::string>> pairs;
    for (const auto& text : texts) {
        const auto equals = text.find('=');
        if (equals == std::string::npos || equals == 0) {
            return Error{ErrorKind::usage,
                         fmt::format("{} takes KEY=VALUE, not '{}'", option, util::printable(text)),
                         {}};
        }
        pairs.emplace_back(text.substr(0, equals), text.substr(equals + 1));
    }
    return pairs;
}

}  // namespace modelseal::cli
