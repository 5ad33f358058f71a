#include "util/text.h"

#include <cstdint>
#include <utility>

#include <gtest/gtest.h>

namespace modelseal::util {
namespace {

TEST(Printable, EscapesWhatCouldSpoilATerminal) {
    EXPECT_EQ(printable("a\x1b[31m\n"), "a\\x1b[31m\\x0a");
    EXPECT_EQ(printable("caf\xc3\xa9 \xff"), "caf\xc3\xa9 \\xff");
    EXPECT_EQ(printable("\xc2\x9b"), "\\xc2\\x9b");
    EXPECT_EQ(printable("gnp\xe2\x80\xae.sh"), "gnp\\xe2\\x80\\xae.sh");
}

std::string utf8(char32_t code) {
    const auto tail = [&](int shift) { return static_cast<char>(0x80 | (code >> shift & 0x3F)); };
    if (code < 0x80) return {static_cast<char>(code)};
    if (code < 0x800) return {static_cast<char>(0xC0 | code >> 6), tail(0)};
    if (code < 0x10000) return {static_cast<char>(0xE0 | code >> 12), tail(6), tail(0)};
    return {static_cast<char>(0xF0 | code >> 18), tail(12), tail(6), tail(0)};
}

TEST(Printable, EscapesWhatCannotBeSeen) {
    const std::pair<char32_t, char32_t> unseen[] = {
        {0x00, 0x1F},     {0x7F, 0x9F},       {0xAD, 0xAD},       {0x61C, 0x61C},     {0x180E, 0x180E},
        {0x200B, 0x200F}, {0x2028, 0x202E},   {0x2060, 0x206F},   {0xFE00, 0xFE0F},   {0xFEFF, 0xFEFF},
        {0xFFF9, 0xFFFB}, {0x1D173, 0x1D17A}, {0xE0001, 0xE0001}, {0xE0020, 0xE007F}, {0xE0100, 0xE01EF},
    };
    for (const auto& [first, last] : unseen) {
        for (auto code = first; code <= last; ++code) {
            const auto shown = printable("a" + utf8(code) + "b");
            ASSERT_TRUE(shown.starts_with("a\\x") && shown.ends_with("b")) << std::hex << std::uint32_t{code};
            for (const char c : shown) ASSERT_TRUE(c >= ' ' && c <= '~') << std::hex << std::uint32_t{code};
        }
    }
    for (const auto code : std::initializer_list<char32_t>{0x20, 0x7E, 0xA0, 0xE9, 0x5D0, 0x627, 0x200A, 0x2010,
                                                           0x2030, 0x4E2D, 0xFFFC, 0x1F600})
        EXPECT_EQ(printable(utf8(code)), utf8(code)) << std::hex << std::uint32_t{code};
    EXPECT_EQ(printable("\xed\xa0\x80\xc0\x80"), "\\xed\\xa0\\x80\\xc0\\x80");
}

TEST(Counted, PutsCommasAndThePluralOfTheNoun) {
    EXPECT_EQ(counted(1, "byte"), "1 byte");
    EXPECT_EQ(counted(0, "byte"), "0 bytes");
    EXPECT_EQ(counted(1234567, "unexplained byte"), "1,234,567 unexplained bytes");
    EXPECT_EQ(counted(123456, "entry"), "123,456 entries");
    EXPECT_EQ(counted(2, "key"), "2 keys");
    EXPECT_EQ(counted(2, "class"), "2 classes");
    EXPECT_EQ(counted(2, "batch"), "2 batches");
    EXPECT_EQ(counted(2, "epoch"), "2 epochs");
    EXPECT_EQ(counted(1, "class"), "1 class");
    EXPECT_EQ(counted(~std::uint64_t{0}, "pair"), "18,446,744,073,709,551,615 pairs");
}

}  // namespace
}  // namespace modelseal::util
