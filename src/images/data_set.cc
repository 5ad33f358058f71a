#include "images/data_set.h"

#include <algorithm>
#include <optional>

#include <fmt/format.h>

#include "images/cifar.h"
#include "images/class_folders.h"
#include "images/idx.h"
#include "images/picture_file.h"
#include "util/text.h"

namespace modelseal::images {

namespace {

using Kind = io::Folder::Entry::Kind;

constexpr const char* kForms =
    "use a folder with a folder of PNG or JPEG pictures for each class, CIFAR binary files, or IDX files";

Error refused_set(const std::string& path, std::string_view why, std::string hint = {}) {
    return {ErrorKind::unsupported, fmt::format("{}: {}", util::printable(path), why), std::move(hint)};
}

bool is_test_name(std::string_view name) {
    return name.starts_with("test");
}

// The name of the labels for a name of images; nullopt if it does not show which one.
std::optional<std::string> labels_name(std::string name) {
    constexpr std::pair<std::string_view, std::string_view> kReplaced[] = {{"images", "labels"},
                                                                           {"idx3", "idx1"}};
    const auto before = name;
    for (const auto& [from, to] : kReplaced) {
        if (const auto at = name.rfind(from); at != name.npos) name.replace(at, from.size(), to);
    }
    if (name == before) return std::nullopt;
    return name;
}

Result<void> read_pair(const io::Folder& folder, const std::string& name, std::uint64_t most_bytes,
                       LabeledImages& out) {
    MODELSEAL_TRY_ASSIGN(const auto images, folder.file(name));
    const auto labels_at = labels_name(name);
    if (!labels_at) {
        return refused_set(
            folder.shown(name), "the labels of these images cannot be found by name",
            "name the two files as in MNIST: train-images-idx3-ubyte and train-labels-idx1-ubyte");
    }
    MODELSEAL_TRY_ASSIGN(const auto labels, folder.file(*labels_at));
    return append_idx(*images, *labels, most_bytes, out);
}

// Which of the files of images in a folder.
Result<std::string> training_pair(const io::Folder& folder, std::vector<std::string> names) {
    // "a.gz" beside "a" is the same file.
    std::erase_if(names, [&](const std::string& name) {
        return name.ends_with(".gz") &&
               std::ranges::find(names, name.substr(0, name.size() - 3)) != names.end();
    });
    if (names.size() == 1) return names.front();
    std::vector<std::string> training;
    std::ranges::copy_if(names, std::back_inserter(training),
                         [](const std::string& name) { return name.starts_with("train"); });
    if (training.size() == 1) return training.front();
    return refused_set(folder.shown({}),
                       fmt::format("'{}' and '{}' are both files of images", util::printable(names[0]),
                                   util::printable(names[1])),
                       "give one of the files");
}

struct Listing {
    std::vector<std::string> classes;        // folders
    std::vector<io::Folder::Entry> entries;  // in ascending order; folders aside
};

Result<Listing> list(const io::Folder& folder) {
    constexpr std::uint64_t kMostFiles = 4u << 20;
    constexpr std::uint32_t kMostDepth = 16;
    Listing listing;
    const auto skip = [&](const io::Folder::Entry& entry) {
        if (is_not_an_image(entry)) return true;
        if (entry.kind == Kind::folder && entry.path.find('/') == entry.path.npos)
            listing.classes.push_back(entry.path);
        return false;
    };
    MODELSEAL_TRY_ASSIGN(listing.entries, folder.entries(kMostFiles, kMostDepth, skip));
    for (const auto& entry : listing.entries) MODELSEAL_TRY(require_file(folder, entry));
    return listing;
}

Result<void> read_flat(const io::Folder& folder, const Listing& listing, std::uint64_t most_bytes,
                       LabeledImages& out) {
    std::vector<std::string> idx, binary;
    bool pictures = false;
    for (const auto& entry : listing.entries) {
        MODELSEAL_TRY_ASSIGN(const auto file, folder.file(entry.path));
        if (is_idx_images(*file)) idx.push_back(entry.path);
        if (entry.path.ends_with(".bin")) binary.push_back(entry.path);
        pictures = pictures || is_picture_name(entry.path);
    }
    if (!idx.empty()) {
        MODELSEAL_TRY_ASSIGN(const auto name, training_pair(folder, idx));
        return read_pair(folder, name, most_bytes, out);
    }
    if (binary.empty()) {
        return refused_set(folder.shown({}),
                           pictures ? "contains pictures without folders of classes" : "contains no data set",
                           kForms);
    }
    if (!std::ranges::all_of(binary, is_test_name)) std::erase_if(binary, is_test_name);
    for (const auto& name : binary) {
        MODELSEAL_TRY_ASSIGN(const auto file, folder.file(name));
        MODELSEAL_TRY(append_cifar(*file, most_bytes, out));
    }
    return {};
}

Result<void> read_folder(const std::filesystem::path& path, const DataSetOptions& options, LabeledImages& out) {
    MODELSEAL_TRY_ASSIGN(const auto folder, io::Folder::open(path));
    MODELSEAL_TRY_ASSIGN(auto listing, list(folder));
    if (listing.classes.empty()) return read_flat(folder, listing, options.most_bytes, out);
    return read_classes(folder, listing.classes, listing.entries, options, out);
}

Result<void> read_file(const std::filesystem::path& given, std::uint64_t most_bytes, LabeledImages& out) {
    // A link that the caller names is followed; the labels are then next to its target.
    std::error_code error;
    const auto target = std::filesystem::canonical(given, error);
    const auto& path = !error && std::filesystem::is_symlink(given, error) ? target : given;
    MODELSEAL_TRY_ASSIGN(const auto folder, io::Folder::open(path.parent_path()));
    const auto name = path.filename().string();
    MODELSEAL_TRY_ASSIGN(const auto file, folder.file(name));
    if (is_idx_images(*file)) return read_pair(folder, name, most_bytes, out);
    if (is_cifar(*file)) return append_cifar(*file, most_bytes, out);
    return refused_set(folder.shown(name), "not a data set", kForms);
}

Result<void> require_two_classes(const LabeledImages& data, const std::string& path) {
    if (data.labels.empty()) return refused_set(path, "contains no images");
    const auto other =
        std::ranges::find_if(data.labels, [&](std::int64_t label) { return label != data.labels.front(); });
    if (other != data.labels.end()) return {};
    return refused_set(path, fmt::format("all images have label {}; a data set has at least two classes",
                                         data.labels.front()));
}

}  // namespace

Result<LabeledImages> read_data_set(const std::filesystem::path& path, const DataSetOptions& options) {
    LabeledImages data{.images = {.geometry = options.geometry}, .classes = options.classes};
    std::error_code ignored;
    if (std::filesystem::is_directory(path, ignored)) {
        MODELSEAL_TRY(read_folder(path, options, data));
    } else {
        MODELSEAL_TRY(read_file(path, options.most_bytes, data));
    }
    MODELSEAL_TRY(require_two_classes(data, path.string()));
    return data;
}

}  // namespace modelseal::images
