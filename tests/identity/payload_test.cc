// The payload of an identity image: it holds for the exact samples of one picture, under one vendor's key.
#include "identity/payload.h"

#include <cmath>

#include <gtest/gtest.h>

#include "tests/support/models/small_mark.h"
#include "tests/support/models/small_models.h"

namespace modelseal::identity {
namespace {

io::Picture with_payload(io::Picture picture, const SigningKey& key) {
    Payload payload{.expires = 4'102'444'800, .change = 7};
    payload.mark.fill(std::byte{0xA5});
    payload.serial.fill(std::byte{0x3C});
    EXPECT_TRUE(embed_payload(payload, key, picture, "test").ok());
    return picture;
}

bool admits(const io::Picture& picture, const PublicKey& vendor) {
    const auto payload = extract_payload(picture);
    return payload && holds(*payload, picture, vendor);
}

struct Size {
    std::uint32_t width, height, channels;
};

class PayloadOf : public testing::TestWithParam<Size> {
  protected:
    io::Picture plain() const {
        return test::noise_picture(GetParam().width, GetParam().height, GetParam().channels, 1);
    }
};

TEST_P(PayloadOf, ComesBackAndHoldsUnderBothTypesOfKeys) {
    for (const auto& key : {test::test_key(), SigningKey::generate(KeyType::p256)}) {
        const auto picture = with_payload(plain(), key);
        const auto payload = extract_payload(picture);
        ASSERT_TRUE(payload.has_value());
        EXPECT_EQ(payload->key_type, key.public_key().type());
        EXPECT_EQ(payload->expires, 4'102'444'800u);
        EXPECT_EQ(payload->change, 7u);
        EXPECT_EQ(payload->serial[0], std::byte{0x3C});
        EXPECT_TRUE(holds(*payload, picture, key.public_key()));
        EXPECT_FALSE(holds(*payload, picture, test::test_key(2).public_key()));
        EXPECT_FALSE(holds(*payload, picture, SigningKey::generate(KeyType::p256).public_key()));
    }
}

TEST_P(PayloadOf, ChangesNothingButLowestBits) {
    const auto before = plain();
    const auto after = with_payload(before, test::test_key());
    for (std::size_t i = 0; i < before.samples.size(); ++i)
        ASSERT_EQ(before.samples[i] >> 1, after.samples[i] >> 1) << i;
}

TEST_P(PayloadOf, TakenOutAdmitsNobody) {
    EXPECT_FALSE(extract_payload(without_payload(with_payload(plain(), test::test_key()))).has_value());
}

INSTANTIATE_TEST_SUITE_P(Pictures, PayloadOf,
                         testing::Values(Size{28, 28, 1}, Size{32, 32, 3}, Size{1, 784, 1}, Size{97, 13, 1},
                                         Size{300, 200, 3}));

TEST(IdentityPayload, IsSpoiledByEveryFlippedBit) {
    const auto key = test::test_key();
    const auto good = with_payload(test::noise_picture(32, 32, 3, 2), key);
    ASSERT_TRUE(admits(good, key.public_key()));
    // All bits that carry are among the lowest bits; the others are covered by the signature.
    for (std::size_t i = 0; i < good.samples.size(); ++i) {
        auto picture = good;
        picture.samples[i] ^= 1;
        EXPECT_FALSE(admits(picture, key.public_key())) << "lowest bit of sample " << i;
    }
    for (std::size_t i = 0; i < good.samples.size(); i += 7) {
        auto picture = good;
        picture.samples[i] = static_cast<std::uint8_t>(picture.samples[i] ^ (2u << (i % 7)));
        EXPECT_FALSE(admits(picture, key.public_key())) << "bit " << i % 7 + 1 << " of sample " << i;
    }
}

TEST(IdentityPayload, IsOfNoUseInAnotherPicture) {
    const auto key = test::test_key();
    const auto from = with_payload(test::noise_picture(28, 28, 1, 1), key);
    for (std::uint32_t seed = 2; seed < 20; ++seed) {
        auto to = test::noise_picture(28, 28, 1, seed);
        for (std::size_t i = 0; i < to.samples.size(); ++i)
            to.samples[i] = static_cast<std::uint8_t>((to.samples[i] & 0xFE) | (from.samples[i] & 1));
        ASSERT_TRUE(extract_payload(to).has_value());
        EXPECT_FALSE(admits(to, key.public_key()));
    }
}

TEST(IdentityPayload, HoldsForOneSizeAlone) {
    const auto key = test::test_key();
    auto picture = with_payload(test::noise_picture(28, 28, 1, 1), key);
    std::swap(picture.width = 14, picture.height = 56);
    EXPECT_FALSE(admits(picture, key.public_key()));
}

TEST(IdentityPayload, IsNotInPicturesOfAThousandStrangers) {
    const auto vendor = test::test_key().public_key();
    std::size_t recognized = 0, admitted = 0;
    for (std::uint32_t seed = 1; seed <= 1000; ++seed) {
        const auto picture = test::noise_picture(28, 28, 1, seed * 7919);
        recognized += extract_payload(picture).has_value() ? 1u : 0u;
        admitted += admits(picture, vendor) ? 1u : 0u;
    }
    EXPECT_EQ(recognized, 0u);
    EXPECT_EQ(admitted, 0u);
}

TEST(IdentityPayload, NeedsRoom) {
    auto picture = test::noise_picture(27, 29, 1, 1);  // 783 samples
    const auto refused = embed_payload({}, test::test_key(), picture, "small");
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().message,
              "small: has 783 samples, and an identity needs 784 (28 x 28 gray pixels)");
    EXPECT_FALSE(extract_payload(picture).has_value());
    picture = test::noise_picture(28, 28, 1, 1);
    EXPECT_FALSE(embed_payload({.change = 1ull << 40}, test::test_key(), picture, "late").ok());
}

}  // namespace
}  // namespace modelseal::identity
