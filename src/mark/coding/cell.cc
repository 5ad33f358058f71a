#include "mark/coding/cell.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <numeric>

#include <sodium.h>

#include "crypto/keystream.h"
#include "mark/coding/bits.h"
#include "mark/coding/quantized.h"
#include "mark/coding/wavelet.h"

namespace modelseal::mark {
namespace {

// A cell is void if a value is so near to the end of its range; more than kMaxSteps, so that writing cannot
// reach it.
constexpr std::uint64_t kMargin = 64;

// What the digest of a block begins with; kPlainBlock is that of a block without a cell.
constexpr std::byte kLatticeBlock{2}, kBitsBlock{3};

std::span<const std::byte> one(const std::byte& kind) {
    return std::span(&kind, 1);
}

// Of CarrierKind::lattice and bits: two bits a coefficient, or one a byte.
std::size_t carriers_used(CarrierKind kind, std::size_t bytes) {
    return kind == CarrierKind::lattice ? bytes * 4 : bytes * 8;
}

// Carriers of CarrierKind::modeled hold their entropy on average, and this much more than a cell counts on.
constexpr std::uint64_t kSpareBits = 16;
// How much keystream a carrier can stand for: above log2 of the rarest chance (quantized.cc) by far.
constexpr std::size_t kMostBitsHeld = 8;

// Whether a cell carries in lowest bits, as since version 2.
bool in_lowest_bits(const Carriers& carriers) {
    const auto kind = carrier_kind(carriers);
    return carriers.version == Version::two && (kind == CarrierKind::bits || kind == CarrierKind::modeled);
}

bool has_windows(const Carriers& carriers, std::uint64_t elements) {
    return in_lowest_bits(carriers) && elements == kWindowedBlock;
}

std::uint64_t elements_in(const Carriers& carriers, std::size_t bytes) {
    const auto& layout = info(carriers.dtype);
    return bytes / layout.group_bytes * layout.group_elements;
}

std::size_t most_values(const Carriers& carriers, std::uint64_t elements) {
    if (!in_lowest_bits(carriers)) return kCellValues;
    return has_windows(carriers, elements) ? kWindowedCellValues : kLowestBitCellValues;
}

std::size_t least_bytes(const Carriers& carriers) {
    return in_lowest_bits(carriers) ? kMinLowestBitCellBytes : kMinCellBytes;
}

}  // namespace

TensorKeys::~TensorKeys() {
    sodium_memzero(this, sizeof *this);
}

crypto::Digest plain_digest(crypto::Sha256& hash, std::span<const std::byte> block) {
    return hash.update(one(kPlainBlock)).update(block).finish();
}

std::uint32_t full_capacity(const Carriers& carriers, std::uint64_t elements) {
    return static_cast<std::uint32_t>(most_values(carriers, elements) / 8);
}

std::size_t cell_window(const TensorKeys& keys, const Carriers& carriers, std::uint64_t index,
                        std::size_t bytes) {
    return has_windows(carriers, elements_in(carriers, bytes)) ? crypto::Keystream(keys.order, index).below(2)
                                                               : 0;
}

BlockValues::BlockValues(const Carriers& how, std::span<const std::byte> block, std::size_t window)
    : carriers(how), bytes(block) {
    const auto elements = elements_in(how, block.size());
    const auto half = block.size() / 2, first = window * half;
    const auto seen = has_windows(how, elements) ? block.subspan(first, half) : block;
    switch (carrier_kind(how)) {
        case CarrierKind::lattice:
            lattice_elements(how.dtype, seen, able);
            return;
        case CarrierKind::bits:
            bit_carriers(how, seen, most_values(how, elements), able);
            for (auto& position : able)
                position = 8 * position + static_cast<std::uint32_t>(
                                              std::countr_zero(std::to_integer<unsigned>(carrier_mask(how))));
            break;
        case CarrierKind::modeled: {
            auto found = quantized_carriers(how.dtype, seen);
            able = std::move(found.bits);
            chances = std::move(found.chances);
            break;
        }
        case CarrierKind::none:
            return;
    }
    for (auto& bit : able) bit += static_cast<std::uint32_t>(8 * first);
}

Cell::Cell(const TensorKeys& keys, const BlockValues& block, std::uint64_t index)
    : keys_(keys),
      carriers_(block.carriers),
      kind_(carrier_kind(block.carriers)),
      index_(index),
      block_(block.bytes) {
    if (kind_ == CarrierKind::none || block.able.empty()) return;
    crypto::Keystream stream(keys.order, index);
    if (has_windows(carriers_, elements_in(carriers_, block_.size())))
        stream.below(2);  // as cell_window() drew it
    const auto start = stream.below(block.able.size());
    kind_ == CarrierKind::modeled ? choose_modeled(block, start, stream) : choose_plain(block, start, stream);
}

// Values from `start` on, around the end.
void Cell::choose_values(std::span<const std::uint32_t> able, std::size_t offered, std::size_t start) {
    const auto behind = std::min<std::size_t>(offered, able.size() - start);
    values_.reserve(offered);
    values_.assign(able.begin() + static_cast<std::ptrdiff_t>(start),
                   able.begin() + static_cast<std::ptrdiff_t>(start + behind));
    values_.insert(values_.end(), able.begin(), able.begin() + static_cast<std::ptrdiff_t>(offered - behind));
}

void Cell::choose_plain(const BlockValues& block, std::size_t start, crypto::Keystream& stream) {
    const auto offered =
        std::min(block.able.size(), most_values(carriers_, elements_in(carriers_, block_.size())));
    const auto carriers = kind_ == CarrierKind::lattice ? detail_count(offered) : offered;
    const auto capacity = carriers / (kind_ == CarrierKind::lattice ? 4 : 8);
    if (capacity < least_bytes(carriers_)) return;
    choose_values(block.able, offered, start);
    if (kind_ == CarrierKind::lattice) {
        integers_ = lattice_values(carriers_.dtype, block_, values_);
        const auto clear = [&](std::int64_t value) { return lattice_clear(carriers_.dtype, value, kMargin); };
        if (!std::ranges::all_of(integers_, clear)) return;
    }
    order_.resize(carriers);
    std::iota(order_.begin(), order_.end(),
              static_cast<std::uint32_t>(kind_ == CarrierKind::lattice ? offered - carriers : 0));
    stream.shuffle(std::span(order_));
    order_.resize(carriers_used(kind_, capacity));
    capacity_ = capacity;
}

void Cell::choose_modeled(const BlockValues& block, std::size_t start, crypto::Keystream& stream) {
    const auto offered =
        std::min(block.able.size(), most_values(carriers_, elements_in(carriers_, block_.size())));
    choose_values(block.able, offered, start);
    order_.resize(offered);
    std::iota(order_.begin(), order_.end(), 0u);
    stream.shuffle(std::span(order_));
    for (const auto i : order_) chances_.push_back(block.chances[(start + i) % block.able.size()]);
    const auto bits = least_entropy(chances_) / kCertain;
    const auto capacity = bits < kSpareBits ? 0 : (bits - kSpareBits) / 8;
    if (capacity >= least_bytes(carriers_)) capacity_ = capacity;
}

const std::vector<std::int64_t>& Cell::detail() const {
    if (coefficients_.empty()) {
        coefficients_ = integers_;
        detail_packets_forward(coefficients_);
    }
    return coefficients_;
}

const std::vector<std::int64_t>& Cell::coefficients() const {
    detail();
    if (!complete_) approximation_packets_forward(coefficients_);
    complete_ = true;
    return coefficients_;
}

namespace {

template <std::size_t kWidth>
void blank_elements(std::span<std::byte> block, std::span<const std::uint32_t> elements) {
    for (const auto element : elements) std::memset(block.data() + element * kWidth, 0, kWidth);
}

}  // namespace

crypto::Digest Cell::digest(crypto::Sha256& hash) const {
    if (capacity_ == 0) return plain_digest(hash, block_);
    std::vector<std::byte> blanked(block_.begin(), block_.end());
    if (kind_ != CarrierKind::lattice) {
        for (const auto carrier : order_) clear_bit(blanked, values_[carrier]);
        return hash.update(one(kBitsBlock)).update(blanked).finish();
    }
    // Which values take part is hashed as well: a zero and a blanked value must not look alike.
    const auto width = info(carriers_.dtype).group_bytes;
    std::vector<std::byte> taking_part((block_.size() / width + 7) / 8);
    width == 4 ? blank_elements<4>(blanked, values_) : blank_elements<8>(blanked, values_);
    for (const auto element : values_) set_bit(taking_part, element);
    auto masked = coefficients();
    for (const auto carrier : order_) masked[carrier] &= ~std::int64_t{3};
    return hash.update(one(kLatticeBlock))
        .update(blanked)
        .update(taking_part)
        .update(std::as_bytes(std::span(masked)))
        .finish();
}

std::size_t Cell::carrier_bytes() const {
    return kind_ == CarrierKind::modeled && capacity_ != 0 ? (order_.size() + 7) / 8 : capacity_;
}

std::vector<std::byte> Cell::carrier_bits() const {
    if (capacity_ == 0) return {};
    if (kind_ != CarrierKind::lattice) return carrier_bits(carrier_bytes(), {});
    return carrier_bits(capacity_, detail());
}

std::vector<std::byte> Cell::carrier_bits(std::size_t count, std::span<const std::int64_t> coefficients) const {
    std::vector<std::byte> bytes(count);
    const auto used = std::min(order_.size(), carriers_used(kind_, count));
    if (kind_ == CarrierKind::lattice) {
        for (std::size_t i = 0; i < used; ++i) {
            const auto low = static_cast<unsigned>(coefficients[order_[i]]) & 3u;
            bytes[i / 4] |= static_cast<std::byte>(low << (2 * (i % 4)));
        }
        return bytes;
    }
    for (std::size_t i = 0; i < used; ++i) {
        if (bit_at(block_, values_[order_[i]])) set_bit(bytes, i);
    }
    return bytes;
}

std::vector<std::byte> Cell::held(std::size_t count) const {
    if (kind_ == CarrierKind::modeled) return message_of(chances_, carrier_bits(), count);
    return carrier_bits(count, kind_ == CarrierKind::lattice ? detail() : coefficients_);
}

std::vector<std::byte> Cell::restore(std::span<const std::byte> bits) const {
    std::vector<std::byte> block(block_.begin(), block_.end());
    if (kind_ != CarrierKind::lattice) {
        for (std::size_t i = 0; i < order_.size(); ++i) {
            const auto carrier = values_[order_[i]];
            bit_at(bits, i) ? set_bit(block, carrier) : clear_bit(block, carrier);
        }
        return block;
    }
    auto values = coefficients();
    for (std::size_t i = 0; i < order_.size(); ++i) {
        const auto low = (bit_at(bits, 2 * i) ? 1 : 0) | (bit_at(bits, 2 * i + 1) ? 2 : 0);
        values[order_[i]] = (values[order_[i]] & ~std::int64_t{3}) | low;
    }
    packets_inverse(values);
    for (std::size_t i = 0; i < values.size(); ++i)
        set_lattice_value(carriers_.dtype, block, values_[i], values[i]);
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

std::vector<std::byte> Cell::carriers_for(std::span<const std::byte> bytes, unsigned attempt) const {
    if (kind_ != CarrierKind::modeled) return whitened(bytes, attempt);
    std::vector<std::byte> message(bytes.begin(), bytes.end());
    message.resize(bytes.size() + order_.size() * kMostBitsHeld / 8);
    return draw_carriers(chances_, whitened(message, attempt));
}

std::vector<std::byte> Cell::opening(std::size_t count) const {
    return whitened(held(count), 0);
}

std::vector<std::byte> Cell::unverified() const {
    return opening(capacity_);
}

bool Cell::acceptable(std::span<const std::byte> changed) const {
    if (kind_ != CarrierKind::lattice) return true;  // the rules of carrier.h make it so
    const auto values = lattice_values(carriers_.dtype, changed, values_);
    return std::ranges::equal(integers_, values, [&](std::int64_t before, std::int64_t after) {
        // Restored bits may have wrapped around 2^64, so distances are taken there.
        const auto up = static_cast<std::uint64_t>(after) - static_cast<std::uint64_t>(before);
        const auto distance = std::min(up, std::uint64_t{0} - up);
        return distance <= kMaxSteps && (before < 0) == (after < 0) &&
               lattice_clear(carriers_.dtype, after, kMargin);
    });
}

std::optional<std::vector<std::byte>> Cell::write(std::span<const std::byte> content, unsigned attempt) const {
    const auto bytes = sealed(content);
    const auto carriers = carriers_for(bytes, attempt);
    if (kind_ == CarrierKind::modeled &&
        message_of(chances_, carriers, capacity_) != whitened(bytes, attempt)) {
        return std::nullopt;
    }
    auto changed = restore(carriers);
    if (!acceptable(changed)) return std::nullopt;
    return changed;
}

std::optional<Cell::Content> Cell::read() const {
    if (capacity_ == 0) return std::nullopt;
    const auto carriers = carrier_bits();
    const auto message = kind_ == CarrierKind::modeled ? message_of(chances_, carriers, capacity_) : carriers;
    for (unsigned attempt = 0; attempt < kAttempts; ++attempt) {
        const auto bytes = whitened(message, attempt);
        const auto content = std::span(bytes).subspan(kTagBytes);
        if (sealed(content) != bytes) continue;
        // Carriers that hold more than the content have one right value as well.
        if (carriers_for(bytes, attempt) != carriers) return std::nullopt;
        return Content{{content.begin(), content.end()}, attempt};
    }
    return std::nullopt;
}

}  // namespace modelseal::mark
