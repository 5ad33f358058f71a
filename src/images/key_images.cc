#include "images/key_images.h"

#include <map>

#include <fmt/format.h>

#include "crypto/hash.h"
#include "images/picture_file.h"
#include "io/threads.h"
#include "util/text.h"

namespace modelseal::images {

namespace {

crypto::Digest digest_of(std::span<const std::uint8_t> image, crypto::Sha256& hash) {
    return hash.update(std::as_bytes(image)).finish();
}

Result<std::map<crypto::Digest, std::size_t>> distinct(const ImageSet& keys) {
    std::map<crypto::Digest, std::size_t> seen;
    crypto::Sha256 hash;
    for (std::size_t i = 0; i < keys.count(); ++i) {
        const auto [first, added] = seen.emplace(digest_of(keys.image(i), hash), i);
        if (added) continue;
        return Error{ErrorKind::unsupported,
                     fmt::format("{}: the same picture as {}", keys.origin(i), keys.origin(first->second)),
                     "remove one of the two key images"};
    }
    return seen;
}

Result<std::vector<std::string>> names_in(const io::Folder& folder) {
    constexpr std::uint64_t kMostKeys = 1u << 20;
    // Folders are skipped, so that the listing does not go into them, and refused after it.
    std::string inner;
    const auto skip = [&](const io::Folder::Entry& entry) {
        if (is_not_an_image(entry)) return true;
        if (entry.kind == io::Folder::Entry::Kind::folder) inner = entry.path;
        return entry.kind == io::Folder::Entry::Kind::folder;
    };
    MODELSEAL_TRY_ASSIGN(const auto entries, folder.entries(kMostKeys, 1, skip));
    if (!inner.empty()) {
        return Error{ErrorKind::unsupported,
                     fmt::format("{}: a folder among the key images", util::printable(folder.shown(inner))),
                     "put all key images into one folder"};
    }
    std::vector<std::string> names;
    for (const auto& entry : entries) {
        MODELSEAL_TRY(require_file(folder, entry));
        names.push_back(entry.path);
    }
    if (names.empty()) {
        return Error{ErrorKind::unsupported,
                     fmt::format("{}: contains no pictures", util::printable(folder.shown({}))),
                     "give a folder with PNG or JPEG pictures from outside the training data"};
    }
    return names;
}

}  // namespace

Result<ImageSet> read_key_images(const std::filesystem::path& path, const Geometry& geometry,
                                 std::uint64_t most_bytes, unsigned jobs) {
    MODELSEAL_TRY_ASSIGN(const auto folder, io::Folder::open(path));
    MODELSEAL_TRY_ASSIGN(const auto names, names_in(folder));
    MODELSEAL_TRY(require_room(geometry, names.size(), most_bytes, folder.shown({})));
    ImageSet keys{.geometry = geometry};
    for (std::size_t i = 0; i < names.size(); ++i)
        keys.parts.push_back({folder.shown(names[i]), i, ImageSet::Part::Kind::picture});
    const auto size = geometry.samples();
    keys.samples.resize(names.size() * size);
    MODELSEAL_TRY(io::parallel_for(names.size(), jobs, [&](std::size_t i, unsigned) -> Result<void> {
        MODELSEAL_TRY_ASSIGN(const auto file, folder.file(names[i]));
        return read_picture(*file, geometry, std::span(keys.samples).subspan(i * size, size));
    }));
    MODELSEAL_TRY(distinct(keys));
    return keys;
}

Result<void> require_unknown(const ImageSet& keys, const ImageSet& data) {
    MODELSEAL_TRY_ASSIGN(const auto known, distinct(keys));
    crypto::Sha256 hash;
    for (std::size_t i = 0; i < data.count(); ++i) {
        const auto found = known.find(digest_of(data.image(i), hash));
        if (found == known.end()) continue;
        return Error{ErrorKind::unsupported,
                     fmt::format("{}: the same picture as {} in the training data", keys.origin(found->second),
                                 data.origin(i)),
                     "take key images from outside the training data"};
    }
    return {};
}

}  // namespace modelseal::images
