#include "tests/support/tamper.h"

#include <algorithm>
#include <cstring>
#include <numeric>
#include <random>
#include <vector>

namespace modelseal::test {

std::string damaged(std::string file, Damage damage, std::uint64_t block, unsigned seed) {
    std::uint64_t header = 0;
    std::memcpy(&header, file.data(), sizeof header);
    const auto base = sizeof header + header, bytes = block * sizeof(float);
    const auto blocks = (file.size() - base + bytes - 1) / bytes;
    std::mt19937 generator(seed);
    std::vector<std::size_t> hit(blocks);
    std::iota(hit.begin(), hit.end(), std::size_t{0});
    if (damage == Damage::random_blocks) std::shuffle(hit.begin(), hit.end(), generator);
    if (damage == Damage::back) std::reverse(hit.begin(), hit.end());
    if (damage != Damage::all && damage != Damage::some_values) hit.resize(blocks * 9 / 10);
    for (const auto each : hit) {
        const auto begin = base + each * bytes;
        const auto end = std::min(file.size(), begin + bytes);
        for (auto at = begin; at < end; ++at) {
            if (damage != Damage::some_values) {
                file[at] = static_cast<char>(generator());
            } else if ((at - base) % sizeof(float) == 0 && generator() % 512 == 0) {
                file[at] = static_cast<char>(file[at] ^ 1);
            }
        }
    }
    return file;
}

}  // namespace modelseal::test
