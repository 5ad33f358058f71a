// Numbers outside raw_data: where their segments lie, and that they come out as the values that were written.
#include <cstring>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "model/elements.h"
#include "tests/support/bytes.h"
#include "tests/support/memory_model.h"
#include "tests/support/onnx_parse.h"

namespace modelseal::formats {
namespace {

using test::Proto;
using testing::Each;
using testing::ElementsAre;
using testing::Field;
using testing::SizeIs;
using namespace test::onnx;

Tensor only(const Proto& initializer) {
    auto layout = parsed(model_of(initializer)).value();
    EXPECT_EQ(layout.tensors.size(), 1u);
    return layout.tensors.front();
}

// The elements as the rest of the library reads them.
template <class T>
std::vector<T> values(const Proto& initializer) {
    const auto text = model_of(initializer).text();
    const auto opened = test::memory_model("m.onnx", test::as_bytes(text)).value();
    const auto& tensor = opened.tensors.front();
    std::uint64_t bytes = 0;
    EXPECT_TRUE(storage_bytes(tensor.dtype, tensor.elements, bytes));
    std::vector<T> all(bytes / sizeof(T));
    const auto read =
        model::read_elements(opened, tensor, 0, tensor.elements, std::as_writable_bytes(std::span(all)));
    EXPECT_TRUE(read.ok()) << read.error().message;
    return all;
}

TEST(OnnxNumbers, PackedFloatsAreOneSegment) {
    const auto w = tensor("w", kFloat, {3}).floats(4, {1, 2, 3});
    EXPECT_THAT(only(w).segments, SizeIs(1));
    EXPECT_THAT(values<float>(w), ElementsAre(1, 2, 3));
}

TEST(OnnxNumbers, PackedChunksAreASegmentEach) {
    const auto w = tensor("w", kFloat, {5}).floats(4, {1, 2}).floats(4, {}).floats(4, {3, 4, 5});
    EXPECT_THAT(only(w).segments, SizeIs(2));
    EXPECT_THAT(values<float>(w), ElementsAre(1, 2, 3, 4, 5));
}

TEST(OnnxNumbers, UnpackedFloatsAreOneStridedSegment) {
    auto w = tensor("w", kFloat, {3});
    for (const auto bits : {0x3f800000u, 0x40000000u, 0x40400000u}) w.fixed32(4, bits);
    const auto segments = only(w).segments;
    ASSERT_THAT(segments, SizeIs(1));
    EXPECT_EQ(segments[0].stride, 5u);
    EXPECT_EQ(segments[0].bytes, 14u);
    EXPECT_THAT(values<float>(w), ElementsAre(1, 2, 3));
}

TEST(OnnxNumbers, UnpackedFloatsAroundOtherFieldsAreTwoRuns) {
    auto w = tensor("w", kDouble, {4});
    w.fixed64(10, 1).fixed64(10, 2).bytes(12, std::string(40, 'x')).fixed64(10, 3).fixed64(10, 4);
    const auto segments = only(w).segments;
    EXPECT_THAT(segments, SizeIs(2));
    EXPECT_THAT(segments, Each(Field(&Segment::stride, 9u)));
    EXPECT_THAT(values<std::uint64_t>(w), ElementsAre(1, 2, 3, 4));
}

TEST(OnnxNumbers, PackedAndUnpackedMayBeMixed) {
    const auto w = tensor("w", kFloat, {5}).fixed32(4, 0).floats(4, {1, 2}).floats(4, {3}).floats(4, {4});
    EXPECT_THAT(values<float>(w), ElementsAre(0, 1, 2, 3, 4));
}

TEST(OnnxNumbers, DoublesAndComplexNumbersAreDense) {
    EXPECT_THAT(values<double>(tensor("w", kDouble, {2}).doubles(10, {1, -2})), ElementsAre(1, -2));
    const auto c = tensor("c", kComplex64, {2}).floats(4, {1, 2, 3, 4});
    EXPECT_EQ(only(c).segments[0].elements, 2u);
    EXPECT_THAT(values<float>(c), ElementsAre(1, 2, 3, 4));
    const auto c128 = tensor("c", kComplex128, {1}).doubles(10, {1, 2});
    EXPECT_EQ(only(c128).segments[0].elements, 1u);
}

TEST(OnnxNumbers, VarintsDecodeToTheValuesThatWereWritten) {
    constexpr auto kMinusOne = ~std::uint64_t{0};
    EXPECT_THAT(values<std::int64_t>(tensor("w", kInt64, {3}).packed(7, {1, 300, kMinusOne})),
                ElementsAre(1, 300, -1));
    EXPECT_THAT(values<std::int32_t>(tensor("w", kInt32, {2}).packed(5, {kMinusOne, 70000})),
                ElementsAre(-1, 70000));
    EXPECT_THAT(values<std::int8_t>(tensor("w", kInt8, {3}).packed(5, {kMinusOne - 127, 127, 0})),
                ElementsAre(-128, 127, 0));
    EXPECT_THAT(values<std::uint8_t>(tensor("w", kUint8, {2}).packed(5, {255, 1})), ElementsAre(255, 1));
    EXPECT_THAT(values<std::uint16_t>(tensor("w", kFloat16, {2}).packed(5, {0x3c00, 0xc000})),
                ElementsAre(0x3c00, 0xc000));
    EXPECT_THAT(values<std::uint32_t>(tensor("w", kUint32, {1}).packed(11, {0xffffffff})),
                ElementsAre(0xffffffff));
    EXPECT_THAT(values<std::uint64_t>(tensor("w", kUint64, {1}).packed(11, {kMinusOne})),
                ElementsAre(kMinusOne));
}

TEST(OnnxNumbers, SubByteElementsHaveOneVarintPerByte) {
    const auto u4 = tensor("w", kUint4, {5}).packed(5, {0x21, 0x43, 0x05});
    EXPECT_EQ(only(u4).segments[0].elements, 5u);
    EXPECT_EQ(only(u4).segments[0].encoding, Encoding::varint);
    EXPECT_THAT(values<std::uint8_t>(u4), ElementsAre(0x21, 0x43, 0x05));
    EXPECT_THAT(values<std::uint8_t>(tensor("w", kInt2, {6}).packed(5, {0xe4, 0x0f})), ElementsAre(0xe4, 0x0f));
}

// https://github.com/onnx/onnx/issues/6160: a byte of two int4 as a negative number, in ten bytes.
TEST(OnnxNumbers, SubByteElementsMayBeSpelledAsSignedBytes) {
    constexpr std::uint64_t kMinus54 = ~std::uint64_t{53};  // 0xCA
    const auto i4 = tensor("w", 22, {6}).packed(5, {kMinus54, 0x43, kMinus54});
    EXPECT_EQ(only(i4).segments[0].bytes, 21u);
    EXPECT_THAT(values<std::uint8_t>(i4), ElementsAre(0xCA, 0x43, 0xCA));
    // With both spellings two bytes could swap theirs, and no length would show it.
    for (const auto& mixed :
         {tensor("w", 22, {4}).packed(5, {kMinus54, 0xCA}), tensor("w", 22, {4}).packed(5, {0xCA, kMinus54})}) {
        const auto refused = parsed(model_of(mixed));
        ASSERT_FALSE(refused.ok());
        EXPECT_THAT(refused.error().message,
                    testing::HasSubstr("element 2: some bytes are written as signed numbers, some are not"));
    }
    // Beyond a byte nothing is a spelling: -129 and 256.
    for (const auto value : {~std::uint64_t{128}, std::uint64_t{256}})
        EXPECT_FALSE(parsed(model_of(tensor("w", 22, {2}).packed(5, {value}))).ok()) << value;
}

TEST(OnnxNumbers, LongRunsOfVarintsAreCutInto8192Elements) {
    Proto all;
    std::vector<std::int64_t> expected;
    for (std::int64_t i = 0; i < 20'000; ++i) {
        all.number(static_cast<std::uint64_t>(i * i));
        expected.push_back(i * i);
    }
    const auto w = tensor("w", kInt64, {20'000}).message(7, all);
    const auto segments = only(w).segments;
    ASSERT_THAT(segments, SizeIs(3));
    EXPECT_EQ(segments[0].elements, 8192u);
    EXPECT_EQ(segments[2].elements, 20'000u - 2 * 8192);
    EXPECT_EQ(values<std::int64_t>(w), expected);
}

TEST(OnnxNumbers, UnpackedVarintsAreASegmentEach) {
    const auto w = tensor("w", kInt64, {4}).varint(7, 1).varint(7, 70000).packed(7, {2, 3});
    EXPECT_THAT(only(w).segments, SizeIs(3));
    EXPECT_THAT(values<std::int64_t>(w), ElementsAre(1, 70000, 2, 3));
}

// As ONNX Runtime has it: 0 is "not given", and the shape shows the length.
TEST(OnnxNumbers, ExternalLengthOfZeroIsNoLength) {
    const auto layout = parsed(model_of(external("w", {entry("length", "0"), entry("offset", "4")}))).value();
    ASSERT_THAT(layout.tensors[0].segments, SizeIs(1));
    EXPECT_EQ(layout.tensors[0].segments[0].offset, 4u);
    EXPECT_EQ(layout.tensors[0].segments[0].bytes, 8u);
}

TEST(OnnxNumbers, TooManyPiecesAreUnsupported) {
    auto w = tensor("w", kInt64, {6});
    for (std::uint64_t i = 0; i < 6; ++i) w.varint(7, i);
    EXPECT_TRUE(parsed(model_of(w), {.tensors = 6}).ok());
    const auto refused = parsed(model_of(w), {.tensors = 5});
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().kind, ErrorKind::unsupported);
    EXPECT_THAT(refused.error().message, testing::HasSubstr("tensor data are in more than 5 pieces"));
}

}  // namespace
}  // namespace modelseal::formats
