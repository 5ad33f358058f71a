#include "formats/protobuf.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/hex.h"
#include "tests/support/models/proto_builder.h"

namespace modelseal::formats::protobuf {
namespace {

using test::Proto;
using testing::HasSubstr;

constexpr FieldRule kRules[] = {
    {1, Wire::varint, Times::once, "count"},
    {2, Wire::bytes, Times::often, "part"},
    {3, Wire::fixed32, Times::numbers, "weights"},
};
constexpr Message kRecord = {"record", kRules};

Result<std::vector<Field>> fields_of(const std::string& text) {
    const MemorySource source("m", test::as_bytes(text));
    Input input(source);
    Fields fields(input, {0, text.size()}, kRecord);
    std::vector<Field> all;
    for (;;) {
        MODELSEAL_TRY_ASSIGN(const auto field, fields.next());
        if (!field) return all;
        all.push_back(*field);
    }
}

std::string problem(const std::string& text) {
    const auto fields = fields_of(text);
    if (fields.ok()) return "none";
    EXPECT_EQ(fields.error().kind, ErrorKind::malformed);
    return fields.error().message;
}

TEST(Protobuf, ReportsWherePayloadsAre) {
    const auto fields = fields_of(Proto().varint(1, 300).bytes(2, "abc").fixed32(3, 7).text()).value();
    ASSERT_EQ(fields.size(), 3u);
    EXPECT_EQ(fields[0].value, 300u);
    EXPECT_EQ(fields[1].tag, 3u);
    EXPECT_EQ(fields[1].payload.begin, 5u);
    EXPECT_EQ(fields[1].payload.size(), 3u);
    EXPECT_EQ(fields[2].payload.size(), 4u);
}

TEST(Protobuf, UnknownFieldsOfEveryPlainWireTypeAreSkipped) {
    const auto fields =
        fields_of(Proto().varint(9, 1).fixed64(10, 2).bytes(1000, "x").fixed32(11, 3).varint(1, 4).text())
            .value();
    ASSERT_EQ(fields.size(), 5u);
    EXPECT_FALSE(fields[2].known);
    EXPECT_TRUE(fields[4].known);
}

TEST(Protobuf, LongSpellingsOfVarintsAreRead) {
    const auto fields = fields_of(std::string("\x88\x80\x00\x85\x80\x80\x00", 7)).value();
    ASSERT_EQ(fields.size(), 1u);
    EXPECT_EQ(fields[0].number, 1u);
    EXPECT_EQ(fields[0].value, 5u);
}

TEST(Protobuf, TheLargestNumberIsRead) {
    EXPECT_EQ(fields_of(Proto().varint(1, ~std::uint64_t{0}).text()).value()[0].value, ~std::uint64_t{0});
}

TEST(Protobuf, RepeatedNumbersMayBePacked) {
    EXPECT_EQ(fields_of(Proto().fixed32(3, 1).floats(3, {1, 2}).fixed32(3, 1).text()).value().size(), 3u);
}

TEST(Protobuf, AnEmptyMessageHasNoFields) {
    EXPECT_TRUE(fields_of("").value().empty());
}

TEST(Protobuf, RefusesWhatReadersDisagreeOn) {
    EXPECT_THAT(problem(Proto().varint(1, 1).varint(1, 1).text()), HasSubstr("record: count appears twice"));
    EXPECT_THAT(problem(Proto().bytes(1, "x").text()), HasSubstr("record: count has wire type 2"));
    EXPECT_THAT(problem(Proto().varint(3, 1).text()), HasSubstr("weights has wire type 0"));
    EXPECT_THAT(problem(Proto().packed(2, {1}).fixed64(2, 1).text()), HasSubstr("part has wire type 1"));
    EXPECT_THAT(problem(Proto().tag(9, 3).tag(9, 4).text()), HasSubstr("field 9 is a group"));
    EXPECT_THAT(problem(Proto().tag(9, 4).text()), HasSubstr("field 9 is a group"));
}

TEST(Protobuf, RefusesWhatIsNotAField) {
    EXPECT_THAT(problem(std::string("\0", 1)), HasSubstr("invalid field tag 0x0"));
    EXPECT_THAT(problem(Proto().tag(1, 6).text()), HasSubstr("invalid field tag"));
    EXPECT_THAT(problem(Proto().tag(1, 7).text()), HasSubstr("invalid field tag"));
    EXPECT_THAT(problem(Proto().number(1ull << 40).text()), HasSubstr("invalid field tag"));
}

TEST(Protobuf, RefusesWhatLeavesTheMessage) {
    EXPECT_THAT(problem("\x12\x05xyz"),
                HasSubstr("2 bytes are missing (record: field 2 of 5 bytes at offset 0)"));
    EXPECT_THAT(problem(Proto().tag(2, 2).number(~std::uint64_t{0}).text()), HasSubstr("too many"));
    EXPECT_THAT(problem("\x1d\x01\x02\x03"), HasSubstr("1 byte is missing (record: field 3 of 4 bytes"));
    EXPECT_THAT(problem("\x08"), HasSubstr("a varint ends after 0 bytes"));
    EXPECT_THAT(problem("\x08\x80\x80"), HasSubstr("a varint ends after 2 bytes (at offset 1)"));
    EXPECT_THAT(problem("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02"), HasSubstr("more than 64 bits"));
    EXPECT_THAT(problem("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x81\x01"), HasSubstr("more than 64 bits"));
}

}  // namespace
}  // namespace modelseal::formats::protobuf
