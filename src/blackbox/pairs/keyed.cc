#include "blackbox/pairs/keyed.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>
#include <set>

#include "blackbox/pairs/starts.h"
#include "crypto/keystream.h"

namespace modelseal::blackbox {
namespace {

// Box and Muller; one of the two is enough for a few hundred weights.
double normal(crypto::Keystream& stream) {
    const double radius = std::sqrt(-2 * std::log(1 - stream.uniform()));
    return radius * std::cos(2 * std::numbers::pi * stream.uniform());
}

constexpr double kWhite = 255;

}  // namespace

Keyed::Keyed(const Secret32& secret, std::span<const std::byte, 32> salt, std::span<const std::uint8_t> seeds)
    : seeds_(seeds) {
    crypto::hkdf_sha256(secret.bytes(), salt, "modelseal/1 fingerprint pairs", key_.writable());
}

crypto::Keystream Keyed::stream(std::string_view purpose, std::size_t index) const {
    Secret32 key;
    crypto::hkdf_sha256(key_.bytes(), {}, purpose, key.writable());
    return crypto::Keystream(key.bytes(), index);
}

KeyedFunction Keyed::function(std::size_t index, std::size_t outputs) const {
    auto stream = this->stream("function", index);
    KeyedFunction drawn;
    if (outputs > kMostWeights) {
        // Floyd's sampling: each set of this size is equally likely.
        std::set<std::uint32_t> chosen;
        for (auto last = outputs - kMostWeights; last < outputs; ++last) {
            const auto at = static_cast<std::uint32_t>(stream.below(last + 1));
            if (!chosen.insert(at).second) chosen.insert(static_cast<std::uint32_t>(last));
        }
        drawn.outputs.assign(chosen.begin(), chosen.end());
    }
    auto& weights = drawn.weights;
    weights.resize(drawn.outputs.empty() ? outputs : drawn.outputs.size(), 1);
    if (weights.size() == 1) return drawn;
    for (auto& weight : weights) weight = normal(stream);
    const double mean =
        std::accumulate(weights.begin(), weights.end(), 0.0) / static_cast<double>(weights.size());
    double square = 0;
    for (auto& weight : weights) {
        weight -= mean;
        square += weight * weight;
    }
    for (auto& weight : weights) weight /= std::sqrt(square);
    return drawn;
}

std::vector<double> Keyed::published_layer(std::size_t classes) const {
    auto stream = this->stream("published layer", 0);
    const double bound = 1 / std::sqrt(static_cast<double>(classes));
    std::vector<double> weights(2 * classes);
    for (auto& weight : weights) weight = bound * (2 * stream.uniform() - 1);
    return weights;
}

std::vector<float> Keyed::start(std::size_t index, std::size_t elements, unsigned levels) const {
    auto stream = this->stream("start", index);
    std::vector<float> start(elements);
    for (auto& element : start) element = static_cast<float>(stream.below(levels));
    return start;
}

std::vector<float> Keyed::picture(std::size_t index, std::span<const std::int64_t> shape,
                                  unsigned levels) const {
    return is_seed(index) ? seed(index, 0, elements_of(shape), levels) : drawn("picture", index, shape, levels);
}

std::vector<float> Keyed::other_picture(std::size_t index, std::span<const std::int64_t> shape,
                                        unsigned levels) const {
    return is_seed(index) ? seed(index, 1, elements_of(shape), levels)
                          : drawn("other picture", index, shape, levels);
}

std::vector<float> Keyed::drawn(std::string_view purpose, std::size_t index,
                                std::span<const std::int64_t> shape, unsigned levels) const {
    auto stream = this->stream(purpose, index);
    const auto turn = seeds_.empty() ? index : index / 2;
    return draw_start(kind_in_turn(turn), shape, levels, stream);
}

// The first or second of two different ones.
std::vector<float> Keyed::seed(std::size_t index, int which, std::size_t elements, unsigned levels) const {
    auto stream = this->stream("seeds", index);
    const auto count = seeds_.size() / elements;
    auto chosen = stream.below(count);
    if (which == 1) chosen = (chosen + 1 + stream.below(count - 1)) % count;
    std::vector<float> picture;
    picture.reserve(elements);
    for (const auto byte : seeds_.subspan(chosen * elements, elements))
        picture.push_back(static_cast<float>(std::round(byte * (levels - 1.0) / kWhite)));
    return picture;
}

std::uint32_t Keyed::target(std::size_t index, std::size_t classes) const {
    return static_cast<std::uint32_t>(stream("target", index).below(classes));
}

std::vector<std::uint32_t> Keyed::order(std::size_t index, std::size_t elements) const {
    auto stream = this->stream("order", index);
    std::vector<std::uint32_t> order(elements);
    std::iota(order.begin(), order.end(), 0u);
    stream.shuffle(std::span(order));
    return order;
}

}  // namespace modelseal::blackbox
