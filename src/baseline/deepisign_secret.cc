
#include "baseline/deepisign_secret.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "crypto/hash.h"

namespace modelseal::baseline {
namespace {

constexpr std::size_t kHashBytes = 32;
constexpr std::size_t kLengthBytes = 2;

Bit bit_at(std::span<const std::byte> bytes, std::size_t index) {
    return (std::to_integer<unsigned>(bytes[index / 8]) >> (7 - index % 8) & 1u) != 0 ? Bit::one : Bit::zero;
}

void set_bit(std::span<std::byte> bytes, std::size_t index, Bit bit) {
    if (bit == Bit::one) bytes[index / 8] |= static_cast<std::byte>(0x80u >> index % 8);
}

// Calls visit(hidden index, from the hash?, index there): the order of merging, for both directions.
template <class Visit>
void for_each_merged_bit(std::size_t secret_bits, std::size_t hash_bits, Visit visit) {
    std::size_t hidden = 0;
    for (std::size_t i = 0; i < std::max(secret_bits, hash_bits); ++i) {
        if (i < secret_bits) visit(hidden++, false, i);
        if (i < hash_bits) visit(hidden++, true, i);
    }
}

crypto::Digest sha256(std::span<const std::byte> bytes) {
    crypto::Sha256 hash;
    return hash.update(bytes).finish();
}

}  // namespace

LayerSecret::LayerSecret(const Tensor& tensor, std::uint64_t layer, std::size_t bits)
    : facts_(fmt::format("{} {} {} {}\n", layer, tensor.name, info(tensor.dtype).name,
                         fmt::join(tensor.shape, "x"))),
      bits_(bits) {
    if (bits / 8 <= kHashBytes + kLengthBytes + facts_.size()) return;
    bytes_ = bits / 8 - kHashBytes;
    // At least once the facts, and about half of s where there is more room.
    room_ = std::min(bytes_ - kLengthBytes - facts_.size(), std::max(bytes_ / 2, kDeepisignMinStamp));
}

std::size_t LayerSecret::bits_needed() const {
    constexpr std::size_t kStep = 32;  // a row of coefficients, 16 of which carry
    const auto bits = 8 * (kHashBytes + facts_.size() + kDeepisignMinStamp + kLengthBytes);
    return (bits + kStep - 1) / kStep * kStep;
}

std::vector<std::byte> LayerSecret::text(std::string_view stamp) const {
    const auto kept = stamp.substr(0, room_);
    std::vector<std::byte> text(bytes_);
    const auto front = bytes_ - kLengthBytes - kept.size();
    for (std::size_t i = 0; i < front; ++i) text[i] = static_cast<std::byte>(facts_[i % facts_.size()]);
    for (std::size_t i = 0; i < kept.size(); ++i) text[front + i] = static_cast<std::byte>(kept[i]);
    text[bytes_ - 2] = static_cast<std::byte>(kept.size() & 0xff);
    text[bytes_ - 1] = static_cast<std::byte>(kept.size() >> 8);
    return text;
}

std::vector<Bit> LayerSecret::hidden(std::optional<std::string_view> stamp) const {
    const auto secret = text(stamp.value_or(std::string_view()));
    const auto hash = sha256(secret);
    const auto known = stamp ? bytes_ : bytes_ - kLengthBytes - room_;  // bytes of s that are certain
    std::vector<Bit> bits(bits_, Bit::unknown);
    for_each_merged_bit(bytes_ * 8, kHashBytes * 8, [&](std::size_t index, bool from_hash, std::size_t i) {
        if (from_hash ? stamp.has_value() : i < known * 8)
            bits[index] = bit_at(from_hash ? hash : std::span(secret), i);
    });
    return bits;
}

std::optional<std::string> LayerSecret::verify(std::span<const Bit> hidden) const {
    std::vector<std::byte> secret(bytes_);
    crypto::Digest hash{};
    for_each_merged_bit(bytes_ * 8, kHashBytes * 8, [&](std::size_t index, bool from_hash, std::size_t i) {
        set_bit(from_hash ? std::span<std::byte>(hash) : std::span<std::byte>(secret), i, hidden[index]);
    });
    if (sha256(secret) != hash) return std::nullopt;
    const auto length = std::to_integer<std::size_t>(secret[bytes_ - 2]) |
                        std::to_integer<std::size_t>(secret[bytes_ - 1]) << 8;
    if (length > room_) return std::nullopt;
    std::string stamp(length, '\0');
    for (std::size_t i = 0; i < length; ++i)
        stamp[i] = std::to_integer<char>(secret[bytes_ - kLengthBytes - length + i]);
    if (text(stamp) != secret) return std::nullopt;  // speaks of another layer
    return stamp;
}

Agreement& Agreement::operator+=(const Agreement& other) {
    bits += other.bits;
    errors += other.errors;
    mean += other.mean;
    variance += other.variance;
    return *this;
}

bool Agreement::significant() const {
    return bits > 0 && static_cast<double>(errors) < mean - 6 * std::sqrt(variance) - 0.5;
}

// Reading unmarked weights need not give fair bits: a layer of zeros reads as zeros. So the errors are set
// against those of the same bits in random order (a hypergeometric law), each bit of the symbols apart.
Agreement compare_bits(std::span<const Bit> read, std::span<const Bit> hidden, unsigned level) {
    Agreement sum;
    for (std::size_t place = 0; place < level; ++place) {
        double bits = 0, ones_read = 0, ones_hidden = 0;
        for (std::size_t i = place; i < hidden.size(); i += level) {
            if (hidden[i] == Bit::unknown) continue;
            bits += 1;
            ones_read += read[i] == Bit::one ? 1 : 0;
            ones_hidden += hidden[i] == Bit::one ? 1 : 0;
            if (read[i] != hidden[i]) ++sum.errors;
        }
        if (bits == 0) continue;
        sum.bits += static_cast<std::uint64_t>(bits);
        sum.mean += (ones_read * (bits - ones_hidden) + ones_hidden * (bits - ones_read)) / bits;
        if (bits > 1) {
            sum.variance += 4 * ones_read * (bits - ones_read) * ones_hidden * (bits - ones_hidden) /
                            (bits * bits * (bits - 1));
        }
    }
    return sum;
}

}  // namespace modelseal::baseline
