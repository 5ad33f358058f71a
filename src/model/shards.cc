#include "model/shards.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "formats/json.h"
#include "formats/reader.h"
#include "util/error.h"
#include "util/text.h"

namespace modelseal::model {

namespace {

constexpr std::uint32_t kMaxDepth = 16;
constexpr std::uint64_t kMaxIndexBytes = 64u << 20;  // 91,000 tensors take 9 MB

// The names of a tensor, among its name and aliases, that the index assigns to this file.
bool known_here(const ShardIndex& index, const Tensor& tensor, const std::string& file) {
    const auto here = [&](const std::string& name) {
        const auto found = index.file.find(name);
        return found != index.file.end() && found->second == file;
    };
    return here(tensor.name) || std::ranges::any_of(tensor.aliases, here);
}

Result<void> check_shard(const Source& source, const ShardIndex& index, const Part& part) {
    for (const auto& tensor : part.layout.tensors) {
        if (known_here(index, tensor, part.path)) continue;
        const auto found = index.file.find(tensor.name);
        const auto says = found == index.file.end()
                              ? std::string("does not list it")
                              : fmt::format("has it in '{}'", util::printable(found->second));
        return Error{ErrorKind::malformed,
                     fmt::format("{}: tensor '{}': the index '{}' {}", source.name(),
                                 util::printable(tensor.name), util::printable(index.path), says),
                     {}};
    }
    return {};
}

Result<void> check_all_found(const Source& index_source, const ShardIndex& index,
                             const std::vector<Part>& parts) {
    std::set<std::pair<std::string_view, std::string_view>> found;  // tensor, file
    for (const auto& part : parts) {
        for (const auto& tensor : part.layout.tensors) {
            found.emplace(tensor.name, part.path);
            for (const auto& alias : tensor.aliases) found.emplace(alias, part.path);
        }
    }
    for (const auto& [tensor, file] : index.file) {
        if (found.contains({tensor, file})) continue;
        return Error{ErrorKind::malformed,
                     fmt::format("{}: tensor '{}' not found in '{}'", index_source.name(),
                                 util::printable(tensor), util::printable(file)),
                     {}};
    }
    return {};
}

// Shards are listed by the index, so a missing one was not mistyped but not downloaded.
Error without_shard(Error error, const Source& index) {
    error.message += fmt::format(" (a shard in the index '{}')", index.name());
    error.hint = "download or copy all files of the model again";
    return error;
}

bool begins_an_object(const Source& source) {
    formats::Reader reader(source);
    for (;;) {
        const auto byte = reader.u8();
        if (!byte) return false;
        if (*byte != ' ' && *byte != '\n' && *byte != '\r' && *byte != '\t') return *byte == '{';
    }
}

}  // namespace

Result<std::optional<ShardIndex>> read_shard_index(const Source& source, std::string path) {
    if (!begins_an_object(source)) return std::optional<ShardIndex>{};
    const auto malformed = [&](const std::string& what) { return util::malformed(source.name(), what); };
    formats::Reader reader(source);
    MODELSEAL_TRY_ASSIGN(const auto text, reader.string(source.size(), kMaxIndexBytes, "an index"));
    MODELSEAL_TRY_ASSIGN(const auto root, formats::parse_json(source, 0, text, "index", kMaxDepth));
    const auto map = root.find("weight_map");
    if (map == root.end()) return std::optional<ShardIndex>{};
    if (!map->is_object() || map->empty()) return malformed("weight_map is not a map from tensors to files");
    ShardIndex index{.path = std::move(path)};
    for (const auto& [tensor, file] : map->items()) {
        if (!file.is_string())
            return malformed(fmt::format("tensor '{}': its file is not a text", util::printable(tensor)));
        const auto where = fmt::format("{}: tensor '{}': shard", source.name(), util::printable(tensor));
        MODELSEAL_TRY_ASSIGN(const auto inside, io::path_inside(file.get_ref<const std::string&>(), where));
        index.file.emplace(tensor, beside(index.path, inside));
    }
    return std::optional(std::move(index));
}

Result<std::vector<Part>> read_shards(FilePool& pool, const Source& source, const ShardIndex& index,
                                      const Limits& limits) {
    std::set<std::string> names;
    for (const auto& [tensor, file] : index.file) names.insert(file);
    if (names.contains(index.path)) {
        return Error{
            ErrorKind::malformed, fmt::format("{}: the index lists itself as a shard", source.name()), {}};
    }
    std::vector<Part> parts;
    for (const auto& name : names) {
        const auto opened = pool.open(name);
        if (!opened) return without_shard(opened.error(), source);
        const auto* shard = *opened;
        MODELSEAL_TRY_ASSIGN(auto layout, parse_model_file(*shard, limits));
        MODELSEAL_TRY_ASSIGN(auto part, make_part(*shard, name, std::move(layout)));
        MODELSEAL_TRY(check_shard(*shard, index, part));
        parts.push_back(std::move(part));
    }
    MODELSEAL_TRY(check_all_found(source, index, parts));
    return parts;
}

std::vector<std::string> disagreements(const ShardIndex& index, const std::vector<Part>& parts) {
    std::map<std::string_view, std::set<std::string_view>> here;  // files to their tensors
    for (const auto& part : parts) {
        auto& names = here[part.path];
        for (const auto& tensor : part.layout.tensors) {
            names.insert(tensor.name);
            names.insert(tensor.aliases.begin(), tensor.aliases.end());
        }
    }
    std::set<std::string_view> files, absent_files, absent_tensors, unlisted;
    for (const auto& [tensor, file] : index.file) {
        const auto found = here.find(file);
        files.insert(file);
        if (found == here.end()) {
            absent_files.insert(file);
        } else if (!found->second.contains(tensor)) {
            absent_tensors.insert(tensor);
        }
    }
    for (const auto& part : parts) {
        if (!files.contains(part.path)) continue;
        for (const auto& tensor : part.layout.tensors) {
            if (!known_here(index, tensor, part.path)) unlisted.insert(tensor.name);
        }
    }
    std::vector<std::string> found;
    const auto add = [&](const std::set<std::string_view>& names, std::string_view noun, const char* form) {
        if (names.empty()) return;
        found.push_back(fmt::format(fmt::runtime(form), util::counted(names.size(), noun),
                                    util::printable(*names.begin()), names.size() == 1 ? "is" : "are",
                                    names.size() == 1 ? "" : " and others"));
    };
    add(absent_files, "file", "names {0} that {2} missing or not a model, '{1}'{3}");
    add(absent_tensors, "tensor", "names {0} that {2} not in their files, '{1}'{3}");
    add(unlisted, "tensor", "does not list {0} of its files, '{1}'{3}");
    return found;
}

}  // namespace modelseal::model
