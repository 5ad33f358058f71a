#include "formats/registry.h"

#include <array>

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

// Describes other kinds of files that are recognized by their first bytes.
Error unknown(const Source& source, const Limits& limits) {
    const auto error = [&](std::string_view what) {
        return Error{ErrorKind::unsupported, fmt::format("{}: {}", source.name(), what),
                     "known are safetensors, ONNX, PyTorch (zip and legacy) and GGUF"};
    };
    if (formats::looks_like_zip(source)) {
        auto directory = formats::read_zip_directory(source, limits);
        if (!directory.ok()) return std::move(directory).error();
        return error("a zip archive without a data.pkl, so not one of PyTorch");
    }
    std::array<std::byte, 2> head{};
    if (source.size() >= head.size() && source.read(0, head).ok()) {
        const auto protocol = std::to_integer<unsigned>(head[1]);
        const bool pickle = head[0] == std::byte{0x80} && protocol >= 2 && protocol <= 5;
        if (pickle) return error("a bare Python pickle, not one that torch.save wrote");
    }
    return error("not a model file of a known format");
}

}  // namespace

Result<Layout> parse_model_file(const Source& source, const Limits& limits) {
    for (const auto& format : all_formats()) {
        if (format.recognises(source)) return format.parse(source, limits);
    }
    return unknown(source, limits);
}

}  // namespace modelseal
