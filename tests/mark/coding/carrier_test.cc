#include "mark/coding/carrier.h"

#include <cstring>
#include <random>

#include <gtest/gtest.h>

namespace modelseal::mark {
namespace {

struct Halves {
    Carriers carriers;
    std::vector<std::byte> block;

    std::vector<std::uint32_t> positions() const {
        std::vector<std::uint32_t> found;
        bit_carriers(carriers, block, 576, found);
        return found;
    }
    std::uint16_t magnitude(std::uint32_t position) const {
        std::uint16_t bits = 0;
        std::memcpy(&bits, block.data() + position, sizeof bits);
        return bits & 0x7FFFu;
    }
};

// Gaussian weights of bf16.
Halves halves(std::size_t count, Version version = Version::two) {
    Halves made{{version, DType::bf16, Grid::own}, std::vector<std::byte>(2 * count)};
    std::mt19937 generator(1);
    std::normal_distribution<float> normal(0, 0.02f);
    for (std::size_t i = 0; i < count; ++i) {
        const float value = normal(generator);
        std::memcpy(made.block.data() + 2 * i, reinterpret_cast<const char*>(&value) + 2, 2);
    }
    return made;
}

TEST(CarriersOfHalves, AreTheSmallestValues) {
    const auto made = halves(8192);
    const auto positions = made.positions();
    EXPECT_GE(positions.size(), 576u);
    EXPECT_LT(positions.size(), 600u);
    unsigned greatest = 0;
    for (const auto position : positions)
        greatest = std::max<unsigned>(greatest, made.magnitude(position) >> 1);
    std::size_t as_small = 0;
    for (std::uint32_t at = 0; at < made.block.size(); at += 2) {
        const auto bits = made.magnitude(at);
        if (bits >> 7 != 0 && bits >> 1 <= greatest && (bits & 0x7E) != 0) ++as_small;
    }
    EXPECT_EQ(as_small, positions.size());
}

TEST(CarriersOfHalves, AreNotPowersOfTwoNorTheValuesAboveThem) {
    const auto made = halves(560);
    for (const auto position : made.positions()) EXPECT_NE(made.magnitude(position) & 0x7E, 0) << position;
    EXPECT_GT(made.positions().size(), 520u);
    EXPECT_GT(halves(560, Version::one).positions().size(), made.positions().size());
}

TEST(CarriersOfHalves, DoNotDependOnTheirBits) {
    auto made = halves(8192);
    const auto before = made.positions();
    for (const auto position : before) made.block[position] ^= carrier_mask(made.carriers);
    EXPECT_EQ(made.positions(), before);
}

}  // namespace
}  // namespace modelseal::mark
