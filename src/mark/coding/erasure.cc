#include "mark/coding/erasure.h"

#include <algorithm>
#include <array>

namespace modelseal::mark {
namespace {

constexpr std::size_t kStripeData = 64;
constexpr std::size_t kRows = 255;

// GF(2^8) by logarithms to the base 2, which generates it under 0x11D.
struct Field {
    // The logarithm of 0 leads beyond all others, where the powers are 0: so products need no question.
    std::array<std::uint8_t, 1024> power{};
    std::array<std::uint16_t, 256> log{};
    constexpr Field() {
        log[0] = 510;
        unsigned value = 1;
        for (std::size_t i = 0; i < 255; ++i) {
            power[i] = power[i + 255] = static_cast<std::uint8_t>(value);
            log[value] = static_cast<std::uint16_t>(i);
            value = (value << 1) ^ ((value & 0x80) != 0 ? 0x11Du : 0u);
        }
    }
};
constexpr Field kField;

std::uint8_t multiply(std::uint8_t a, std::uint8_t b) {
    return kField.power[std::size_t{kField.log[a]} + kField.log[b]];
}

std::uint8_t inverse(std::uint8_t a) {
    return kField.power[255u - kField.log[a]];
}  // of a != 0

// target += factor * source
void add_scaled(std::span<std::byte> target, std::span<const std::byte> source, std::uint8_t factor) {
    const auto* const product = kField.power.data() + kField.log[factor];
    for (std::size_t i = 0; i < target.size(); ++i)
        target[i] ^= static_cast<std::byte>(product[kField.log[std::to_integer<std::uint8_t>(source[i])]]);
}

// Coefficient of data row `column` in row `row` of a stripe of `data` rows.
std::uint8_t coefficient(std::size_t row, std::size_t column, std::size_t data) {
    if (row < data) return row == column ? 1 : 0;
    return inverse(static_cast<std::uint8_t>(row ^ column));
}

}  // namespace

Erasure::Erasure(std::size_t length, std::size_t piece_bytes)
    : length_(length),
      piece_bytes_(piece_bytes),
      data_pieces_((length + piece_bytes - 1) / piece_bytes),
      stripes_((data_pieces_ + kStripeData - 1) / kStripeData) {}

std::size_t Erasure::data_rows(std::size_t stripe) const {
    return data_pieces_ / stripes_ + (stripe < data_pieces_ % stripes_ ? 1 : 0);
}

std::vector<std::byte> Erasure::piece(std::span<const std::byte> bytes, std::uint64_t index) const {
    const auto stripe = static_cast<std::size_t>(index % stripes_);
    const auto row = static_cast<std::size_t>(index / stripes_ % kRows);
    const auto rows = data_rows(stripe);
    std::vector<std::byte> made(piece_bytes_);
    for (std::size_t column = 0; column < rows; ++column) {
        const auto factor = coefficient(row, column, rows);
        if (factor == 0) continue;
        const auto begin = std::min(length_, (column * stripes_ + stripe) * piece_bytes_);
        const auto data = bytes.subspan(begin, std::min(piece_bytes_, length_ - begin));
        add_scaled(std::span(made).first(data.size()), data, factor);
    }
    return made;
}

bool Erasure::restore_stripe(std::size_t stripe, std::span<const Piece> pieces,
                             std::span<std::byte> out) const {
    const auto rows = data_rows(stripe);
    std::array<const Piece*, kRows> chosen{};
    std::vector<std::size_t> at_hand;
    for (const auto& piece : pieces) {
        const auto row = static_cast<std::size_t>(piece.index / stripes_ % kRows);
        if (piece.index % stripes_ != stripe || chosen[row] != nullptr) continue;
        chosen[row] = &piece;
    }
    // Data rows first: what is there need not be computed.
    for (std::size_t row = 0; row < kRows && at_hand.size() < rows; ++row) {
        if (chosen[row] != nullptr) at_hand.push_back(row);
    }
    if (at_hand.size() < rows) return false;

    // Gauss-Jordan on [coefficients | bytes].
    std::vector<std::vector<std::uint8_t>> matrix(rows, std::vector<std::uint8_t>(rows));
    std::vector<std::vector<std::byte>> values(rows);
    for (std::size_t i = 0; i < rows; ++i) {
        for (std::size_t column = 0; column < rows; ++column)
            matrix[i][column] = coefficient(at_hand[i], column, rows);
        values[i].assign(chosen[at_hand[i]]->bytes.begin(), chosen[at_hand[i]]->bytes.end());
    }
    for (std::size_t pivot = 0; pivot < rows; ++pivot) {
        std::size_t found = pivot;
        while (found < rows && matrix[found][pivot] == 0) ++found;
        if (found == rows) return false;  // cannot happen: every square part of a Cauchy matrix is regular
        std::swap(matrix[found], matrix[pivot]);
        std::swap(values[found], values[pivot]);
        const auto scale = inverse(matrix[pivot][pivot]);
        for (auto& item : matrix[pivot]) item = multiply(item, scale);
        for (auto& item : values[pivot]) {
            item = static_cast<std::byte>(multiply(std::to_integer<std::uint8_t>(item), scale));
        }
        for (std::size_t i = 0; i < rows; ++i) {
            const auto factor = matrix[i][pivot];
            if (i == pivot || factor == 0) continue;
            for (std::size_t column = pivot; column < rows; ++column) {
                matrix[i][column] ^= multiply(matrix[pivot][column], factor);
            }
            add_scaled(values[i], values[pivot], factor);
        }
    }
    for (std::size_t column = 0; column < rows; ++column) {
        const auto begin = (column * stripes_ + stripe) * piece_bytes_;
        const auto count = std::min(piece_bytes_, length_ - std::min(length_, begin));
        std::copy_n(values[column].begin(), count, out.begin() + static_cast<std::ptrdiff_t>(begin));
    }
    return true;
}

std::optional<std::vector<std::byte>> Erasure::restore(std::span<const Piece> pieces) const {
    std::vector<std::vector<Piece>> by_stripe(stripes_);
    for (const auto& piece : pieces) {
        if (piece.bytes.size() == piece_bytes_) by_stripe[piece.index % stripes_].push_back(piece);
    }
    std::vector<std::byte> out(length_);
    for (std::size_t stripe = 0; stripe < stripes_; ++stripe) {
        if (!restore_stripe(stripe, by_stripe[stripe], out)) return std::nullopt;
    }
    return out;
}

}  // namespace modelseal::mark
