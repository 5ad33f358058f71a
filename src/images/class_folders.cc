#include "images/class_folders.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <optional>

#include <fmt/format.h>

#include "images/picture_file.h"
#include "io/threads.h"
#include "util/text.h"

namespace modelseal::images {

namespace {

std::optional<std::uint64_t> decimal(std::string_view text) {
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return value;
}

// The pictures of each class, in order.
Result<std::vector<std::vector<std::string>>> by_class(const io::Folder& folder,
                                                       const std::vector<std::string>& ordered,
                                                       const std::vector<io::Folder::Entry>& entries) {
    std::map<std::string_view, std::size_t> number;
    for (std::size_t i = 0; i < ordered.size(); ++i) number[ordered[i]] = i;
    std::vector<std::vector<std::string>> found(ordered.size());
    for (const auto& entry : entries) {
        const auto slash = entry.path.find('/');
        if (slash != entry.path.npos) {
            found[number.at(std::string_view(entry.path).substr(0, slash))].push_back(entry.path);
        } else if (is_picture_name(entry.path)) {
            return Error{ErrorKind::unsupported,
                         fmt::format("{}: a picture next to the folders of classes",
                                     util::printable(folder.shown(entry.path))),
                         "move it into the folder of its class"};
        }
    }
    for (std::size_t i = 0; i < found.size(); ++i) {
        if (!found[i].empty()) continue;
        return Error{ErrorKind::unsupported,
                     fmt::format("{}: a class without images", util::printable(folder.shown(ordered[i]))),
                     {}};
    }
    return found;
}

}  // namespace

Result<std::vector<std::string>> in_order_of_classes(std::vector<std::string> names) {
    std::ranges::sort(names);
    if (!std::ranges::all_of(names, [](const auto& name) { return decimal(name).has_value(); })) return names;
    std::ranges::stable_sort(names, {}, [](const auto& name) { return *decimal(name); });
    const auto same = std::ranges::adjacent_find(names, {}, [](const auto& name) { return *decimal(name); });
    if (same == names.end()) return names;
    return Error{ErrorKind::unsupported,
                 fmt::format("the folders '{}' and '{}' have the same number", *same, *(same + 1)),
                 {}};
}

Result<void> read_classes(const io::Folder& folder, const std::vector<std::string>& classes,
                          const std::vector<io::Folder::Entry>& entries, const DataSetOptions& options,
                          LabeledImages& out) {
    const auto shown = folder.shown({});
    MODELSEAL_TRY_ASSIGN(const auto ordered, in_order_of_classes(classes));
    // With fewer folders every class after a missing one would get another's number.
    if (ordered.size() != options.classes) {
        return Error{
            ErrorKind::unsupported,
            fmt::format("{}: {}; the model has {}", util::printable(shown),
                        util::counted(ordered.size(), "class folder"), util::counted(options.classes, "class")),
            "give a folder with a folder for each class of the model"};
    }
    MODELSEAL_TRY_ASSIGN(const auto pictures, by_class(folder, ordered, entries));
    MODELSEAL_TRY(require_room(options.geometry, entries.size(), options.most_bytes, shown));
    std::vector<std::string> paths;
    for (std::size_t i = 0; i < pictures.size(); ++i) {
        for (const auto& path : pictures[i]) {
            out.images.parts.push_back({folder.shown(path), paths.size(), ImageSet::Part::Kind::picture});
            out.labels.push_back(static_cast<std::int64_t>(i));
            paths.push_back(path);
        }
    }
    const auto size = options.geometry.samples();
    out.images.samples.resize(paths.size() * size);
    return io::parallel_for(paths.size(), options.jobs, [&](std::size_t i, unsigned) -> Result<void> {
        MODELSEAL_TRY_ASSIGN(const auto file, folder.file(paths[i]));
        return read_picture(*file, options.geometry, std::span(out.images.samples).subspan(i * size, size));
    });
}

}  // namespace modelseal::images
