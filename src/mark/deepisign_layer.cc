#include "mark/deepisign_layer.h"

#include <algorithm>
#include <cfloat>
#include <cmath>

#include "mark/deepisign_scramble.h"

namespace modelseal::mark::deepisign {
namespace {

constexpr double kRho = 10'000;  // four decimals

// delta makes all coefficients positive: "the lowest value + (-1)" (paper, section 2.4). That value changes
// when the mark is written, but a reader need not know it: any integer delta gives a multiple of 10,000 and so
// of 4, which leaves the two lowest bits alone. So each side takes the integer that suits what it sees.
double delta_of(std::span<const double> detail) {
    double lowest = 0;
    for (const auto coefficient : detail) {
        if (std::isfinite(coefficient)) lowest = std::min(lowest, coefficient);
    }
    return std::ceil(-lowest) + 1;
}

unsigned symbol_of(double coefficient, double delta) {
    const auto scaled = std::floor((coefficient + delta) * kRho);
    return std::isfinite(scaled) ? static_cast<unsigned>(std::fmod(scaled, 4)) : 0;
}

// The two lowest bits replaced. The half centres the value in its cell; without it, rounding the weights to f32
// moves about half of the symbols into a neighbouring cell.
double with_symbol(double coefficient, double delta, unsigned symbol) {
    const auto scaled = std::floor((coefficient + delta) * kRho);
    return (scaled - std::fmod(scaled, 4) + symbol + 0.5) / kRho - delta;
}

unsigned symbol_in(std::span<const Bit> hidden, const Placement& placement) {
    const auto bit = [&](std::size_t i) { return hidden[2 * placement.symbol + i] == Bit::one ? 1u : 0u; };
    return bit(0) << 1 | bit(1);
}

bool all_finite(std::span<const double> weights, DType dtype) {
    const double largest = dtype == DType::f32 ? double{FLT_MAX} : DBL_MAX;
    return std::ranges::all_of(weights, [&](double weight) { return std::abs(weight) <= largest; });
}

// Calls visit(transform, its placements) for each transform that carries anything.
template <class Visit>
Result<void> for_each_transform(std::span<const Placement> placements, Visit visit) {
    for (std::size_t begin = 0; begin < placements.size();) {
        auto end = begin;
        while (end < placements.size() && placements[end].transform == placements[begin].transform) ++end;
        MODELSEAL_TRY(visit(placements[begin].transform, placements.subspan(begin, end - begin)));
        begin = end;
    }
    return {};
}

}  // namespace

// The first `rows % transforms` transforms have a row more than the others.
std::uint64_t LayerCut::first_row(std::uint64_t transform) const {
    const auto each = rows_ / transforms(), longer = rows_ % transforms();
    return transform * each + std::min(transform, longer);
}

std::uint64_t LayerCut::transform_of(std::uint64_t carrier) const {
    const auto row = carrier / (kPacketBands / 2);
    const auto each = rows_ / transforms(), longer = rows_ % transforms();
    const auto in_longer = longer * (each + 1);
    return row < in_longer ? row / (each + 1) : longer + (row - in_longer) / each;
}

std::vector<Placement> place(const LayerCut& cut, std::span<const std::byte, 32> check_secret,
                             std::uint64_t layer) {
    const auto carriers = scramble(check_secret, layer, cut.carriers(), cut.bits() / 2);
    std::vector<Placement> placements(carriers.size());
    for (std::size_t i = 0; i < carriers.size(); ++i) {
        const auto transform = cut.transform_of(carriers[i]);
        const auto before = cut.first_weight(transform) / 2;    // carriers of the transforms in front
        const auto approximation = cut.weights(transform) / 2;  // bands 1-16
        placements[i] = {transform, static_cast<std::uint32_t>(approximation + carriers[i] - before),
                         static_cast<std::uint32_t>(i)};
    }
    std::ranges::sort(placements, [](const Placement& a, const Placement& b) {
        return a.transform != b.transform ? a.transform < b.transform : a.coefficient < b.coefficient;
    });
    return placements;
}

bool embed(std::span<double> weights, std::span<const Placement> placements, std::span<const Bit> hidden,
           DType dtype) {
    if (!all_finite(weights, dtype)) return false;
    packet_decompose(weights);
    const auto delta = delta_of(weights.subspan(weights.size() / 2));
    for (const auto& placement : placements) {
        auto& coefficient = weights[placement.coefficient];
        coefficient = with_symbol(coefficient, delta, symbol_in(hidden, placement));
    }
    packet_reconstruct(weights);
    if (!all_finite(weights, dtype)) return false;
    if (dtype == DType::f32) {
        for (auto& weight : weights) weight = static_cast<double>(static_cast<float>(weight));
    }
    std::vector<double> marked(weights.begin(), weights.end());
    packet_decompose(marked);
    const auto seen = delta_of(std::span(marked).subspan(marked.size() / 2));
    return std::ranges::all_of(placements, [&](const Placement& placement) {
        return symbol_of(marked[placement.coefficient], seen) == symbol_in(hidden, placement);
    });
}

void read(std::span<double> weights, std::span<const Placement> placements, std::span<Bit> hidden) {
    packet_decompose(weights);
    const auto delta = delta_of(weights.subspan(weights.size() / 2));
    for (const auto& placement : placements) {
        const auto symbol = symbol_of(weights[placement.coefficient], delta);
        hidden[2 * placement.symbol] = (symbol & 2u) != 0 ? Bit::one : Bit::zero;
        hidden[2 * placement.symbol + 1] = (symbol & 1u) != 0 ? Bit::one : Bit::zero;
    }
}

Result<void> embed_layer(const LayerCut& cut, std::span<const Placement> placements,
                         std::span<const Bit> hidden, DType dtype, const LoadWeights& load,
                         const StoreWeights& store) {
    std::vector<double> weights;
    return for_each_transform(placements, [&](std::uint64_t transform, auto own) -> Result<void> {
        weights.resize(cut.weights(transform));
        MODELSEAL_TRY(load(cut.first_weight(transform), weights));
        if (!embed(weights, own, hidden, dtype)) {
            return Error{ErrorKind::unsupported,
                         "its weights are not finite, or too large to keep four decimals as " +
                             std::string(info(dtype).name),
                         {}};
        }
        return store(cut.first_weight(transform), weights);
    });
}

Result<std::vector<Bit>> read_layer(const LayerCut& cut, std::span<const Placement> placements,
                                    const LoadWeights& load) {
    std::vector<Bit> hidden(cut.bits(), Bit::unknown);
    std::vector<double> weights;
    const auto done = for_each_transform(placements, [&](std::uint64_t transform, auto own) -> Result<void> {
        weights.resize(cut.weights(transform));
        MODELSEAL_TRY(load(cut.first_weight(transform), weights));
        read(weights, own, hidden);
        return {};
    });
    MODELSEAL_TRY(done);
    return hidden;
}

}  // namespace modelseal::mark::deepisign
