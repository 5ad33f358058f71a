#include "cli/outputs.h"

#include <filesystem>

#include "formats/reader.h"

namespace modelseal::cli {

Result<void> refuse_overwriting(const std::string& output, const std::vector<std::string>& inputs) {
    namespace fs = std::filesystem;
    if (output.empty()) return {};
    for (const auto& input : inputs) {
        if (input.empty()) continue;
        std::error_code ignored;
        const bool same = fs::equivalent(output, input, ignored) ||
                          fs::weakly_canonical(output, ignored) == fs::weakly_canonical(input, ignored);
        if (!same) continue;
        return Error{ErrorKind::usage,
                     formats::printable(output) + ": is an input of this command, not a place to write",
                     "give the output another name"};
    }
    return {};
}

}  // namespace modelseal::cli
