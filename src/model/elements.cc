#include "model/elements.h"

#include <algorithm>
#include <cstring>

#include <fmt/format.h>

#include "formats/reader.h"
#include "util/text.h"

namespace modelseal::model {
namespace {

constexpr std::uint64_t kStridedWindow = 64u << 10;  // bytes read at once of a strided run
constexpr std::uint64_t kWideStride = 4u << 10;      // from here on elements are read one by one
constexpr std::uint64_t kMaxVarintElements = 8192;   // promised by Encoding::varint
constexpr std::uint64_t kMaxVarintBytes = 10;        // 64 bits, seven at a time

Error about(ErrorKind kind, const Tensor& tensor, const std::string& what) {
    return {kind, fmt::format("tensor '{}': {}", util::printable(tensor.name), what), {}};
}

// True if [first, first + count) is inside the tensor and cuts no group.
Result<void> check_range(const Tensor& tensor, std::uint64_t first, std::uint64_t count) {
    if (first > tensor.elements || count > tensor.elements - first) {
        return about(ErrorKind::usage, tensor,
                     fmt::format("elements {} and the next {} were requested, it has {}", first, count,
                                 tensor.elements));
    }
    const auto group = info(tensor.dtype).group_elements;
    if (first % group != 0 || (count % group != 0 && first + count != tensor.elements)) {
        return about(ErrorKind::usage, tensor,
                     fmt::format("elements {} and the next {} split a group of {}", first, count, group));
    }
    return {};
}

// The part of a dense segment that holds `count` elements from its element `first` on.
Segment dense_part(const Segment& segment, const DTypeInfo& type, std::uint64_t first, std::uint64_t count) {
    auto part = segment;
    part.elements = count;
    if (segment.stride != 0) {
        part.offset += first * segment.stride;
        part.bytes = count == 0 ? 0 : (count - 1) * segment.stride + type.group_bytes;
    } else {
        const auto groups = count / type.group_elements + (count % type.group_elements != 0 ? 1 : 0);
        part.offset += first / type.group_elements * type.group_bytes;
        part.bytes = groups * type.group_bytes;
    }
    return part;
}

// Adapters promise this; a tensor that breaks it was put together by our own mistake.
Result<void> check_segment(const Tensor& tensor, const Segment& segment, bool last) {
    const auto group = info(tensor.dtype).group_elements;
    if (group != 1 && segment.stride != 0) {
        return about(ErrorKind::internal, tensor, "a segment has a stride, but its type is stored in groups");
    }
    if (!last && segment.elements % group != 0) {
        return about(ErrorKind::internal, tensor, "a segment ends inside a group");
    }
    return {};
}

bool is_signed(DType dtype) {
    switch (dtype) {
        case DType::i8:
        case DType::i16:
        case DType::i32:
        case DType::i64:
        case DType::qint8:
        case DType::qint32:
            return true;
        default:
            return false;
    }
}

bool fits(DType dtype, std::uint64_t value) {
    const auto bits = info(dtype).group_bytes * 8;
    if (bits >= 64) return bits == 64;
    // Packed elements of less than a byte may be spelled as a signed byte.
    if (info(dtype).group_elements > 1 && value >> 7 == ~std::uint64_t{0} >> 7) return true;
    if (!is_signed(dtype)) return value >> bits == 0;
    const auto top = value >> (bits - 1);  // the sign bit and all above it must be alike
    return top == 0 || top == ~std::uint64_t{0} >> (bits - 1);
}

void put_little_endian(std::uint64_t value, std::span<std::byte> out) {
    for (auto& byte : out) {
        byte = static_cast<std::byte>(value & 0xff);
        value >>= 8;
    }
}

Result<void> read_varints(const Source& source, const Tensor& tensor, const ElementRun& run,
                          std::span<std::byte> out) {
    const auto& where = run.where;
    if (where.elements > kMaxVarintElements || where.bytes > where.elements * kMaxVarintBytes) {
        return formats::malformed_at(source, where.offset, "a sequence of varints is too long");
    }
    std::vector<std::byte> bytes(where.bytes);
    MODELSEAL_TRY(source.read(where.offset, bytes));
    const auto& type = info(tensor.dtype);
    const auto skip = run.skip / type.group_elements;
    const auto wanted = out.size() / type.group_bytes;
    std::size_t position = 0;
    for (std::uint64_t i = 0; i < skip + wanted; ++i) {
        std::uint64_t value = 0;
        const auto start = position;
        if (!decode_varint(bytes, tensor.dtype, position, value)) {
            return formats::malformed_at(
                source, where.offset + start,
                fmt::format("tensor '{}': element {} is not a varint in the range of {}",
                            util::printable(tensor.name), run.first - run.skip + i * type.group_elements,
                            type.name));
        }
        if (i >= skip) put_little_endian(value, out.subspan((i - skip) * type.group_bytes, type.group_bytes));
    }
    return {};
}

Result<void> read_strided(const Source& source, const Segment& where, std::uint32_t size,
                          std::span<std::byte> out) {
    const std::uint64_t stride = where.stride;
    const auto at_once = stride > kWideStride ? 1 : (kStridedWindow - size) / stride + 1;
    std::vector<std::byte> window((at_once - 1) * stride + size);
    for (std::uint64_t done = 0; done < where.elements;) {
        const auto now = std::min(at_once, where.elements - done);
        const auto part = std::span(window).first((now - 1) * stride + size);
        MODELSEAL_TRY(source.read(where.offset + done * stride, part));
        for (std::uint64_t i = 0; i < now; ++i) {
            std::memcpy(out.data() + (done + i) * size, part.data() + i * stride, size);
        }
        done += now;
    }
    return {};
}

Result<void> read_run(const Model& model, const Tensor& tensor, const ElementRun& run,
                      std::span<std::byte> out) {
    if (run.where.file >= model.files.size()) {
        return about(ErrorKind::internal, tensor, "a segment is in a file that the model does not have");
    }
    const auto& source = *model.files[run.where.file].source;
    const auto size = info(tensor.dtype).group_bytes;
    if (run.where.encoding == Encoding::varint) return read_varints(source, tensor, run, out);
    if (run.where.stride == 0 || run.where.stride == size) return source.read(run.where.offset, out);
    return read_strided(source, run.where, size, out);
}

}  // namespace

ElementMap::ElementMap(const Tensor& tensor) : tensor_(&tensor) {
    starts_.reserve(tensor.segments.size());
    std::uint64_t start = 0;
    for (const auto& segment : tensor.segments) {
        starts_.push_back(start);
        start += segment.elements;
    }
}

Result<void> ElementMap::for_each_run(std::uint64_t first, std::uint64_t count,
                                      const RunCallback& callback) const {
    const auto& tensor = *tensor_;
    MODELSEAL_TRY(check_range(tensor, first, count));
    if (count == 0) return {};
    const auto& type = info(tensor.dtype);
    auto index = static_cast<std::size_t>(std::ranges::upper_bound(starts_, first) - starts_.begin()) - 1;
    while (count > 0) {
        if (index >= tensor.segments.size()) {
            return about(ErrorKind::internal, tensor, "its segments contain fewer elements than it has");
        }
        const auto& segment = tensor.segments[index];
        MODELSEAL_TRY(check_segment(tensor, segment, index + 1 == tensor.segments.size()));
        const auto skip = first - starts_[index];
        const auto now = std::min(count, segment.elements - skip);
        ElementRun run{.where = segment, .first = first, .elements = now};
        if (segment.encoding == Encoding::varint) {
            run.skip = skip;
        } else {
            run.where = dense_part(segment, type, skip, now);
        }
        if (now > 0) MODELSEAL_TRY(callback(run));
        first += now;
        count -= now;
        ++index;
    }
    return {};
}

Result<void> ElementMap::read(const Model& model, std::uint64_t first, std::uint64_t count,
                              std::span<std::byte> out) const {
    const auto& type = info(tensor_->dtype);
    std::uint64_t needed = 0;
    if (!storage_bytes(tensor_->dtype, count, needed) || needed != out.size()) {
        return about(ErrorKind::usage, *tensor_,
                     fmt::format("{} do not fill a buffer of {}", util::counted(count, "element"),
                                 util::counted(out.size(), "byte")));
    }
    return for_each_run(first, count, [&](const ElementRun& run) {
        const auto groups =
            run.elements / type.group_elements + (run.elements % type.group_elements != 0 ? 1 : 0);
        const auto at = (run.first - first) / type.group_elements * type.group_bytes;
        return read_run(model, *tensor_, run, out.subspan(at, groups * type.group_bytes));
    });
}

Result<void> for_each_run(const Tensor& tensor, std::uint64_t first, std::uint64_t count,
                          const RunCallback& callback) {
    return ElementMap(tensor).for_each_run(first, count, callback);
}

Result<void> read_elements(const Model& model, const Tensor& tensor, std::uint64_t first, std::uint64_t count,
                           std::span<std::byte> out) {
    return ElementMap(tensor).read(model, first, count, out);
}

bool in_one_piece(const Tensor& tensor) {
    if (tensor.segments.size() != 1) return false;
    const auto& segment = tensor.segments.front();
    return segment.encoding != Encoding::varint &&
           (segment.stride == 0 || segment.stride == info(tensor.dtype).group_bytes);
}

bool decode_varint(std::span<const std::byte> bytes, DType dtype, std::size_t& position, std::uint64_t& value) {
    value = 0;
    for (unsigned shift = 0; position < bytes.size() && shift < 64; shift += 7) {
        const auto byte = std::to_integer<std::uint64_t>(bytes[position++]);
        const auto low = byte & 0x7f;
        if (shift == 63 && low > 1) return false;  // more than 64 bits
        value |= low << shift;
        if ((byte & 0x80) != 0) continue;
        return (low != 0 || shift == 0) && fits(dtype, value);
    }
    return false;
}

}  // namespace modelseal::model
