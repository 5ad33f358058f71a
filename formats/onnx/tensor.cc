
#include "formats/onnx/tensor.h"

#include <algorithm>

#include <fmt/format.h>

#include "util/checked.h"
#include "util/text.h"

namespace modelseal::formats::onnx {

using protobuf::Field;
using protobuf::Fields;

namespace {

constexpr std::size_t kMaxEntries = 64;  // of external_data; onnx.proto knows four keys
constexpr std::uint64_t kExternal = 1;   // TensorProto.DataLocation

constexpr std::uint64_t bit(std::uint32_t field) {
    return std::uint64_t{1} << field;
}

Result<void> read_dims(Walk& walk, const Field& field, std::vector<std::uint64_t>& dims) {
    const auto add = [&](std::uint64_t extent) -> Result<void> {
        if (walk.limits.rank != 0 && dims.size() >= walk.limits.rank) {
            return malformed_at(
                walk.input.source, field.tag,
                fmt::format("tensor: more than {}", util::counted(walk.limits.rank, "dimension")));
        }
        dims.push_back(extent);
        return {};
    };
    if (field.wire == Wire::varint) return add(field.value);
    for (auto at = field.payload.begin; at < field.payload.end;) {
        MODELSEAL_TRY_ASSIGN(const auto extent, protobuf::read_varint(walk.input, at, field.payload.end));
        MODELSEAL_TRY(add(extent.value));
        at = extent.end;
    }
    return {};
}

Result<void> read_entry(Walk& walk, const Field& field, TensorHeader& header) {
    std::string key;
    std::string value;
    Fields fields(walk.input, field.payload, entry::kMessage);
    for (;;) {
        MODELSEAL_TRY_ASSIGN(const auto part, fields.next());
        if (!part) break;
        if (part->number == entry::key) {
            MODELSEAL_TRY(walk.read_name(*part, "a key of external_data", key));
        } else if (part->number == entry::value) {
            MODELSEAL_TRY(walk.read_name(*part, "a value of external_data", value));
        }
    }
    const auto& source = walk.input.source;
    if (std::ranges::find(header.external, key, [](const auto& pair) { return pair.first; }) !=
        header.external.end()) {
        return malformed_at(
            source, field.tag,
            fmt::format("tensor: the key '{}' of external_data appears twice", util::printable(key)));
    }
    if (header.external.size() >= kMaxEntries) {
        return malformed_at(
            source, field.tag,
            fmt::format("tensor: more than {} of external_data", util::counted(kMaxEntries, "entry")));
    }
    header.external.emplace_back(std::move(key), std::move(value));
    return {};
}

Result<void> read_field(Walk& walk, const Field& field, TensorHeader& header) {
    switch (field.number) {
        case tensor::dims:
            return read_dims(walk, field, header.dims);
        case tensor::data_type:
            header.data_type = field.value;
            return {};
        case tensor::segment:
            header.segment = true;
            return {};
        case tensor::name:
            return walk.read_name(field, "a tensor's name", header.name);
        case tensor::raw_data:
            header.raw = field.payload;
            header.data_fields |= bit(field.number);
            return {};
        case tensor::string_data:
            ++header.strings;
            header.data_fields |= bit(field.number);
            return {};
        case tensor::float_data:
        case tensor::int32_data:
        case tensor::int64_data:
        case tensor::double_data:
        case tensor::uint64_data:
            if (field.payload.size() != 0) header.data_fields |= bit(field.number);
            return {};
        case tensor::external_data:
            return read_entry(walk, field, header);
        case tensor::data_location:
            header.data_location = field.value;
            return {};
        default:
            return {};
    }
}

std::string_view field_name(std::uint32_t number) {
    const auto* rule = tensor::kMessage.find(number);
    return rule == nullptr ? "a field" : rule->name;
}

// The one field that holds the data, 0 if there is none. Readers look for it in different orders.
Result<std::uint32_t> data_field(const Walk& walk, const TensorHeader& header, const Tensor& tensor) {
    std::uint32_t found = 0;
    for (const auto& rule : tensor::kFields) {
        if ((header.data_fields & bit(rule.number)) == 0) continue;
        if (found != 0) {
            return tensor_error(walk, tensor, header.message.begin,
                                fmt::format("has both {} and {}", field_name(found), rule.name));
        }
        found = rule.number;
    }
    return found;
}

Result<void> check_shape(const Walk& walk, const TensorHeader& header, Tensor& tensor) {
    for (const auto extent : header.dims) {
        if (extent >> 63 != 0) {
            return tensor_error(walk, tensor, header.message.begin,
                                fmt::format("has a dimension of {}", static_cast<std::int64_t>(extent)));
        }
    }
    tensor.shape = header.dims;
    if (!util::element_count(tensor.shape, tensor.elements)) {
        return tensor_error(walk, tensor, header.message.begin, "its size exceeds 64 bits");
    }
    return {};
}

Result<void> locate_raw(const Walk& walk, const TensorHeader& header, std::uint64_t needed, Tensor& tensor) {
    const auto given = header.raw->size();
    if (given != needed) {
        return tensor_error(
            walk, tensor, header.raw->begin,
            fmt::format("raw_data has {}, {} of {} need {} ({} too {})", util::counted(given, "byte"),
                        util::counted(tensor.elements, "element"), info(tensor.dtype).name, needed,
                        given < needed ? needed - given : given - needed, given < needed ? "few" : "many"));
    }
    if (needed != 0) {
        tensor.segments = {{.offset = header.raw->begin, .bytes = needed, .elements = tensor.elements}};
    }
    return {};
}

Result<void> check_strings(const Walk& walk, const TensorHeader& header, const Tensor& tensor) {
    if (header.data_location == kExternal || (header.data_fields & ~bit(tensor::string_data)) != 0) {
        return tensor_error(walk, tensor, header.message.begin, "has strings outside string_data");
    }
    if (header.strings != tensor.elements) {
        return tensor_error(walk, tensor, header.message.begin,
                            fmt::format("string_data has {}, its shape needs {}",
                                        util::counted(header.strings, "element"), tensor.elements));
    }
    return {};
}

Result<void> locate_inside(Walk& walk, const TensorHeader& header, const ElementType& type,
                           std::uint64_t needed, Tensor& tensor) {
    MODELSEAL_TRY_ASSIGN(const auto field, data_field(walk, header, tensor));
    if (!header.external.empty()) {
        walk.out.warn_once(
            fmt::format("tensor '{}' has external_data entries, but its data are in the model file",
                        util::printable(tensor.name)));
    }
    if (field == tensor::raw_data) return locate_raw(walk, header, needed, tensor);
    if (field != 0 && field != type.field) {
        return tensor_error(
            walk, tensor, header.message.begin,
            fmt::format("{} cannot hold elements of {}", field_name(field), info(tensor.dtype).name));
    }
    if (field == 0 && tensor.elements != 0) {
        return tensor_error(
            walk, tensor, header.message.begin,
            fmt::format("has no data, its shape needs {}", util::counted(tensor.elements, "element")));
    }
    return field == 0 ? Result<void>() : locate_numbers(walk, header, field, tensor);
}

}  // namespace

Result<void> Walk::read_name(const Field& field, std::string_view what, std::string& text) {
    MODELSEAL_TRY_ASSIGN(text, protobuf::read_text(input, field, limits.name_bytes, what));
    if (!util::is_utf8(text)) {
        return malformed_at(input.source, field.payload.begin,
                            fmt::format("{} is not UTF-8: '{}'", what, util::printable(text.substr(0, 80))));
    }
    return {};
}

Result<void> Walk::check_depth(std::uint32_t depth, protobuf::Range message) const {
    constexpr std::uint32_t kMaxDepth = 100;  // the default of protobuf's own readers
    const auto cap = limits.depth == 0 ? kMaxDepth : std::min(limits.depth, kMaxDepth);
    if (depth <= cap) return {};
    return malformed_at(input.source, message.begin,
                        fmt::format("messages are nested more than {} deep", util::counted(cap, "level")));
}

Result<void> Walk::add_distinct(std::set<std::string>& seen, const std::string& name, std::string_view what,
                                std::uint64_t offset) const {
    if (seen.insert(name).second) return {};
    return malformed_at(input.source, offset,
                        fmt::format("the {} '{}' appears twice", what, util::printable(name)));
}

Error tensor_error(const Walk& walk, const Tensor& tensor, std::uint64_t offset, const std::string& what,
                   ErrorKind kind) {
    auto error = malformed_at(walk.input.source, offset,
                              fmt::format("tensor '{}': {}", util::printable(tensor.name), what));
    error.kind = kind;
    return error;
}

Result<TensorHeader> read_header(Walk& walk, protobuf::Range message) {
    TensorHeader header{.message = message};
    Fields fields(walk.input, message, tensor::kMessage);
    for (;;) {
        MODELSEAL_TRY_ASSIGN(const auto field, fields.next());
        if (!field) return header;
        MODELSEAL_TRY(read_field(walk, *field, header));
    }
}

Result<std::optional<Tensor>> locate_tensor(Walk& walk, const TensorHeader& header, std::string name) {
    MODELSEAL_TRY(walk.out.count_tensor(header.message.begin));
    Tensor tensor{.name = std::move(name)};
    const auto begin = header.message.begin;
    if (header.data_type == 0) return tensor_error(walk, tensor, begin, "has no data type");
    const auto type = element_type(header.data_type);
    if (!type) {
        return tensor_error(walk, tensor, begin, fmt::format("unknown data type {}", header.data_type),
                            ErrorKind::unsupported);
    }
    if (header.segment) {
        return tensor_error(walk, tensor, begin, "is a segment of a larger tensor, which is not supported",
                            ErrorKind::unsupported);
    }
    if (header.data_location > kExternal) {
        return tensor_error(walk, tensor, begin, fmt::format("unknown data location {}", header.data_location),
                            ErrorKind::unsupported);
    }
    MODELSEAL_TRY(check_shape(walk, header, tensor));
    if (!type->dtype) {
        MODELSEAL_TRY(check_strings(walk, header, tensor));
        return std::optional<Tensor>();
    }
    tensor.dtype = *type->dtype;
    std::uint64_t needed = 0;
    if (!storage_bytes(tensor.dtype, tensor.elements, needed)) {
        return tensor_error(walk, tensor, begin, "its size exceeds 64 bits");
    }
    if (header.data_location == kExternal) {
        MODELSEAL_TRY(locate_external(walk, header, needed, tensor));
    } else {
        MODELSEAL_TRY(locate_inside(walk, header, *type, needed, tensor));
    }
    return std::optional(std::move(tensor));
}

}  // namespace modelseal::formats::onnx
