#include "mark/coding/cell.h"

#include <algorithm>
#include <numeric>

#include <sodium.h>

#include "crypto/keystream.h"
#include "mark/coding/wavelet.h"

namespace modelseal::mark {
namespace {

// A cell is void if a value is so near to the end of its range; more than kMaxSteps, so that writing cannot
// reach it.
constexpr std::uint64_t kMargin = 64;

enum class BlockKind : unsigned char { plain = 1, lattice = 2, bits = 3 };

std::span<const std::byte> one(const BlockKind& kind) {
    return std::as_bytes(std::span(&kind, 1));
}

std::size_t carriers_used(CarrierKind kind, std::size_t capacity) {
    return kind == CarrierKind::lattice ? capacity * 4 : capacity * 8;  // two bits a coefficient, or one a byte
}

bool bit(std::span<const std::byte> bytes, std::size_t at) {
    return (std::to_integer<unsigned>(bytes[at / 8]) >> (at % 8) & 1u) != 0;
}

}  // namespace

TensorKeys::~TensorKeys() {
    sodium_memzero(this, sizeof *this);
}

crypto::Digest plain_digest(crypto::Sha256& hash, std::span<const std::byte> block) {
    return hash.update(one(BlockKind::plain)).update(block).finish();
}

BlockValues::BlockValues(DType type, std::span<const std::byte> block) : dtype(type), bytes(block) {
    const auto kind = carrier_type(type).kind;
    if (kind == CarrierKind::lattice) lattice_elements(type, block, able);
    if (kind == CarrierKind::bits) bit_carriers(type, block, able);
}

Cell::Cell(const TensorKeys& keys, const BlockValues& block, std::uint64_t index)
    : keys_(keys),
      dtype_(block.dtype),
      kind_(carrier_type(block.dtype).kind),
      index_(index),
      block_(block.bytes) {
    const auto& able = block.able;
    const auto offered = std::min(able.size(), kCellValues);
    const auto carriers = kind_ == CarrierKind::lattice ? detail_count(offered) : offered;
    const auto capacity = carriers / (kind_ == CarrierKind::lattice ? 4 : 8);
    if (capacity < kMinCellBytes) return;

    crypto::Keystream stream(keys.order, index);
    const auto start = stream.below(able.size());
    const auto behind = std::min<std::size_t>(offered, able.size() - start);
    values_.reserve(offered);
    values_.assign(able.begin() + static_cast<std::ptrdiff_t>(start),
                   able.begin() + static_cast<std::ptrdiff_t>(start + behind));
    values_.insert(values_.end(), able.begin(), able.begin() + static_cast<std::ptrdiff_t>(offered - behind));

    if (kind_ == CarrierKind::lattice) {
        for (const auto element : values_) {
            if (!lattice_clear(dtype_, lattice_value(dtype_, block_, element), kMargin)) return;
        }
    }
    order_.resize(carriers);
    std::iota(order_.begin(), order_.end(),
              static_cast<std::uint32_t>(kind_ == CarrierKind::lattice ? offered - carriers : 0));
    stream.shuffle(std::span(order_));
    order_.resize(carriers_used(kind_, capacity));
    capacity_ = capacity;
}

std::vector<std::int64_t> Cell::integers() const {
    std::vector<std::int64_t> integers;
    integers.reserve(values_.size());
    for (const auto element : values_) integers.push_back(lattice_value(dtype_, block_, element));
    return integers;
}

const std::vector<std::int64_t>& Cell::coefficients() const {
    if (coefficients_.empty()) {
        coefficients_ = integers();
        packets_forward(coefficients_);
    }
    return coefficients_;
}

crypto::Digest Cell::digest(crypto::Sha256& hash) const {
    if (capacity_ == 0) return plain_digest(hash, block_);
    std::vector<std::byte> blanked(block_.begin(), block_.end());
    if (kind_ == CarrierKind::bits) {
        for (const auto carrier : order_) blanked[values_[carrier]] &= std::byte{0xFE};
        return hash.update(one(BlockKind::bits)).update(blanked).finish();
    }
    // Which values take part is hashed as well: a zero and a blanked value must not look alike.
    const auto width = info(dtype_).group_bytes;
    std::vector<std::byte> taking_part((block_.size() / width + 7) / 8);
    for (const auto element : values_) {
        std::fill_n(blanked.begin() + static_cast<std::ptrdiff_t>(std::size_t{element} * width), width,
                    std::byte{0});
        taking_part[element / 8] |= static_cast<std::byte>(1u << (element % 8));
    }
    auto masked = coefficients();
    for (const auto carrier : order_) masked[carrier] &= ~std::int64_t{3};
    return hash.update(one(BlockKind::lattice))
        .update(blanked)
        .update(taking_part)
        .update(std::as_bytes(std::span(masked)))
        .finish();
}

std::vector<std::byte> Cell::carrier_bits() const {
    if (capacity_ == 0) return {};
    if (kind_ == CarrierKind::bits) return carrier_bits(capacity_, {});
    return carrier_bits(capacity_, coefficients());
}

std::vector<std::byte> Cell::carrier_bits(std::size_t count, std::span<const std::int64_t> coefficients) const {
    std::vector<std::byte> bytes(count);
    const auto set = [&](std::size_t at) { bytes[at / 8] |= static_cast<std::byte>(1u << (at % 8)); };
    for (std::size_t i = 0; i < carriers_used(kind_, count); ++i) {
        if (kind_ == CarrierKind::lattice) {
            const auto low = static_cast<std::uint64_t>(coefficients[order_[i]]) & 3u;
            if ((low & 1u) != 0) set(2 * i);
            if ((low & 2u) != 0) set(2 * i + 1);
        } else if ((block_[values_[order_[i]]] & std::byte{1}) != std::byte{0}) {
            set(i);
        }
    }
    return bytes;
}

std::vector<std::byte> Cell::restore(std::span<const std::byte> bits) const {
    std::vector<std::byte> block(block_.begin(), block_.end());
    if (kind_ == CarrierKind::bits) {
        for (std::size_t i = 0; i < order_.size(); ++i) {
            auto& target = block[values_[order_[i]]];
            target = (target & std::byte{0xFE}) | static_cast<std::byte>(bit(bits, i) ? 1 : 0);
        }
        return block;
    }
    auto values = coefficients();
    for (std::size_t i = 0; i < order_.size(); ++i) {
        const auto low = (bit(bits, 2 * i) ? 1 : 0) | (bit(bits, 2 * i + 1) ? 2 : 0);
        values[order_[i]] = (values[order_[i]] & ~std::int64_t{3}) | low;
    }
    packets_inverse(values);
    for (std::size_t i = 0; i < values.size(); ++i) set_lattice_value(dtype_, block, values_[i], values[i]);
    return block;
}

std::vector<std::byte> Cell::sealed(std::span<const std::byte> content) const {
    std::byte index[8];
    for (std::size_t i = 0; i < sizeof index; ++i) index[i] = static_cast<std::byte>(index_ >> (8 * i));
    const auto tag = crypto::hmac_tag(keys_.tag, {index, content});
    std::vector<std::byte> bytes(kTagBytes + content.size());
    std::ranges::copy(tag, bytes.begin());
    std::ranges::copy(content, bytes.begin() + kTagBytes);
    return bytes;
}

std::vector<std::byte> Cell::whitened(std::span<const std::byte> bytes, unsigned attempt) const {
    crypto::Keystream stream(keys_.whiten, index_ * kAttempts + attempt);
    std::vector<std::byte> out(bytes.begin(), bytes.end());
    for (auto& byte : out) byte ^= stream.byte();
    return out;
}

std::vector<std::byte> Cell::opening(std::size_t count) const {
    // Every carrier is a coefficient of detail, so the others need not be known.
    std::vector<std::int64_t> detail;
    if (kind_ == CarrierKind::lattice && coefficients_.empty()) {
        detail = integers();
        detail_packets_forward(detail);
    }
    return whitened(carrier_bits(count, detail.empty() ? coefficients_ : detail), 0);
}

std::vector<std::byte> Cell::unverified() const {
    return whitened(carrier_bits(), 0);
}

bool Cell::acceptable(std::span<const std::byte> changed) const {
    if (kind_ == CarrierKind::bits) return true;  // the rules of carrier.h make it so
    return std::ranges::all_of(values_, [&](std::uint32_t element) {
        const auto before = lattice_value(dtype_, block_, element);
        const auto after = lattice_value(dtype_, changed, element);
        // Restored bits may have wrapped around 2^64, so distances are taken there.
        const auto up = static_cast<std::uint64_t>(after) - static_cast<std::uint64_t>(before);
        const auto distance = std::min(up, std::uint64_t{0} - up);
        return distance <= kMaxSteps && (before < 0) == (after < 0) && lattice_clear(dtype_, after, kMargin);
    });
}

std::optional<std::vector<std::byte>> Cell::write(std::span<const std::byte> content, unsigned attempt) const {
    auto changed = restore(whitened(sealed(content), attempt));
    if (!acceptable(changed)) return std::nullopt;
    return changed;
}

std::optional<Cell::Content> Cell::read() const {
    if (capacity_ == 0) return std::nullopt;
    const auto bits = carrier_bits();
    for (unsigned attempt = 0; attempt < kAttempts; ++attempt) {
        const auto bytes = whitened(bits, attempt);
        const auto content = std::span(bytes).subspan(kTagBytes);
        if (sealed(content) == bytes) return Content{{content.begin(), content.end()}, attempt};
    }
    return std::nullopt;
}

}  // namespace modelseal::mark
