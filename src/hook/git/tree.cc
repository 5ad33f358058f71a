#include "hook/git/tree.h"

#include <algorithm>
#include <optional>

#include <fmt/format.h>

#include "util/error.h"
#include "util/text.h"

namespace modelseal::hook {
namespace {

std::string hex_of(std::string_view bytes) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    std::string out;
    out.reserve(2 * bytes.size());
    for (const char c : bytes) {
        const auto byte = static_cast<unsigned char>(c);
        out += kDigits[byte >> 4];
        out += kDigits[byte & 15];
    }
    return out;
}

// Git writes 100644, 100755, 120000, 40000 and 160000; its early versions wrote 100664 as well.
std::optional<EntryKind> kind_of(std::string_view mode) {
    if (mode == "40000" || mode == "040000") return EntryKind::folder;
    if (mode == "120000") return EntryKind::link;
    if (mode == "160000") return EntryKind::submodule;
    if (mode.size() == 6 && mode.starts_with("100")) return EntryKind::file;
    return std::nullopt;
}

bool is_git_folder(std::string_view name) {
    return name.size() == 4 && name[0] == '.' && (name[1] | 0x20) == 'g' && (name[2] | 0x20) == 'i' &&
           (name[3] | 0x20) == 't';
}

bool leaves_folder(std::string_view name) {
    return name.empty() || name == "." || name == ".." || name.find('/') != name.npos || is_git_folder(name);
}

}  // namespace

Result<Tree> parse_tree(std::string_view bytes, std::size_t id_bytes, std::string_view where) {
    Tree tree;
    while (!bytes.empty()) {
        const auto blank = bytes.find(' ');
        const auto end = bytes.find('\0');
        if (blank == bytes.npos || end == bytes.npos || blank > end || bytes.size() - end - 1 < id_bytes)
            return util::malformed(where, "an entry of the tree is cut off");
        const auto kind = kind_of(bytes.substr(0, blank));
        const auto name = bytes.substr(blank + 1, end - blank - 1);
        if (!kind) {
            return util::malformed(
                where, fmt::format("'{}' has the unknown mode '{}'", util::printable(name),
                                   util::printable(bytes.substr(0, std::min<std::size_t>(blank, 20)))));
        }
        if (leaves_folder(name)) {
            return util::malformed(where, fmt::format("'{}' is not a name that a file of a repository may have",
                                                      util::printable(name)));
        }
        tree.push_back({std::string(name), hex_of(bytes.substr(end + 1, id_bytes)), *kind});
        bytes.remove_prefix(end + 1 + id_bytes);
    }
    std::ranges::sort(tree, {}, &TreeEntry::name);
    const auto twice = std::ranges::adjacent_find(tree, {}, &TreeEntry::name);
    if (twice != tree.end())
        return util::malformed(where,
                               fmt::format("'{}' stands twice in the tree", util::printable(twice->name)));
    return tree;
}

const TreeEntry* find_entry(const Tree& tree, std::string_view name) {
    const auto at = std::ranges::lower_bound(
        tree, name, {}, [](const TreeEntry& entry) -> std::string_view { return entry.name; });
    return at != tree.end() && at->name == name ? &*at : nullptr;
}

}  // namespace modelseal::hook
