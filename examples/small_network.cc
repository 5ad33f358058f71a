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

#include "perceptron.h"

namespace {

using examples::Tensor;

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

}  // namespace

int main(int argc, char** argv) {
    if (argc != 2) {
        std::fprintf(stderr, "usage: small_network FILE.safetensors|FILE.onnx\n");
        return 2;
    }
    const auto tensors = perceptron({784, 128, 64, 10});
    std::ofstream file(argv[1], std::ios::binary);
    file << (std::string_view(argv[1]).ends_with(".onnx") ? examples::onnx(tensors) : safetensors(tensors));
    return file.flush() ? 0 : 1;
}
