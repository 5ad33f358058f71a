#include "hook/git/models.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "io/folder.h"
#include "jobs/policy/closure.h"
#include "util/error.h"
#include "util/text.h"

namespace modelseal::hook {
namespace {

constexpr unsigned kDeepest = 128;
constexpr std::size_t kMostTrees = 200'000;     // about which something is kept; then it is found anew
constexpr std::uint64_t kLongestTarget = 4096;  // of a link, in bytes: no system takes a longer one

std::string join(const std::string& folder, const std::string& name) {
    return folder.empty() ? name : folder + "/" + name;
}

// Programs ask for such files by their names. A link of such a name may lead to weights.
bool is_named_as_model(std::string_view name) {
    constexpr std::array<std::string_view, 8> kEndings = {".safetensors", ".bin",  ".pt",   ".pth",
                                                          ".onnx",        ".gguf", ".ckpt", ".index.json"};
    return std::ranges::any_of(kEndings, [&](std::string_view ending) { return name.ends_with(ending); });
}

// Its content is not in this place, or not in the push.
bool is_elsewhere(const TreeEntry& entry) {
    return entry.kind == EntryKind::link || entry.kind == EntryKind::submodule;
}

bool holds_equal(const std::vector<std::shared_ptr<const Tree>>& trees, const TreeEntry& entry) {
    return std::ranges::any_of(trees, [&](const std::shared_ptr<const Tree>& tree) {
        const auto* there = find_entry(*tree, entry.name);
        return there != nullptr && *there == entry;
    });
}

// What `parts` are, beyond doubt: equal texts mean equal contents.
std::string identity_of(const std::vector<ChangedModel::Part>& parts) {
    std::string text;
    for (const auto& part : parts)
        text += fmt::format("{}{}{}{}\n", part.path, '\0', static_cast<int>(part.entry.kind), part.entry.id);
    return text;
}

// The folder, and what the parents have in its place.
std::string change_of(const std::vector<std::shared_ptr<const Tree>>& before, const TreeEntry& entry) {
    auto text = entry.id;
    for (const auto& tree : before) {
        const auto* there = find_entry(*tree, entry.name);
        if (there != nullptr && there->kind == EntryKind::folder) text += " " + there->id;
    }
    return text;
}

std::vector<std::string> signatures_of(const std::string& name) {
    return {name + ".sig", "model.sig"};
}

// Names of what belongs to a model that is a file, whether it is there or not.
std::vector<std::string> beside(const TreeEntry& entry, const FileFacts& facts) {
    std::vector<std::string> names;
    for (const auto& reference : facts.references) {
        // What leaves the folder is refused when the model is opened.
        if (auto inside = io::path_inside(reference, entry.name); inside.ok())
            names.push_back(std::move(*inside));
    }
    for (const auto name : jobs::kAdapterNames) names.emplace_back(name);
    std::ranges::move(signatures_of(entry.name), std::back_inserter(names));
    std::ranges::sort(names);
    names.erase(std::unique(names.begin(), names.end()), names.end());
    std::erase(names, entry.name);
    return names;
}

}  // namespace

Result<void> ModelFinder::count_folder() {
    if (++folders_ <= options_.most_folders) return {};
    return Error{ErrorKind::unsupported,
                 fmt::format("the push changes more than {}", util::counted(options_.most_folders, "folder")),
                 "push fewer commits at once"};
}

Result<void> ModelFinder::find(const std::string& commit, const std::string& ref, const std::string& tree,
                               std::span<const std::string> before) {
    if (std::ranges::find(before, tree) != before.end()) return {};
    commit_ = commit;
    ref_ = ref;
    MODELSEAL_TRY_ASSIGN(root_, objects_.tree(tree));
    if (before.empty()) {
        MODELSEAL_TRY_ASSIGN(const auto below, look_below(tree, {}, 0));
        if (!below.model && !below.link) return {};
    }
    MODELSEAL_TRY_ASSIGN(const bool model, is_model_folder(tree, {}, 0));
    if (model) return emit({}, {{.path = {}, .entry = {.name = {}, .id = tree, .kind = EntryKind::folder}}});
    Place root;
    root.tree = root_;
    for (const auto& id : before) MODELSEAL_TRY(add_unless_model(root, id));
    return look_into(root);
}

Result<void> ModelFinder::find_blob(const std::string& id, const std::string& ref) {
    commit_ = id;
    ref_ = ref;
    const TreeEntry entry{.name = ref.substr(ref.rfind('/') + 1), .id = id};
    Place place;
    place.path = ref.substr(0, ref.rfind('/'));
    place.tree = std::make_shared<const Tree>(Tree{entry});
    return look_at_file(place, entry, {});
}

Result<void> ModelFinder::look_into(const Place& place) {
    MODELSEAL_TRY(count_folder());
    if (place.depth > kDeepest)
        return util::malformed(util::printable(place.path), fmt::format("more than {} folders deep", kDeepest));
    std::set<std::string> shards;
    if (options_.each) shards = shards_in(place);
    for (const auto& entry : *place.tree) {
        if (entry.kind == EntryKind::folder) MODELSEAL_TRY(look_at_folder(place, entry));
        if (entry.kind == EntryKind::file) MODELSEAL_TRY(look_at_file(place, entry, shards));
        if (is_elsewhere(entry)) MODELSEAL_TRY(look_at_link(place, entry));
    }
    return {};
}

Result<void> ModelFinder::look_at_link(const Place& place, const TreeEntry& entry) {
    if (holds_equal(place.before, entry)) return {};
    // What it leads to depends on where it stands, so the folder is looked at wherever it does, and that ends some time.
    ++links_;
    MODELSEAL_TRY(count_folder());
    const auto path = join(place.path, entry.name);
    const bool is_link = entry.kind == EntryKind::link;
    MODELSEAL_TRY_ASSIGN(const bool harmless,
                         is_link ? leads_to_other_file(place, entry) : Result<bool>(false));
    if (harmless) return {};
    ++findings_;
    const auto why = is_link ? "a symbolic link; what it leads to is not checked under this name"
                             : "a submodule, whose files are not in the push";
    return failed_({.path = path, .commit = commit_, .ref = ref_, .parts = {}},
                   Error{ErrorKind::unsupported, fmt::format("{}: {}", util::printable(path), why), {}});
}

// Whether a link leads, through folders of the same commit alone, to a file that no program takes for a model.
Result<bool> ModelFinder::leads_to_other_file(const Place& place, const TreeEntry& link) {
    if (is_named_as_model(link.name)) return false;
    const auto info = objects_.info(link.id);
    if (!info.ok()) return info.error();
    if (!*info || (*info)->type != "blob" || (*info)->bytes > kLongestTarget) return false;
    std::string target;
    MODELSEAL_TRY(objects_.blob(link.id, (*info)->bytes, [&](std::string_view piece) -> Result<void> {
        target += piece;
        return {};
    }));
    // The system ends a name at a NUL.
    if (target.empty() || target.front() == '/' || target.back() == '/' || target.find('\0') != target.npos)
        return false;
    auto path = place.path;
    for (std::string_view rest = target;;) {
        const auto slash = rest.find('/');
        const auto name = rest.substr(0, slash);
        if (name == "..") {
            if (path.empty()) return false;
            path.resize(path.find('/') == path.npos ? 0 : path.rfind('/'));
        } else if (!name.empty() && name != ".") {
            path = join(path, std::string(name));
        }
        if (slash == rest.npos) break;
        rest.remove_prefix(slash + 1);
        // Through another link, ".." would lead elsewhere.
        if (path.empty()) continue;
        MODELSEAL_TRY_ASSIGN(const auto folder, resolve(*root_, path));
        if (!folder || folder->kind != EntryKind::folder) return false;
    }
    if (path.empty() || is_named_as_model(path)) return false;
    MODELSEAL_TRY_ASSIGN(const auto file, resolve(*root_, path));
    if (!file || file->kind != EntryKind::file) return false;
    const auto facts = contents_.facts(*file, path, Contents::Digest::verified);
    return facts.ok() && !facts->model && !facts->index;
}

// Files of the folder that an index of shards names: they are checked with it.
std::set<std::string> ModelFinder::shards_in(const Place& place) {
    std::set<std::string> shards;
    for (const auto& entry : *place.tree) {
        if (entry.kind != EntryKind::file || !entry.name.ends_with(".json")) continue;
        const auto facts = contents_.facts(entry, join(place.path, entry.name), Contents::Digest::trusted);
        if (facts.ok() && facts->index) shards.insert(facts->references.begin(), facts->references.end());
    }
    return shards;
}

Result<void> ModelFinder::look_at_folder(const Place& place, const TreeEntry& entry) {
    const bool same = holds_equal(place.before, entry);
    const auto signatures = signatures_of(entry.name);
    const bool is_signed = std::ranges::any_of(
        signatures, [&](const std::string& name) { return find_entry(*place.tree, name) != nullptr; });
    if (same && !is_signed) return {};
    const auto path = join(place.path, entry.name);
    Place inner{.path = path, .tree = {}, .before = {}, .depth = place.depth + 1};
    for (const auto& tree : place.before) {
        const auto* there = find_entry(*tree, entry.name);
        if (there != nullptr && there->kind == EntryKind::folder)
            MODELSEAL_TRY(add_unless_model(inner, there->id));
    }
    if (inner.before.empty()) {
        MODELSEAL_TRY_ASSIGN(const auto below, look_below(entry.id, path, inner.depth));
        if (!below.model && !below.link) return {};
    }
    MODELSEAL_TRY_ASSIGN(const bool model, is_model_folder(entry.id, path, inner.depth));
    if (model) return emit_if_changed(place, entry, signatures);
    if (same) return {};
    const auto change = change_of(place.before, entry);
    if (quiet_.contains(change)) return {};
    const auto findings = findings_, links = links_;
    MODELSEAL_TRY_ASSIGN(inner.tree, objects_.tree(entry.id));
    MODELSEAL_TRY(look_into(inner));
    if (quiet_.size() == kMostTrees) quiet_.clear();
    if (findings_ == findings && links_ == links) quiet_.insert(change);
    return {};
}

Result<void> ModelFinder::look_at_file(const Place& place, const TreeEntry& entry,
                                       const std::set<std::string>& shards) {
    const bool same = holds_equal(place.before, entry);
    const auto path = join(place.path, entry.name);
    const auto facts =
        contents_.facts(entry, path, same ? Contents::Digest::trusted : Contents::Digest::verified);
    if (!facts.ok()) {
        if (same) return {};
        ++findings_;
        return failed_({.path = path, .commit = commit_, .ref = ref_, .parts = {}}, facts.error());
    }
    if (shards.contains(entry.name)) return {};
    if (!facts->model && !(options_.each && facts->index)) return {};
    return emit_if_changed(place, entry, beside(entry, *facts));
}

Result<void> ModelFinder::emit_if_changed(const Place& place, const TreeEntry& entry,
                                          const std::vector<std::string>& others) {
    MODELSEAL_TRY_ASSIGN(auto parts, parts_of(*place.tree, entry, others));
    const auto identity = identity_of(parts);
    for (const auto& tree : place.before) {
        const auto* there = find_entry(*tree, entry.name);
        if (there == nullptr || *there != entry) continue;
        MODELSEAL_TRY_ASSIGN(const auto earlier, parts_of(*tree, entry, others));
        if (identity_of(earlier) == identity) return {};
    }
    return emit(join(place.path, entry.name), std::move(parts));
}

Result<void> ModelFinder::emit(const std::string& path, std::vector<ChangedModel::Part> parts) {
    ++findings_;
    if (!seen_.insert(path + '\0' + identity_of(parts)).second) return {};
    return found_({.path = path, .commit = commit_, .ref = ref_, .parts = std::move(parts)});
}

Result<std::vector<ChangedModel::Part>> ModelFinder::parts_of(const Tree& tree, const TreeEntry& entry,
                                                              const std::vector<std::string>& others) {
    std::vector<ChangedModel::Part> parts = {{entry.name, entry}};
    for (const auto& other : others) {
        MODELSEAL_TRY_ASSIGN(auto found, resolve(tree, other));
        if (found) parts.push_back({other, std::move(*found)});
    }
    return parts;
}

Result<std::optional<TreeEntry>> ModelFinder::resolve(const Tree& tree, std::string_view path) {
    const auto slash = path.find('/');
    const auto* entry = find_entry(tree, path.substr(0, slash));
    if (entry == nullptr) return std::optional<TreeEntry>();
    if (slash == path.npos) return std::optional(*entry);
    if (entry->kind != EntryKind::folder) return std::optional<TreeEntry>();
    MODELSEAL_TRY_ASSIGN(const auto inner, objects_.tree(entry->id));
    return resolve(*inner, path.substr(slash + 1));
}

// What a folder has that was one model, and is not one any more, is all new: the files of a model that lost its configuration
// are models by themselves now.
Result<void> ModelFinder::add_unless_model(Place& place, const std::string& before) {
    MODELSEAL_TRY_ASSIGN(const bool model, is_model_folder(before, place.path, place.depth));
    if (model) return {};
    MODELSEAL_TRY_ASSIGN(auto tree, objects_.tree(before));
    place.before.push_back(std::move(tree));
    return {};
}

// A file that cannot be read may be anything.
bool ModelFinder::may_be(const TreeEntry& entry, const std::string& path, bool FileFacts::*what,
                         Contents::Digest digest) {
    if (entry.kind == EntryKind::link) return is_named_as_model(entry.name);
    if (entry.kind != EntryKind::file) return false;
    const auto facts = contents_.facts(entry, join(path, entry.name), digest);
    return !facts.ok() || (*facts).*what;
}

bool ModelFinder::has_model_in(const Tree& tree, const std::string& path, Contents::Digest digest) {
    return std::ranges::any_of(
        tree, [&](const TreeEntry& entry) { return may_be(entry, path, &FileFacts::model, digest); });
}

bool ModelFinder::has_index_in(const Tree& tree, const std::string& path, Contents::Digest digest) {
    return std::ranges::any_of(tree, [&](const TreeEntry& entry) {
        return entry.name.ends_with(".json") && may_be(entry, path, &FileFacts::index, digest);
    });
}

Result<bool> ModelFinder::is_model_folder(const std::string& id, const std::string& path, unsigned depth) {
    if (options_.each) return false;
    MODELSEAL_TRY_ASSIGN(const auto tree, objects_.tree(id));
    for (const char* name : {"model_index.json", "modules.json"}) {
        if (find_entry(*tree, name) == nullptr) continue;
        MODELSEAL_TRY_ASSIGN(const auto below, look_below(id, path, depth));
        if (below.model) return true;
    }
    const bool configured = std::ranges::any_of(*tree, [](const TreeEntry& entry) {
        return entry.kind != EntryKind::folder && jobs::is_configuration(entry.name);
    });
    // A model or none, its files are verified one by one.
    constexpr auto kTrusted = Contents::Digest::trusted;
    return (configured && has_model_in(*tree, path, kTrusted)) || has_index_in(*tree, path, kTrusted);
}

// The objects of Git LFS are verified: a new folder without any model is not looked into.
Result<ModelFinder::Below> ModelFinder::look_below(const std::string& id, const std::string& path,
                                                   unsigned depth) {
    if (const auto known = below_.find(id); known != below_.end()) return known->second;
    MODELSEAL_TRY(count_folder());
    if (depth > kDeepest)
        return util::malformed(util::printable(path), fmt::format("more than {} folders deep", kDeepest));
    MODELSEAL_TRY_ASSIGN(const auto tree, objects_.tree(id));
    constexpr auto kVerified = Contents::Digest::verified;
    Below below{.model = has_model_in(*tree, path, kVerified) || has_index_in(*tree, path, kVerified),
                .link = std::ranges::any_of(*tree, is_elsewhere)};
    for (const auto& entry : *tree) {
        // A folder with a model is looked into, links or not.
        if (below.model) break;
        if (entry.kind != EntryKind::folder) continue;
        MODELSEAL_TRY_ASSIGN(const auto inner, look_below(entry.id, join(path, entry.name), depth + 1));
        below.model = inner.model;
        below.link = below.link || inner.link;
    }
    if (below_.size() == kMostTrees) below_.clear();
    below_.emplace(id, below);
    return below;
}

}  // namespace modelseal::hook
