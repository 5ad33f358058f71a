#include "blackbox/fingerprint.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "blackbox/pairs/inputs.h"
#include "tests/support/models/small_fingerprint.h"

namespace modelseal::blackbox {
namespace {

TEST(Inputs, AreAllOfMemberZeroThenAllOfMemberOne) {
    const auto made = test::small_fingerprint();
    const auto& pairs = made.pairs().rungs[1].pairs;
    const auto inputs = inputs_of(made, pairs);
    ASSERT_EQ(inputs.size(), 4u * 18);
    for (std::size_t row = 0; row < 4; ++row) {
        const auto& pair = pairs[row % 2];
        for (std::size_t i = 0; i < 18; ++i) {
            const double level = made.pairs().paths[pair.path].base[i] +
                                 pair.member[row / 2].position * made.pairs().paths[pair.path].direction[i];
            EXPECT_EQ(inputs[row * 18 + i], static_cast<float>(level * made.unit));
        }
    }
    EXPECT_TRUE(inputs_of(made, {}).empty());
}

TEST(Inputs, AreNormalizedByChannelOrAlike) {
    const Input input{.shape = {.name = {}, .shape = {2, 2}}, .mean = {1, 2}, .std = {0.5f}};
    std::vector<float> pixels = {1, 2, 3, 4, 0, 1, 2, 3};
    normalise(input, pixels);
    EXPECT_EQ(pixels, (std::vector<float>{0, 2, 2, 4, -2, 0, 0, 2}));
    const Input plain{.shape = {.name = {}, .shape = {2, 2}}, .mean = {}, .std = {}};
    const auto before = pixels;
    normalise(plain, pixels);
    EXPECT_EQ(pixels, before);
}

}  // namespace
}  // namespace modelseal::blackbox
