#include "model/elements.h"

#include <random>

#include <gtest/gtest.h>

#include "formats/reader.h"

namespace modelseal {
namespace {

using Bytes = std::vector<std::byte>;

Bytes bytes_of(std::initializer_list<int> values) {
    Bytes bytes;
    for (const auto value : values) bytes.push_back(static_cast<std::byte>(value));
    return bytes;
}

Bytes numbered(std::size_t count) {
    Bytes bytes(count);
    for (std::size_t i = 0; i < count; ++i) bytes[i] = static_cast<std::byte>(i % 251);
    return bytes;
}

// A model whose files are in memory.
class InMemory {
  public:
    explicit InMemory(std::vector<Bytes> files) : files_(std::move(files)) {
        for (const auto& file : files_) {
            model_.files.push_back({"", std::make_unique<formats::MemorySource>("m", file), {}});
        }
    }
    Result<Bytes> read(const Tensor& tensor, std::uint64_t first, std::uint64_t count) const {
        std::uint64_t size = 0;
        if (!storage_bytes(tensor.dtype, count, size)) return Error{};
        Bytes out(size, std::byte{0xee});
        MODELSEAL_TRY(model::read_elements(model_, tensor, first, count, out));
        return out;
    }
    const model::Model& model() const { return model_; }

  private:
    std::vector<Bytes> files_;
    model::Model model_;
};

Tensor tensor_of(DType dtype, std::vector<Segment> segments) {
    Tensor tensor{.name = "w", .dtype = dtype, .segments = std::move(segments)};
    for (const auto& segment : tensor.segments) tensor.elements += segment.elements;
    tensor.shape = {tensor.elements};
    return tensor;
}

void append_varint(Bytes& out, std::uint64_t value) {
    for (; value >= 0x80; value >>= 7) out.push_back(static_cast<std::byte>(value | 0x80));
    out.push_back(static_cast<std::byte>(value));
}

TEST(ReadElements, ContiguousRangesAreTheBytesOfTheFile) {
    const InMemory memory({numbered(64)});
    const auto tensor = tensor_of(DType::f32, {{.offset = 8, .bytes = 40, .elements = 10}});
    EXPECT_EQ(memory.read(tensor, 0, 1).value(), bytes_of({8, 9, 10, 11}));
    EXPECT_EQ(memory.read(tensor, 9, 1).value(), bytes_of({44, 45, 46, 47}));
    EXPECT_EQ(memory.read(tensor, 0, 10).value().size(), 40u);
    EXPECT_TRUE(memory.read(tensor, 10, 0).value().empty());
}

TEST(ReadElements, SegmentsOfSeveralFilesAreJoinedInElementOrder) {
    const InMemory memory({numbered(16), bytes_of({100, 101, 102, 103})});
    const auto tensor = tensor_of(DType::u16, {{.file = 1, .offset = 2, .bytes = 2, .elements = 1},
                                               {.file = 0, .offset = 10, .bytes = 4, .elements = 2},
                                               {.file = 1, .offset = 0, .bytes = 2, .elements = 1}});
    EXPECT_EQ(memory.read(tensor, 0, 4).value(), bytes_of({102, 103, 10, 11, 12, 13, 100, 101}));
    EXPECT_EQ(memory.read(tensor, 2, 2).value(), bytes_of({12, 13, 100, 101}));
}

TEST(ReadElements, StridedElementsAreGathered) {
    const InMemory memory({numbered(64)});
    const auto tensor = tensor_of(DType::u16, {{.offset = 1, .bytes = 14, .elements = 3, .stride = 6}});
    EXPECT_EQ(memory.read(tensor, 0, 3).value(), bytes_of({1, 2, 7, 8, 13, 14}));
    EXPECT_EQ(memory.read(tensor, 2, 1).value(), bytes_of({13, 14}));
}

TEST(ReadElements, StridesOfAnyWidthGiveTheSameElementsAsOneByOne) {
    const InMemory memory({numbered(300'000)});
    for (const std::uint32_t stride : {5u, 96u, 4096u, 4097u, 70'000u}) {
        const std::uint64_t elements = (300'000 - 4) / stride + 1;
        const auto tensor = tensor_of(
            DType::f32, {{.bytes = (elements - 1) * stride + 4, .elements = elements, .stride = stride}});
        const auto all = memory.read(tensor, 0, elements).value();
        for (std::uint64_t i = 0; i < elements; i += 7) {
            const auto one = memory.read(tensor, i, 1).value();
            EXPECT_TRUE(std::equal(one.begin(), one.end(), all.begin() + static_cast<std::ptrdiff_t>(i * 4)))
                << "stride " << stride << ", element " << i;
            EXPECT_EQ(one[0], static_cast<std::byte>(i * stride % 251));
        }
    }
}

TEST(ReadElements, SubByteTypesComeInWholeGroups) {
    const InMemory memory({numbered(8)});
    const auto tensor = tensor_of(
        DType::i4, {{.offset = 2, .bytes = 2, .elements = 4}, {.offset = 6, .bytes = 2, .elements = 3}});
    EXPECT_EQ(memory.read(tensor, 0, 7).value(), bytes_of({2, 3, 6, 7}));
    EXPECT_EQ(memory.read(tensor, 4, 3).value(), bytes_of({6, 7}));
    EXPECT_EQ(memory.read(tensor, 1, 2).error().kind, ErrorKind::usage);
    EXPECT_EQ(memory.read(tensor, 0, 3).error().kind, ErrorKind::usage);
}

TEST(ReadElements, BlockTypesComeInWholeBlocks) {
    const InMemory memory({numbered(60)});
    const auto tensor = tensor_of(DType::q4_0, {{.offset = 6, .bytes = 54, .elements = 96}});
    const auto second = memory.read(tensor, 32, 32).value();
    EXPECT_EQ(second.size(), 18u);
    EXPECT_EQ(second.front(), std::byte{24});
    EXPECT_FALSE(memory.read(tensor, 16, 32).ok());
}

TEST(ReadElements, VarintsDecodeToTheWidthOfTheElement) {
    struct Row {
        DType dtype;
        std::vector<std::int64_t> values;
        Bytes expected;
    };
    const Row rows[] = {
        {DType::i32,
         {1, -1, -300, 70'000},
         bytes_of({1, 0, 0, 0, 255, 255, 255, 255, 0xd4, 0xfe, 255, 255, 0x70, 0x11, 1, 0})},
        {DType::i8, {-128, 127, -1}, bytes_of({0x80, 0x7f, 0xff})},
        {DType::u8, {255, 0}, bytes_of({255, 0})},
        {DType::f16, {0x3c00, 0xbc00}, bytes_of({0x00, 0x3c, 0x00, 0xbc})},
        {DType::bf16, {0xffff}, bytes_of({0xff, 0xff})},
        {DType::i64, {-2}, bytes_of({0xfe, 255, 255, 255, 255, 255, 255, 255})},
        {DType::boolean, {1, 0}, bytes_of({1, 0})},
    };
    for (const auto& row : rows) {
        Bytes file = bytes_of({99});
        for (const auto value : row.values) append_varint(file, static_cast<std::uint64_t>(value));
        const auto tensor = tensor_of(row.dtype, {{.offset = 1,
                                                   .bytes = file.size() - 1,
                                                   .elements = row.values.size(),
                                                   .encoding = Encoding::varint}});
        const InMemory memory({file});
        EXPECT_EQ(memory.read(tensor, 0, row.values.size()).value(), row.expected) << info(row.dtype).name;
        const auto width = info(row.dtype).group_bytes;
        EXPECT_EQ(memory.read(tensor, row.values.size() - 1, 1).value(),
                  Bytes(row.expected.end() - width, row.expected.end()));
    }
}

TEST(ReadElements, OneVarintHoldsAGroupOfASubByteType) {
    Bytes file;
    append_varint(file, 0xa1);
    append_varint(file, 0x03);
    const auto tensor =
        tensor_of(DType::u4, {{.bytes = file.size(), .elements = 3, .encoding = Encoding::varint}});
    const InMemory memory({file});
    EXPECT_EQ(memory.read(tensor, 0, 3).value(), bytes_of({0xa1, 0x03}));
    EXPECT_EQ(memory.read(tensor, 2, 1).value(), bytes_of({0x03}));
}

TEST(ReadElements, ASpoiledVarintIsMalformed) {
    struct Row {
        const char* what;
        DType dtype;
        Bytes file;
    };
    const Row rows[] = {
        {"does not end", DType::i32, bytes_of({0x80})},
        {"more bytes than needed", DType::i32, bytes_of({0x81, 0x00})},
        {"eleven bytes", DType::i64,
         bytes_of({0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x81, 0x00})},
        {"more than 64 bits", DType::i64,
         bytes_of({0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f})},
        {"256 in a u8", DType::u8, bytes_of({0x80, 0x02})},
        {"128 in an i8", DType::i8, bytes_of({0x80, 0x01})},
        {"65536 in an f16", DType::f16, bytes_of({0x80, 0x80, 0x04})},
        {"-1 in an i32, but only 32 bits of it", DType::i32, bytes_of({0xff, 0xff, 0xff, 0xff, 0x0f})},
        {"a negative f16", DType::f16, bytes_of({0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01})},
    };
    for (const auto& row : rows) {
        const auto tensor = tensor_of(
            row.dtype,
            {{.bytes = row.file.size(), .elements = 1 + row.file.size() / 10, .encoding = Encoding::varint}});
        const auto got = InMemory({row.file}).read(tensor, 0, 1);
        ASSERT_FALSE(got.ok()) << row.what;
        EXPECT_EQ(got.error().kind, ErrorKind::malformed) << row.what;
        EXPECT_NE(got.error().message.find("tensor 'w': element 0"), std::string::npos) << got.error().message;
    }
}

TEST(DecodeVarint, WhatIsAcceptedIsTheOnlySpellingOfItsValue) {
    std::mt19937 random(11);
    std::uint64_t accepted = 0;
    for (int round = 0; round < 200'000; ++round) {
        Bytes bytes(1 + random() % 11);
        // High bits mostly set, as in a varint that goes on; often all ones or zeros, as in sign extensions.
        const auto fill = random() % 3;
        for (auto& byte : bytes) byte = static_cast<std::byte>(fill == 0 ? random() : fill == 1 ? 0xff : 0x80);
        bytes.back() = static_cast<std::byte>(random() % 8 == 0 ? random() : random() % 2);
        for (const auto dtype : {DType::i8, DType::u8, DType::f16, DType::i32, DType::u64}) {
            std::size_t position = 0;
            std::uint64_t value = 0;
            if (!model::decode_varint(bytes, dtype, position, value)) continue;
            ++accepted;
            Bytes again;
            append_varint(again, value);
            ASSERT_EQ(again, Bytes(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(position)));
        }
    }
    EXPECT_GT(accepted, 10'000u);
}

TEST(ReadElements, ManyVarintSegmentsReadTheSameAnywhere) {
    Bytes file;
    Tensor tensor{.name = "w", .dtype = DType::i32, .shape = {20'000}, .elements = 20'000};
    std::vector<std::int32_t> values(20'000);
    for (std::size_t i = 0; i < values.size(); ++i) {
        values[i] = static_cast<std::int32_t>(i * 2'654'435'761u);
        if (i % 777 == 0) tensor.segments.push_back({.offset = file.size(), .encoding = Encoding::varint});
        append_varint(file, static_cast<std::uint64_t>(static_cast<std::int64_t>(values[i])));
        tensor.segments.back().elements += 1;
        tensor.segments.back().bytes = file.size() - tensor.segments.back().offset;
    }
    const InMemory memory({file});
    const model::ElementMap map(tensor);
    for (std::uint64_t first = 0; first < 20'000; first += 1111) {
        const auto count = std::min<std::uint64_t>(3000, 20'000 - first);
        std::vector<std::int32_t> got(count);
        ASSERT_TRUE(map.read(memory.model(), first, count, std::as_writable_bytes(std::span(got))).ok());
        EXPECT_TRUE(std::equal(got.begin(), got.end(), values.begin() + static_cast<std::ptrdiff_t>(first)));
    }
}

TEST(ReadElements, ARangeOutsideTheTensorIsRefused) {
    const InMemory memory({numbered(64)});
    const auto tensor = tensor_of(DType::f32, {{.bytes = 40, .elements = 10}});
    EXPECT_EQ(memory.read(tensor, 9, 2).error().kind, ErrorKind::usage);
    EXPECT_EQ(memory.read(tensor, 11, 0).error().kind, ErrorKind::usage);
    Bytes small(3);
    EXPECT_EQ(model::read_elements(memory.model(), tensor, 0, 1, small).error().kind, ErrorKind::usage);
    Bytes none;
    EXPECT_FALSE(model::read_elements(memory.model(), tensor, ~std::uint64_t{0}, 0, none).ok());
}

TEST(ReadElements, ASegmentBeyondItsFileIsAnError) {
    const InMemory memory({numbered(8)});
    EXPECT_FALSE(memory.read(tensor_of(DType::f32, {{.offset = 6, .bytes = 4, .elements = 1}}), 0, 1).ok());
    EXPECT_FALSE(memory.read(tensor_of(DType::f32, {{.file = 3, .bytes = 4, .elements = 1}}), 0, 1).ok());
}

TEST(ForEachRun, DenseRunsAreExactlyTheRequestedBytes) {
    const auto tensor = tensor_of(DType::f32, {{.offset = 100, .bytes = 40, .elements = 10},
                                               {.offset = 500, .bytes = 44, .elements = 5, .stride = 10}});
    std::vector<model::ElementRun> runs;
    ASSERT_TRUE(model::for_each_run(tensor, 8, 5, [&](const model::ElementRun& run) -> Result<void> {
                    runs.push_back(run);
                    return {};
                }).ok());
    ASSERT_EQ(runs.size(), 2u);
    EXPECT_EQ(runs[0].where.offset, 132u);
    EXPECT_EQ(runs[0].where.bytes, 8u);
    EXPECT_EQ(runs[0].first, 8u);
    EXPECT_EQ(runs[0].elements, 2u);
    EXPECT_EQ(runs[1].where.offset, 500u);
    EXPECT_EQ(runs[1].where.bytes, 24u);
    EXPECT_EQ(runs[1].where.stride, 10u);
    EXPECT_EQ(runs[1].first, 10u);
    EXPECT_EQ(runs[1].elements, 3u);
}

TEST(ForEachRun, VarintRunsAreTheCompleteSegmentWithASkip) {
    const auto tensor =
        tensor_of(DType::i32, {{.offset = 7, .bytes = 30, .elements = 10, .encoding = Encoding::varint}});
    std::vector<model::ElementRun> runs;
    ASSERT_TRUE(model::for_each_run(tensor, 4, 3, [&](const model::ElementRun& run) -> Result<void> {
                    runs.push_back(run);
                    return {};
                }).ok());
    ASSERT_EQ(runs.size(), 1u);
    EXPECT_EQ(runs[0].where.offset, 7u);
    EXPECT_EQ(runs[0].where.bytes, 30u);
    EXPECT_EQ(runs[0].where.elements, 10u);
    EXPECT_EQ(runs[0].skip, 4u);
    EXPECT_EQ(runs[0].elements, 3u);
}

TEST(ForEachRun, AnErrorOfTheCallbackEndsTheWalk) {
    const auto tensor =
        tensor_of(DType::u8, {{.bytes = 1, .elements = 1}, {.offset = 1, .bytes = 1, .elements = 1}});
    int calls = 0;
    const auto result = model::for_each_run(tensor, 0, 2, [&](const model::ElementRun&) -> Result<void> {
        ++calls;
        return Error{ErrorKind::mismatch, "enough", {}};
    });
    EXPECT_EQ(result.error().message, "enough");
    EXPECT_EQ(calls, 1);
}

}  // namespace
}  // namespace modelseal
