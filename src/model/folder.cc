#include "model/folder.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <set>

#include <fmt/format.h>

#include "io/file_kind.h"
#include "io/folder.h"
#include "model/external_data.h"
#include "model/part.h"
#include "model/shards.h"
#include "util/text.h"

namespace modelseal::model {

namespace {

constexpr std::string_view kIndexSuffix = ".index.json";

// "x-00002-of-00003.gguf" is part 2 of 3 of "x.gguf".
struct Numbered {
    std::string whole;
    unsigned number = 0;
    unsigned total = 0;
};

bool digits_at(std::string_view text, std::size_t at, unsigned& value) {
    if (at + 5 > text.size()) return false;
    const auto* end = text.data() + at + 5;
    const auto read = std::from_chars(text.data() + at, end, value);
    return read.ec == std::errc() && read.ptr == end;
}

bool read_number(const std::string& path, Numbered& numbered) {
    const auto of = path.rfind("-of-");
    if (of == path.npos || of < 6 || path[of - 6] != '-') return false;
    if (!digits_at(path, of - 5, numbered.number) || !digits_at(path, of + 4, numbered.total)) return false;
    numbered.whole = path.substr(0, of - 6) + path.substr(of + 9);
    return true;
}

bool is_numbered(const std::string& path) {
    Numbered numbered;
    return read_number(path, numbered);
}

class FolderReader {
  public:
    FolderReader(io::Folder folder, const Limits& limits) : pool_(std::move(folder)), limits_(limits) {}

    // A stale index, or a file that only has the name of one, is no reason not to read the shards.
    Result<void> add_indexes(const std::vector<std::string>& files) {
        for (const auto& file : files) {
            if (!file.ends_with(kIndexSuffix)) continue;
            MODELSEAL_TRY_ASSIGN(const auto* source, pool_.open(file));
            auto index = read_shard_index(*source, file);
            if (!index.ok()) {
                if (index.error().kind == ErrorKind::unreadable) return std::move(index).error();
                warnings_.push_back(
                    fmt::format("{}; it is not used as an index of shards", index.error().message));
                continue;
            }
            if (!*index) continue;
            for (const auto& [tensor, shard] : (*index)->file) {
                if (std::ranges::binary_search(files, shard)) shards_.insert(shard);
            }
            indexes_.push_back(std::move(**index));
        }
        return {};
    }

    Result<void> add_models(const std::vector<std::string>& files) {
        for (const auto& file : files) {
            MODELSEAL_TRY_ASSIGN(const auto* source, pool_.open(file));
            if (!recognised(*source)) {
                warn_of_strangers(*source);
                continue;
            }
            auto layout = parse_model_file(*source, limits_);
            if (!layout) {
                if (layout.error().kind == ErrorKind::unreadable) return std::move(layout).error();
                failed_.emplace(file, std::move(layout).error());
                continue;
            }
            auto part = make_part(*source, file, std::move(layout).value());
            if (part) {
                (shards_.contains(file) ? parts_ : candidates_).push_back(std::move(part).value());
            } else {
                failed_.emplace(file, std::move(part).error());
            }
        }
        return {};
    }

    // Files that others name as their external data are data, whatever they look like.
    Result<void> settle() {
        MODELSEAL_TRY_ASSIGN(auto settled, tell_models_from_data(std::move(candidates_), parts_));
        std::ranges::move(settled.models, std::back_inserter(parts_));
        for (const auto& file : settled.data) failed_.erase(file);
        return {};
    }

    // Treats a file that could not be parsed as frame, if that is harmless.
    Result<void> judge_failures() {
        for (auto& [file, error] : failed_) {
            const bool belongs =
                error.kind != ErrorKind::unsupported && (shards_.contains(file) || is_numbered(file));
            if (belongs || parts_.empty()) return std::move(error);
            warnings_.push_back(
                fmt::format("{}; the file is covered as a whole, without its tensors", error.message));
        }
        return {};
    }

    Result<Model> finish(const std::filesystem::path& path) {
        if (parts_.empty() && stranger_) return std::move(*stranger_);
        if (parts_.empty()) {
            return Error{ErrorKind::unsupported,
                         fmt::format("{}: no model file of a supported format in this folder",
                                     util::printable(path.string())),
                         "supported formats: safetensors, ONNX, PyTorch (zip and legacy) and GGUF"};
        }
        std::vector<std::string> names;
        for (const auto& part : parts_) names.push_back(part.path);
        std::ranges::move(missing_part_warnings(names), std::back_inserter(warnings_));
        for (const auto& index : indexes_) {
            for (const auto& each : disagreements(index, parts_))
                warnings_.push_back(fmt::format("{}: the index {}", util::printable(index.path), each));
        }
        MODELSEAL_TRY_ASSIGN(auto model, assemble(std::move(pool_), std::move(parts_), {}, limits_));
        std::ranges::move(warnings_, std::back_inserter(model.warnings));
        model.path = path;
        model.folder = true;
        return model;
    }

