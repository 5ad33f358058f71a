// float_data, int32_data, ...: repeated numbers, packed (one field of bytes, or several) or unpacked (a tag
// before each). Floats become dense segments, strided if there are tags between them; varints must be read
// through, because only their own bytes show where the next begins.
#include <algorithm>
#include <array>
#include <charconv>

#include <fmt/format.h>

#include "formats/onnx/tensor.h"
#include "util/checked.h"
#include "util/text.h"

namespace modelseal::formats::onnx {

using protobuf::Field;
using protobuf::Fields;

namespace {

constexpr std::uint64_t kVarintElements = 8192;  // a segment, as Encoding::varint promises
constexpr std::uint64_t kMaxStride =
    32;  // most bytes between the starts of two floats: an element, tag and length
constexpr std::size_t kBlockBytes = 16u << 10;

// Appends elements to the tensor's segments, in order, and counts them.
class Numbers {
  public:
    Numbers(Walk& walk, Tensor& tensor)
        : walk_(walk),
          tensor_(tensor),
          type_(info(tensor.dtype)),
          is_signed_(tensor.dtype == DType::i8 || tensor.dtype == DType::i16 || tensor.dtype == DType::i32 ||
                     tensor.dtype == DType::i64) {}

    Result<void> add_floats(const Field& field);
    Result<void> add_varints(const Field& field);
    std::uint64_t count() const { return count_; }

  private:
    Error malformed(std::uint64_t offset, const std::string& what) const {
        return tensor_error(walk_, tensor_, offset, what);
    }
    bool extend_strided(std::uint64_t offset);
    Result<void> add_varint(std::uint64_t offset, std::uint64_t bytes, std::uint64_t value);
    Result<void> check_varint(std::uint64_t offset, std::uint64_t bytes, std::uint64_t value);
    Result<void> check_spelling(std::uint64_t offset, bool long_one);

    Walk& walk_;
    Tensor& tensor_;
    const DTypeInfo& type_;
    bool is_signed_;
    std::uint64_t count_ = 0;  // elements; of sub-byte types, those of complete bytes
    // Of sub-byte types: whether bytes from 0x80 on are spelled as negative numbers; nullopt before the first one.
    std::optional<bool> negative_;
};

// A single float after another single one, or after a run of them at the same distance.
bool Numbers::extend_strided(std::uint64_t offset) {
    if (tensor_.segments.empty()) return false;
    auto& last = tensor_.segments.back();
    const auto distance = offset - last.offset;
    if (last.elements == 1 && distance <= kMaxStride) {
        last.stride = static_cast<std::uint32_t>(distance);
    } else if (last.stride == 0 || distance != last.stride * last.elements) {
        return false;
    }
    ++last.elements;
    last.bytes = distance + type_.group_bytes;
    return true;
}

Result<void> Numbers::add_floats(const Field& field) {
    const auto bytes = field.payload.size();
    if (bytes % type_.group_bytes != 0) {
        const bool whole_floats = info(tensor_.dtype).group_bytes > 4 && bytes % 4 == 0;
        const bool complex = tensor_.dtype == DType::c64 || tensor_.dtype == DType::c128;
        return tensor_error(walk_, tensor_, field.tag,
                            complex && whole_floats ? "a complex element is split between two fields"
                                                    : fmt::format("{} are not a multiple of the size of {}",
                                                                  util::counted(bytes, "byte"), type_.name),
                            complex && whole_floats ? ErrorKind::unsupported : ErrorKind::malformed);
    }
    const auto elements = bytes / type_.group_bytes;
    if (elements == 0) return {};
    count_ += elements;
    if (elements == 1 && extend_strided(field.payload.begin)) return {};
    MODELSEAL_TRY(walk_.out.count_piece(field.tag));
    tensor_.segments.push_back({.offset = field.payload.begin, .bytes = bytes, .elements = elements});
    return {};
}

// onnx 1.16 wrote two int4 as one signed byte (https://github.com/onnx/onnx/issues/6160), so that bytes from 0x80 on
// take ten bytes; readers use the low eight bits. A tensor keeps to one of the spellings: two of its bytes that
// changed theirs could otherwise leave all lengths as they are.
Result<void> Numbers::check_spelling(std::uint64_t offset, bool long_one) {
    if (negative_.value_or(long_one) != long_one) {
        return malformed(
            offset, fmt::format("element {}: some bytes are written as signed numbers, some are not", count_));
    }
    negative_ = long_one;
    return {};
}

// One spelling a value: as few bytes as it needs, and a value of the type, signed ones sign-extended. Otherwise
// bytes could change and no reader of elements would see it.
Result<void> Numbers::check_varint(std::uint64_t offset, std::uint64_t bytes, std::uint64_t value) {
    std::uint64_t least = 1;
    for (auto rest = value >> 7; rest != 0; rest >>= 7) ++least;
    if (bytes != least) {
        return malformed(offset, fmt::format("element {}: a varint of {} encodes a value that needs {}", count_,
                                             util::counted(bytes, "byte"), least));
    }
    const auto bits = type_.group_bytes * 8;
    if (bits >= 64) return {};
    if (type_.group_elements > 1) {
        const bool long_one = value >> 7 == ~std::uint64_t{0} >> 7;  // -128 to -1
        if (long_one || value >> 7 == 1) return check_spelling(offset, long_one);
    }
    const auto top = value >> (is_signed_ ? bits - 1 : bits);
    if (top != 0 && !(is_signed_ && top == ~std::uint64_t{0} >> (bits - 1))) {
        return malformed(offset, fmt::format("element {}: the value {} is out of range for {}", count_,
                                             static_cast<std::int64_t>(value), type_.name));
    }
    return {};
}

Result<void> Numbers::add_varint(std::uint64_t offset, std::uint64_t bytes, std::uint64_t value) {
    MODELSEAL_TRY(check_varint(offset, bytes, value));
    const auto elements = type_.group_elements;
    count_ += elements;
    auto& segments = tensor_.segments;
    const bool adjacent = !segments.empty() && segments.back().offset + segments.back().bytes == offset;
    if (adjacent && segments.back().elements + elements <= kVarintElements) {
        segments.back().bytes += bytes;
        segments.back().elements += elements;
        return {};
    }
    if (!adjacent) MODELSEAL_TRY(walk_.out.count_piece(offset));
    segments.push_back({.offset = offset, .bytes = bytes, .elements = elements, .encoding = Encoding::varint});
    return {};
}

Result<void> Numbers::add_varints(const Field& field) {
    const auto& payload = field.payload;
    if (field.wire == Wire::varint) return add_varint(payload.begin, payload.size(), field.value);
    std::array<std::byte, kBlockBytes> block;
    std::uint64_t value = 0;
    std::uint64_t start = payload.begin;
    MODELSEAL_TRY(walk_.input.reader.seek(payload.begin));
    for (auto at = payload.begin; at < payload.end;) {
        const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(block.size(), payload.end - at));
        MODELSEAL_TRY(walk_.input.reader.bytes(std::span(block).first(size)));
        for (std::size_t i = 0; i < size; ++i, ++at) {
            const auto byte = std::to_integer<std::uint64_t>(block[i]);
            const auto place = at - start;
            if (place == 9 && byte > 1) return malformed(start, "a varint has more than 64 bits");
            value |= (byte & 0x7f) << (7 * place);
            if (byte >= 0x80) continue;
            MODELSEAL_TRY(add_varint(start, place + 1, value));
            value = 0;
            start = at + 1;
        }
    }
    if (start != payload.end) {
        return malformed(start,
                         fmt::format("a varint ends after {}", util::counted(payload.end - start, "byte")));
    }
    return {};
}

}  // namespace

