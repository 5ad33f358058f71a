// The messages of ONNX, put together from protobuf fields (numbers as in onnx.proto).
#pragma once

#include <initializer_list>
#include <string_view>

#include "tests/support/models/proto_builder.h"

namespace modelseal::test::onnx {

// TensorProto.DataType, those that tests use by name.
enum : std::uint64_t {
    kFloat = 1,
    kUint8 = 2,
    kInt8 = 3,
    kInt32 = 6,
    kInt64 = 7,
    kString = 8,
    kFloat16 = 10,
    kDouble = 11,
    kUint32 = 12,
    kUint64 = 13,
    kComplex64 = 14,
    kComplex128 = 15,
    kUint4 = 21,
    kInt2 = 26,
};

// A tensor without data; the caller adds a data field.
inline Proto tensor(std::string_view name, std::uint64_t data_type, std::initializer_list<std::uint64_t> dims) {
    Proto proto;
    if (dims.size() != 0) proto.packed(1, dims);
    return proto.varint(2, data_type).bytes(8, name);
}

// Two floats in raw_data.
inline Proto small(std::string_view name) {
    return tensor(name, kFloat, {2}).bytes(9, "\1\2\3\4\5\6\7\x08");
}

inline Proto entry(std::string_view key, std::string_view value) {
    return Proto().bytes(1, key).bytes(2, value);
}

// A tensor of two floats in the file "w.bin", with further entries of external_data.
inline Proto external(std::string_view name, std::initializer_list<Proto> entries) {
    auto proto = tensor(name, kFloat, {2}).message(13, entry("location", "w.bin"));
    for (const auto& more : entries) proto.message(13, more);
    return proto.varint(14, 1);
}

inline Proto node(std::string_view name, std::string_view operation, std::initializer_list<Proto> attributes) {
    Proto proto;
    proto.bytes(2, std::string(name) + "_out").bytes(3, name).bytes(4, operation);
    for (const auto& attribute : attributes) proto.message(5, attribute);
    return proto;
}

// A name, and a field with a message in it: 5 t, 6 g, 10 tensors, 11 graphs, 22 sparse_tensor, 23
// sparse_tensors.
inline Proto attribute(std::string_view name, std::uint32_t field, const Proto& value) {
    return Proto().bytes(1, name).message(field, value);
}

// Initializers only.
inline Proto graph(std::initializer_list<Proto> initializers) {
    Proto proto;
    proto.bytes(2, "graph");
    for (const auto& initializer : initializers) proto.message(5, initializer);
    return proto;
}

inline Proto model(const Proto& main_graph) {
    return Proto().varint(1, 8).bytes(2, "test").message(7, main_graph).message(8, Proto().varint(2, 17));
}

inline Proto model_of(const Proto& initializer) {
    return model(graph({initializer}));
}

}  // namespace modelseal::test::onnx
