#include <optional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "formats/reader.h"
#include "formats/registry.h"
#include "tests/support/bytes.h"
#include "tests/support/data.h"
#include "tests/support/files.h"
#include "tests/support/layout_contract.h"

namespace modelseal::formats {
namespace {

using test::Bytes;
using test::put;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::string_view kGoodHeader = R"({"__metadata__":{"format":"pt"},)"
                                         R"("w":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]},)"
                                         R"("b":{"dtype":"F16","shape":[3],"data_offsets":[24,30]},)"
                                         R"("s":{"dtype":"I64","shape":[],"data_offsets":[30,38]}})";
constexpr std::uint64_t kGoodData = 38;

Bytes file_of(std::string_view header, std::uint64_t data_bytes = kGoodData,
              std::optional<std::uint64_t> length = {}) {
    Bytes bytes;
    put(bytes, length.value_or(header.size()));
    put(bytes, header);
    bytes.resize(static_cast<std::size_t>(bytes.size() + data_bytes));
    return bytes;
}

Result<Layout> parsed_safetensors(const Bytes& bytes, const Limits& limits = {}) {
    const MemorySource source("m.safetensors", bytes);
    auto layout = kSafetensors.parse(source, limits);
    if (layout.ok()) {
        EXPECT_EQ(test::contract_violation(*layout, source), "");
    }
    return layout;
}

std::string one_tensor(std::string_view dtype, std::string_view shape, std::uint64_t bytes) {
    return R"({"t":{"dtype":")" + std::string(dtype) + R"(","shape":)" + std::string(shape) +
           R"(,"data_offsets":[0,)" + std::to_string(bytes) + "]}}";
}

TEST(Safetensors, TensorsAreWhereTheirOffsetsSay) {
    const auto layout = parsed_safetensors(file_of(kGoodHeader)).value();
    EXPECT_EQ(layout.format, "safetensors");
    EXPECT_THAT(layout.warnings, IsEmpty());
    ASSERT_EQ(layout.tensors.size(), 3u);
    const auto& b = layout.tensors[1];
    EXPECT_EQ(b.name, "b");
    EXPECT_EQ(b.dtype, DType::f16);
    EXPECT_THAT(b.shape, ElementsAre(3));
    EXPECT_EQ(b.segments[0].offset, 8 + kGoodHeader.size() + 24);
    EXPECT_EQ(b.segments[0].bytes, 6u);
    EXPECT_THAT(layout.tensors[2].shape, IsEmpty());
    EXPECT_EQ(layout.tensors[2].elements, 1u);
}

TEST(Safetensors, TensorsComeInFileOrderWhateverTheOrderOfTheHeader) {
    const auto layout = parsed_safetensors(file_of(R"({"z":{"dtype":"U8","shape":[2],"data_offsets":[3,5]},)"
                                                   R"("a":{"dtype":"U8","shape":[3],"data_offsets":[0,3]}})",
                                                   5));
    ASSERT_TRUE(layout.ok()) << layout.error().message;
    EXPECT_EQ(layout->tensors[0].name, "a");
}

TEST(Safetensors, EmptyTensorsTakeNoBytes) {
    const auto layout = parsed_safetensors(file_of(R"({"a":{"dtype":"F32","shape":[0,4],"data_offsets":[0,0]},)"
                                                   R"("b":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},)"
                                                   R"("c":{"dtype":"U8","shape":[0],"data_offsets":[2,2]}})",
                                                   2));
    ASSERT_TRUE(layout.ok()) << layout.error().message;
    EXPECT_EQ(layout->tensors.size(), 3u);
}

TEST(Safetensors, NoTensorsAndPaddingOfSpacesAreAllowed) {
    EXPECT_THAT(parsed_safetensors(file_of("{}      ", 0)).value().tensors, IsEmpty());
    EXPECT_THAT(parsed_safetensors(file_of(R"({"__metadata__":{}})", 0)).value().tensors, IsEmpty());
}

TEST(Safetensors, MetadataMayBeNullAsTheReferenceHasIt) {
    std::string header(kGoodHeader);
    header.replace(header.find(R"({"format":"pt"})"), 15, "null");
    EXPECT_EQ(parsed_safetensors(file_of(header)).value().tensors.size(), 3u);
}

TEST(Safetensors, KeysThatTheReferenceIgnoresAreAWarning) {
    const auto header = R"({"t":{"dtype":"U8","shape":[1],"data_offsets":[0,1],"note":[[]]}})";
    EXPECT_THAT(parsed_safetensors(file_of(header, 1)).value().warnings, ElementsAre(HasSubstr("1 tensor")));
}

TEST(Safetensors, EveryDtypeOfTheReferenceHasItsSize) {
    // Bits an element: Dtype::bitsize() of the reference.
    const std::pair<const char*, std::uint64_t> bits[] = {
        {"BOOL", 8},    {"F4", 4},          {"F6_E2M3", 6},     {"F6_E3M2", 6}, {"U8", 8},   {"I8", 8},
        {"F8_E5M2", 8}, {"F8_E4M3", 8},     {"F8_E8M0", 8},     {"I16", 16},    {"U16", 16}, {"F16", 16},
        {"BF16", 16},   {"F8_E4M3FNUZ", 8}, {"F8_E5M2FNUZ", 8}, {"I32", 32},    {"U32", 32}, {"F32", 32},
        {"C64", 64},    {"F64", 64},        {"I64", 64},        {"U64", 64},
    };
    for (const auto& [dtype, size] : bits) {
        const auto bytes = 8 * size / 8;
        EXPECT_TRUE(parsed_safetensors(file_of(one_tensor(dtype, "[2,4]", bytes), bytes)).ok()) << dtype;
        EXPECT_FALSE(parsed_safetensors(file_of(one_tensor(dtype, "[2,4]", bytes + 1), bytes + 1)).ok())
            << dtype;
    }
}

TEST(Safetensors, NamesAreUnescaped) {
    const auto layout = parsed_safetensors(
        file_of(R"({"caf\u00e9 \ud83d\ude00":{"dtype":"U8","shape":[],"data_offsets":[0,1]}})", 1));
    ASSERT_TRUE(layout.ok()) << layout.error().message;
    EXPECT_EQ(layout->tensors[0].name, "caf\xc3\xa9 \xf0\x9f\x98\x80");
}

// One thing of the good file spoiled: `from` replaced by `to` in its header, or its data section resized.
struct SafetensorsCase {
    const char* name;
    std::string_view from;
    std::string_view to;
    const char* message;
    ErrorKind kind = ErrorKind::malformed;
    std::int64_t more_data = 0;
};

void PrintTo(const SafetensorsCase& row, std::ostream* out) {
    *out << row.name;
}

class SpoiledSafetensors : public testing::TestWithParam<SafetensorsCase> {};

TEST_P(SpoiledSafetensors, IsRefused) {
    const auto& row = GetParam();
    std::string header(kGoodHeader);
    const auto at = header.find(row.from);
    ASSERT_NE(at, std::string::npos);
    header.replace(at, row.from.size(), row.to);
    const auto layout =
        parsed_safetensors(file_of(header, kGoodData + static_cast<std::uint64_t>(row.more_data)));
    ASSERT_FALSE(layout.ok());
    EXPECT_EQ(layout.error().kind, row.kind) << layout.error().message;
    EXPECT_THAT(layout.error().message, testing::StartsWith("m.safetensors: "));
    EXPECT_THAT(layout.error().message, HasSubstr(row.message));
}

const std::string kDeep = R"("pt","x":)" + std::string(64, '[') + std::string(64, ']');
constexpr std::string_view kWithZero("}}\0", 3);

const SafetensorsCase kSafetensorsCases[] = {
    // The header as a text
    {"space_before_the_header", R"({"__)", R"( {"__)", "header: does not begin with '{'"},
    {"byte_order_mark", R"({"__)", "\xEF\xBB\xBF{\"__", "header: does not begin with '{'"},
    {"header_is_an_array", R"({"__metadata__")", R"([{"__metadata__")", "header: does not begin with '{'"},
    {"closed_too_early", R"("s":{)", R"("s":1}{)", "tensor 's': its description is not an object"},
    {"second_document", R"([30,38]}})", R"([30,38]}}{})", "header: invalid JSON"},
    {"not_closed", R"([30,38]}})", R"([30,38]})", "header: invalid JSON"},
    {"zero_byte_behind_the_document", "}}", kWithZero, "header: not JSON: contains a zero byte"},
    {"comma_too_many", R"([30,38]}})", R"([30,38]},})", "header: invalid JSON"},
    {"comment", R"("w")", "/* w */\"w\"", "header: invalid JSON"},
    {"single_quotes", R"("w")", "'w'", "header: invalid JSON"},
    {"not_utf8", R"("w")", "\"w\xff\"", "header: invalid JSON"},
    {"overlong_utf8", R"("w")", "\"w\xc0\xaf\"", "header: invalid JSON"},
    {"lone_surrogate", R"("w")", R"("\ud800")", "header: invalid JSON"},
    {"control_character_in_a_name", R"("w")", "\"w\n\"", "header: invalid JSON"},
    {"nested_too_deeply", R"("pt")", kDeep, "header: nested too deeply"},
    // Keys
    {"tensor_twice", R"("b":)", R"("w":)", "header: the key 'w' appears twice"},
    {"tensor_twice_by_escape", R"("b":)", R"("\u0077":)", "header: the key 'w' appears twice"},
    {"dtype_twice", R"("dtype":"F16")", R"("dtype":"F16","dtype":"I16")", "the key 'dtype' appears twice"},
    {"metadata_twice", R"("b":)", R"("__metadata__":)", "the key '__metadata__' appears twice"},
    {"metadata_key_twice", R"("pt")", R"("pt","format":"tf")", "the key 'format' appears twice"},
    {"escape_sequence_in_a_name", R"("w":{"dtype":"F32")", R"("\u001b[2J":{"dtype":"?")",
     "tensor '\\x1b[2J': unknown dtype", ErrorKind::unsupported},
    // __metadata__
    {"metadata_is_a_list", R"({"format":"pt"})", "[]", "__metadata__ is not a map from strings to strings"},
    {"metadata_is_a_string", R"({"format":"pt"})", R"("pt")", "__metadata__ is not a map"},
    {"metadata_holds_a_number", R"("pt")", "1",
     "__metadata__ is not a map from strings to strings: 'format' is not a string"},
    {"metadata_holds_a_map", R"("pt")", "{}", "__metadata__ is not a map"},
    // Entries
    {"entry_is_a_list", R"({"dtype":"F32","shape":[2,3],"data_offsets":[0,24]})", "[]",
     "tensor 'w': its description is not an object"},
    {"no_dtype", R"("dtype":"F32",)", "", "tensor 'w': has no dtype"},
    {"dtype_is_a_number", R"("F32")", "32", "tensor 'w': has no dtype"},
    {"unknown_dtype", R"("F32")", R"("F33")", "tensor 'w': unknown dtype 'F33'", ErrorKind::unsupported},
    {"dtype_in_lower_case", R"("F32")", R"("f32")", "unknown dtype 'f32'", ErrorKind::unsupported},
    {"no_shape", R"("shape":[2,3],)", "", "tensor 'w': shape is not a list of whole numbers"},
    {"shape_is_a_number", "[2,3]", "6", "tensor 'w': shape is not a list"},
    {"shape_of_a_fraction", "[2,3]", "[2.0,3]", "tensor 'w': shape is not a list"},
    {"shape_of_an_exponent", "[2,3]", "[2e0,3]", "tensor 'w': shape is not a list"},
    {"shape_of_a_string", "[2,3]", R"(["2",3])", "tensor 'w': shape is not a list"},
    {"shape_of_a_negative", "[2,3]", "[-2,-3]", "tensor 'w': shape is not a list"},
    {"shape_of_minus_zero", "[2,3]", "[-0]", "tensor 'w': shape is not a list"},
    {"shape_beyond_64_bits", "[2,3]", "[18446744073709551616]", "tensor 'w': shape is not a list"},
    {"shape_overflows", "[2,3]", "[4294967296,4294967296]", "tensor 'w': its size exceeds 64 bits"},
    {"bytes_overflow", "[2,3]", "[4611686018427387904]", "tensor 'w': its size exceeds 64 bits"},
    {"shape_wraps_around_to_the_right_size", "[2,3]", "[9223372036854775811,2]", "its size exceeds 64 bits"},
    {"shape_of_too_many_dimensions", "[2,3]",
     "[2,3,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,"
     "1,"
     "1,1,1,1,1,1,1,1,1,1,1,1]",
     "tensor 'w': has too many dimensions"},
    {"shape_too_large", "[2,3]", "[2,4]",
     "tensor 'w': data_offsets [0, 24) contain 24 bytes, but 8 elements of f32 need 32"},
    {"shape_too_small", "[2,3]", "[2,2]", "4 elements of f32 need 16"},
    {"half_a_byte_left_over", R"("F32","shape":[2,3])", R"("F4","shape":[47])", "47 elements of f4_e2m1"},
    // Offsets
    {"no_offsets", R"(,"data_offsets":[0,24])", "", "tensor 'w': data_offsets is not a list"},
    {"offsets_of_fractions", "[0,24]", "[0.0,24.0]", "tensor 'w': data_offsets is not a list"},
    {"offsets_of_negatives", "[0,24]", "[-24,0]", "tensor 'w': data_offsets is not a list"},
    {"one_offset", "[0,24]", "[24]", "data_offsets is not [begin, end)"},
    {"three_offsets", "[0,24]", "[0,24,24]", "data_offsets is not [begin, end)"},
    {"offsets_reversed", "[0,24]", "[24,0]", "data_offsets is not [begin, end)"},
    {"offsets_outside", "[30,38]", "[8589934592,8589934600]",
     "tensor 's' leaves a hole of 8,589,934,562 bytes before it"},
    {"offsets_at_the_end_of_64_bits", "[30,38]", "[18446744073709551607,18446744073709551615]",
     "data_offsets exceed 64 bits"},
    {"overlap", "[24,30]", "[23,29]", "tensor 'b' overlaps the tensor before it"},
    {"same_place", "[30,38]", "[0,8]", "overlaps the tensor before it"},
    {"hole", R"({"dtype":"F16","shape":[3],"data_offsets":[24,30]})",
     R"({"dtype":"F16","shape":[2],"data_offsets":[26,30]})", "tensor 'b' leaves a hole of 2 bytes before it"},
    {"hole_at_the_front", R"("shape":[2,3],"data_offsets":[0,24])", R"("shape":[5],"data_offsets":[4,24])",
     "tensor 'w' leaves a hole"},
    {"one_byte_left_over", "", "", "1 unexplained byte after the last tensor", ErrorKind::malformed, 1},
    {"one_byte_missing", "", "", "the file ends early, 1 byte is missing (tensor 's' of 8 bytes at offset",
     ErrorKind::malformed, -1},
    {"data_without_tensors", kGoodHeader, "{}", "38 unexplained bytes after the last tensor"},
};

INSTANTIATE_TEST_SUITE_P(Table, SpoiledSafetensors, testing::ValuesIn(kSafetensorsCases),
                         [](const auto& row) { return std::string(row.param.name); });

TEST(Safetensors, HeaderLengthIsComparedWithTheFileAndTheLimit) {
    const auto with_length = [](std::uint64_t length) {
        return parsed_safetensors(file_of(kGoodHeader, kGoodData, length)).error().message;
    };
    EXPECT_THAT(with_length(0), HasSubstr("header: does not begin with '{'"));
    EXPECT_THAT(with_length(kGoodHeader.size() - 1), HasSubstr("invalid JSON"));
    EXPECT_THAT(with_length(kGoodHeader.size() + kGoodData + 1), HasSubstr("a header of"));
    EXPECT_THAT(with_length(8ull << 30), HasSubstr("a header of 8,589,934,592 bytes"));
    EXPECT_THAT(with_length(~std::uint64_t{0}), HasSubstr("a header of 18,446,744,073,709,551,615 bytes"));
    Limits limits;
    limits.metadata_bytes = kGoodHeader.size() - 1;
    EXPECT_THAT(parsed_safetensors(file_of(kGoodHeader), limits).error().message,
                HasSubstr("exceeds the limit of"));
}

TEST(Safetensors, LimitsOfTensorsAndNamesHold) {
    Limits limits;
    limits.tensors = 2;
    EXPECT_THAT(parsed_safetensors(file_of(kGoodHeader), limits).error().message,
                HasSubstr("more than 2 tensors"));
    limits.tensors = 3;
    EXPECT_TRUE(parsed_safetensors(file_of(kGoodHeader), limits).ok());
    limits.name_bytes = 1;
    EXPECT_TRUE(parsed_safetensors(file_of(kGoodHeader), limits).ok());
    const auto long_name = R"({"ab":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}})";
    EXPECT_THAT(parsed_safetensors(file_of(long_name, 1), limits).error().message,
                HasSubstr("tensor 'ab': its name exceeds the limit of 1 byte"));
}

TEST(Safetensors, EveryTruncationIsRefused) {
    const auto whole = file_of(kGoodHeader);
    for (std::size_t size = 0; size < whole.size(); ++size) {
        const auto layout =
            parsed_safetensors(Bytes(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size)));
        ASSERT_FALSE(layout.ok()) << size;
        EXPECT_EQ(layout.error().kind, ErrorKind::malformed) << size;
    }
}

TEST(Safetensors, IsRecognizedByALengthAndABrace) {
    EXPECT_TRUE(kSafetensors.recognises(MemorySource("m", file_of(kGoodHeader))));
    EXPECT_TRUE(kSafetensors.recognises(MemorySource("m", file_of(kGoodHeader, 0, 1u << 30))));
    EXPECT_FALSE(kSafetensors.recognises(MemorySource("m", file_of("[]"))));
    EXPECT_FALSE(kSafetensors.recognises(MemorySource("m", file_of("{}", 0, std::uint64_t{1} << 48))));
    EXPECT_FALSE(kSafetensors.recognises(MemorySource("m", Bytes(8))));
}

TEST(SafetensorsRealFiles, AreReadCompletely) {
    MODELSEAL_NEED_DATA();
    const auto folder = test::data_folder() / "models/safetensors";
    const auto resnet = parsed_safetensors(test::load(folder / "cifar10-resnet20.safetensors")).value();
    EXPECT_GT(resnet.tensors.size(), 50u);
    const auto overall = parsed_safetensors(test::load(folder / "dtype-samples/8f5b01-overall.safetensors"));
    ASSERT_TRUE(overall.ok()) << overall.error().message;
}

}  // namespace
}  // namespace modelseal::formats
