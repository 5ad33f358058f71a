
#include "model/part.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "model/model.h"
#include "util/text.h"

namespace modelseal::model {

namespace {

// Where a tensor is: its type and segments as numbers. Equal places are the same bytes, read the same way.
std::vector<std::uint64_t> place_of(const Tensor& tensor) {
    std::vector<std::uint64_t> place = {static_cast<std::uint64_t>(tensor.dtype)};
    for (const auto& segment : tensor.segments) {
        place.insert(place.end(), {segment.file, segment.offset, segment.bytes, segment.elements,
                                   segment.stride, static_cast<std::uint64_t>(segment.encoding)});
    }
    return place;
}

class Assembler {
  public:
    Assembler(FilePool pool, const std::string& named, const Limits& limits) : limits_(limits) {
        auto files = pool.take();
        if (auto first = files.extract(named)) add_file(first.key(), {}, std::move(first.mapped()));
        for (auto& [path, source] : files) add_file(path, path, std::move(source));
    }

    Result<void> add(Part part, bool tell_path) {
        MODELSEAL_TRY(renumber(part));
        for (auto& tensor : part.layout.tensors) MODELSEAL_TRY(add_tensor(std::move(tensor), part));
        for (auto& warning : part.layout.warnings) {
            model_.warnings.push_back(tell_path ? fmt::format("{}: {}", util::printable(part.path), warning)
                                                : std::move(warning));
        }
        model_.files[index_[part.path]].checksums = std::move(part.layout.checksums);
        formats_.emplace(part.layout.format);
        return {};
    }

    Model finish() {
        for (const auto& format : formats_) model_.format += (model_.format.empty() ? "" : "+") + format;
        std::ranges::stable_sort(model_.tensors, {}, &Tensor::name);
        warn_of_links();
        return std::move(model_);
    }

  private:
    void add_file(const std::string& path, std::string shown, std::unique_ptr<io::FileSource> source) {
        if (source->links() > 1) linked_.push_back(source->name());
        index_[path] = static_cast<std::uint32_t>(model_.files.size());
        model_.files.push_back({std::move(shown), std::move(source), {}});
    }

    Error about(const Part& part, const Tensor& tensor, ErrorKind kind, std::string_view what) {
        return {kind,
                fmt::format("{}: tensor '{}': {}", model_.files[index_[part.path]].source->name(),
                            util::printable(tensor.name), what),
                {}};
    }

    // From the part's count of files to the model's.
    Result<void> renumber(Part& part) {
        std::vector<std::uint32_t> to;
        for (const auto& path : part.files) to.push_back(index_.at(path));
        for (auto& tensor : part.layout.tensors) {
            for (auto& segment : tensor.segments) {
                if (segment.file >= to.size()) {
                    return about(part, tensor, ErrorKind::internal, "is in a file that is not listed");
                }
                segment.file = to[segment.file];
            }
        }
        return {};
    }

    Result<void> add_tensor(Tensor tensor, const Part& part) {
        const auto own = index_[part.path];
        const bool renamed = taken_.contains(tensor.name);
        const auto name = renamed ? fmt::format("{}:{}", part.path, tensor.name) : tensor.name;
        if (!taken_.insert(name).second) {
            return about(part, tensor, ErrorKind::malformed, "another tensor has the same name");
        }
        if (limits_.tensors != 0 && taken_.size() > limits_.tensors) {
            return about(part, tensor, ErrorKind::unsupported,
                         fmt::format("more than {} in the model", util::counted(limits_.tensors, "tensor")));
        }
        const bool elsewhere = std::ranges::any_of(
            tensor.segments, [&](const Segment& segment) { return segment.file != own && segment.bytes != 0; });
        if (elsewhere) {
            const auto [known, fresh] = places_.try_emplace(place_of(tensor), model_.tensors.size());
            if (!fresh) {
                model_.tensors[known->second].aliases.push_back(name);
                return {};
            }
        }
        tensor.name = name;
        model_.tensors.push_back(std::move(tensor));
        return {};
    }

    // No error: hard links are usual where stores save space. But they make a file writable from elsewhere.
    void warn_of_links() {
        if (linked_.empty() || model_.files.size() == 1) return;
        model_.warnings.push_back(fmt::format(
            "{}{}: has other hard links; writing to any of them changes the model", linked_.front(),
            linked_.size() == 1 ? "" : fmt::format(" and {}", util::counted(linked_.size() - 1, "more file"))));
    }

    const Limits& limits_;
    Model model_;
    std::map<std::string, std::uint32_t> index_;
    std::set<std::string> taken_;
    std::map<std::vector<std::uint64_t>, std::size_t> places_;
    std::set<std::string> formats_;
    std::vector<std::string> linked_;
};

}  // namespace

Result<const io::FileSource*> FilePool::open(const std::string& relative) {
    auto& slot = files_[relative];
    if (slot == nullptr) {
        auto opened =
            files_.size() > kMostFiles
                ? Error{ErrorKind::unsupported,
                        fmt::format("{}: the model has more than {}", util::printable(folder_.shown({})),
                                    util::counted(kMostFiles, "file")),
                        {}}
                : folder_.file(relative);
        if (!opened) {
            files_.erase(relative);
            return std::move(opened).error();
        }
        slot = std::move(opened).value();
    }
    return slot.get();
}

bool recognised(const Source& source) {
    return std::ranges::any_of(all_formats(), [&](const Format& format) { return format.recognises(source); });
}

std::string beside(const std::string& path, const std::string& name) {
    const auto slash = path.rfind('/');
    return slash == path.npos ? name : path.substr(0, slash + 1) + name;
}

Result<Part> make_part(const Source& source, std::string path, Layout layout) {
    Part part{.path = std::move(path), .layout = std::move(layout)};
    part.files.push_back(part.path);
    const auto where = fmt::format("{}: external data", source.name());
    for (const auto& reference : part.layout.references) {
        MODELSEAL_TRY_ASSIGN(const auto inside, io::path_inside(reference, where));
        const auto target = beside(part.path, inside);
        if (target == part.path) {
            return Error{ErrorKind::malformed,
                         fmt::format("{} '{}' is the file itself", where, util::printable(reference)),
                         {}};
        }
        part.files.push_back(target);
    }
    return part;
}

Result<Model> assemble(FilePool pool, std::vector<Part> parts, const std::string& named, const Limits& limits) {
    for (const auto& part : parts) {
        for (const auto& file : part.files) {
            if (auto opened = pool.open(file); !opened) {
                auto error = std::move(opened).error();
                error.message += fmt::format(" (external data of '{}')", util::printable(part.path));
                error.hint = "download or copy all files of the model again";
                return error;
            }
        }
    }
    std::ranges::sort(parts, {}, &Part::path);
    Assembler assembler(std::move(pool), named, limits);
    const bool tell_path = parts.size() > 1 || named.empty();
    for (auto& part : parts) MODELSEAL_TRY(assembler.add(std::move(part), tell_path));
    auto model = assembler.finish();
    MODELSEAL_TRY(validate_model(model));
    return model;
}

}  // namespace modelseal::model
