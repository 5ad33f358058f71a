// The messages of ONNX that can contain tensors (onnx.proto, onnx-ml.proto;
// https://onnx.ai/onnx/repo-docs/IR.html), with the fields that a reader may use. Fields that are not named
// here are frame.
#pragma once

#include <cstdint>
#include <optional>

#include "formats/protobuf.h"
#include <modelseal/tensor.h>

namespace modelseal::formats::onnx {

using protobuf::FieldRule;
using protobuf::Message;
using protobuf::Times;
using protobuf::Wire;

namespace model {
enum : std::uint32_t {
    ir_version = 1,
    producer_name = 2,
    graph = 7,
    opset_import = 8,
    metadata_props = 14,
    training_info = 20,
    functions = 25
};
inline constexpr FieldRule kFields[] = {
    {ir_version, Wire::varint, Times::once, "ir_version"},
    {producer_name, Wire::bytes, Times::once, "producer_name"},
    {3, Wire::bytes, Times::once, "producer_version"},
    {4, Wire::bytes, Times::once, "domain"},
    {5, Wire::varint, Times::once, "model_version"},
    {6, Wire::bytes, Times::once, "doc_string"},
    {graph, Wire::bytes, Times::once, "graph"},
    {opset_import, Wire::bytes, Times::often, "opset_import"},
    {metadata_props, Wire::bytes, Times::often, "metadata_props"},
    {training_info, Wire::bytes, Times::often, "training_info"},
    {functions, Wire::bytes, Times::often, "functions"},
    {26, Wire::bytes, Times::often, "configuration"},
};
inline constexpr Message kMessage = {"model", kFields};
}  // namespace model

namespace training {
enum : std::uint32_t { initialization = 1, algorithm = 2 };
inline constexpr FieldRule kFields[] = {
    {initialization, Wire::bytes, Times::once, "initialization"},
    {algorithm, Wire::bytes, Times::once, "algorithm"},
    {3, Wire::bytes, Times::often, "initialization_binding"},
    {4, Wire::bytes, Times::often, "update_binding"},
};
inline constexpr Message kMessage = {"training_info", kFields};
}  // namespace training

namespace function {
enum : std::uint32_t {
    name = 1,
    input = 4,
    output = 5,
    attribute = 6,
    node = 7,
    opset_import = 9,
    domain = 10,
    attribute_proto = 11,
    overload = 13
};
inline constexpr FieldRule kFields[] = {
    {name, Wire::bytes, Times::once, "name"},
    {input, Wire::bytes, Times::often, "input"},
    {output, Wire::bytes, Times::often, "output"},
    {attribute, Wire::bytes, Times::often, "attribute"},
    {node, Wire::bytes, Times::often, "node"},
    {8, Wire::bytes, Times::once, "doc_string"},
    {opset_import, Wire::bytes, Times::often, "opset_import"},
    {domain, Wire::bytes, Times::once, "domain"},
    {attribute_proto, Wire::bytes, Times::often, "attribute_proto"},
    {12, Wire::bytes, Times::often, "value_info"},
    {overload, Wire::bytes, Times::once, "overload"},
    {14, Wire::bytes, Times::often, "metadata_props"},
};
inline constexpr Message kMessage = {"function", kFields};
}  // namespace function

namespace graph {
enum : std::uint32_t {
    node = 1,
    name = 2,
    initializer = 5,
    input = 11,
    output = 12,
    value_info = 13,
    sparse_initializer = 15
};
inline constexpr FieldRule kFields[] = {
    {node, Wire::bytes, Times::often, "node"},
    {name, Wire::bytes, Times::once, "name"},
    {initializer, Wire::bytes, Times::often, "initializer"},
    {10, Wire::bytes, Times::once, "doc_string"},
    {input, Wire::bytes, Times::often, "input"},
    {output, Wire::bytes, Times::often, "output"},
    {value_info, Wire::bytes, Times::often, "value_info"},
    {14, Wire::bytes, Times::often, "quantization_annotation"},
    {sparse_initializer, Wire::bytes, Times::often, "sparse_initializer"},
    {16, Wire::bytes, Times::often, "metadata_props"},
};
inline constexpr Message kMessage = {"graph", kFields};
}  // namespace graph

namespace node {
enum : std::uint32_t { input = 1, output = 2, name = 3, op_type = 4, attribute = 5, domain = 7, overload = 8 };
inline constexpr FieldRule kFields[] = {
    {input, Wire::bytes, Times::often, "input"},
    {output, Wire::bytes, Times::often, "output"},
    {name, Wire::bytes, Times::once, "name"},
    {op_type, Wire::bytes, Times::once, "op_type"},
    {attribute, Wire::bytes, Times::often, "attribute"},
    {6, Wire::bytes, Times::once, "doc_string"},
    {domain, Wire::bytes, Times::once, "domain"},
    {overload, Wire::bytes, Times::once, "overload"},
    {9, Wire::bytes, Times::often, "metadata_props"},
    {10, Wire::bytes, Times::often, "device_configurations"},
};
inline constexpr Message kMessage = {"node", kFields};
}  // namespace node

namespace attribute {
enum : std::uint32_t {
    name = 1,
    f = 2,
    i = 3,
    s = 4,
    t = 5,
    g = 6,
    floats = 7,
    ints = 8,
    strings = 9,
    tensors = 10,
    graphs = 11,
    tp = 14,
    type_protos = 15,
    type = 20,
    ref_attr_name = 21,
    sparse_tensor = 22,
    sparse_tensors = 23
};
inline constexpr FieldRule kFields[] = {
    {name, Wire::bytes, Times::once, "name"},
    {f, Wire::fixed32, Times::once, "f"},
    {i, Wire::varint, Times::once, "i"},
    {s, Wire::bytes, Times::once, "s"},
    {t, Wire::bytes, Times::once, "t"},
    {g, Wire::bytes, Times::once, "g"},
    {floats, Wire::fixed32, Times::numbers, "floats"},
    {ints, Wire::varint, Times::numbers, "ints"},
    {strings, Wire::bytes, Times::often, "strings"},
    {tensors, Wire::bytes, Times::often, "tensors"},
    {graphs, Wire::bytes, Times::often, "graphs"},
    {13, Wire::bytes, Times::once, "doc_string"},
    {tp, Wire::bytes, Times::once, "tp"},
    {type_protos, Wire::bytes, Times::often, "type_protos"},
    {type, Wire::varint, Times::once, "type"},
    {ref_attr_name, Wire::bytes, Times::once, "ref_attr_name"},
    {sparse_tensor, Wire::bytes, Times::once, "sparse_tensor"},
    {sparse_tensors, Wire::bytes, Times::often, "sparse_tensors"},
};
inline constexpr Message kMessage = {"attribute", kFields};
}  // namespace attribute

namespace sparse {
enum : std::uint32_t { values = 1, indices = 2 };
inline constexpr FieldRule kFields[] = {
    {values, Wire::bytes, Times::once, "values"},
    {indices, Wire::bytes, Times::once, "indices"},
    {3, Wire::varint, Times::numbers, "dims"},
};
inline constexpr Message kMessage = {"sparse tensor", kFields};
}  // namespace sparse

namespace tensor {
enum : std::uint32_t {
    dims = 1,
    data_type = 2,
    segment = 3,
    float_data = 4,
    int32_data = 5,
    string_data = 6,
    int64_data = 7,
    name = 8,
    raw_data = 9,
    double_data = 10,
    uint64_data = 11,
    external_data = 13,
    data_location = 14,
};
inline constexpr FieldRule kFields[] = {
    {dims, Wire::varint, Times::numbers, "dims"},
    {data_type, Wire::varint, Times::once, "data_type"},
    {segment, Wire::bytes, Times::once, "segment"},
    {float_data, Wire::fixed32, Times::numbers, "float_data"},
    {int32_data, Wire::varint, Times::numbers, "int32_data"},
    {string_data, Wire::bytes, Times::often, "string_data"},
    {int64_data, Wire::varint, Times::numbers, "int64_data"},
    {name, Wire::bytes, Times::once, "name"},
    {raw_data, Wire::bytes, Times::once, "raw_data"},
    {double_data, Wire::fixed64, Times::numbers, "double_data"},
    {uint64_data, Wire::varint, Times::numbers, "uint64_data"},
    {12, Wire::bytes, Times::once, "doc_string"},
    {external_data, Wire::bytes, Times::often, "external_data"},
    {data_location, Wire::varint, Times::once, "data_location"},
    {16, Wire::bytes, Times::often, "metadata_props"},
};
inline constexpr Message kMessage = {"tensor", kFields};
}  // namespace tensor

namespace entry {  // StringStringEntryProto
enum : std::uint32_t { key = 1, value = 2 };
inline constexpr FieldRule kFields[] = {
    {key, Wire::bytes, Times::once, "key"},
    {value, Wire::bytes, Times::once, "value"},
};
inline constexpr Message kMessage = {"entry", kFields};
}  // namespace entry

namespace opset {  // OperatorSetIdProto
enum : std::uint32_t { domain = 1, version = 2 };
inline constexpr FieldRule kFields[] = {
    {domain, Wire::bytes, Times::once, "domain"},
    {version, Wire::varint, Times::once, "version"},
};
inline constexpr Message kMessage = {"opset_import", kFields};
}  // namespace opset

namespace value_info {
enum : std::uint32_t { name = 1, type = 2 };
inline constexpr FieldRule kFields[] = {
    {name, Wire::bytes, Times::once, "name"},
    {type, Wire::bytes, Times::once, "type"},
    {3, Wire::bytes, Times::once, "doc_string"},
    {4, Wire::bytes, Times::often, "metadata_props"},
};
inline constexpr Message kMessage = {"value_info", kFields};
}  // namespace value_info

namespace type {  // TypeProto: one of the first five
enum : std::uint32_t {
    tensor_type = 1,
    sequence_type = 4,
    map_type = 5,
    sparse_tensor_type = 8,
    optional_type = 9
};
inline constexpr FieldRule kFields[] = {
    {tensor_type, Wire::bytes, Times::once, "tensor_type"},
    {sequence_type, Wire::bytes, Times::once, "sequence_type"},
    {map_type, Wire::bytes, Times::once, "map_type"},
    {6, Wire::bytes, Times::once, "denotation"},
    {7, Wire::bytes, Times::once, "opaque_type"},
    {sparse_tensor_type, Wire::bytes, Times::once, "sparse_tensor_type"},
    {optional_type, Wire::bytes, Times::once, "optional_type"},
};
inline constexpr Message kMessage = {"type", kFields};
}  // namespace type

namespace tensor_type {
enum : std::uint32_t { elem_type = 1, shape = 2 };
inline constexpr FieldRule kFields[] = {
    {elem_type, Wire::varint, Times::once, "elem_type"},
    {shape, Wire::bytes, Times::once, "shape"},
};
inline constexpr Message kMessage = {"tensor type", kFields};
}  // namespace tensor_type

namespace shape {
enum : std::uint32_t { dim = 1 };
inline constexpr FieldRule kFields[] = {
    {dim, Wire::bytes, Times::often, "dim"},
};
inline constexpr Message kMessage = {"shape", kFields};
}  // namespace shape

namespace dimension {
enum : std::uint32_t { value = 1, param = 2 };
inline constexpr FieldRule kFields[] = {
    {value, Wire::varint, Times::once, "dim_value"},
    {param, Wire::bytes, Times::once, "dim_param"},
    {3, Wire::bytes, Times::once, "denotation"},
};
inline constexpr Message kMessage = {"dimension", kFields};
}  // namespace dimension

// TensorProto.DataType. Strings have no DType: their text is frame.
struct ElementType {
    std::optional<DType> dtype;  // none for STRING
    std::uint32_t field;         // the field that holds elements which are not raw: tensor::float_data, ...
};
// Nullopt for UNDEFINED and for numbers that onnx.proto does not have.
std::optional<ElementType> element_type(std::uint64_t data_type);

}  // namespace modelseal::formats::onnx
