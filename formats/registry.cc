#include "formats/registry.h"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "formats/zip.h"
#include "io/file_kind.h"
#include "util/text.h"

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

bool pickle(const Source& source) {
    std::array<std::byte, 2> front{};
    if (source.size() < front.size() || !source.read(0, front).ok()) return false;
    return front[0] == std::byte{0x80} && front[1] >= std::byte{2} && front[1] <= std::byte{5};
}

std::string_view last_part(std::string_view path) {
    return path.substr(path.rfind('/') + 1);
}

// What a zip archive that is not of PyTorch has in it.
Error other_zip(const Source& source, const std::vector<formats::ZipEntry>& entries) {
    const auto has = [&](auto&& test) { return std::ranges::find_if(entries, test) != entries.end(); };
    const auto ends = [](std::string_view suffix) {
        return [suffix](const formats::ZipEntry& entry) { return entry.name.ends_with(suffix); };
    };
    const auto error = [&](const std::string& what, const char* hint = kSupported) {
        return Error{ErrorKind::unsupported, fmt::format("{}: {}", source.name(), what), hint};
    };
    if (has([](const auto& entry) { return last_part(entry.name) == "archive_format"; }))
        return error("is a PT2 archive of torch.export, which is not supported");
    if (!entries.empty() && std::ranges::all_of(entries, ends(".npy")))
        return error("is an archive of NumPy arrays, which is not supported");
    if (has(ends(".weights.h5"))) return error("is a Keras archive, which is not supported");
    for (const auto suffix : {".safetensors", ".onnx", ".gguf", ".pt", ".pth", ".bin"}) {
        const auto model = std::ranges::find_if(entries, ends(suffix));
        if (model == entries.end()) continue;
        return error(fmt::format("is a zip archive with '{}' in it", util::printable(model->name)),
                     "unpack it, and give the model file in it");
    }
    return error("a zip archive, but not of PyTorch: it has no data.pkl");
}

// Reports what the file is instead, where its front shows it.
Error unknown(const Source& source, const Limits& limits) {
    const auto error = [&](std::string_view what, const char* hint = kSupported) {
        return Error{ErrorKind::unsupported, fmt::format("{}: {}", source.name(), what), hint};
    };
    if (formats::looks_like_zip(source)) {
        auto directory = formats::read_zip_directory(source, limits);
        if (!directory.ok()) return std::move(directory).error();
        return other_zip(source, directory->entries);
    }
    const auto kind = io::kind_of(source);
    if (kind && !kind->model) {
        const bool other = kind->hint.empty();  // a file of modelseal, or an image
        auto found = error(other ? fmt::format("{}; a model file is needed", kind->is) : std::string(kind->is));
        found.hint = kind->hint;
        return found;
    }
    if (pickle(source)) return error("a Python pickle, but not written by torch.save");
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
