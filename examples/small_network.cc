// Writes a small network to try modelseal on: a perceptron 784-128-64-10 with random weights, for images of 28
// by 28.
//   small_network FILE.safetensors|FILE.onnx
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace {

struct Tensor {
    std::string name;
    std::vector<std::uint64_t> shape;
    std::string data;  // float32, little-endian
};

std::vector<Tensor> perceptron(const std::vector<std::uint64_t>& widths) {
    std::mt19937 generator(1);
    std::vector<Tensor> tensors;
    const auto add = [&](std::string name, std::vector<std::uint64_t> shape, double sigma) {
        std::normal_distribution<double> normal(0, sigma);
        std::uint64_t count = 1;
        for (const auto extent : shape) count *= extent;
        Tensor tensor{std::move(name), std::move(shape), {}};
        for (std::uint64_t i = 0; i < count; ++i) {
            const auto value = static_cast<float>(normal(generator));
            tensor.data.append(reinterpret_cast<const char*>(&value), sizeof value);
        }
        tensors.push_back(std::move(tensor));
    };
    for (std::size_t layer = 0; layer + 1 < widths.size(); ++layer) {
        const auto name = "layers." + std::to_string(layer);
        add(name + ".weight", {widths[layer + 1], widths[layer]}, 0.05);
        add(name + ".bias", {widths[layer + 1]}, 0.01);
    }
    return tensors;
}

std::string safetensors(const std::vector<Tensor>& tensors) {
    std::string header, data;
    for (const auto& tensor : tensors) {
        std::string shape;
        for (const auto extent : tensor.shape) shape += (shape.empty() ? "" : ",") + std::to_string(extent);
        header += (header.empty() ? "{\"" : ",\"") + tensor.name + "\":{\"dtype\":\"F32\",\"shape\":[" + shape +
                  "],\"data_offsets\":[" + std::to_string(data.size()) + ",";
        data += tensor.data;
        header += std::to_string(data.size()) + "]}";
    }
    header += "}";
    std::string file;
    for (int i = 0; i < 8; ++i) file += static_cast<char>(std::uint64_t{header.size()} >> (8 * i));
    return file + header + data;
}

// Protobuf, as far as ONNX needs it here; field numbers are those of onnx.proto.
std::string varint(std::uint64_t value) {
    std::string out;
    for (; value >= 0x80; value >>= 7) out += static_cast<char>(value | 0x80);
    return out + static_cast<char>(value);
}
std::string field(std::uint64_t number, std::uint64_t value) {
    return varint(number << 3) + varint(value);
}
std::string field(std::uint64_t number, std::string_view bytes) {
    return varint(number << 3 | 2) + varint(bytes.size()) + std::string(bytes);
}

std::string onnx_node(std::string_view operation, const std::vector<std::string>& inputs,
                      std::string_view output, std::string_view attribute = {}) {
    std::string node;
    for (const auto& input : inputs) node += field(1, input);
    node += field(2, output) + field(4, operation);
    // AttributeProto: name, i = 1, type INT.
    if (!attribute.empty()) node += field(5, field(1, attribute) + field(3, 1) + field(20, 2));
    return field(1, node);
}

// ValueInfoProto of float32 with a free batch dimension.
std::string onnx_value(std::string_view name, const std::vector<std::uint64_t>& shape) {
    auto dims = field(1, field(2, "N"));
    for (const auto extent : shape) dims += field(1, field(1, extent));
    return field(1, name) + field(2, field(1, field(1, 1) + field(2, dims)));
}

std::string onnx(const std::vector<Tensor>& tensors) {
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

}  // namespace

int main(int argc, char** argv) {
    if (argc != 2) {
        std::fprintf(stderr, "usage: small_network FILE.safetensors|FILE.onnx\n");
        return 2;
    }
    const auto tensors = perceptron({784, 128, 64, 10});
    std::ofstream file(argv[1], std::ios::binary);
    file << (std::string_view(argv[1]).ends_with(".onnx") ? onnx(tensors) : safetensors(tensors));
    return file.flush() ? 0 : 1;
}
