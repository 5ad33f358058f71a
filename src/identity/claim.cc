#include "identity/claim.h"

#include <algorithm>

#include <boost/math/distributions/binomial.hpp>

#include "crypto/hash.h"
#include "crypto/keystream.h"

namespace modelseal::identity {
namespace {

io::Picture shuffled(const io::Picture& picture, crypto::Keystream& random) {
    std::vector<std::size_t> order(picture.samples.size() / picture.channels);
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
    random.shuffle(std::span(order));
    auto out = picture;
    for (std::size_t pixel = 0; pixel < order.size(); ++pixel) {
        for (std::size_t channel = 0; channel < picture.channels; ++channel)
            out.samples[pixel * picture.channels + channel] =
                picture.samples[order[pixel] * picture.channels + channel];
    }
    return out;
}

io::Picture noise(const io::Picture& like, crypto::Keystream& random) {
    auto out = like;
    for (auto& sample : out.samples) sample = std::to_integer<std::uint8_t>(random.byte());
    return out;
}

}  // namespace

std::vector<io::Picture> make_controls(const std::vector<io::Picture>& key_images) {
    crypto::Sha256 hash;
    hash.update_text("modelseal/1 identity controls");
    for (const auto& picture : key_images) hash.update(std::as_bytes(std::span(picture.samples)));
    const auto key = hash.finish();
    std::vector<io::Picture> controls;
    const auto count = std::max(kLeastControls, key_images.size());
    for (std::size_t i = 0; i < count; ++i) {
        crypto::Keystream random(key, i);
        const auto& from = key_images[i / 2 % key_images.size()];
        controls.push_back(i % 2 == 0 ? shuffled(from, random) : noise(from, random));
    }
    return controls;
}

Chance chance_of(std::size_t hits, std::size_t key_images, std::size_t control_hits, std::size_t controls,
                 std::size_t classes) {
    using Binomial = boost::math::binomial_distribution<double>;
    Chance chance;
    const double of_controls = control_hits == controls ? 1
                                                        : Binomial::find_upper_bound_on_p(
                                                              static_cast<double>(controls),
                                                              static_cast<double>(control_hits), kControlRisk);
    chance.rate = std::min(1.0, std::max(1 / static_cast<double>(classes), of_controls));
    if (hits == 0 || chance.rate >= 1) return chance;
    const Binomial null(static_cast<double>(key_images), chance.rate);
    // P(X >= hits) is the complement of P(X <= hits - 1), without the cancellation of 1 minus it.
    const double tail = boost::math::cdf(boost::math::complement(null, static_cast<double>(hits - 1)));
    chance.chance = std::min(1.0, kControlRisk + tail);
    return chance;
}

}  // namespace modelseal::identity
