// A perceptron as an ONNX file, for the example programs.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace examples {

struct Tensor {
    std::string name;
    std::vector<std::uint64_t> shape;
    std::string data;  // float32, little-endian
};

// Protobuf, as far as ONNX needs it here; field numbers are those of onnx.proto.
inline std::string varint(std::uint64_t value) {
    std::string out;
    for (; value >= 0x80; value >>= 7) out += static_cast<char>(value | 0x80);
    return out + static_cast<char>(value);
}
inline std::string field(std::uint64_t number, std::uint64_t value) {
    return varint(number << 3) + varint(value);
}
inline std::string field(std::uint64_t number, std::string_view bytes) {
    return varint(number << 3 | 2) + varint(bytes.size()) + std::string(bytes);
}

inline std::string onnx_node(std::string_view operation, const std::vector<std::string>& inputs,
                             std::string_view output, std::string_view attribute = {}) {
    std::string node;
    for (const auto& input : inputs) node += field(1, input);
    node += field(2, output) + field(4, operation);
    // AttributeProto: name, i = 1, type INT.
    if (!attribute.empty()) node += field(5, field(1, attribute) + field(3, 1) + field(20, 2));
    return field(1, node);
}

// ValueInfoProto of float32 with a free batch dimension.
inline std::string onnx_value(std::string_view name, const std::vector<std::uint64_t>& shape) {
    auto dims = field(1, field(2, "N"));
    for (const auto extent : shape) dims += field(1, field(1, extent));
    return field(1, name) + field(2, field(1, field(1, 1) + field(2, dims)));
}

// A weight and a bias of each layer; images of 28 x 28, ReLU between the layers, logits of 10 classes.
inline std::string onnx(const std::vector<Tensor>& tensors) {
    auto graph = onnx_node("Flatten", {"image"}, "x0");
    const auto layers = tensors.size() / 2;
    for (std::size_t layer = 0; layer < layers; ++layer) {
        const auto in = "x" + std::to_string(layer), out = "x" + std::to_string(layer + 1);
        const bool last = layer + 1 == layers;
        graph += onnx_node("Gemm", {in, tensors[2 * layer].name, tensors[2 * layer + 1].name},
                           last ? "logits" : out + ".sum", "transB");
        if (!last) graph += onnx_node("Relu", {out + ".sum"}, out);
    }
    graph += field(2, "perceptron");
    for (const auto& tensor : tensors) {
        std::string proto;
        for (const auto extent : tensor.shape) proto += field(1, extent);
        graph += field(5, proto + field(2, 1) + field(8, tensor.name) + field(9, tensor.data));
    }
    graph += field(11, onnx_value("image", {1, 28, 28})) + field(12, onnx_value("logits", {10}));
    return field(1, 8) + field(7, graph) + field(8, field(2, 13));  // IR version 8, operator set 13
}

}  // namespace examples