  private:
    // A sealed folder is usually published, and a pointer is no weight.
    void warn_of_strangers(const io::FileSource& source) {
        const auto kind = io::kind_of(source);
        if (!kind) return;
        if (!kind->irreplaceable.empty() && kind->irreplaceable != "public key") {
            warnings_.push_back(
                fmt::format("{}: a {} is among the files of the model", source.name(), kind->irreplaceable));
        }
        if (!kind->placeholder) return;
        if (!stranger_) stranger_ = parse_model_file(source, limits_).error();
        warnings_.push_back(fmt::format("{}: {}", source.name(), kind->is));
    }

    FilePool pool_;
    const Limits& limits_;
    std::set<std::string> shards_;  // files that an index names
    std::vector<ShardIndex> indexes_;
    std::vector<Part> parts_;
    std::vector<Part> candidates_;
    std::map<std::string, Error> failed_;
    std::vector<std::string> warnings_;
    std::optional<Error> stranger_;  // what the first placeholder is
};

}  // namespace

std::vector<std::string> missing_part_warnings(const std::vector<std::string>& parts) {
    std::map<std::pair<std::string, unsigned>, std::set<unsigned>> sets;
    for (const auto& path : parts) {
        Numbered numbered;
        if (read_number(path, numbered)) sets[{numbered.whole, numbered.total}].insert(numbered.number);
    }
    std::vector<std::string> warnings;
    for (const auto& [whole, numbers] : sets) {
        if (numbers.size() == whole.second) continue;
        warnings.push_back(fmt::format("{}: a model of {}, only {} found", util::printable(whole.first),
                                       util::counted(whole.second, "part"), numbers.size()));
    }
    return warnings;
}

std::optional<std::string> other_parts_warning(const std::filesystem::path& path) {
    Numbered numbered;
    const auto name = path.filename().string();
    if (!read_number(name, numbered)) return std::nullopt;
    const auto stem = name.substr(0, name.rfind("-of-") - 5), rest = name.substr(name.rfind("-of-"));
    std::error_code ignored;
    unsigned here = 0;
    for (unsigned i = 1; i <= numbered.total; ++i)
        here += std::filesystem::exists(path.parent_path() / fmt::format("{}{:05}{}", stem, i, rest), ignored);
    return fmt::format(
        "part {} of {} of '{}'; {}", numbered.number, numbered.total, util::printable(numbered.whole),
        here == numbered.total
            ? std::string("the others are in its folder, which is the model")
            : fmt::format("{} found in its folder",
                          here == 1 ? std::string("no other is") : fmt::format("only {} are", here)));
}

Result<Model> open_model_folder(const std::filesystem::path& path, const Limits& limits, FolderRule rule) {
    MODELSEAL_TRY_ASSIGN(auto folder, io::Folder::open(path, limits.links));
    MODELSEAL_TRY_ASSIGN(auto contents, contents_of(folder, rule));
    const auto& files = contents.files;
    FolderReader reader(std::move(folder), limits);
    MODELSEAL_TRY(reader.add_indexes(files));
    MODELSEAL_TRY(reader.add_models(files));
    MODELSEAL_TRY(reader.settle());
    MODELSEAL_TRY(reader.judge_failures());
    MODELSEAL_TRY_ASSIGN(auto model, reader.finish(path));
    model.rule = rule;
    model.limits = limits;
    model.left_out = std::move(contents.left_out);
    return limited(std::move(model), limits);
}

Result<void> no_file_added(const Model& model) {
    MODELSEAL_TRY_ASSIGN(const auto folder, io::Folder::open(model.path, model.limits.links));
    MODELSEAL_TRY_ASSIGN(const auto now, contents_of(folder, model.rule));
    for (const auto& path : now.files) {
        if (std::ranges::binary_search(model.files, path, {}, &ModelFile::path)) continue;
        return Error{
            ErrorKind::unreadable,
            fmt::format("{}: was added while the folder was read", util::printable(folder.shown(path))),
            "try again when no program writes to it"};
    }
    return {};
}

}  // namespace modelseal::model
