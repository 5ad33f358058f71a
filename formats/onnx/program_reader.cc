#include "formats/onnx/program_reader.h"

#include <fmt/format.h>

#include "util/text.h"

namespace modelseal::formats::onnx {

using protobuf::Field;

Result<void> ProgramReader::hold(std::uint64_t bytes, std::uint64_t offset) {
    const auto cap = walk.limits.metadata_bytes;
    if (cap != 0 && (held > cap || bytes > cap - held)) {
        return malformed_at(walk.input.source, offset,
                            fmt::format("the graph has more than {}", util::counted(cap, "byte")));
    }
    held += bytes;
    return {};
}

Result<void> ProgramReader::name(const Field& field, std::string_view what, std::string& text) {
    MODELSEAL_TRY(hold(field.payload.size(), field.tag));
    return walk.read_name(field, what, text);
}

Result<void> ProgramReader::names(const Field& field, std::string_view what, std::vector<std::string>& texts) {
    MODELSEAL_TRY(hold(sizeof(std::string), field.tag));
    std::string text;
    MODELSEAL_TRY(name(field, what, text));
    texts.push_back(std::move(text));
    return {};
}

Result<std::string> ProgramReader::text(const Field& field, std::string_view what) {
    MODELSEAL_TRY(hold(sizeof(std::string), field.tag));
    MODELSEAL_TRY(hold(field.payload.size(), field.tag));
    return protobuf::read_text(walk.input, field, walk.limits.metadata_bytes, what);
}

void normalise_domain(std::string& domain) {
    if (domain == "ai.onnx") domain.clear();
}

// ValueInfoProto and its types: inputs and outputs of a graph.

using protobuf::Fields;
using protobuf::Range;

namespace {

Result<Dimension> read_dimension(ProgramReader& reader, Range message) {
    Dimension dimension;
    Fields fields(reader.walk.input, message, dimension::kMessage);
    for (;;) {
        MODELSEAL_TRY_ASSIGN(const auto field, fields.next());
        if (!field) return dimension;
        if (field->number == dimension::value) {
            // Some writers put -1 or 0 where they mean "not fixed".
            const auto extent = static_cast<std::int64_t>(field->value);
            dimension.extent = extent > 0 ? extent : -1;
        } else if (field->number == dimension::param) {
            MODELSEAL_TRY(reader.name(*field, "a dimension's name", dimension.symbol));
        }
    }
}

Result<void> read_shape(ProgramReader& reader, Range message, ValueInfo& value) {
    value.has_shape = true;
    const auto cap = reader.walk.limits.rank;
    Fields fields(reader.walk.input, message, shape::kMessage);
    for (;;) {
        MODELSEAL_TRY_ASSIGN(const auto field, fields.next());
        if (!field) return {};
        if (field->number != shape::dim) continue;
        if (cap != 0 && value.shape.size() >= cap) {
            return malformed_at(reader.walk.input.source, field->tag,
                                fmt::format("value '{}': more than {}", util::printable(value.name),
                                            util::counted(cap, "dimension")));
        }
        MODELSEAL_TRY(reader.hold(sizeof(Dimension), field->tag));
        MODELSEAL_TRY_ASSIGN(auto dimension, read_dimension(reader, field->payload));
        value.shape.push_back(std::move(dimension));
    }
}

Result<void> read_tensor_type(ProgramReader& reader, Range message, ValueInfo& value) {
    Fields fields(reader.walk.input, message, tensor_type::kMessage);
    for (;;) {
        MODELSEAL_TRY_ASSIGN(const auto field, fields.next());
        if (!field) return {};
        if (field->number == tensor_type::elem_type) value.data_type = field->value;
        if (field->number == tensor_type::shape) MODELSEAL_TRY(read_shape(reader, field->payload, value));
    }
}

Result<void> read_type(ProgramReader& reader, Range message, ValueInfo& value) {
    Fields fields(reader.walk.input, message, type::kMessage);
    for (;;) {
        MODELSEAL_TRY_ASSIGN(const auto field, fields.next());
        if (!field) return {};
        auto kind = ValueKind::unknown;
        if (field->number == type::tensor_type) kind = ValueKind::tensor;
        if (field->number == type::sequence_type) kind = ValueKind::sequence;
        if (field->number == type::map_type) kind = ValueKind::map;
        if (field->number == type::sparse_tensor_type) kind = ValueKind::sparse;
        if (field->number == type::optional_type) kind = ValueKind::optional;
        if (kind == ValueKind::unknown) continue;
        if (value.kind != ValueKind::unknown) {
            return malformed_at(reader.walk.input.source, field->tag,
                                fmt::format("value '{}' has two types", util::printable(value.name)));
        }
        value.kind = kind;
        if (kind == ValueKind::tensor) MODELSEAL_TRY(read_tensor_type(reader, field->payload, value));
    }
}

}  // namespace

Result<ValueInfo> read_value_info(ProgramReader& reader, Range message) {
    MODELSEAL_TRY(reader.hold(sizeof(ValueInfo), message.begin));
    ValueInfo value;
    Fields fields(reader.walk.input, message, value_info::kMessage);
    for (;;) {
        MODELSEAL_TRY_ASSIGN(const auto field, fields.next());
        if (!field) return value;
        if (field->number == value_info::name) {
            MODELSEAL_TRY(reader.name(*field, "a value's name", value.name));
        } else if (field->number == value_info::type) {
            MODELSEAL_TRY(read_type(reader, field->payload, value));
        }
    }
}

}  // namespace modelseal::formats::onnx
