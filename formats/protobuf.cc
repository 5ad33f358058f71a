#include "formats/protobuf.h"

#include <algorithm>

#include <fmt/format.h>

#include "util/text.h"

namespace modelseal::formats::protobuf {

namespace {

constexpr std::size_t kMaxVarintBytes = 10;
constexpr std::uint64_t kMaxFieldNumber = (1u << 29) - 1;

bool is_number(Wire wire) {
    return wire == Wire::varint || wire == Wire::fixed32 || wire == Wire::fixed64;
}

}  // namespace

const FieldRule* Message::find(std::uint32_t number) const {
    const auto found = std::ranges::find(fields, number, &FieldRule::number);
    return found == fields.end() ? nullptr : &*found;
}

Result<void> Input::load(std::uint64_t at, std::size_t count) {
    if (at >= near_begin_ && at < near_end_ && count <= near_end_ - at) return {};
    near_begin_ = near_end_ = 0;
    MODELSEAL_TRY(reader.seek(at));
    const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(kNear, reader.left()));
    MODELSEAL_TRY(reader.bytes(std::span(near_).first(size)));
    near_begin_ = at;
    near_end_ = at + size;
    return {};
}

Result<Varint> read_varint(Input& input, std::uint64_t at, std::uint64_t end) {
    const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(kMaxVarintBytes, end - at));
    MODELSEAL_TRY(input.load(at, count));
    const auto* raw = input.bytes(at);
    Varint varint;
    for (std::size_t i = 0; i < count; ++i) {
        const auto byte = std::to_integer<std::uint64_t>(raw[i]);
        if (i + 1 == kMaxVarintBytes && byte > 1) break;
        varint.value |= (byte & 0x7f) << (7 * i);
        if (byte < 0x80) {
            varint.end = at + i + 1;
            return varint;
        }
    }
    return malformed_at(input.source, at,
                        count == kMaxVarintBytes
                            ? "a varint has more than 64 bits"
                            : fmt::format("a varint ends after {}", util::counted(count, "byte")));
}

Result<std::string> read_text(Input& input, const Field& field, std::uint64_t cap, std::string_view what) {
    MODELSEAL_TRY(input.reader.seek(field.payload.begin));
    return input.reader.string(field.payload.size(), cap, what);
}

Result<std::optional<Field>> Fields::next() {
    if (at_ == end_) return std::optional<Field>();
    MODELSEAL_TRY_ASSIGN(const auto tag, read_varint(input_, at_, end_));
    const auto number = tag.value >> 3;
    const auto wire = tag.value & 7;
    if (number == 0 || number > kMaxFieldNumber || wire > static_cast<std::uint64_t>(Wire::fixed32)) {
        return malformed(at_, fmt::format("invalid field tag {:#x}", tag.value));
    }
    Field field{.number = static_cast<std::uint32_t>(number), .wire = static_cast<Wire>(wire), .tag = at_};
    field.payload.begin = tag.end;
    MODELSEAL_TRY(read_payload(field));
    MODELSEAL_TRY(check_rule(field));
    at_ = field.payload.end;
    return std::optional(field);
}

// Sets the payload's range, which begins after the tag when this is called.
Result<void> Fields::read_payload(Field& field) {
    auto& payload = field.payload;
    std::uint64_t bytes = 0;
    switch (field.wire) {
        case Wire::varint: {
            MODELSEAL_TRY_ASSIGN(const auto varint, read_varint(input_, payload.begin, end_));
            field.value = varint.value;
            payload.end = varint.end;
            return {};
        }
        case Wire::fixed64:
            bytes = 8;
            break;
        case Wire::fixed32:
            bytes = 4;
            break;
        case Wire::bytes: {
            MODELSEAL_TRY_ASSIGN(const auto length, read_varint(input_, payload.begin, end_));
            bytes = length.value;
            payload.begin = length.end;
            break;
        }
        case Wire::group_begin:
        case Wire::group_end:
            return malformed(field.tag,
                             fmt::format("field {} is a group, which ONNX does not use", field.number));
    }
    if (bytes > end_ - payload.begin) {
        const auto missing = bytes - (end_ - payload.begin);
        const auto what = fmt::format("field {} of {}", field.number, util::counted(bytes, "byte"));
        if (end_ == input_.source.size()) {
            return ends_early(input_.source, field.tag, missing, fmt::format("{}: {}", message_.name, what));
        }
        return malformed(field.tag, fmt::format("{}, {} too many", what, util::counted(missing, "byte")));
    }
    payload.end = payload.begin + bytes;
    return {};
}

Result<void> Fields::check_rule(Field& field) {
    const auto* rule = message_.find(field.number);
    if (rule == nullptr) return {};
    const bool packed = rule->times == Times::numbers && is_number(rule->wire) && field.wire == Wire::bytes;
    if (field.wire != rule->wire && !packed) {
        return malformed(field.tag,
                         fmt::format("{} has wire type {}", rule->name, static_cast<int>(field.wire)));
    }
    const auto bit = std::uint64_t{1} << rule->number;
    if (rule->times == Times::once && (seen_ & bit) != 0) {
        return malformed(field.tag, fmt::format("{} appears twice", rule->name));
    }
    seen_ |= bit;
    field.known = true;
    return {};
}

Error Fields::malformed(std::uint64_t offset, const std::string& what) const {
    return malformed_at(input_.source, offset, fmt::format("{}: {}", message_.name, what));
}

}  // namespace modelseal::formats::protobuf
