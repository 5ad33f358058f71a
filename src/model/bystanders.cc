#include "model/bystanders.h"

#include <algorithm>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "io/file_kind.h"

namespace modelseal::model {
namespace {

constexpr std::uint64_t kLargestPointer =
    1024;  // "must be less than 1024 bytes", says the specification of Git LFS

// With a slash: a folder, and all in it.
constexpr std::string_view kLeftovers[] = {".cache/huggingface/", ".ipynb_checkpoints/", "__pycache__/",
                                           "__MACOSX/",           ".DS_Store",           "Thumbs.db",
                                           "desktop.ini"};

bool is_leftover(std::string_view path, std::string_view leftover) {
    const auto at = path.find(leftover);
    if (at == path.npos || (at != 0 && path[at - 1] != '/')) return false;
    return leftover.ends_with('/') || at + leftover.size() == path.size();
}

}  // namespace

Result<void> refuse_placeholder(const Source& source) {
    if (source.size() > kLargestPointer || source.size() == 0) return {};
    const auto kind = io::kind_of(source);
    if (!kind || !kind->placeholder) return {};
    return Error{ErrorKind::unsupported, fmt::format("{}: {}", source.name(), kind->is),
                 std::string(kind->hint)};
}

std::optional<std::string> leftover_warning(std::span<const std::string> paths) {
    std::vector<std::string> found;
    for (const auto leftover : kLeftovers) {
        const auto there =
            std::ranges::any_of(paths, [&](const auto& path) { return is_leftover(path, leftover); });
        if (!there) continue;
        found.push_back(
            fmt::format("'{}'", leftover.ends_with('/') ? leftover.substr(0, leftover.size() - 1) : leftover));
    }
    if (found.empty()) return std::nullopt;
    return fmt::format("{}: left by tools, now part of the model; a copy without {} does not match",
                       fmt::join(found, ", "), found.size() == 1 ? "it" : "them");
}

}  // namespace modelseal::model
