#include "formats/reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace modelseal::formats {
namespace {

std::vector<std::byte> numbered(std::size_t count) {
    std::vector<std::byte> bytes(count);
    for (std::size_t i = 0; i < count; ++i) bytes[i] = static_cast<std::byte>(i);
    return bytes;
}

TEST(Reader, ReadsLittleEndianNumbersInOrder) {
    const auto bytes = numbered(15);
    const MemorySource source("m", bytes);
    Reader reader(source);
    EXPECT_EQ(reader.u8().value(), 0x00);
    EXPECT_EQ(reader.u16().value(), 0x0201);
    EXPECT_EQ(reader.u32().value(), 0x06050403u);
    EXPECT_EQ(reader.u64().value(), 0x0e0d0c0b0a090807u);
    EXPECT_EQ(reader.left(), 0u);
}

TEST(Reader, ShortReadIsMalformedAndSticks) {
    const auto bytes = numbered(3);
    const MemorySource source("m", bytes);
    Reader reader(source);
    EXPECT_EQ(reader.u32().error().kind, ErrorKind::malformed);
    EXPECT_FALSE(reader.u8().ok());
}

TEST(Reader, CapIsComparedBeforeAllocating) {
    const auto bytes = numbered(64);
    const MemorySource source("m", bytes);
    Reader reader(source);
    EXPECT_FALSE(reader.string(~std::uint64_t{0}, 0, "a name").ok());
    EXPECT_FALSE(reader.string(32, 16, "a name").ok());
    EXPECT_EQ(reader.string(2, 16, "a name").value(), std::string("\x00\x01", 2));
}

TEST(Reader, StaysInsideItsRange) {
    const auto bytes = numbered(10);
    const MemorySource source("m", bytes);
    Reader reader(source, 4, 6);
    EXPECT_FALSE(reader.seek(3).ok());
    EXPECT_EQ(reader.u8().value(), 4);
    EXPECT_FALSE(reader.skip(2, "padding").ok());
    EXPECT_EQ(Reader(source, 20, 30).left(), 0u);
}

TEST(Reader, TellsAFileThatEndsEarlyFromALengthThatIsWrong) {
    const auto bytes = numbered(4);
    const MemorySource source("m", bytes);
    const auto cut = Reader(source).string(5, 0, "a name").error();
    EXPECT_EQ(cut.message, "m: the file ends early, 1 byte is missing (a name of 5 bytes at offset 0)");
    EXPECT_EQ(cut.hint, "download or copy the file again");
    EXPECT_EQ(Reader(source).skip(2000, "a name").error().message,
              "m: the file ends early, 1,996 bytes are missing (a name of 2,000 bytes at offset 0)");
    EXPECT_EQ(Reader(source, 0, 2).string(3, 0, "a name").error().message,
              "m: a name of 3 bytes, but 2 bytes left (at offset 0)");
    EXPECT_THAT(Reader(source).skip(~std::uint64_t{0}, "a name").error().message,
                testing::HasSubstr("bytes too many (at offset 0)"));
}

}  // namespace
}  // namespace modelseal::formats
