// Trees of git: the names in a folder, and what they are (git's Documentation/gitformat-pack, "tree" objects).
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include <modelseal/result.h>

namespace modelseal::hook {

enum class EntryKind { file, folder, link, submodule };

struct TreeEntry {
    std::string name;  // any bytes but NUL and '/'; not "", ".", ".." or ".git"
    std::string id;    // hexadecimal
    EntryKind kind = EntryKind::file;

    bool operator==(const TreeEntry&) const = default;
};

// In ascending order of the bytes of their names, which are unique.
using Tree = std::vector<TreeEntry>;

// `bytes`: the object's content; `id_bytes`: 20, or 32 in a repository of SHA-256. `where` begins messages. Refuses what git
// refuses to check out: names that would leave the folder, and names that stand twice. A server may have accepted such a tree
// (receive.fsckObjects is off by default).
Result<Tree> parse_tree(std::string_view bytes, std::size_t id_bytes, std::string_view where);

// Null if there is none of this name.
const TreeEntry* find_entry(const Tree& tree, std::string_view name);

}  // namespace modelseal::hook
