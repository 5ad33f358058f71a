
#include "mark/deepisign_scramble.h"

#include <algorithm>
#include <array>

#include "crypto/keystream.h"
#include "crypto/secret.h"

namespace modelseal::mark::deepisign {
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

}  // namespace

std::vector<std::uint64_t> scramble(std::span<const std::byte, 32> check_secret, std::uint64_t layer,
                                    std::uint64_t available, std::size_t count) {
    auto seed = layer_seed(check_secret, layer);
    crypto::Keystream random(seed, 0);
    crypto::wipe(seed.data(), seed.size());
    return random.choose(count, available);
}

}  // namespace modelseal::mark::deepisign
