// Writes a safetensors file of Gaussian f32 weights in tensors of 64 MiB: large_model FILE MiB
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <random>
#include <string>
#include <vector>

int main(int argc, char** argv) {
    if (argc != 3) {
        std::fprintf(stderr, "usage: large_model FILE MiB\n");
        return 2;
    }
    const auto total = std::strtoull(argv[2], nullptr, 10) << 20;
    constexpr std::uint64_t kTensor = std::uint64_t{64} << 20;
    std::mt19937 generator(1);
    std::normal_distribution<double> normal(0, 0.02);
    std::vector<float> noise(std::size_t{1} << 20);
    for (auto& value : noise) value = static_cast<float>(normal(generator));

    std::string header;
    for (std::uint64_t begin = 0, i = 0; begin < total; begin += kTensor, ++i) {
        const auto end = begin + kTensor < total ? begin + kTensor : total;
        header += (i == 0 ? "{\"layers." : ",\"layers.") + std::to_string(i) +
                  ".weight\":{\"dtype\":\"F32\",\"shape\":[" + std::to_string((end - begin) / 4) +
                  "],\"data_offsets\":[" + std::to_string(begin) + "," + std::to_string(end) + "]}";
    }
    header += "}";
    std::ofstream file(argv[1], std::ios::binary);
    for (int i = 0; i < 8; ++i) file.put(static_cast<char>(std::uint64_t{header.size()} >> (8 * i)));
    file << header;
    for (std::uint64_t written = 0; written < total;) {
        // No two stretches alike: the same noise from another place on.
        const auto from = generator() % (noise.size() / 2);
        const auto bytes = std::min<std::uint64_t>(total - written, noise.size() / 2 * sizeof(float));
        file.write(reinterpret_cast<const char*>(noise.data() + from), static_cast<std::streamsize>(bytes));
        written += bytes;
    }
    return file.flush() ? 0 : 1;
}
