#include "baseline/packets.h"

#include <algorithm>
#include <vector>

namespace modelseal::baseline {
namespace {

constexpr auto& h = kDb2LowPass;
constexpr auto& g = kDb2HighPass;

}  // namespace

void db2_split(std::span<const double> signal, std::span<double> low, std::span<double> high) {
    const auto pairs = signal.size() / 2;
    for (std::size_t k = 0; k < pairs; ++k) {
        const auto before = signal[k == 0 ? signal.size() - 1 : 2 * k - 1];
        const auto after = signal[k + 1 == pairs ? 0 : 2 * k + 2];
        const auto even = signal[2 * k];
        const auto odd = signal[2 * k + 1];
        // Summed in pairs, in this order on every machine, so that a mark reads alike everywhere.
        low[k] = (h[0] * before + h[1] * even) + (h[2] * odd + h[3] * after);
        high[k] = (g[0] * before + g[1] * even) + (g[2] * odd + g[3] * after);
    }
}

void db2_merge(std::span<const double> low, std::span<const double> high, std::span<double> signal) {
    const auto pairs = low.size();
    for (std::size_t k = 0; k < pairs; ++k) {
        const auto previous = k == 0 ? pairs - 1 : k - 1;
        const auto before = k == 0 ? signal.size() - 1 : 2 * k - 1;
        signal[before] = (h[0] * low[k] + h[2] * low[previous]) + (g[0] * high[k] + g[2] * high[previous]);
        signal[2 * k] = (h[1] * low[k] + h[3] * low[previous]) + (g[1] * high[k] + g[3] * high[previous]);
    }
}

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

}  // namespace modelseal::baseline
