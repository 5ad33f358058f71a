#include "formats/registry.h"

#include <algorithm>
#include <cctype>
#include <span>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "formats/zip.h"

namespace modelseal {

// A new format is one leaf and one line here. Formats with a magic number come first; ONNX, which has none, is
// last.
std::span<const Format> all_formats() {
    static const Format all[] = {
        formats::kSafetensors,           formats::kGguf,         formats::pytorch::kZipFormat,
        formats::pytorch::kLegacyFormat, formats::onnx::kFormat,
    };
    return all;
}

namespace {

constexpr const char* kSupported = "supported formats: safetensors, ONNX, PyTorch (zip and legacy) and GGUF";
constexpr const char* kUnpack = "unpack it, and give the model file in it";

// What people give by mistake, by its first bytes.
struct Stranger {
    std::size_t offset;
    std::string_view magic, what;
    const char* hint;
};
using namespace std::string_view_literals;
constexpr Stranger kStrangers[] = {
    {0, "version https://git-lfs.github.com/spec/"sv, "is a Git LFS pointer, not the model",
     "fetch the model with 'git lfs pull'"},
    {0, "version https://hawser.github.com/spec/"sv, "is a Git LFS pointer, not the model",
     "fetch the model with 'git lfs pull'"},
    {0, "\x1F\x8B"sv, "is compressed with gzip", kUnpack},
    {0, "BZh"sv, "is compressed with bzip2", kUnpack},
    {0,
     "\xFD"
     "7zXZ\0"sv,
     "is compressed with xz", kUnpack},
    {0, "\x28\xB5\x2F\xFD"sv, "is compressed with zstd", kUnpack},
    {0, "7z\xBC\xAF\x27\x1C"sv, "is a 7z archive", kUnpack},
    {257, "ustar"sv, "is a tar archive", kUnpack},
    {0, "\x89HDF\r\n\x1A\n"sv, "is an HDF5 file, which is not supported", kSupported},
    {4, "TFL3"sv, "is a TensorFlow Lite file, which is not supported", kSupported},
    {0, "\x93NUMPY"sv, "is a NumPy array, which is not supported", kSupported},
};
constexpr std::size_t kFrontBytes = 264;

// An error page that was saved in the place of a download.
bool is_html(std::string_view front) {
    const auto begin = front.find_first_not_of(" \t\r\n");
    if (begin == front.npos) return false;
    std::string tag(front.substr(begin, 14));
    std::ranges::transform(tag, tag.begin(),
                           [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return tag == "<!doctype html" || tag.starts_with("<html");
}

// Reports what the file is instead, where its front shows it.
Error unknown(const Source& source, const Limits& limits) {
    const auto error = [&](std::string_view what, const char* hint = kSupported) {
        return Error{ErrorKind::unsupported, fmt::format("{}: {}", source.name(), what), hint};
    };
    if (source.size() == 0) return error("the file is empty", "download or copy the file again");
    if (formats::looks_like_zip(source)) {
        auto directory = formats::read_zip_directory(source, limits);
        if (!directory.ok()) return std::move(directory).error();
        return error("a zip archive, but not of PyTorch: it has no data.pkl");
    }
    std::string front(static_cast<std::size_t>(std::min<std::uint64_t>(source.size(), kFrontBytes)), '\0');
    if (auto read = source.read(0, std::as_writable_bytes(std::span(front))); !read)
        return std::move(read).error();
    for (const auto& [offset, magic, what, hint] : kStrangers) {
        if (front.size() > offset && std::string_view(front).substr(offset).starts_with(magic))
            return error(what, hint);
    }
    if (is_html(front))
        return error("is an HTML page, not a model", "download the model again, and check the address");
    const auto protocol = front.size() > 1 ? static_cast<unsigned char>(front[1]) : 0u;
    const bool pickle = front.starts_with('\x80') && protocol >= 2 && protocol <= 5;
    if (pickle) return error("a Python pickle, but not written by torch.save");
    return error("not a model file of a supported format");
}

}  // namespace

Result<Layout> parse_model_file(const Source& source, const Limits& limits) {
    for (const auto& format : all_formats()) {
        if (format.recognises(source)) return format.parse(source, limits);
    }
    return unknown(source, limits);
}

}  // namespace modelseal
