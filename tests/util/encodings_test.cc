#include "util/encodings.h"

#include <gtest/gtest.h>

namespace modelseal::util {
namespace {

std::string text_in(const std::optional<std::vector<std::byte>>& bytes) {
    if (!bytes) return "nothing";
    return {reinterpret_cast<const char*>(bytes->data()), bytes->size()};
}

std::string base64_of(std::string_view text) {
    return base64(std::as_bytes(std::span(text)));
}

// RFC 4648, section 10.
TEST(Base64, MatchesTheVectorsOfTheStandard) {
    const std::pair<const char*, const char*> rows[] = {{"", ""},
                                                        {"f", "Zg=="},
                                                        {"fo", "Zm8="},
                                                        {"foo", "Zm9v"},
                                                        {"foob", "Zm9vYg=="},
                                                        {"fooba", "Zm9vYmE="},
                                                        {"foobar", "Zm9vYmFy"}};
    for (const auto& [plain, encoded] : rows) {
        EXPECT_EQ(base64_of(plain), encoded);
        EXPECT_EQ(text_in(from_base64(encoded)), plain);
    }
}

TEST(Base64, HasOneSpelling) {
    for (const char* text : {"Zg", "Zg=", "Zh==", "Zg==\n", " Zg==", "Zm9v!", "Zm9-", "Zg==Zg=="}) {
        EXPECT_FALSE(from_base64(text)) << text;
    }
}

TEST(Hex, IsOfLowerCaseDigitsAlone) {
    EXPECT_EQ(text_in(from_hex("")), "");
    EXPECT_EQ(text_in(from_hex("6d7f")), "m\x7f");
    for (const char* text : {"6", "6D", "6g", "6d ", " 6d", "0x6d", "6d:7f", "6d\n7f"})
        EXPECT_FALSE(from_hex(text)) << text;
}

TEST(PercentEncoded, KeepsLettersDigitsAndAllowedCharacters) {
    EXPECT_EQ(percent_encoded("aZ09/-", "/"), "aZ09/%2D");
    EXPECT_EQ(percent_encoded("\xc3\xa9 %", ""), "%C3%A9%20%25");
}

}  // namespace
}  // namespace modelseal::util
