// The checker that tests and fuzz targets lean on: it must see each broken promise.
#include "tests/support/layout_contract.h"

#include <functional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "formats/reader.h"
#include "tests/support/bytes.h"

namespace modelseal::test {
namespace {

// 100 bytes with five varints of two bytes each at 80.
Bytes good_bytes() {
    Bytes bytes(100);
    for (std::size_t i = 80; i < 90; i += 2) bytes[i] = std::byte{0x80};
    return bytes;
}

// An f32 matrix at 0, an i4 vector in two runs, strided f16 at 40, varints, and a checksum in the last bytes.
Layout good_layout() {
    Layout layout{.format = "test"};
    layout.tensors = {
        {.name = "w",
         .dtype = DType::f32,
         .shape = {2, 3},
         .elements = 6,
         .segments = {{.offset = 0, .bytes = 24, .elements = 6}}},
        {.name = "n",
         .dtype = DType::i4,
         .shape = {5},
         .elements = 5,
         .segments = {{.offset = 24, .bytes = 1, .elements = 2}, {.offset = 30, .bytes = 2, .elements = 3}},
         .aliases = {"m"}},
        {.name = "s",
         .dtype = DType::f16,
         .shape = {4},
         .elements = 4,
         .segments = {{.offset = 40, .bytes = 14, .elements = 4, .stride = 4}}},
        {.name = "v",
         .dtype = DType::i64,
         .shape = {5},
         .elements = 5,
         .segments = {{.offset = 80, .bytes = 10, .elements = 5, .encoding = Encoding::varint}}},
    };
    layout.checksums = {{.offset = 0, .bytes = 40, .fields = {92, 96}}};
    return layout;
}

std::string violation(const Layout& layout) {
    const auto bytes = good_bytes();
    return contract_violation(layout, formats::MemorySource("m", bytes));
}

TEST(LayoutContract, AValidLayoutHasNoViolation) {
    EXPECT_EQ(violation(good_layout()), "");
}

TEST(LayoutContract, StridedRunsMayInterleave) {
    auto layout = good_layout();
    layout.tensors[0] = {.name = "t",
                         .dtype = DType::f16,
                         .shape = {3},
                         .elements = 3,
                         .segments = {{.offset = 42, .bytes = 10, .elements = 3, .stride = 4}}};
    EXPECT_EQ(violation(layout), "");
}

TEST(LayoutContract, OtherFilesHaveRangesOfTheirOwn) {
    auto layout = good_layout();
    layout.references = {"weights.bin"};
    layout.tensors[0].segments[0] = {.file = 1, .offset = 40, .bytes = 24, .elements = 6};
    EXPECT_EQ(violation(layout), "");
}

struct Broken {
    const char* name;
    std::function<void(Layout&)> spoil;
    const char* message;
};

void PrintTo(const Broken& row, std::ostream* out) {
    *out << row.name;
}

class BrokenContract : public testing::TestWithParam<Broken> {};

TEST_P(BrokenContract, IsReportedAsAViolation) {
    auto layout = good_layout();
    GetParam().spoil(layout);
    EXPECT_THAT(violation(layout), testing::HasSubstr(GetParam().message));
}

Segment& run(Layout& layout, std::size_t tensor, std::size_t segment = 0) {
    return layout.tensors[tensor].segments[segment];
}

const Broken kBroken[] = {
    {"no_format", [](Layout& l) { l.format = {}; }, "no format"},
    {"outside", [](Layout& l) { run(l, 0).offset = 80; }, "'w': a segment that leaves the file"},
    {"offset_overflows", [](Layout& l) { run(l, 0).offset = ~std::uint64_t{0}; }, "a segment that overflows"},
    {"unknown_file", [](Layout& l) { run(l, 0).file = 1; }, "a file that is not referred to"},
    {"unknown_dtype", [](Layout& l) { l.tensors[0].dtype = static_cast<DType>(50); }, "an unknown dtype"},
    {"bytes_too_few", [](Layout& l) { run(l, 0).bytes = 23; }, "another number of bytes"},
    {"elements_too_many", [](Layout& l) { l.tensors[0].elements = 7; }, "hold another number of elements"},
    {"shape_of_another_size", [](Layout& l) { l.tensors[0].shape = {7}; }, "a shape of another number"},
    {"shape_overflows",
     [](Layout& l) {
         l.tensors[0].shape = {1ull << 40, 1ull << 40};
     },
     "a shape that overflows"},
    {"name_twice", [](Layout& l) { l.tensors[1].name = "w"; }, "a name comes twice"},
    {"alias_is_a_name", [](Layout& l) { l.tensors[1].aliases = {"w"}; }, "an alias is a name too"},
    {"name_not_utf8", [](Layout& l) { l.tensors[1].name = "\xff"; }, "a name that is not UTF-8"},
    {"overlap", [](Layout& l) { run(l, 1).offset = 23; }, "'n' overlaps 'w'"},
    {"overlap_with_itself", [](Layout& l) { run(l, 1, 1).offset = 24; }, "'n' overlaps 'n'"},
    {"inside_a_stride", [](Layout& l) { run(l, 1).offset = 44; }, "overlaps"},
    {"group_cut_between_runs",
     [](Layout& l) { run(l, 1).elements = 1, l.tensors[1].elements = 4, l.tensors[1].shape = {4}; },
     "a segment that ends inside a group"},
    {"stride_of_groups", [](Layout& l) { run(l, 1).stride = 1; },
     "a segment whose elements need another number of bytes"},
    {"stride_too_short", [](Layout& l) { run(l, 2).stride = 1, run(l, 2).bytes = 5; },
     "a stride shorter than an element"},
    {"varint_run_too_short", [](Layout& l) { run(l, 3).bytes = 8; }, "another number of ends"},
    {"varint_run_cut", [](Layout& l) { run(l, 3).offset = 79; }, "a varint run"},
    {"varint_run_strided", [](Layout& l) { run(l, 3).stride = 8; }, "a varint run with a stride"},
    {"varint_run_too_long", [](Layout& l) { run(l, 3).elements = 8193; }, "too many elements"},
    {"checksum_outside", [](Layout& l) { l.checksums[0].bytes = 101; }, "a checksum over bytes outside"},
    {"field_outside", [](Layout& l) { l.checksums[0].fields = {97}; }, "a checksum field outside"},
    {"field_in_a_tensor", [](Layout& l) { l.checksums[0].fields = {22}; }, "overlaps"},
    {"fields_out_of_order",
     [](Layout& l) {
         l.checksums[0].fields = {96, 92};
     },
     "out of order"},
    {"field_twice",
     [](Layout& l) {
         l.checksums[0].fields = {92, 92};
     },
     "out of order"},
    {"no_field", [](Layout& l) { l.checksums[0].fields = {}; }, "kept nowhere"},
};

INSTANTIATE_TEST_SUITE_P(Table, BrokenContract, testing::ValuesIn(kBroken),
                         [](const auto& row) { return std::string(row.param.name); });

}  // namespace
}  // namespace modelseal::test
