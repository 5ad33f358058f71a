#include "oms/whole.h"

#include <fmt/format.h>

#include "model/folder.h"
#include "model/part.h"
#include "model/shards.h"
#include "util/text.h"

namespace modelseal::oms {
namespace {

Error incomplete(const Source& source, std::string_view why) {
    return {ErrorKind::unsupported,
            fmt::format("{}: {}, which a signature of this file alone does not cover", source.name(), why),
            "sign the folder, and verify the folder"};
}

Error unreadable(const Error& error) {
    return {error.kind, error.message + "; so it is not known whether other files belong to it",
            "sign the folder, and verify the folder"};
}

// A file that no format recognizes may still be an index, which is JSON.
Result<void> is_not_an_index(const Source& source, const std::string& name) {
    const auto index = read_shard_index(source, name);
    if (!index) return unreadable(index.error());
    if (!*index) return {};
    return incomplete(source, "an index: the tensors are in its shards");
}

}  // namespace

Result<void> known_to_be_whole(const Tree& tree, const std::string& name, const Limits& limits) {
    MODELSEAL_TRY_ASSIGN(const auto source, tree.file(name, true));
    if (!recognised(*source)) return is_not_an_index(*source, name);
    const auto layout = parse_model_file(*source, limits);
    if (!layout) return unreadable(layout.error());
    if (!layout->references.empty()) {
        return incomplete(*source, fmt::format("its tensors lie in other files ('{}')",
                                               util::printable(layout->references.front())));
    }
    // Loaders find the other parts by their names.
    const auto parts = missing_part_warnings({name});
    return parts.empty() ? Result<void>() : incomplete(*source, parts.front());
}

}  // namespace modelseal::oms
