// external_data (onnx.proto, TensorProto; docs/ExternalData.md): keys location, offset, length, checksum. The
// file that location names is not opened here; whoever does keeps it inside the model's folder and holds the
// range against its size.
#include <charconv>

#include <fmt/format.h>

#include "formats/onnx_tensor.h"
#include "util/checked.h"
#include "util/text.h"

namespace modelseal::formats::onnx {

namespace {

const std::string* value_of(const TensorHeader& header, std::string_view key) {
    for (const auto& [name, value] : header.external) {
        if (name == key) return &value;
    }
    return nullptr;
}

// Nothing but decimal digits: readers differ on signs, spaces and prefixes.
std::optional<std::uint64_t> decimal(const std::string& text) {
    std::uint64_t number = 0;
    const auto* end = text.data() + text.size();
    const auto [stop, problem] = std::from_chars(text.data(), end, number);
    if (text.empty() || problem != std::errc() || stop != end) return std::nullopt;
    return number;
}

Result<std::uint64_t> number_of(const Walk& walk, const TensorHeader& header, const Tensor& tensor,
                                std::string_view key, std::uint64_t otherwise) {
    const auto* text = value_of(header, key);
    if (text == nullptr) return otherwise;
    const auto number = decimal(*text);
    if (!number) {
        return tensor_error(
            walk, tensor, header.message.begin,
            fmt::format("{} '{}' of its external data is not a number", key, util::printable(*text)));
    }
    return *number;
}

}  // namespace

Result<void> locate_external(Walk& walk, const TensorHeader& header, std::uint64_t needed, Tensor& tensor) {
    const auto begin = header.message.begin;
    const auto* location = value_of(header, "location");
    if (location == nullptr || location->empty()) {
        return tensor_error(walk, tensor, begin, "its external data has no location");
    }
    if (header.data_fields != 0) {
        return tensor_error(walk, tensor, begin, "holds data inside and in an external file");
    }
    MODELSEAL_TRY_ASSIGN(const auto offset, number_of(walk, header, tensor, "offset", 0));
    MODELSEAL_TRY_ASSIGN(const auto length, number_of(walk, header, tensor, "length", needed));
    if (length != needed) {
        return tensor_error(walk, tensor, begin,
                            fmt::format("its external data has {} bytes, {} elements of {} need {}", length,
                                        tensor.elements, info(tensor.dtype).name, needed));
    }
    std::uint64_t end = 0;
    if (!util::checked_add(offset, needed, end)) {
        return tensor_error(walk, tensor, begin,
                            fmt::format("its external data at offset {} leaves 64 bits", offset));
    }
    const auto file = walk.out.reference(*location);
    if (needed != 0) {
        tensor.segments = {{.file = file, .offset = offset, .bytes = needed, .elements = tensor.elements}};
    }
    return {};
}

}  // namespace modelseal::formats::onnx
