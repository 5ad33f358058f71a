#include <fmt/format.h>

#include "formats/leaves.h"
#include "formats/reader.h"

namespace modelseal {

// A new format is one leaf and one line here. Formats with a magic number come first; ONNX, which has none, is
// last.
std::span<const Format> all_formats() {
    static const Format all[] = {
        formats::kSafetensors,
        formats::kGguf,
        formats::kPytorchZip,
        formats::kOnnx,
    };
    return all;
}

Result<Layout> parse_model_file(const Source& source, const Limits& limits) {
    for (const auto& format : all_formats()) {
        if (format.recognises(source)) return format.parse(source, limits);
    }
    return Error{ErrorKind::unsupported, fmt::format("{}: not a model file of a known format", source.name()),
                 "known are safetensors, ONNX, PyTorch (zip and legacy) and GGUF"};
}

}  // namespace modelseal
