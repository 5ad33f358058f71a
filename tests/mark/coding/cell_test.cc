#include "mark/coding/cell.h"

#include <cmath>
#include <cstring>
#include <random>

#include <gtest/gtest.h>

namespace modelseal::mark {
namespace {

using Bytes = std::vector<std::byte>;

TensorKeys keys(unsigned seed = 1) {
    TensorKeys made;
    std::mt19937 generator(seed);
    for (auto* key : {&made.blocks, &made.order, &made.whiten, &made.tag}) {
        for (auto& byte : *key) byte = static_cast<std::byte>(generator());
    }
    return made;
}

template <class T>
Bytes raw(const std::vector<T>& values) {
    Bytes bytes(values.size() * sizeof(T));
    std::memcpy(bytes.data(), values.data(), bytes.size());
    return bytes;
}

Bytes random_bytes(std::size_t count, unsigned seed) {
    std::mt19937 generator(seed);
    Bytes bytes(count);
    for (auto& byte : bytes) byte = static_cast<std::byte>(generator());
    return bytes;
}

// Cuts a float down to a grid whose values have so many bits less.
template <class Bits, class Value>
Bytes cut(const std::vector<Value>& values, unsigned bits) {
    auto bytes = raw(values);
    for (std::size_t at = 0; at < bytes.size(); at += sizeof(Bits)) {
        Bits each;
        std::memcpy(&each, bytes.data() + at, sizeof each);
        each &= static_cast<Bits>(~((Bits{1} << bits) - 1));
        std::memcpy(bytes.data() + at, &each, sizeof each);
    }
    return bytes;
}

std::vector<std::uint16_t> upper_halves(const std::vector<float>& values) {
    std::vector<std::uint16_t> halves(values.size());
    for (std::size_t i = 0; i < halves.size(); ++i) {
        std::uint32_t bits;
        std::memcpy(&bits, &values[i], 4);
        halves[i] = static_cast<std::uint16_t>(bits >> 16);
    }
    return halves;
}

// A block of values that look like weights of this type, on this grid; a quarter of floats are exact zeros.
Bytes weights(const Carriers& how, unsigned seed, std::size_t count = 8192) {
    std::mt19937 generator(seed);
    std::normal_distribution<double> normal(0, 0.02);
    const auto value = [&] { return generator() % 4 == 0 ? 0.0 : normal(generator); };
    const auto zeros = carrier_class(how.dtype) > kHalves ? 0 : zero_bits(how.dtype, how.grid);
    if (how.dtype == DType::f64) {
        std::vector<double> values(count);
        for (auto& item : values) item = value();
        return cut<std::uint64_t>(values, zeros);
    }
    std::vector<float> values(count);
    for (auto& item : values) item = static_cast<float>(value());
    if (how.dtype == DType::f32) return cut<std::uint32_t>(values, zeros);
    if (how.dtype == DType::bf16) return raw(upper_halves(values));
    std::uint64_t bytes = 0;
    storage_bytes(how.dtype, count, bytes);
    auto made = random_bytes(bytes, seed);
    if (how.dtype == DType::f16) {
        std::vector<std::uint16_t> halves(count);
        std::memcpy(halves.data(), made.data(), made.size());
        return cut<std::uint16_t>(halves, zeros);
    }
    return made;
}

const DType kQuantizedTypes[] = {DType::i8,      DType::u8,          DType::i4,   DType::u4,   DType::f8_e4m3fn,
                                 DType::f8_e5m2, DType::f8_e4m3fnuz, DType::q4_0, DType::q4_1, DType::q5_0,
                                 DType::q5_1,    DType::q8_0,        DType::q2_k, DType::q3_k, DType::q4_k,
                                 DType::q5_k,    DType::q6_k,        DType::qint8};

std::vector<Carriers> all_carriers() {
    std::vector<Carriers> all;
    for (const auto version : {Version::one, Version::two}) {
        for (const auto dtype : {DType::f32, DType::f64, DType::f16, DType::bf16}) {
            for (const auto grid : grids_of(version, dtype)) all.push_back({version, dtype, grid});
        }
        for (const auto dtype : kQuantizedTypes) {
            const Carriers how{version, dtype, Grid::own};
            if (carrier_kind(how) != CarrierKind::none) all.push_back(how);
        }
    }
    return all;
}

std::string name_of(const Carriers& how) {
    constexpr const char* kGrids[] = {"", "_on_f32", "_on_f16", "_on_bf16"};
    return std::string(modelseal::info(how.dtype).name) + kGrids[static_cast<std::size_t>(how.grid)] +
           (how.version == Version::one ? "_version_1" : "");
}

constexpr Carriers kF32 = {Version::two, DType::f32, Grid::own};
constexpr Carriers kI8 = {Version::two, DType::i8, Grid::own};

Bytes write_first_fitting(const Cell& cell, const Bytes& content) {
    for (unsigned attempt = 0; attempt < kAttempts; ++attempt) {
        if (auto written = cell.write(content, attempt)) return *written;
    }
    ADD_FAILURE() << "no attempt fits";
    return {};
}

class CellOf : public testing::TestWithParam<Carriers> {
  protected:
    static Carriers how() { return GetParam(); }
};

TEST_P(CellOf, ReadsBackWhatWasWrittenAndDigestDoesNotSeeIt) {
    const auto secret = keys();
    crypto::Sha256 hash;
    for (unsigned seed = 0; seed < 8; ++seed) {
        const auto block = weights(how(), seed);
        const Cell cell(secret, how(), seed, block);
        ASSERT_GE(cell.capacity(), kMinCellBytes);
        EXPECT_FALSE(cell.read().has_value());
        const auto content = random_bytes(cell.capacity() - kTagBytes, seed);
        const auto sealed = write_first_fitting(cell, content);
        const Cell again(secret, how(), seed, sealed);
        ASSERT_TRUE(again.read().has_value());
        EXPECT_EQ(again.read()->bytes, content);
        EXPECT_EQ(again.digest(hash), cell.digest(hash));
        EXPECT_EQ(again.restore(cell.carrier_bits()), block);
        EXPECT_NE(sealed, block);
    }
}

TEST_P(CellOf, OtherKeyOrOtherPlaceReadsNothing) {
    const auto secret = keys(1);
    const auto other = keys(2);
    const auto block = weights(how(), 5);
    const Cell cell(secret, how(), 3, block);
    const auto sealed = write_first_fitting(cell, random_bytes(cell.capacity() - kTagBytes, 1));
    EXPECT_FALSE(Cell(other, how(), 3, sealed).read().has_value());
    EXPECT_FALSE(Cell(secret, how(), 4, sealed).read().has_value());
}

TEST_P(CellOf, AnyFlippedBitBreaksTheTagOrTheDigest) {
    const auto secret = keys();
    crypto::Sha256 hash;
    const auto block = weights(how(), 9);
    const Cell cell(secret, how(), 0, block);
    auto sealed = write_first_fitting(cell, random_bytes(cell.capacity() - kTagBytes, 1));
    const auto digest = Cell(secret, how(), 0, sealed).digest(hash);
    std::mt19937 generator(4);
    for (int round = 0; round < 400; ++round) {
        const auto at = generator() % sealed.size();
        const auto mask = static_cast<std::byte>(1u << generator() % 8);
        sealed[at] ^= mask;
        const Cell spoiled(secret, how(), 0, sealed);
        EXPECT_TRUE(!spoiled.read().has_value() || spoiled.digest(hash) != digest) << at;
        sealed[at] ^= mask;
    }
}

INSTANTIATE_TEST_SUITE_P(EveryCarryingType, CellOf, testing::ValuesIn(all_carriers()),
                         [](const auto& given) { return name_of(given.param); });

TEST(Cell, FloatsMoveByAtMostSixteenStepsAndZerosStay) {
    const auto secret = keys();
    for (unsigned seed = 0; seed < 50; ++seed) {
        const auto block = weights(kF32, seed);
        const Cell cell(secret, kF32, seed, block);
        const auto sealed = write_first_fitting(cell, random_bytes(cell.capacity() - kTagBytes, seed));
        std::vector<std::uint32_t> before(8192), after(8192);
        std::memcpy(before.data(), block.data(), block.size());
        std::memcpy(after.data(), sealed.data(), sealed.size());
        std::size_t touched = 0;
        for (std::size_t i = 0; i < before.size(); ++i) {
            const auto distance =
                std::abs(static_cast<std::int64_t>(before[i]) - static_cast<std::int64_t>(after[i]));
            EXPECT_LE(static_cast<std::uint64_t>(distance), kMaxSteps);
            if ((before[i] & 0x7FFFFFFF) == 0) {
                EXPECT_EQ(before[i], after[i]);
            }
            touched += distance != 0;
        }
        EXPECT_LE(touched, kCellValues);
        EXPECT_GT(touched, kCellValues / 2);
    }
}

TEST(Cell, SpecialFloatsNeverChange) {
    const float special[] = {0.0f, -0.0f, INFINITY, -INFINITY, NAN, 1e-40f, -1e-40f, 3.4e38f, 1.2e-38f};
    std::mt19937 generator(1);
    std::normal_distribution<float> normal(0, 1);
    std::vector<float> values(8192);
    for (std::size_t i = 0; i < values.size(); ++i)
        values[i] = i % 3 == 0 ? special[generator() % 9] : normal(generator);
    const auto secret = keys();
    const auto block = raw(values);
    const Cell cell(secret, kF32, 0, block);
    const auto sealed = write_first_fitting(cell, random_bytes(cell.capacity() - kTagBytes, 1));
    for (std::size_t i = 0; i < values.size(); i += 3) {
        EXPECT_EQ(std::memcmp(block.data() + 4 * i, sealed.data() + 4 * i, 4), 0);
    }
}

TEST(Cell, SwappingAZeroWithAValueChangesTheDigest) {
    const auto secret = keys();
    crypto::Sha256 hash;
    auto block = weights(kF32, 2);
    std::vector<float> values(8192);
    std::memcpy(values.data(), block.data(), block.size());
    const auto before = Cell(secret, kF32, 0, block).digest(hash);
    for (std::size_t i = 0; i + 1 < values.size(); ++i) {
        if ((values[i] == 0) == (values[i + 1] == 0)) continue;
        std::swap(values[i], values[i + 1]);
        const auto swapped = raw(values);
        ASSERT_NE(Cell(secret, kF32, 0, swapped).digest(hash), before) << i;
        std::swap(values[i], values[i + 1]);
        if (i > 600) break;
    }
}

// Gaussian codes, since those of random bytes are no weights.
Bytes gaussian_codes(unsigned seed, std::size_t count) {
    std::mt19937 generator(seed);
    std::normal_distribution<double> normal(0, 30);
    Bytes made(count);
    for (auto& code : made)
        code =
            static_cast<std::byte>(static_cast<int>(std::lround(std::clamp(normal(generator), -127.0, 127.0))));
    return made;
}

TEST(Cell, OutlivesTheOtherHalfOfABlockWithWindows) {
    const auto secret = keys();
    for (const Carriers how : {Carriers{Version::two, DType::bf16, Grid::own},
                               {Version::two, DType::f32, Grid::f16},
                               {Version::two, DType::i8, Grid::own}}) {
        const auto block = how.dtype == DType::i8 ? gaussian_codes(1, 4096) : weights(how, 1, 4096);
        bool first_half = false, second_half = false;
        for (std::uint64_t index = 0; index < 8; ++index) {
            const Cell cell(secret, how, index, block);
            ASSERT_GE(cell.capacity(), kMinLowestBitCellBytes) << name_of(how);
            auto written = write_first_fitting(cell, random_bytes(cell.capacity() - kTagBytes, 7));
            const auto window = cell_window(secret, how, index, block.size());
            (window == 0 ? first_half : second_half) = true;
            const auto half = static_cast<std::ptrdiff_t>(block.size() / 2);
            auto own_lost = written;
            const auto other = weights(how, 2, 4096);
            std::copy_n(other.begin(), half, written.begin() + (window == 0 ? half : 0));
            EXPECT_TRUE(Cell(secret, how, index, written).read()) << name_of(how) << index;
            std::copy_n(other.begin(), half, own_lost.begin() + (window == 0 ? 0 : half));
            EXPECT_FALSE(Cell(secret, how, index, own_lost).read()) << name_of(how) << index;
        }
        EXPECT_TRUE(first_half && second_half);
    }
}

TEST(Cell, TooFewValuesCarryNothingAndAreHashedPlainly) {
    const auto secret = keys();
    crypto::Sha256 hash;
    const std::vector<float> values(300, 0.5f);
    const auto block = raw(values);
    const Cell cell(secret, kF32, 0, block);
    EXPECT_EQ(cell.capacity(), 0u);
    EXPECT_EQ(cell.digest(hash), plain_digest(hash, block));
}

TEST(Cell, QuantizedZerosAndTheUnusedCodeStay) {
    std::vector<std::int8_t> values(8192);
    for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<std::int8_t>(i % 255 - 127);
    const auto secret = keys();
    const auto block = raw(values);
    const Cell cell(secret, kI8, 0, block);
    const auto sealed = write_first_fitting(cell, random_bytes(cell.capacity() - kTagBytes, 1));
    for (std::size_t i = 0; i < values.size(); ++i) {
        const auto after = std::to_integer<int>(sealed[i]) > 127 ? std::to_integer<int>(sealed[i]) - 256
                                                                 : std::to_integer<int>(sealed[i]);
        EXPECT_EQ(after == 0, values[i] == 0);
        EXPECT_NE(after, -128);
    }
}

}  // namespace
}  // namespace modelseal::mark
