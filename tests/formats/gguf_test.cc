#include "formats/gguf.h"

#include <array>
#include <functional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "formats/reader.h"
#include "formats/registry.h"
#include "tests/support/data.h"
#include "tests/support/files.h"
#include "tests/support/layout_contract.h"
#include "tests/support/models/gguf_builder.h"

namespace modelseal::formats {
namespace {

using test::Bytes;
using test::GgufFile;
using test::good_gguf;
using test::put;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

Result<Layout> parsed_gguf(const Bytes& bytes, const Limits& limits = {}) {
    const MemorySource source("m.gguf", bytes);
    auto layout = kGguf.parse(source, limits);
    if (layout.ok()) {
        EXPECT_EQ(test::contract_violation(*layout, source), "");
    }
    return layout;
}

TEST(Gguf, TensorsAreWhereTheirOffsetsSay) {
    const auto file = good_gguf();
    const auto layout = parsed_gguf(file.build()).value();
    ASSERT_EQ(layout.tensors.size(), 3u);
    EXPECT_EQ(layout.format, "gguf");
    const auto& q = layout.tensors[2];
    EXPECT_EQ(q.name, "q");
    EXPECT_EQ(q.dtype, DType::q8_0);
    EXPECT_EQ(q.elements, 128u);
    ASSERT_EQ(q.segments.size(), 1u);
    EXPECT_EQ(q.segments[0].offset, file.data_begin() + 96);
    EXPECT_EQ(q.segments[0].bytes, 4u * 34);
    EXPECT_THAT(layout.warnings, IsEmpty());
}

TEST(Gguf, ShapesAreRowMajor) {
    EXPECT_THAT(parsed_gguf(good_gguf().build()).value().tensors[0].shape, ElementsAre(4, 3));
}

TEST(Gguf, TensorsComeInFileOrderWhateverTheOrderOfTheInfos) {
    auto file = good_gguf();
    std::swap(file.tensors[0], file.tensors[2]);
    const auto layout = parsed_gguf(file.build()).value();
    EXPECT_EQ(layout.tensors[0].name, "w");
    EXPECT_EQ(layout.tensors[2].name, "q");
}

TEST(Gguf, VersionTwoIsRead) {
    auto file = good_gguf();
    file.version = 2;
    EXPECT_TRUE(parsed_gguf(file.build()).ok());
}

TEST(Gguf, AlignmentOfTheFileIsUsed) {
    auto file = good_gguf();
    file.alignment = 128;
    file.pairs.push_back(test::gguf_u32("general.alignment", 128));
    file.tensors[1].offset = 128;
    file.tensors[2].offset = 256;
    file.data_bytes = 256 + 256;
    const auto layout = parsed_gguf(file.build()).value();
    EXPECT_EQ(layout.tensors[0].segments[0].offset % 128, 0u);
    EXPECT_THAT(layout.warnings, IsEmpty());
}

TEST(Gguf, NoTensorsIsAFileThatIsAllFrame) {
    auto file = good_gguf();
    file.tensors.clear();
    file.data_bytes = 0;
    EXPECT_THAT(parsed_gguf(file.build()).value().tensors, IsEmpty());
}

// llama.cpp writes the first part of a split model so.
TEST(Gguf, MetadataAloneMayBePadded) {
    auto file = good_gguf();
    file.tensors.clear();
    file.data_bytes = 0;
    auto padded = file.build();
    ASSERT_NE(padded.size() % 32, 0u);
    padded.resize((padded.size() + 31) / 32 * 32);  // up to where the data would begin
    EXPECT_THAT(parsed_gguf(padded).value().warnings, IsEmpty());
    padded.resize(padded.size() + 1);
    EXPECT_THAT(parsed_gguf(padded).value().warnings, ElementsAre(HasSubstr("after the last tensor")));
}

// https://github.com/ollama/ollama/issues/11796
TEST(Gguf, OllamasNumberForMxfp4IsReadInItsArchitecture) {
    GgufFile file;
    file.pairs = {test::gguf_string("general.architecture", "gptoss")};
    file.tensors = {{"blk.0.ffn_down_exps.weight", {64, 2}, 4, 0, {}}};
    file.data_bytes = 4 * 17;
    const auto layout = parsed_gguf(file.build()).value();
    EXPECT_EQ(layout.tensors[0].dtype, DType::mxfp4);
    EXPECT_EQ(layout.tensors[0].segments[0].bytes, 4u * 17);
}

TEST(Gguf, PaddingAfterTheLastTensorMayBeMissing) {
    auto file = good_gguf();
    file.data_bytes = 96 + 4 * 34;
    EXPECT_THAT(parsed_gguf(file.build()).value().warnings, IsEmpty());
}

TEST(Gguf, BytesAfterTheLastTensorAreAWarning) {
    auto file = good_gguf();
    file.data_bytes += 1;
    EXPECT_THAT(parsed_gguf(file.build()).value().warnings,
                ElementsAre(HasSubstr("25 unexplained bytes after the last tensor")));
}

TEST(Gguf, EmptyAndScalarTensorsTakeTheirPlace) {
    GgufFile file;
    file.tensors = {{"none", {0, 7}, 0, 0, {}}, {"one", {}, 28, 0, {}}};
    file.data_bytes = 8;
    const auto layout = parsed_gguf(file.build()).value();
    EXPECT_EQ(layout.tensors[0].elements, 0u);
    EXPECT_EQ(layout.tensors[1].elements, 1u);
    EXPECT_THAT(layout.tensors[1].shape, IsEmpty());
    EXPECT_EQ(layout.tensors[1].dtype, DType::f64);
}

TEST(Gguf, ValuesOfEveryKindAreSkipped) {
    auto file = good_gguf();
    const std::array<std::size_t, 13> sizes = {1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8};
    for (std::uint32_t type = 0; type < sizes.size(); ++type) {
        if (sizes[type] == 0) continue;
        file.pairs.push_back({"scalar" + std::to_string(type), type, Bytes(sizes[type])});
        file.pairs.push_back(test::gguf_array("array" + std::to_string(type), type, 3, Bytes(3 * sizes[type])));
    }
    EXPECT_TRUE(parsed_gguf(file.build()).ok());
}

// An array of arrays of .. of no u8.
test::GgufPair nested(std::uint32_t depth) {
    Bytes elements;
    for (std::uint32_t i = 1; i < depth; ++i) {
        put(elements, i + 1 < depth ? 9u : 0u);
        put(elements, std::uint64_t{i + 1 < depth});
    }
    return test::gguf_array("nested", depth > 1 ? 9 : 0, depth > 1 ? 1 : 0, elements);
}

TEST(Gguf, ArraysNestUpToTheLimit) {
    auto file = good_gguf();
    file.pairs.push_back(nested(64));
    EXPECT_TRUE(parsed_gguf(file.build()).ok());
    file.pairs.back() = nested(65);
    EXPECT_THAT(parsed_gguf(file.build()).error().message,
                HasSubstr("': arrays are nested more than 64 levels deep"));
}

TEST(Gguf, EveryTypeThatGgmlWritesIsKnownWithItsSize) {
    // Number, elements and bytes of a block: sizeof(block_*) in ggml-common.h.
    const std::array<std::array<std::uint32_t, 3>, 35> types = {{
        {0, 1, 4},      {1, 1, 2},      {2, 32, 18},   {3, 32, 20},    {6, 32, 22},    {7, 32, 24},
        {8, 32, 34},    {9, 32, 36},    {10, 256, 84}, {11, 256, 110}, {12, 256, 144}, {13, 256, 176},
        {14, 256, 210}, {15, 256, 292}, {16, 256, 66}, {17, 256, 74},  {18, 256, 98},  {19, 256, 50},
        {20, 32, 18},   {21, 256, 110}, {22, 256, 82}, {23, 256, 136}, {24, 1, 1},     {25, 1, 2},
        {26, 1, 4},     {27, 1, 8},     {28, 1, 8},    {29, 256, 56},  {30, 1, 2},     {34, 256, 54},
        {35, 256, 66},  {39, 32, 17},   {40, 64, 36},  {41, 128, 18},  {42, 64, 18},
    }};
    for (const auto& [number, elements, bytes] : types) {
        GgufFile file;
        file.tensors = {{"t", {3ull * elements, 2}, number, 0, {}}};
        file.data_bytes = 6ull * bytes;
        const auto layout = parsed_gguf(file.build());
        ASSERT_TRUE(layout.ok()) << number << ": " << layout.error().message;
        EXPECT_EQ(layout->tensors[0].segments[0].bytes, file.data_bytes) << number;
        EXPECT_THAT(layout->warnings, IsEmpty()) << number;
        file.data_bytes -= 1;
        EXPECT_FALSE(parsed_gguf(file.build()).ok()) << number;
    }
}

struct GgufCase {
    const char* name;
    std::function<void(GgufFile&)> spoil;
    const char* message;
    ErrorKind kind = ErrorKind::malformed;
};

void PrintTo(const GgufCase& row, std::ostream* out) {
    *out << row.name;
}

class SpoiledGguf : public testing::TestWithParam<GgufCase> {};

TEST_P(SpoiledGguf, IsRefused) {
    auto file = good_gguf();
    GetParam().spoil(file);
    const auto layout = parsed_gguf(file.build());
    ASSERT_FALSE(layout.ok());
    EXPECT_EQ(layout.error().kind, GetParam().kind) << layout.error().message;
    EXPECT_THAT(layout.error().message, HasSubstr(GetParam().message));
    EXPECT_THAT(layout.error().message, testing::StartsWith("m.gguf: "));
}

constexpr std::uint64_t kHuge = ~std::uint64_t{0};

Bytes length_only(std::uint64_t length) {
    Bytes bytes;
    put(bytes, length);
    return bytes;
}

const GgufCase kGgufCases[] = {
    {"version_0", [](GgufFile& f) { f.version = 0; }, "version 0"},
    {"version_1", [](GgufFile& f) { f.version = 1; }, "GGUF version 1 is not supported",
     ErrorKind::unsupported},
    {"version_4", [](GgufFile& f) { f.version = 4; }, "GGUF version 4 is not supported",
     ErrorKind::unsupported},
    {"big_endian", [](GgufFile& f) { f.version = 3u << 24; }, "big-endian", ErrorKind::unsupported},
    {"tensors_over_the_limit", [](GgufFile& f) { f.tensor_count = kHuge; },
     "tensors exceed the limit of 4194304"},
    {"more_tensors_than_bytes", [](GgufFile& f) { f.tensor_count = 4000; },
     "4,000 tensors do not fit in the remaining"},
    {"more_pairs_than_bytes", [](GgufFile& f) { f.pair_count = kHuge; },
     "metadata pairs do not fit in the remaining"},
    {"one_pair_too_few", [](GgufFile& f) { f.pair_count = 2; }, "a tensor name of"},
    {"one_pair_too_many", [](GgufFile& f) { f.pair_count = 4; }, "a tensor name of"},
    {"one_tensor_too_many", [](GgufFile& f) { f.tensor_count = 4; }, "overlaps the tensor before it"},
    {"empty_key", [](GgufFile& f) { f.pairs[1].key = ""; }, "a metadata key is empty"},
    {"key_twice", [](GgufFile& f) { f.pairs.push_back(f.pairs[1]); },
     "metadata key 'test.block_count' appears twice"},
    {"key_too_long", [](GgufFile& f) { f.pairs[0].key = std::string(65536, 'k'); },
     "exceeds the limit of 65,535 bytes"},
    {"unknown_value_type", [](GgufFile& f) { f.pairs[0].type = 13; }, "unknown value type 13"},
    {"unknown_array_type", [](GgufFile& f) { f.pairs[0] = test::gguf_array("a", 99, 1, {}); },
     "metadata key 'a': unknown value type 99"},
    {"empty_array_of_unknown_type", [](GgufFile& f) { f.pairs[0] = test::gguf_array("a", 99, 0, {}); },
     "unknown value type 99"},
    {"string_longer_than_the_file", [](GgufFile& f) { f.pairs[0].value = length_only(1u << 20); },
     "a string of 1,048,576 bytes"},
    {"string_of_2_to_the_64", [](GgufFile& f) { f.pairs[0].value = length_only(kHuge); }, "a string of"},
    {"array_longer_than_the_file", [](GgufFile& f) { f.pairs[0] = test::gguf_array("a", 4, 1u << 20, {}); },
     "': an array of 1,048,576 elements does not fit in the remaining"},
    {"array_whose_bytes_overflow",
     [](GgufFile& f) { f.pairs[0] = test::gguf_array("a", 12, (kHuge >> 3) + 2, {}); },
     "metadata key 'a': an array of"},
    {"array_of_too_many_strings", [](GgufFile& f) { f.pairs[0] = test::gguf_array("a", 8, kHuge, {}); },
     "metadata key 'a': an array of"},
    {"array_of_too_many_arrays", [](GgufFile& f) { f.pairs[0] = test::gguf_array("a", 9, kHuge, {}); },
     "metadata key 'a': an array of"},
    {"alignment_of_another_type",
     [](GgufFile& f) { f.pairs.push_back(test::gguf_string("general.alignment", "32")); },
     "general.alignment is not of type u32"},
    {"alignment_0", [](GgufFile& f) { f.pairs.push_back(test::gguf_u32("general.alignment", 0)); },
     "general.alignment is 0"},
    {"alignment_48", [](GgufFile& f) { f.pairs.push_back(test::gguf_u32("general.alignment", 48)); },
     "general.alignment is 48, not a power of two, which is not supported", ErrorKind::unsupported},
    {"alignment_12", [](GgufFile& f) { f.pairs.push_back(test::gguf_u32("general.alignment", 12)); },
     "general.alignment is 12, not a power of two up to"},
    {"alignment_2_to_the_31",
     [](GgufFile& f) { f.pairs.push_back(test::gguf_u32("general.alignment", 1u << 31)); },
     "general.alignment is 2147483648"},
    {"alignment_twice",
     [](GgufFile& f) {
         f.pairs.push_back(test::gguf_u32("general.alignment", 32));
         f.pairs.push_back(test::gguf_u32("general.alignment", 64));
     },
     "'general.alignment' appears twice"},
    {"name_twice", [](GgufFile& f) { f.tensors[1].name = "w"; }, "tensor name 'w' appears twice"},
    {"name_too_long", [](GgufFile& f) { f.tensors[1].name = std::string(65537, 'n'); },
     "exceeds the limit of 65,536 bytes"},
    {"name_not_utf8", [](GgufFile& f) { f.tensors[1].name = "b\xff"; },
     "tensor name 'b\\xff' is not UTF-8 text"},
    {"name_with_zero_byte", [](GgufFile& f) { f.tensors[1].name = std::string("w\0b", 3); },
     "is not UTF-8 text"},
    {"too_many_dimensions", [](GgufFile& f) { f.tensors[1].extents.assign(17, 1); }, "17 exceeds the limit of"},
    {"dimensions_of_2_to_the_32", [](GgufFile& f) { f.tensors[1].rank = ~0u; }, "its rank of 4294967295"},
    {"shape_overflows",
     [](GgufFile& f) {
         f.tensors[1].extents = {1ull << 32, 1ull << 32};
     },
     "tensor 'b': its size exceeds 64 bits"},
    {"bytes_overflow", [](GgufFile& f) { f.tensors[1].extents = {1ull << 62}; },
     "tensor 'b': its size exceeds 64 bits"},
    {"row_not_of_whole_blocks",
     [](GgufFile& f) {
         f.tensors[2].extents = {2, 64};
     },
     "tensor 'q': a row of 2 elements is not a multiple of the block of 32 (q8_0)"},
    {"block_scalar", [](GgufFile& f) { f.tensors[2].extents = {}; },
     "': a row of 1 element is not a multiple of the block of"},
    {"removed_type_q4_2", [](GgufFile& f) { f.tensors[0].type = 4; },
     "ggml type q4_2 was removed from the format and is not supported; Ollama writes mxfp4 under its number",
     ErrorKind::unsupported},
    {"ollamas_type_with_rows_of_part_blocks",
     [](GgufFile& f) {
         f.pairs = {test::gguf_string("general.architecture", "gptoss")};
         f.tensors[0].type = 4;
     },
     "is not a multiple of the block of 32 (mxfp4)"},
    {"removed_type_q4_3", [](GgufFile& f) { f.tensors[0].type = 5; },
     "ggml type q4_3 was removed from the format and is not supported", ErrorKind::unsupported},
    {"removed_type_q4_0_8_8", [](GgufFile& f) { f.tensors[0].type = 33; }, "type q4_0_8_8",
     ErrorKind::unsupported},
    {"removed_type_iq4_nl_4_4", [](GgufFile& f) { f.tensors[0].type = 36; }, "type iq4_nl_4_4",
     ErrorKind::unsupported},
    {"unknown_type", [](GgufFile& f) { f.tensors[0].type = 43; }, "tensor 'w': unknown ggml type 43",
     ErrorKind::unsupported},
    {"type_of_2_to_the_32", [](GgufFile& f) { f.tensors[0].type = ~0u; }, "ggml type 4294967295",
     ErrorKind::unsupported},
    {"offset_not_aligned", [](GgufFile& f) { f.tensors[1].offset = 48; },
     "offset 48 is not a multiple of the alignment 32"},
    {"offset_outside", [](GgufFile& f) { f.tensors[2].offset = 1u << 20; },
     "are missing (tensor 'q' of 136 bytes at offset"},
    {"offset_of_2_to_the_64", [](GgufFile& f) { f.tensors[2].offset = kHuge - 31; },
     "tensor 'q': its end exceeds 64 bits"},
    {"overlap", [](GgufFile& f) { f.tensors[1].offset = 32; }, "tensor 'b': overlaps the tensor before it"},
    {"same_place", [](GgufFile& f) { f.tensors[1].offset = 0; }, "overlaps the tensor before it"},
    {"hole", [](GgufFile& f) { f.tensors[2].offset = 128, f.data_bytes += 32; },
     "tensor 'q': leaves a hole of 32 bytes"},
    {"hole_at_the_front", [](GgufFile& f) { f.tensors.erase(f.tensors.begin()); },
     "tensor 'b': leaves a hole of 64 bytes"},
    {"data_cut_short", [](GgufFile& f) { f.data_bytes = 96 + 135; },
     "the file ends early, 1 byte is missing (tensor 'q' of 136 bytes at offset"},
    {"no_data_section", [](GgufFile& f) { f.tensors.resize(1), f.data_bytes = 0; }, "the file ends early"},
};

INSTANTIATE_TEST_SUITE_P(Table, SpoiledGguf, testing::ValuesIn(kGgufCases),
                         [](const auto& row) { return std::string(row.param.name); });

TEST(Gguf, EveryTruncationIsRefused) {
    auto file = good_gguf();
    file.data_bytes = 96 + 4 * 34;
    const auto whole = file.build();
    ASSERT_TRUE(parsed_gguf(whole).ok());
    for (std::size_t size = 0; size < whole.size(); ++size) {
        const auto layout =
            parsed_gguf(Bytes(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size)));
        ASSERT_FALSE(layout.ok()) << size;
        EXPECT_EQ(layout.error().kind, ErrorKind::malformed) << size;
    }
}

TEST(Gguf, MetadataOverTheLimitIsRefused) {
    auto file = good_gguf();
    for (int i = 0; i < 100; ++i) file.pairs.push_back(test::gguf_u32("key" + std::to_string(i), 0));
    Limits limits;
    limits.metadata_bytes = 1000;
    EXPECT_THAT(parsed_gguf(file.build(), limits).error().message,
                HasSubstr("the metadata exceed the limit of 1,000 bytes"));
    limits.metadata_bytes = 0;
    EXPECT_TRUE(parsed_gguf(file.build(), limits).ok());
}

TEST(Gguf, IsRecognizedByItsMagicAlone) {
    auto file = good_gguf();
    EXPECT_TRUE(kGguf.recognises(MemorySource("m", file.build())));
    file.magic = "GGML";
    EXPECT_FALSE(kGguf.recognises(MemorySource("m", file.build())));
    EXPECT_FALSE(kGguf.recognises(MemorySource("m", Bytes(3))));
}

TEST(GgufRealFiles, AreReadAsTheirToolsReadThem) {
    MODELSEAL_NEED_DATA();
    const auto folder = test::data_folder() / "models/gguf";
    const auto mnist = parsed_gguf(test::load(folder / "mnist-fc-f32.gguf")).value();
    ASSERT_EQ(mnist.tensors.size(), 4u);
    EXPECT_EQ(mnist.tensors[0].name, "fc1.weight");
    EXPECT_THAT(mnist.tensors[0].shape, ElementsAre(500, 784));
    EXPECT_THAT(mnist.tensors[3].shape, ElementsAre(10));

    const auto superpoint = parsed_gguf(test::load(folder / "superpoint.gguf")).value();
    EXPECT_EQ(superpoint.tensors.size(), 24u);
    EXPECT_THAT(superpoint.tensors[0].shape, ElementsAre(64, 1, 3, 3));
    EXPECT_THAT(parsed_gguf(test::load(folder / "ggml-vocab-bert-bge.gguf")).value().tensors, IsEmpty());
}

TEST(GgufHostileCorpus, IsRefusedOrObeysTheContract) {
    MODELSEAL_NEED_DATA();
    const auto folder = test::data_folder() / "hostile/gguf-corpus";
    std::size_t files = 0;
    for (const auto& path : test::files_under(folder)) {
        const auto layout = parsed_gguf(test::load(path));
        if (!layout.ok()) {
            EXPECT_NE(layout.error().kind, ErrorKind::internal) << path;
            EXPECT_FALSE(layout.error().message.empty()) << path;
        }
        ++files;
    }
    EXPECT_GT(files, 100u);
}

}  // namespace
}  // namespace modelseal::formats
