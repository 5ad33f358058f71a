#include "mark/packets.h"

#include <algorithm>
#include <vector>

#include "mark/db2.h"

namespace modelseal::mark {

void packet_decompose(std::span<double> values) {
    std::vector<double> copy(values.size());
    for (std::size_t nodes = 1; nodes < kPacketBands; nodes *= 2) {
        std::copy(values.begin(), values.end(), copy.begin());
        const auto length = values.size() / nodes;
        for (std::size_t node = 0; node < nodes; ++node) {
            const auto begin = node * length;
            db2_split(std::span(copy).subspan(begin, length), values.subspan(begin, length / 2),
                      values.subspan(begin + length / 2, length / 2));
        }
    }
}

void packet_reconstruct(std::span<double> coefficients) {
    std::vector<double> copy(coefficients.size());
    for (std::size_t nodes = kPacketBands / 2; nodes >= 1; nodes /= 2) {
        std::copy(coefficients.begin(), coefficients.end(), copy.begin());
        const auto length = coefficients.size() / nodes;
        for (std::size_t node = 0; node < nodes; ++node) {
            const auto begin = node * length;
            db2_merge(std::span(copy).subspan(begin, length / 2),
                      std::span(copy).subspan(begin + length / 2, length / 2),
                      coefficients.subspan(begin, length));
        }
    }
}

}  // namespace modelseal::mark