Result<void> locate_numbers(Walk& walk, const TensorHeader& header, std::uint32_t number, Tensor& tensor) {
    const auto* rule = tensor::kMessage.find(number);
    Numbers numbers(walk, tensor);
    Fields fields(walk.input, header.message, tensor::kMessage);
    for (;;) {
        MODELSEAL_TRY_ASSIGN(const auto field, fields.next());
        if (!field) break;
        if (field->number != number) continue;
        MODELSEAL_TRY(rule->wire == Wire::varint ? numbers.add_varints(*field) : numbers.add_floats(*field));
    }
    // The last byte of a sub-byte type may be partly used.
    const auto group = info(tensor.dtype).group_elements;
    const auto spare = tensor.elements % group == 0 ? 0 : group - tensor.elements % group;
    const auto given = numbers.count();
    if (given < spare || given - spare != tensor.elements) {
        const auto wanted = tensor.elements;
        return tensor_error(
            walk, tensor, header.message.begin,
            fmt::format("{} has {}, its shape needs {} ({} too {})", rule->name,
                        util::counted(given, "element"), tensor.elements,
                        given < wanted ? wanted - given : given - wanted, given < wanted ? "few" : "many"));
    }
    if (spare != 0) tensor.segments.back().elements -= spare;
    return {};
}

// external_data (onnx.proto, TensorProto; docs/ExternalData.md): keys location, offset, length, checksum. The
// file that location names is not opened here; code that opens it keeps it inside the model's folder and
// compares the range with its size.

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
        return tensor_error(walk, tensor, header.message.begin,
                            fmt::format("external data: {} '{}' is not a number", key, util::printable(*text)));
    }
    return *number;
}

}  // namespace

Result<void> locate_external(Walk& walk, const TensorHeader& header, std::uint64_t needed, Tensor& tensor) {
    const auto begin = header.message.begin;
    const auto* location = value_of(header, "location");
    if (location == nullptr || location->empty()) {
        return tensor_error(walk, tensor, begin, "external data: no location");
    }
    if (header.data_fields != 0) {
        return tensor_error(walk, tensor, begin, "has data in the model file and in an external file");
    }
    MODELSEAL_TRY_ASSIGN(const auto offset, number_of(walk, header, tensor, "offset", 0));
    MODELSEAL_TRY_ASSIGN(const auto length, number_of(walk, header, tensor, "length", needed));
    // ONNX Runtime takes a length of 0 for none, which some exporters write.
    if (length != needed && length != 0) {
        return tensor_error(
            walk, tensor, begin,
            fmt::format("external data: {}, but {} of {} need {}", util::counted(length, "byte"),
                        util::counted(tensor.elements, "element"), info(tensor.dtype).name, needed));
    }
    std::uint64_t end = 0;
    if (!util::checked_add(offset, needed, end)) {
        return tensor_error(walk, tensor, begin,
                            fmt::format("external data: offset {} plus length exceeds 64 bits", offset));
    }
    const auto file = walk.out.reference(*location);
    if (needed != 0) {
        tensor.segments = {{.file = file, .offset = offset, .bytes = needed, .elements = tensor.elements}};
    }
    return {};
}

}  // namespace modelseal::formats::onnx
