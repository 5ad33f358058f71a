// Writes a small network to try modelseal on: a perceptron 784-128-64-10 with random weights, as safetensors.
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <random>
#include <string>
#include <vector>

int main(int argc, char** argv) {
    if (argc != 2) {
        std::fprintf(stderr, "usage: small_network FILE.safetensors\n");
        return 2;
    }
    const std::vector<std::uint64_t> widths = {784, 128, 64, 10};
    std::mt19937 generator(1);
    std::string header, data;
    const auto add = [&](const std::string& name, const std::string& shape, std::uint64_t count, float sigma) {
        std::normal_distribution<float> normal(0, sigma);
        const auto begin = data.size();
        for (std::uint64_t i = 0; i < count; ++i) {
            const auto value = normal(generator);
            data.append(reinterpret_cast<const char*>(&value), sizeof value);
        }
        header += (header.empty() ? "{\"" : ",\"") + name + "\":{\"dtype\":\"F32\",\"shape\":[" + shape +
                  "],\"data_offsets\":[" + std::to_string(begin) + "," + std::to_string(data.size()) + "]}";
    };
    for (std::size_t layer = 0; layer + 1 < widths.size(); ++layer) {
        const auto in = widths[layer], out = widths[layer + 1];
        const auto name = "layers." + std::to_string(layer);
        add(name + ".weight", std::to_string(out) + "," + std::to_string(in), in * out, 0.05f);
        add(name + ".bias", std::to_string(out), out, 0.01f);
    }
    header += "}";
    std::ofstream file(argv[1], std::ios::binary);
    for (int i = 0; i < 8; ++i) file.put(static_cast<char>(std::uint64_t{header.size()} >> (8 * i)));
    file << header << data;
    return file.flush() ? 0 : 1;
}
