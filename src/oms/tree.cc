#include "oms/tree.h"

#include <algorithm>

#include <fmt/format.h>

#include "model/folder.h"
#include "model/part.h"
#include "model/shards.h"
#include "util/text.h"

namespace modelseal::oms {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kMostFiles = 250'000;  // fits the limits of JSON
constexpr std::uint32_t kDeepestFolder = 64;

// The path without "." and "..", and without a trailing slash.
fs::path tidy(const fs::path& path) {
    std::error_code ignored;
    auto out = fs::absolute(path, ignored).lexically_normal();
    return out.has_filename() ? out : out.parent_path();
}

std::optional<std::string> below(const fs::path& model, const fs::path& path) {
    const auto relative = path.lexically_relative(model).generic_string();
    if (relative.empty() || relative == "." || relative == ".." || relative.starts_with("../"))
        return std::nullopt;
    return relative;
}

}  // namespace

void IgnoreRules::add(const std::string& relative) {
    auto path = fs::path(relative).lexically_normal().generic_string();
    while (path.ends_with('/')) path.pop_back();
    if (path.empty() || path == ".") return;
    paths_.insert(std::move(path));
}

void IgnoreRules::add_git() {
    for (const char* name : {".git", ".gitattributes", ".github", ".gitignore"}) add(name);
}

bool IgnoreRules::covers(const std::string& relative) const {
    if (paths_.empty()) return false;
    for (auto end = relative.find('/'); end != relative.npos; end = relative.find('/', end + 1)) {
        if (paths_.contains(relative.substr(0, end))) return true;
    }
    return paths_.contains(relative);
}

std::optional<std::string> relative_to(const fs::path& model, const fs::path& path) {
    if (auto relative = below(tidy(model), tidy(path))) return relative;
    // One of the two may have been spelled through a link.
    std::error_code ignored;
    return below(fs::weakly_canonical(tidy(model), ignored), fs::weakly_canonical(tidy(path), ignored));
}

Result<Tree> Tree::open(const fs::path& path, Deadline deadline) {
    Tree tree;
    tree.path_ = path;
    tree.deadline_ = deadline;
    std::error_code ignored;
    if (fs::is_directory(path, ignored)) {
        MODELSEAL_TRY_ASSIGN(tree.folder_, io::Folder::open(path));
    } else {
        // Whether it can be read and is a regular file.
        MODELSEAL_TRY(io::FileSource::open(path, path.string()));
    }
    return tree;
}

std::string Tree::name() const {
    std::error_code ignored;
    auto path = path_.lexically_normal();
    if (!path.has_filename()) path = path.parent_path();
    auto name = path.filename().string();
    if (name.empty() || name == "." || name == "..") name = fs::canonical(path_, ignored).filename().string();
    return name.empty() ? "model" : name;
}

Result<std::vector<Tree::Entry>> Tree::list(const IgnoreRules& ignore) const {
    using Kind = Entry::Kind;
    if (single()) {
        const auto name = path_.filename().string();
        return std::vector<Entry>{{name, util::is_utf8(name) ? Kind::file : Kind::bad_name}};
    }
    MODELSEAL_TRY_ASSIGN(const auto all,
                         folder_->entries(kMostFiles, kDeepestFolder, [&](const io::Folder::Entry& entry) {
                             return ignore.covers(entry.path);
                         }));
    std::vector<Entry> entries;
    entries.reserve(all.size());
    for (const auto& each : all) {
        auto kind = Kind::file;
        std::error_code ignored;
        if (each.kind == io::Folder::Entry::Kind::other) kind = Kind::special;
        if (each.kind == io::Folder::Entry::Kind::link) {
            kind = fs::is_regular_file(path_ / each.path, ignored) ? Kind::link : Kind::folder_link;
        }
        if (!util::is_utf8(each.path)) kind = Kind::bad_name;
        entries.push_back({each.path, kind});
    }
    return entries;
}

Result<std::unique_ptr<io::FileSource>> Tree::file(const std::string& name, bool follow_link) const {
    auto source = open_file(name, follow_link);
    if (source.ok()) (*source)->readable_until(deadline_);
    return source;
}

Result<std::unique_ptr<io::FileSource>> Tree::open_file(const std::string& name, bool follow_link) const {
    if (single()) return io::FileSource::open(path_, path_.string());
    std::error_code ignored;
    if (follow_link && fs::is_symlink(path_ / name, ignored)) {
        return io::FileSource::open(path_ / name, (path_ / name).string());
    }
    return folder_->file(name);
}

std::string complaint(const Tree::Entry& entry, bool allow_symlinks) {
    switch (entry.kind) {
        case Tree::Entry::Kind::file:
            return {};
        case Tree::Entry::Kind::link:
            return allow_symlinks ? "" : "is a symbolic link, and links are not allowed";
        case Tree::Entry::Kind::folder_link:
            return "is a symbolic link that does not lead to a file, so no signature would cover its content";
        case Tree::Entry::Kind::special:
            return "is a pipe, device or socket";
        case Tree::Entry::Kind::bad_name:
            break;
    }
    return "its name is not UTF-8, as signatures need";
}

bool component_less(const std::string& a, const std::string& b) {
    // '/' sorts before every other byte, so that complete parts are compared.
    return std::ranges::lexicographical_compare(a, b, [](char x, char y) {
        const auto weight = [](char c) {
            return c == '/' ? -1 : static_cast<int>(static_cast<unsigned char>(c));
        };
        return weight(x) < weight(y);
    });
}

namespace {

Error incomplete(const Source& source, std::string_view why) {
    return {ErrorKind::unsupported,
            fmt::format("{}: {}, which a signature of this file alone does not cover", source.name(), why),
            "sign the folder, and verify the folder"};
}

Error unreadable(const Error& error) {
    if (!error.hint.empty()) return error;  // a file that is cut short
    return {error.kind, error.message + "; other files may belong to it",
            "sign the folder, and verify the folder"};
}

// A file that no format recognizes may still be an index, which is JSON.
Result<void> is_not_an_index(const Source& source, const std::string& name) {
    const auto index = model::read_shard_index(source, name);
    if (!index) return unreadable(index.error());
    if (!*index) return {};
    return incomplete(source, "is an index: the tensors are in its shards");
}

}  // namespace

Result<void> known_to_be_whole(const Tree& tree, const std::string& name, const Limits& limits) {
    MODELSEAL_TRY_ASSIGN(const auto source, tree.file(name, true));
    if (!model::recognised(*source)) return is_not_an_index(*source, name);
    const auto layout = parse_model_file(*source, limits);
    if (!layout) return unreadable(layout.error());
    if (!layout->references.empty()) {
        return incomplete(*source, fmt::format("its tensors are in other files ('{}')",
                                               util::printable(layout->references.front())));
    }
    // Loaders find the other parts by their names.
    const auto parts = model::missing_part_warnings({name});
    return parts.empty() ? Result<void>() : incomplete(*source, parts.front());
}

}  // namespace modelseal::oms
