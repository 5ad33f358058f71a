#include "crypto/sealed_box.h"

#include <gtest/gtest.h>

#include "tests/support/hex.h"

namespace modelseal::crypto {
namespace {

using test::as_bytes;

Secret32 secret(unsigned seed) {
    std::array<std::byte, 32> bytes;
    bytes.fill(static_cast<std::byte>(seed));
    return Secret32(bytes);
}

TEST(SealedBox, RoundTrips) {
    const auto salt = random_salt();
    for (const std::string_view text : {"", "a", "the pairs"}) {
        const auto box = seal_box(secret(1), salt, "label", as_bytes("open"), as_bytes(text));
        EXPECT_EQ(box.size(), text.size() + kBoxOverhead);
        const auto plain = open_box(secret(1), salt, "label", as_bytes("open"), box);
        ASSERT_TRUE(plain);
        EXPECT_TRUE(std::ranges::equal(*plain, as_bytes(text)));
    }
}

TEST(SealedBox, StaysShutIfAnythingDiffers) {
    const auto salt = random_salt();
    auto other = salt;
    other[31] ^= std::byte{1};
    auto box = seal_box(secret(1), salt, "label", as_bytes("open"), as_bytes("the pairs"));
    EXPECT_FALSE(open_box(secret(2), salt, "label", as_bytes("open"), box));
    EXPECT_FALSE(open_box(secret(1), other, "label", as_bytes("open"), box));
    EXPECT_FALSE(open_box(secret(1), salt, "Label", as_bytes("open"), box));
    EXPECT_FALSE(open_box(secret(1), salt, "label", as_bytes("0pen"), box));
    EXPECT_FALSE(open_box(secret(1), salt, "label", as_bytes("open"), std::span(box).first(15)));
    EXPECT_FALSE(open_box(secret(1), salt, "label", as_bytes("open"), std::span(box).first(box.size() - 1)));
    box[0] ^= std::byte{1};
    EXPECT_FALSE(open_box(secret(1), salt, "label", as_bytes("open"), box));
}

TEST(SealedBox, SaltsDoNotRepeat) {
    EXPECT_NE(random_salt(), random_salt());
}

}  // namespace
}  // namespace modelseal::crypto
