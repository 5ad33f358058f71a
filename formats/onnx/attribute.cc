// AttributeProto: a name, a type, and the field that the type names.
#include <algorithm>
#include <bit>

#include <fmt/format.h>

#include "formats/onnx/program_reader.h"
#include "util/text.h"

namespace modelseal::formats::onnx {

using protobuf::Field;
using protobuf::Fields;

namespace {

Error attribute_error(const ProgramReader& reader, const Attribute& attribute, std::uint64_t offset,
                      const std::string& what) {
    return malformed_at(reader.walk.input.source, offset,
                        fmt::format("attribute '{}': {}", util::printable(attribute.name), what));
}

Result<void> add_reals(ProgramReader& reader, const Field& field, std::vector<float>& reals) {
    const auto bytes = field.payload.size();
    if (bytes % 4 != 0) {
        return malformed_at(
            reader.walk.input.source, field.tag,
            fmt::format("attribute: {} are not a multiple of 4 for floats", util::counted(bytes, "byte")));
    }
    MODELSEAL_TRY(reader.hold(bytes, field.tag));
    auto& bytes_reader = reader.walk.input.reader;
    MODELSEAL_TRY(bytes_reader.seek(field.payload.begin));
    reals.reserve(reals.size() + bytes / 4);
    for (std::uint64_t i = 0; i < bytes / 4; ++i) {
        MODELSEAL_TRY_ASSIGN(const auto bits, bytes_reader.u32());
        reals.push_back(std::bit_cast<float>(bits));
    }
    return {};
}

Result<void> add_integers(ProgramReader& reader, const Field& field, std::vector<std::int64_t>& integers) {
    if (field.wire == Wire::varint) {
        MODELSEAL_TRY(reader.hold(sizeof(std::int64_t), field.tag));
        integers.push_back(static_cast<std::int64_t>(field.value));
        return {};
    }
    auto& input = reader.walk.input;
    for (auto at = field.payload.begin; at < field.payload.end;) {
        MODELSEAL_TRY(reader.hold(sizeof(std::int64_t), at));
        MODELSEAL_TRY_ASSIGN(const auto number, protobuf::read_varint(input, at, field.payload.end));
        integers.push_back(static_cast<std::int64_t>(number.value));
        at = number.end;
    }
    return {};
}

Result<void> add_graph(ProgramReader& reader, const Field& field, std::uint32_t depth,
                       std::vector<Graph>& graphs) {
    MODELSEAL_TRY(reader.hold(sizeof(Graph), field.tag));
    MODELSEAL_TRY_ASSIGN(auto graph, read_graph(reader, field.payload, depth + 1));
    graphs.push_back(std::move(graph));
    return {};
}

Result<void> add_tensor(ProgramReader& reader, const Field& field, Attribute& attribute) {
    MODELSEAL_TRY(reader.hold(sizeof(Constant), field.tag));
    MODELSEAL_TRY_ASSIGN(auto constant, read_constant(reader, field.payload, "an attribute's tensor"));
    attribute.tensors.push_back(std::move(constant));
    return {};
}

Result<void> add_string(ProgramReader& reader, const Field& field, Attribute& attribute) {
    MODELSEAL_TRY_ASSIGN(auto text, reader.text(field, "an attribute's string"));
    attribute.strings.push_back(std::move(text));
    return {};
}

// The field that each type keeps its value in; 0 for types that there are not.
constexpr std::uint32_t kFieldOfType[] = {
    0,
    attribute::f,
    attribute::i,
    attribute::s,
    attribute::t,
    attribute::g,
    attribute::floats,
    attribute::ints,
    attribute::strings,
    attribute::tensors,
    attribute::graphs,
    attribute::sparse_tensor,
    attribute::sparse_tensors,
    attribute::tp,
    attribute::type_protos,
};

// One value field at most, of the type that is named. Writers before IR version 2 named none.
Result<void> settle_type(const ProgramReader& reader, std::uint64_t offset, std::uint64_t type,
                         std::uint64_t seen, Attribute& attribute) {
    if (type >= std::size(kFieldOfType)) {
        return attribute_error(reader, attribute, offset, fmt::format("unknown type {}", type));
    }
    for (std::uint32_t i = 1; i < std::size(kFieldOfType); ++i) {
        if ((seen >> kFieldOfType[i] & 1) == 0) continue;
        if (type == 0) type = i;
        if (type != i) {
            return attribute_error(reader, attribute, offset,
                                   fmt::format("its type is {}, but its value is of type {}", type, i));
        }
    }
    if (type == 0) return attribute_error(reader, attribute, offset, "has neither type nor value");
    attribute.type = static_cast<AttributeType>(type);
    // A number of zero and an empty string may be left out of the file.
    if (!attribute.reference.empty()) return {};
    const auto left_out = (seen >> kFieldOfType[type] & 1) == 0;
    if (left_out && attribute.type == AttributeType::real) attribute.reals = {0};
    if (left_out && attribute.type == AttributeType::integer) attribute.integers = {0};
    if (left_out && attribute.type == AttributeType::string) attribute.strings = {""};
    if (left_out && (attribute.type == AttributeType::tensor || attribute.type == AttributeType::graph)) {
        return attribute_error(reader, attribute, offset, "has no value");
    }
    return {};
}

Result<void> read_value(ProgramReader& reader, const Field& field, std::uint32_t depth, Attribute& attribute) {
    switch (field.number) {
        case attribute::f:
        case attribute::floats:
            return add_reals(reader, field, attribute.reals);
        case attribute::i:
        case attribute::ints:
            return add_integers(reader, field, attribute.integers);
        case attribute::s:
        case attribute::strings:
            return add_string(reader, field, attribute);
        case attribute::t:
        case attribute::tensors:
            return add_tensor(reader, field, attribute);
        case attribute::g:
        case attribute::graphs:
            return add_graph(reader, field, depth, attribute.graphs);
        case attribute::sparse_tensor:
        case attribute::sparse_tensors:
            return unsupported_at(reader.walk.input.source, field.tag,
                                  "attributes with sparse tensors are not supported");
        default:
            return {};
    }
}

}  // namespace

const Attribute* Node::find(std::string_view attribute) const {
    const auto found = std::ranges::find(attributes, attribute, &Attribute::name);
    return found == attributes.end() ? nullptr : &*found;
}

Result<Attribute> read_attribute(ProgramReader& reader, protobuf::Range message, std::uint32_t depth) {
    MODELSEAL_TRY(reader.hold(sizeof(Attribute), message.begin));
    Attribute attribute;
    std::uint64_t type = 0;
    std::uint64_t seen = 0;
    Fields fields(reader.walk.input, message, attribute::kMessage);
    for (;;) {
        MODELSEAL_TRY_ASSIGN(const auto field, fields.next());
        if (!field) break;
        if (!field->known) continue;
        seen |= std::uint64_t{1} << field->number;
        if (field->number == attribute::name) {
            MODELSEAL_TRY(reader.name(*field, "an attribute's name", attribute.name));
        } else if (field->number == attribute::type) {
            type = field->value;
        } else if (field->number == attribute::ref_attr_name) {
            MODELSEAL_TRY(reader.name(*field, "an attribute's reference", attribute.reference));
        } else {
            MODELSEAL_TRY(read_value(reader, *field, depth, attribute));
        }
    }
    MODELSEAL_TRY(settle_type(reader, message.begin, type, seen, attribute));
    return attribute;
}

}  // namespace modelseal::formats::onnx
