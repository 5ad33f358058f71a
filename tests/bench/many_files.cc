// Many small models, and the peer that a check of them is compared with:
//   many_files make FOLDER COUNT BYTES       0.safetensors, 1.safetensors, ... of about BYTES each, Gaussian f32 weights
//   many_files hash LIST THREADS             SHA-256 of each file of the list, by OpenSSL, so many threads side by side
#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <openssl/evp.h>
#include <unistd.h>

namespace {

int usage() {
    std::fprintf(stderr, "usage: many_files make FOLDER COUNT BYTES | hash LIST THREADS\n");
    return 2;
}

// Four layers of weights and biases that share the bytes, each half as large as the one before it.
std::string header_of(std::uint64_t bytes) {
    std::string header;
    std::uint64_t begin = 0;
    for (int layer = 0; layer < 4; ++layer) {
        const std::uint64_t columns = 64;
        const auto rows = std::max<std::uint64_t>(1, (bytes >> (layer + 1)) / 4 / columns);
        const auto add = [&](const char* part, const std::string& shape, std::uint64_t elements) {
            header += (header.empty() ? "{\"layers." : ",\"layers.") + std::to_string(layer) + "." + part +
                      R"(":{"dtype":"F32","shape":)" + shape + R"(,"data_offsets":[)" + std::to_string(begin) +
                      "," + std::to_string(begin + 4 * elements) + "]}";
            begin += 4 * elements;
        };
        add("weight", "[" + std::to_string(rows) + "," + std::to_string(columns) + "]", rows * columns);
        add("bias", "[" + std::to_string(columns) + "]", columns);
    }
    return header + "}";
}

std::uint64_t data_bytes(const std::string& header) {
    const auto comma = header.rfind(',');
    return std::strtoull(header.c_str() + comma + 1, nullptr, 10);
}

int make(const std::string& folder, std::uint64_t count, std::uint64_t bytes) {
    std::mt19937 generator(1);
    std::normal_distribution<double> normal(0, 0.02);  // of float, weights would lie on a grid
    const auto header = header_of(bytes);
    std::vector<float> weights(data_bytes(header) / 4);
    for (std::uint64_t i = 0; i < count; ++i) {
        for (auto& weight : weights) weight = static_cast<float>(normal(generator));
        std::ofstream file(folder + "/" + std::to_string(i) + ".safetensors", std::ios::binary);
        for (int k = 0; k < 8; ++k) file.put(static_cast<char>(std::uint64_t{header.size()} >> (8 * k)));
        file << header;
        file.write(reinterpret_cast<const char*>(weights.data()),
                   static_cast<std::streamsize>(4 * weights.size()));
        if (!file.flush()) return 1;
    }
    return 0;
}

// As a program would that does nothing but hash: one buffer and one context a thread.
bool hash_file(const std::string& path, std::vector<unsigned char>& buffer, EVP_MD_CTX* context,
               const EVP_MD* sha256) {
    const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) return false;
    unsigned char digest[EVP_MAX_MD_SIZE];
    ssize_t got = 0;
    EVP_DigestInit_ex2(context, sha256, nullptr);
    while ((got = ::read(fd, buffer.data(), buffer.size())) > 0)
        EVP_DigestUpdate(context, buffer.data(), static_cast<std::size_t>(got));
    ::close(fd);
    return got == 0 && EVP_DigestFinal_ex(context, digest, nullptr) == 1;
}

int hash(const char* list, unsigned threads) {
    std::ifstream in(list);
    std::vector<std::string> paths;
    for (std::string line; std::getline(in, line);) paths.push_back(line);
    const std::unique_ptr<EVP_MD, void (*)(EVP_MD*)> sha256(EVP_MD_fetch(nullptr, "SHA256", nullptr),
                                                            EVP_MD_free);
    std::atomic<std::size_t> next = 0, failed = 0;
    const auto work = [&] {
        const std::unique_ptr<EVP_MD_CTX, void (*)(EVP_MD_CTX*)> context(EVP_MD_CTX_new(), EVP_MD_CTX_free);
        std::vector<unsigned char> buffer(std::size_t{1} << 20);
        for (auto i = next++; i < paths.size(); i = next++) {
            if (!hash_file(paths[i], buffer, context.get(), sha256.get())) ++failed;
        }
    };
    {
        std::vector<std::jthread> workers;
        for (unsigned i = 0; i < threads; ++i) workers.emplace_back(work);
    }
    std::printf("%zu files, %zu failed\n", paths.size(), failed.load());
    return failed == 0 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc == 5 && std::strcmp(argv[1], "make") == 0)
        return make(argv[2], std::strtoull(argv[3], nullptr, 10), std::strtoull(argv[4], nullptr, 10));
    if (argc == 4 && std::strcmp(argv[1], "hash") == 0)
        return hash(argv[2], static_cast<unsigned>(std::max(1, std::atoi(argv[3]))));
    return usage();
}
