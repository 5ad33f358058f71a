#include "images/picture_file.h"

#include <algorithm>
#include <vector>

#include <fmt/format.h>

#include "io/jpeg.h"
#include "io/png.h"
#include "util/text.h"

namespace modelseal::images {

namespace {

constexpr std::uint64_t kMostFileBytes = 256u << 20;

char lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool ends_in(std::string_view path, std::string_view ending) {
    return path.size() > ending.size() &&
           std::ranges::equal(path.substr(path.size() - ending.size()), ending, {}, lower);
}

Result<io::Picture> decode_picture(std::span<const std::byte> bytes, const std::string& name) {
    if (io::is_png(bytes)) return io::decode_png(bytes, name);
    if (io::is_jpeg(bytes)) return io::decode_jpeg(bytes, name);
    return Error{ErrorKind::unsupported,
                 fmt::format("{}: neither a PNG nor a JPEG picture", util::printable(name)),
                 "convert the pictures to PNG"};
}

// The picture's samples with geometry.channels a pixel. False if colors would be lost.
bool convert(const io::Picture& picture, const Geometry& geometry, std::span<std::uint8_t> out) {
    if (picture.channels == geometry.channels) {
        std::ranges::copy(picture.samples, out.begin());
        return true;
    }
    if (picture.channels == 1) {
        for (std::size_t i = 0; i < out.size(); ++i) out[i] = picture.samples[i / geometry.channels];
        return true;
    }
    for (std::size_t i = 0; i < out.size(); ++i) {
        const auto* pixel = &picture.samples[3 * i];
        if (pixel[0] != pixel[1] || pixel[0] != pixel[2]) return false;
        out[i] = pixel[0];
    }
    return true;
}

}  // namespace

Result<void> require_size(const Geometry& geometry, std::uint64_t width, std::uint64_t height,
                          const std::string& name) {
    if (width == geometry.width && height == geometry.height) return {};
    return Error{ErrorKind::unsupported,
                 fmt::format("{}: {} x {} pixels; the model takes {} x {}", util::printable(name), width,
                             height, geometry.width, geometry.height),
                 "resize the images as those that the model was trained on"};
}

Result<void> require_room(const Geometry& geometry, std::uint64_t count, std::uint64_t most_bytes,
                          const std::string& name) {
    if (count <= most_bytes / geometry.samples()) return {};
    return Error{ErrorKind::unsupported,
                 fmt::format("{}: {} of {} take more than {} bytes", util::printable(name),
                             util::counted(count, "image"), util::counted(geometry.samples(), "byte"),
                             util::grouped(most_bytes)),
                 "use a part of the images"};
}

Result<void> read_picture(const Source& source, const Geometry& geometry, std::span<std::uint8_t> out) {
    if (source.size() > kMostFileBytes) {
        return Error{ErrorKind::unsupported,
                     fmt::format("{}: {}; pictures of at most {} are read", util::printable(source.name()),
                                 util::counted(source.size(), "byte"), util::counted(kMostFileBytes, "byte")),
                     {}};
    }
    std::vector<std::byte> bytes(source.size());
    MODELSEAL_TRY(source.read(0, bytes));
    MODELSEAL_TRY_ASSIGN(const auto picture, decode_picture(bytes, source.name()));
    MODELSEAL_TRY(require_size(geometry, picture.width, picture.height, source.name()));
    if (!convert(picture, geometry, out)) {
        return Error{
            ErrorKind::unsupported,
            fmt::format("{}: a picture with colors; the model takes gray ones", util::printable(source.name())),
            "convert the images to gray as those that the model was trained on"};
    }
    return {};
}

bool is_not_an_image(const io::Folder::Entry& entry) {
    const std::string_view path = entry.path;
    const auto name = path.substr(path.rfind('/') + 1);  // npos + 1 is 0
    if (name.starts_with('.') || name == "Thumbs.db" || name == "desktop.ini" || name == "__MACOSX")
        return true;
    if (entry.kind == io::Folder::Entry::Kind::folder) return false;
    constexpr std::string_view kNotes[] = {".txt", ".csv", ".json", ".xml", ".md", ".html", ".yaml", ".yml"};
    return std::ranges::any_of(kNotes, [&](std::string_view ending) { return ends_in(name, ending); });
}

bool is_picture_name(std::string_view path) {
    return ends_in(path, ".png") || ends_in(path, ".jpg") || ends_in(path, ".jpeg");
}

Result<void> require_file(const io::Folder& folder, const io::Folder::Entry& entry) {
    using EntryKind = io::Folder::Entry::Kind;
    if (entry.kind == EntryKind::file) return {};
    const auto shown = util::printable(folder.shown(entry.path));
    if (entry.kind == EntryKind::link) {
        return Error{ErrorKind::unsupported,
                     fmt::format("{}: is a symbolic link, and links are not followed: they may lead out of the "
                                 "folder of images",
                                 shown),
                     "replace the links by their files: cp -rL FOLDER COPY"};
    }
    return Error{ErrorKind::unsupported,
                 fmt::format("{}: is a pipe, device or socket; a regular file is needed", shown),
                 {}};
}

}  // namespace modelseal::images
