// The messages of ONNX in which tensors lie (onnx.proto, onnx-ml.proto;
// https://onnx.ai/onnx/repo-docs/IR.html), with the fields that a reader may act on. Fields that are not named
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
enum : std::uint32_t { ir_version = 1, graph = 7, training_info = 20, functions = 25 };
inline constexpr FieldRule kFields[] = {
    {ir_version, Wire::varint, Times::once, "ir_version"},
    {2, Wire::bytes, Times::once, "producer_name"},
    {3, Wire::bytes, Times::once, "producer_version"},
    {4, Wire::bytes, Times::once, "domain"},
    {5, Wire::varint, Times::once, "model_version"},
    {6, Wire::bytes, Times::once, "doc_string"},
    {graph, Wire::bytes, Times::once, "graph"},
    {8, Wire::bytes, Times::often, "opset_import"},
    {14, Wire::bytes, Times::often, "metadata_props"},
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
enum : std::uint32_t { name = 1, node = 7, domain = 10, attribute_proto = 11, overload = 13 };
inline constexpr FieldRule kFields[] = {
    {name, Wire::bytes, Times::once, "name"},
    {4, Wire::bytes, Times::often, "input"},
    {5, Wire::bytes, Times::often, "output"},
    {6, Wire::bytes, Times::often, "attribute"},
    {node, Wire::bytes, Times::often, "node"},
    {8, Wire::bytes, Times::once, "doc_string"},
    {9, Wire::bytes, Times::often, "opset_import"},
    {domain, Wire::bytes, Times::once, "domain"},
    {attribute_proto, Wire::bytes, Times::often, "attribute_proto"},
    {12, Wire::bytes, Times::often, "value_info"},
    {overload, Wire::bytes, Times::once, "overload"},
    {14, Wire::bytes, Times::often, "metadata_props"},
};
inline constexpr Message kMessage = {"function", kFields};
}  // namespace function

namespace graph {
enum : std::uint32_t { node = 1, initializer = 5, sparse_initializer = 15 };
inline constexpr FieldRule kFields[] = {
    {node, Wire::bytes, Times::often, "node"},
    {2, Wire::bytes, Times::once, "name"},
    {initializer, Wire::bytes, Times::often, "initializer"},
    {10, Wire::bytes, Times::once, "doc_string"},
    {11, Wire::bytes, Times::often, "input"},
    {12, Wire::bytes, Times::often, "output"},
    {13, Wire::bytes, Times::often, "value_info"},
    {14, Wire::bytes, Times::often, "quantization_annotation"},
    {sparse_initializer, Wire::bytes, Times::often, "sparse_initializer"},
    {16, Wire::bytes, Times::often, "metadata_props"},
};
inline constexpr Message kMessage = {"graph", kFields};
}  // namespace graph

namespace node {
enum : std::uint32_t { output = 2, name = 3, op_type = 4, attribute = 5 };
inline constexpr FieldRule kFields[] = {
    {1, Wire::bytes, Times::often, "input"},
    {output, Wire::bytes, Times::often, "output"},
    {name, Wire::bytes, Times::once, "name"},
    {op_type, Wire::bytes, Times::once, "op_type"},
    {attribute, Wire::bytes, Times::often, "attribute"},
    {6, Wire::bytes, Times::once, "doc_string"},
    {7, Wire::bytes, Times::once, "domain"},
    {8, Wire::bytes, Times::once, "overload"},
    {9, Wire::bytes, Times::often, "metadata_props"},
    {10, Wire::bytes, Times::often, "device_configurations"},
};
inline constexpr Message kMessage = {"node", kFields};
}  // namespace node

namespace attribute {
enum : std::uint32_t {
    name = 1,
    t = 5,
    g = 6,
    tensors = 10,
    graphs = 11,
    sparse_tensor = 22,
    sparse_tensors = 23
};
inline constexpr FieldRule kFields[] = {
    {name, Wire::bytes, Times::once, "name"},
    {2, Wire::fixed32, Times::once, "f"},
    {3, Wire::varint, Times::once, "i"},
    {4, Wire::bytes, Times::once, "s"},
    {t, Wire::bytes, Times::once, "t"},
    {g, Wire::bytes, Times::once, "g"},
    {7, Wire::fixed32, Times::numbers, "floats"},
    {8, Wire::varint, Times::numbers, "ints"},
    {9, Wire::bytes, Times::often, "strings"},
    {tensors, Wire::bytes, Times::often, "tensors"},
    {graphs, Wire::bytes, Times::often, "graphs"},
    {13, Wire::bytes, Times::once, "doc_string"},
    {14, Wire::bytes, Times::once, "tp"},
    {15, Wire::bytes, Times::often, "type_protos"},
    {20, Wire::varint, Times::once, "type"},
    {21, Wire::bytes, Times::once, "ref_attr_name"},
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

// TensorProto.DataType. Strings have no DType: their text is frame.
struct ElementType {
    std::optional<DType> dtype;  // none for STRING
    std::uint32_t field;         // the field that holds elements which are not raw: tensor::float_data, ...
};
// Nothing for UNDEFINED and for numbers that onnx.proto does not have.
std::optional<ElementType> element_type(std::uint64_t data_type);

}  // namespace modelseal::formats::onnx
