#include "cli/outputs.h"

#include <filesystem>

#include "formats/reader.h"
#include "io/irreplaceable.h"

namespace modelseal::cli {

Result<void> refuse_overwriting(const std::string& output, const std::vector<std::string>& inputs) {
    namespace fs = std::filesystem;
    if (output.empty()) return {};
    // Of a relative path of which nothing exists, weakly_canonical() makes no absolute one.
    std::error_code ignored;
    const auto place = [&](const std::string& path) {
        return fs::weakly_canonical(fs::absolute(path, ignored), ignored);
    };
    for (const auto& input : inputs) {
        if (input.empty()) continue;
        const bool same = fs::equivalent(output, input, ignored) || place(output) == place(input);
        if (!same) continue;
        return Error{ErrorKind::usage,
                     formats::printable(output) + ": is an input of this command, not a place to write",
                     "give the output another name"};
    }
    return io::refuse_to_replace(output);
}

}  // namespace modelseal::cli
