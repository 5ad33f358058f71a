
#include "baseline/deepisign_layer.h"

#include <algorithm>
#include <cfloat>
#include <cmath>

#include "crypto/keystream.h"
#include "crypto/secret.h"

namespace modelseal::baseline {
namespace {

constexpr std::size_t kScrambleValues = 256;  // |nu|
constexpr std::size_t kValueBytes = 4;

// The seed of one layer's order: all of nu, read from the layer's number on.
std::array<std::byte, 32> layer_seed(std::span<const std::byte, 32> check_secret, std::uint64_t layer) {
    std::array<std::byte, kScrambleValues * kValueBytes> nu{};
    crypto::hkdf_sha256(check_secret, {}, "modelseal deepisign scramble vector", nu);
    std::rotate(nu.begin(), nu.begin() + static_cast<std::ptrdiff_t>(layer % kScrambleValues * kValueBytes),
                nu.end());
    std::array<std::byte, 32> seed{};
    crypto::hkdf_sha256(nu, {}, "modelseal deepisign layer order", seed);
    crypto::wipe(nu.data(), nu.size());
    return seed;
}

constexpr double kRho = 10'000;  // four decimals

// delta makes all coefficients positive: "the lowest value + (-1)" (paper, section 2.4). That value changes
// when the mark is written, but a reader need not know it: any integer delta gives a multiple of 10,000 and so
// of 16, which leaves the four lowest bits alone. So each side takes the integer that suits what it sees.
double delta_of(std::span<const double> detail) {
    double lowest = 0;
    for (const auto coefficient : detail) {
        if (std::isfinite(coefficient)) lowest = std::min(lowest, coefficient);
    }
    return std::ceil(-lowest) + 1;
}

unsigned symbol_of(double coefficient, double delta, unsigned level) {
    const auto scaled = std::floor((coefficient + delta) * kRho);
    return std::isfinite(scaled) ? static_cast<unsigned>(std::fmod(scaled, 1u << level)) : 0;
}

// The `level` lowest bits replaced. The half centers the value in its cell; without it, rounding the weights to
// f32 moves about half of the symbols into a neighboring cell.
double with_symbol(double coefficient, double delta, unsigned level, unsigned symbol) {
    const auto scaled = std::floor((coefficient + delta) * kRho);
    return (scaled - std::fmod(scaled, 1u << level) + symbol + 0.5) / kRho - delta;
}

// The first hidden bit is the highest of the symbol.
unsigned symbol_in(std::span<const Bit> hidden, const SymbolCarrier& carrier, unsigned level) {
    unsigned symbol = 0;
    for (const auto bit : hidden.subspan(std::size_t{level} * carrier.symbol, level))
        symbol = symbol << 1 | (bit == Bit::one ? 1u : 0u);
    return symbol;
}

bool all_finite(std::span<const double> weights, DType dtype) {
    const double largest = dtype == DType::f32 ? double{FLT_MAX} : DBL_MAX;
    return std::ranges::all_of(weights, [&](double weight) { return std::abs(weight) <= largest; });
}

// Calls visit(transform, its carriers) for each transform that carries anything.
template <class Visit>
Result<void> for_each_transform(std::span<const SymbolCarrier> carriers, Visit visit) {
    for (std::size_t begin = 0; begin < carriers.size();) {
        auto end = begin;
        while (end < carriers.size() && carriers[end].transform == carriers[begin].transform) ++end;
        MODELSEAL_TRY(visit(carriers[begin].transform, carriers.subspan(begin, end - begin)));
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

std::vector<std::uint64_t> scramble(std::span<const std::byte, 32> check_secret, std::uint64_t layer,
                                    std::uint64_t available, std::size_t count) {
    auto seed = layer_seed(check_secret, layer);
    crypto::Keystream random(seed, 0);
    crypto::wipe(seed.data(), seed.size());
    return random.choose(count, available);
}

std::vector<SymbolCarrier> carriers_of(const LayerCut& cut, std::span<const std::byte, 32> check_secret,
                                       std::uint64_t layer) {
    const auto order = scramble(check_secret, layer, cut.carriers(), cut.bits() / cut.level());
    std::vector<SymbolCarrier> carriers(order.size());
    for (std::size_t i = 0; i < order.size(); ++i) {
        const auto transform = cut.transform_of(order[i]);
        const auto before = cut.first_weight(transform) / 2;    // carriers of the transforms in front
        const auto approximation = cut.weights(transform) / 2;  // bands 1-16
        carriers[i] = {transform, static_cast<std::uint32_t>(approximation + order[i] - before),
                       static_cast<std::uint32_t>(i)};
    }
    std::ranges::sort(carriers, [](const SymbolCarrier& a, const SymbolCarrier& b) {
        return a.transform != b.transform ? a.transform < b.transform : a.coefficient < b.coefficient;
    });
    return carriers;
}

bool embed_transform(std::span<double> weights, std::span<const SymbolCarrier> carriers,
                     std::span<const Bit> hidden, unsigned level, DType dtype) {
    if (!all_finite(weights, dtype)) return false;
    packet_decompose(weights);
    const auto delta = delta_of(weights.subspan(weights.size() / 2));
    for (const auto& carrier : carriers) {
        auto& coefficient = weights[carrier.coefficient];
        coefficient = with_symbol(coefficient, delta, level, symbol_in(hidden, carrier, level));
    }
    packet_reconstruct(weights);
    if (!all_finite(weights, dtype)) return false;
    if (dtype == DType::f32) {
        for (auto& weight : weights) weight = static_cast<double>(static_cast<float>(weight));
    }
    std::vector<double> marked(weights.begin(), weights.end());
    packet_decompose(marked);
    const auto seen = delta_of(std::span(marked).subspan(marked.size() / 2));
    return std::ranges::all_of(carriers, [&](const SymbolCarrier& carrier) {
        return symbol_of(marked[carrier.coefficient], seen, level) == symbol_in(hidden, carrier, level);
    });
}

void read_transform(std::span<double> weights, std::span<const SymbolCarrier> carriers, unsigned level,
                    std::span<Bit> hidden) {
    packet_decompose(weights);
    const auto delta = delta_of(weights.subspan(weights.size() / 2));
    for (const auto& carrier : carriers) {
        const auto symbol = symbol_of(weights[carrier.coefficient], delta, level);
        for (unsigned i = 0; i < level; ++i) {
            hidden[std::size_t{level} * carrier.symbol + i] =
                (symbol >> (level - 1 - i) & 1u) != 0 ? Bit::one : Bit::zero;
        }
    }
}

Result<void> embed_layer(const LayerCut& cut, std::span<const SymbolCarrier> carriers,
                         std::span<const Bit> hidden, DType dtype, const LoadWeights& load,
                         const StoreWeights& store) {
    std::vector<double> weights;
    return for_each_transform(carriers, [&](std::uint64_t transform, auto own) -> Result<void> {
        weights.resize(cut.weights(transform));
        MODELSEAL_TRY(load(cut.first_weight(transform), weights));
        if (!embed_transform(weights, own, hidden, cut.level(), dtype)) {
            return Error{ErrorKind::unsupported,
                         "its weights are not finite, or too large to keep four decimals as " +
                             std::string(info(dtype).name),
                         {}};
        }
        return store(cut.first_weight(transform), weights);
    });
}

Result<std::vector<Bit>> read_layer(const LayerCut& cut, std::span<const SymbolCarrier> carriers,
                                    const LoadWeights& load) {
    std::vector<Bit> hidden(cut.bits(), Bit::unknown);
    std::vector<double> weights;
    const auto done = for_each_transform(carriers, [&](std::uint64_t transform, auto own) -> Result<void> {
        weights.resize(cut.weights(transform));
        MODELSEAL_TRY(load(cut.first_weight(transform), weights));
        read_transform(weights, own, cut.level(), hidden);
        return {};
    });
    MODELSEAL_TRY(done);
    return hidden;
}

}  // namespace modelseal::baseline
