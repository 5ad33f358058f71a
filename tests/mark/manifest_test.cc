// The signed statement of a seal: one spelling, and no bit of it can change.
#include "mark/manifest.h"

#include <gtest/gtest.h>

#include "tests/support/models/small_models.h"

namespace modelseal::mark {
namespace {

using Bytes = std::vector<std::byte>;

class ManifestOf : public testing::TestWithParam<KeyType> {
  protected:
    const SigningKey key_ = GetParam() == KeyType::p256 ? test::test_key_p256() : test::test_key();
    Manifest made() {
        Manifest manifest;
        auto& part = manifest.signed_part;
        part.tensors = 9;
        part.stamp = {{"name", "net"}, {"use", "test"}};
        part.frame.fill(std::byte{1});
        part.weights.fill(std::byte{2});
        part.vendor = vendor_hash(key_.public_key());
        part.parent.emplace().fill(std::byte{3});
        part.in_common_table = {true, false, true, false, false, false, false, false, true};
        part.file_checks = {4, 5};
        manifest.common = {6, 7, 8};
        manifest.signature = sign(key_, part, manifest.common.size()).value();
        return manifest;
    }
};

INSTANTIATE_TEST_SUITE_P(Keys, ManifestOf, testing::Values(KeyType::ed25519, KeyType::p256),
                         [](const auto& row) { return row.param == KeyType::p256 ? "P256" : "Ed25519"; });

TEST_P(ManifestOf, RoundTripsAndVerifies) {
    const auto manifest = made();
    const auto read = decode(encode(manifest));
    ASSERT_TRUE(read);
    EXPECT_TRUE(verify(key_.public_key(), *read));
    EXPECT_EQ(encode(*read), encode(manifest));
    EXPECT_FALSE(verify(test::test_key(2).public_key(), *read));
}

TEST_P(ManifestOf, NeverVerifiesWithOneBitFlipped) {
    const auto whole = encode(made());
    const auto covered =
        whole.size() - 3 * check_bytes(Version::two);  // the check values behind are computed anew
    for (std::size_t bit = 0; bit < 8 * covered; ++bit) {
        Bytes spoiled = whole;
        spoiled[bit / 8] ^= std::byte{1} << (bit % 8);
        const auto read = decode(spoiled);
        ASSERT_FALSE(read && verify(key_.public_key(), *read)) << bit;
    }
}

// With (r, s) the pair (r, n - s) is a signature of the same message; so anybody could write a second file that
// is intact.
TEST(ManifestOnP256, NeverVerifiesWithItsOtherS) {
    constexpr unsigned char kOrder[32] = {0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff,
                                          0xff, 0xff, 0xff, 0xff, 0xff, 0xbc, 0xe6, 0xfa, 0xad, 0xa7, 0x17,
                                          0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51};
    const auto key = test::test_key_p256();
    Manifest manifest;
    manifest.signature = sign(key, manifest.signed_part, 0).value();
    ASSERT_TRUE(verify(key.public_key(), manifest));
    int borrow = 0;
    for (std::size_t i = 32; i-- > 0;) {
        const int digit = kOrder[i] - std::to_integer<int>(manifest.signature[32 + i]) - borrow;
        borrow = digit < 0 ? 1 : 0;
        manifest.signature[32 + i] = static_cast<std::byte>(digit & 255);
    }
    ASSERT_EQ(borrow, 0);
    EXPECT_FALSE(verify(key.public_key(), manifest));
}

}  // namespace
}  // namespace modelseal::mark
