
#include "model/model.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "io/file_kind.h"
#include "io/folder.h"
#include "io/irreplaceable.h"
#include "model/folder.h"
#include "model/part.h"
#include "model/shards.h"
#include "util/text.h"

namespace modelseal::model {

namespace {

Result<Model> of_one_file(std::unique_ptr<Source> source, Layout layout) {
    Model model;
    model.format = layout.format;
    model.tensors = std::move(layout.tensors);
    model.warnings = std::move(layout.warnings);
    model.files.push_back({{}, std::move(source), std::move(layout.checksums)});
    std::ranges::stable_sort(model.tensors, {}, &Tensor::name);
    MODELSEAL_TRY(validate_model(model));
    return model;
}

// A graph with its external data: the folder is that of the path as it was given.
Result<Model> open_with_external(const std::filesystem::path& path, std::unique_ptr<io::FileSource> source,
                                 Layout layout, const Limits& limits) {
    const auto name = path.filename().string();
    MODELSEAL_TRY_ASSIGN(auto part, make_part(*source, name, std::move(layout)));
    MODELSEAL_TRY_ASSIGN(auto folder, io::Folder::open(path.parent_path(), limits.links));
    FilePool pool(std::move(folder));
    pool.add(name, std::move(source));
    std::vector<Part> parts;
    parts.push_back(std::move(part));
    return assemble(std::move(pool), std::move(parts), name, limits);
}

Result<Model> open_sharded(const std::filesystem::path& path, std::unique_ptr<io::FileSource> source,
                           const ShardIndex& index, const Limits& limits) {
    MODELSEAL_TRY_ASSIGN(auto folder, io::Folder::open(path.parent_path(), limits.links));
    FilePool pool(std::move(folder));
    MODELSEAL_TRY_ASSIGN(auto parts, read_shards(pool, *source, index, limits));
    pool.add(index.path, std::move(source));
    return assemble(std::move(pool), std::move(parts), index.path, limits);
}

Result<Model> open_file(const std::filesystem::path& path, const Limits& limits) {
    MODELSEAL_TRY_ASSIGN(auto source, io::FileSource::open(path, path.string()));
    if (!recognised(*source)) {
        MODELSEAL_TRY_ASSIGN(const auto index, read_shard_index(*source, path.filename().string()));
        if (index) return open_sharded(path, std::move(source), *index, limits);
    }
    if (io::irreplaceable_kind(*source)) {
        auto error = io::mistaken("model file", *source);
        error.kind = ErrorKind::unsupported;
        return error;
    }
    MODELSEAL_TRY_ASSIGN(auto layout, parse_model_file(*source, limits));
    if (!layout.references.empty()) {
        return open_with_external(path, std::move(source), std::move(layout), limits);
    }
    MODELSEAL_TRY_ASSIGN(auto model, of_one_file(std::move(source), std::move(layout)));
    if (auto warning = other_parts_warning(path)) model.warnings.push_back(std::move(*warning));
    return model;
}

}  // namespace

std::uint64_t Model::bytes() const {
    std::uint64_t sum = 0;
    for (const auto& file : files) sum += file.source->size();
    return sum;
}

Result<void> Model::unchanged() const {
    for (const auto& file : files) {
        if (const auto* on_disk = dynamic_cast<const io::FileSource*>(file.source.get())) {
            MODELSEAL_TRY(on_disk->unchanged());
        }
    }
    if (folder) return no_file_added(*this);
    return {};
}

std::optional<Model::States> Model::states() const {
    States states;
    for (const auto& file : files) {
        const auto* on_disk = dynamic_cast<const io::FileSource*>(file.source.get());
        if (on_disk == nullptr) return std::nullopt;
        states.emplace(file.path, on_disk->state());
    }
    return states;
}

Model limited(Model model, const Limits& limits) {
    for (auto& file : model.files) {
        if (auto* const on_disk = dynamic_cast<io::FileSource*>(file.source.get()))
            on_disk->readable_until(limits.deadline);
    }
    return model;
}

Result<Model> open_model_source(std::unique_ptr<Source> source, const Limits& limits) {
    MODELSEAL_TRY_ASSIGN(auto layout, parse_model_file(*source, limits));
    if (!layout.references.empty()) {
        return Error{ErrorKind::unsupported,
                     fmt::format("{}: its weights are in other files ('{}')", source->name(),
                                 util::printable(layout.references.front())),
                     "download all files of the model"};
    }
    const std::filesystem::path path = source->name();
    MODELSEAL_TRY_ASSIGN(auto model, of_one_file(std::move(source), std::move(layout)));
    model.path = path;
    model.limits = limits;
    return model;
}

Result<Model> open_model(const std::filesystem::path& path, const Limits& limits) {
    std::error_code ignored;  // opening the same path fails as well, and reports why
    if (std::filesystem::is_directory(path, ignored)) return open_model_folder(path, limits);
    MODELSEAL_TRY_ASSIGN(auto model, open_file(path, limits));
    model.path = path;
    model.limits = limits;
    return limited(std::move(model), limits);
}

}  // namespace modelseal::model
