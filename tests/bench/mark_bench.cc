// Parts of sealing by themselves, on one thread: the wavelet packets, finding and reading a cell, writing one,
// and the plain digest of a block beside them. MB/s of weights; memory speed and other work on the machine
// matter.
#include <chrono>
#include <cstdio>
#include <cstring>
#include <functional>
#include <random>

#include <fmt/format.h>

#include "mark/coding/cell.h"
#include "mark/coding/wavelet.h"

namespace {

using namespace modelseal;
using namespace modelseal::mark;

constexpr std::size_t kBlock = 8192;

void measure(const char* what, std::size_t bytes, const std::function<void()>& once) {
    using Clock = std::chrono::steady_clock;
    once();
    std::size_t rounds = 0;
    const auto begin = Clock::now();
    std::chrono::duration<double> spent{};
    do {
        once();
        ++rounds;
        spent = Clock::now() - begin;
    } while (spent.count() < 1);
    fmt::print("{:<44} {:>9.1f} MB/s\n", what, static_cast<double>(bytes * rounds) / spent.count() / 1e6);
}

}  // namespace

int main() {
    std::mt19937 generator(1);
    std::normal_distribution<double> normal(0, 0.02);
    std::vector<float> weights(kBlock);
    for (auto& weight : weights) weight = static_cast<float>(normal(generator));
    std::vector<std::byte> block(kBlock * 4);
    std::memcpy(block.data(), weights.data(), block.size());
    TensorKeys keys{};
    crypto::Sha256 hash;

    std::vector<std::int64_t> values(kCellValues);
    for (auto& value : values) value = static_cast<std::int64_t>(generator());
    measure("wavelet packets forward, 1,024 values", kCellValues * 4, [&] { packets_forward(values); });
    measure("wavelet packets inverse, 1,024 values", kCellValues * 4, [&] { packets_inverse(values); });
    measure("digest of a block without a cell", block.size(), [&] { plain_digest(hash, block); });
    measure("digest of a block with a cell", block.size(), [&] {
        Cell(keys, {Version::two, DType::f32}, 0, block).digest(hash);
    });
    const Cell cell(keys, {Version::two, DType::f32}, 0, block);
    const std::vector<std::byte> content(cell.capacity() - kTagBytes);
    measure("embedding into the cell of a block", block.size(), [&] {
        Cell(keys, {Version::two, DType::f32}, 0, block).write(content, 0);
    });
    measure("reading the cell of a block", block.size(), [&] {
        Cell(keys, {Version::two, DType::f32}, 0, block).read();
    });
}
