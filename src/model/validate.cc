#include <algorithm>

#include <fmt/format.h>

#include "formats/reader.h"
#include "model/frame.h"
#include "model/model.h"
#include "util/checked.h"
#include "util/text.h"

namespace modelseal::model {

namespace {

constexpr std::uint64_t kFieldBytes = 4;  // a CRC-32
constexpr std::uint64_t kVarintElements = 8192;
constexpr std::uint64_t kVarintBytes = 10;

Error about(const Model& model, const Tensor& tensor, ErrorKind kind, const std::string& what) {
    const auto file = tensor.segments.empty() ? 0 : tensor.segments.front().file;
    const auto& name = model.files[file < model.files.size() ? file : 0].source->name();
    return {kind, fmt::format("{}: tensor '{}': {}", name, util::printable(tensor.name), what), {}};
}

bool fits_elements(const Segment& segment, DType dtype) {
    if (segment.elements == 0) return segment.bytes == 0;
    const auto& type = info(dtype);
    if (segment.encoding == Encoding::varint) {
        const auto varints =
            segment.elements / type.group_elements + (segment.elements % type.group_elements != 0 ? 1 : 0);
        return segment.stride == 0 && segment.elements <= kVarintElements && segment.bytes >= varints &&
               segment.bytes <= varints * kVarintBytes;
    }
    std::uint64_t bytes = 0;
    if (segment.stride == 0) return storage_bytes(dtype, segment.elements, bytes) && bytes == segment.bytes;
    return type.group_elements == 1 && segment.stride >= type.group_bytes &&
           util::checked_mul(segment.elements - 1, segment.stride, bytes) &&
           util::checked_add(bytes, type.group_bytes, bytes) && bytes == segment.bytes;
}

Result<void> check_tensor(const Model& model, const Tensor& tensor) {
    std::uint64_t elements = 0;
    for (const auto& segment : tensor.segments) {
        if (segment.file >= model.files.size()) {
            return about(model, tensor, ErrorKind::internal, "is in a file that the model does not have");
        }
        const auto& source = *model.files[segment.file].source;
        if (segment.offset > source.size() || segment.bytes > source.size() - segment.offset) {
            std::uint64_t end = 0;
            if (!util::checked_add(segment.offset, segment.bytes, end))
                return about(model, tensor, ErrorKind::malformed, "its end exceeds 64 bits");
            return formats::ends_early(source, segment.offset, end - source.size(),
                                       fmt::format("tensor '{}' of {}", util::printable(tensor.name),
                                                   util::counted(segment.bytes, "byte")));
        }
        if (!fits_elements(segment, tensor.dtype)) {
            return about(model, tensor, ErrorKind::internal,
                         fmt::format("{} of {} do not need {}", util::counted(segment.elements, "element"),
                                     info(tensor.dtype).name, util::counted(segment.bytes, "byte")));
        }
        if (!util::checked_add(elements, segment.elements, elements)) {
            return about(model, tensor, ErrorKind::internal, "its number of elements exceeds 64 bits");
        }
    }
    if (elements != tensor.elements) {
        return about(model, tensor, ErrorKind::internal,
                     fmt::format("has {}, but its segments contain {}",
                                 util::counted(tensor.elements, "element"), elements));
    }
    return {};
}

Result<void> check_names(const Model& model) {
    const auto twin = std::ranges::adjacent_find(model.tensors, {}, &Tensor::name);
    if (twin != model.tensors.end()) {
        return about(model, *twin, ErrorKind::malformed, "the name appears twice");
    }
    return {};
}

Result<void> check_overlaps(const Model& model, const FrameMap& map) {
    const SegmentPlace* before = nullptr;
    for (const auto& place : map) {
        if (before != nullptr && map.at(*before).file == map.at(place).file &&
            map.at(place).offset - map.at(*before).offset < map.at(*before).bytes) {
            return about(model, model.tensors[place.tensor], ErrorKind::malformed,
                         fmt::format("overlaps tensor '{}' at offset {} of {}",
                                     util::printable(model.tensors[before->tensor].name), map.at(place).offset,
                                     model.files[map.at(place).file].source->name()));
        }
        before = &place;
    }
    return {};
}

// Whether [offset, offset + bytes) meets a segment of the file.
bool meets_segment(const FrameMap& map, std::uint32_t file, std::uint64_t offset, std::uint64_t bytes) {
    const auto behind = std::ranges::partition_point(map, [&](const SegmentPlace& place) {
        const auto& segment = map.at(place);
        return segment.file < file || (segment.file == file && segment.offset < offset + bytes);
    });
    if (behind == map.begin()) return false;
    const auto& segment = map.at(*std::prev(behind));
    return segment.file == file && segment.offset + segment.bytes > offset;
}

Result<void> check_checksums(const Model& model, const FrameMap& map, std::uint32_t file) {
    const auto& source = *model.files[file].source;
    const auto wrong = [&](std::uint64_t offset, const char* what) {
        return formats::malformed_at(source, offset, fmt::format("a checksum field {}", what));
    };
    std::vector<std::uint64_t> fields;
    for (const auto& checksum : model.files[file].checksums) {
        if (checksum.offset > source.size() || checksum.bytes > source.size() - checksum.offset) {
            return formats::malformed_at(source, checksum.offset, "a checksum over bytes outside the file");
        }
        fields.insert(fields.end(), checksum.fields.begin(), checksum.fields.end());
    }
    std::ranges::sort(fields);
    for (std::size_t i = 0; i < fields.size(); ++i) {
        if (source.size() < kFieldBytes || fields[i] > source.size() - kFieldBytes) {
            return wrong(fields[i], "outside the file");
        }
        if (i > 0 && fields[i] - fields[i - 1] < kFieldBytes) return wrong(fields[i], "overlaps another");
        if (meets_segment(map, file, fields[i], kFieldBytes)) return wrong(fields[i], "is inside a tensor");
    }
    return {};
}

}  // namespace

Result<void> validate_model(const Model& model) {
    MODELSEAL_TRY(check_names(model));
    for (const auto& tensor : model.tensors) MODELSEAL_TRY(check_tensor(model, tensor));
    const FrameMap map(model);
    MODELSEAL_TRY(check_overlaps(model, map));
    for (std::size_t file = 0; file < model.files.size(); ++file) {
        MODELSEAL_TRY(check_checksums(model, map, static_cast<std::uint32_t>(file)));
    }
    return {};
}

}  // namespace modelseal::model
