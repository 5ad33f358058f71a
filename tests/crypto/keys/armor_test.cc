#include "crypto/keys/armor.h"

#include <gtest/gtest.h>

namespace modelseal::crypto {
namespace {

TEST(Armor, RoundTripsAtEverySize) {
    for (std::size_t size = 0; size <= 200; ++size) {
        std::vector<std::byte> body(size);
        for (std::size_t i = 0; i < size; ++i) body[i] = static_cast<std::byte>(i * 37);
        const auto text = armor("X", body);
        EXPECT_EQ(strip_armor("X", text, size), body) << size;
        EXPECT_EQ(strip_armor("Y", text, size), std::nullopt) << size;
        EXPECT_EQ(strip_armor("X", text + "\n", size), std::nullopt) << size;
        if (size > 0) {
            EXPECT_EQ(strip_armor("X", text, size - 1), std::nullopt) << size;
        }
    }
}

}  // namespace
}  // namespace modelseal::crypto
