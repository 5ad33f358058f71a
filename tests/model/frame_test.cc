#include "model/frame.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "formats/reader.h"
#include "model/model.h"
#include "tests/support/memory_model.h"

namespace modelseal {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// A model of two files of 100 bytes whose bytes do not matter.
model::Model made_of(std::vector<Tensor> tensors) {
    static const std::vector<std::byte> bytes(100);
    model::Model model;
    for (const char* name : {"one", "two"}) {
        model.files.push_back({name, std::make_unique<formats::MemorySource>(name, bytes), {}});
    }
    model.tensors = std::move(tensors);
    return model;
}

Tensor tensor(std::string name, Segment segment, DType dtype = DType::u8) {
    return {.name = std::move(name), .dtype = dtype, .elements = segment.elements, .segments = {segment}};
}

TEST(Frame, IsTheComplementOfTheTensorsOfItsFile) {
    const auto model = made_of({tensor("a", {.offset = 10, .bytes = 10, .elements = 10}),
                                tensor("b", {.offset = 20, .bytes = 30, .elements = 30}),
                                tensor("c", {.file = 1, .offset = 0, .bytes = 100, .elements = 100}),
                                tensor("d", {.offset = 60, .bytes = 0, .elements = 0})});
    ASSERT_TRUE(model::validate_model(model).ok());
    EXPECT_THAT(test::frame_ranges(model, 0), ElementsAre(model::Range{0, 10}, model::Range{50, 50}));
    EXPECT_THAT(test::frame_ranges(model, 1), IsEmpty());
}

TEST(Frame, HoldsTheGapsOfAStridedSegment) {
    const auto model =
        made_of({tensor("a", {.offset = 1, .bytes = 14, .elements = 3, .stride = 5}, DType::f32),
                 tensor("b", {.offset = 15, .bytes = 8, .elements = 2, .stride = 4}, DType::f32)});
    ASSERT_TRUE(model::validate_model(model).ok());
    EXPECT_THAT(test::frame_ranges(model, 0),
                ElementsAre(model::Range{0, 1}, model::Range{5, 1}, model::Range{10, 1}, model::Range{23, 77}));
}

TEST(Frame, ExcludesVarintsBecauseTheirValuesCoverThem) {
    const auto model = made_of(
        {tensor("a", {.offset = 10, .bytes = 20, .elements = 15, .encoding = Encoding::varint}, DType::i64)});
    ASSERT_TRUE(model::validate_model(model).ok());
    EXPECT_THAT(test::frame_ranges(model, 0), ElementsAre(model::Range{0, 10}, model::Range{30, 70}));
}

TEST(Frame, ErrorOfTheVisitorEndsTheWalk) {
    const auto model = made_of({tensor("a", {.offset = 10, .bytes = 10, .elements = 10})});
    int calls = 0;
    const auto walked = model::for_each_frame_range(model, 0, [&](const model::Range&) -> Result<void> {
        ++calls;
        return Error{ErrorKind::unreadable, "disk on fire", {}};
    });
    EXPECT_EQ(walked.error().message, "disk on fire");
    EXPECT_EQ(calls, 1);
}

struct FrameCase {
    const char* what;
    std::vector<Tensor> tensors;
    std::vector<Checksum> checksums;  // of the first file
    const char* message;
};

TEST(CheckModel, RefusesWhatBreaksTheContract) {
    const Segment ten{.offset = 10, .bytes = 10, .elements = 10};
    const std::vector<Tensor> good = {tensor("a", ten)};
    const FrameCase table[] = {
        {"twice the name",
         {tensor("a", ten), tensor("a", {.offset = 30, .bytes = 1, .elements = 1})},
         {},
         "'a': the name appears twice"},
        {"overlap by a byte",
         {tensor("a", ten), tensor("b", {.offset = 19, .bytes = 5, .elements = 5})},
         {},
         "'b': overlaps tensor 'a' at offset 19"},
        {"same place", {tensor("a", ten), tensor("b", ten)}, {}, "overlaps"},
        {"overlap inside one tensor",
         {{.name = "a", .dtype = DType::u8, .elements = 20, .segments = {ten, ten}}},
         {},
         "'a': overlaps tensor 'a'"},
        {"a varint overlapped",
         {tensor("a", {.offset = 10, .bytes = 10, .elements = 10, .encoding = Encoding::varint}),
          tensor("b", {.offset = 19, .bytes = 5, .elements = 5})},
         {},
         "overlaps"},
        {"in the gap of a stride",
         {tensor("a", {.offset = 0, .bytes = 11, .elements = 2, .stride = 10}),
          tensor("b", {.offset = 5, .bytes = 1, .elements = 1})},
         {},
         "overlaps"},
        {"behind the end",
         {tensor("a", {.offset = 95, .bytes = 6, .elements = 6})},
         {},
         "one: the file ends early, 1 byte is missing (tensor 'a' of 6 bytes at offset 95)"},
        {"offset that would overflow",
         {tensor("a", {.offset = ~0ull, .bytes = 6, .elements = 6})},
         {},
         "its end exceeds 64 bits"},
        {"empty behind the end",
         {tensor("a", {.offset = 101})},
         {},
         "the file ends early, 1 byte is missing (tensor 'a' of 0 bytes at offset 101)"},
        {"no such file",
         {tensor("a", {.file = 2, .bytes = 1, .elements = 1})},
         {},
         "is in a file that the model does not have"},
        {"too few bytes", {tensor("a", ten, DType::f32)}, {}, "10 elements of f32 do not need 10 bytes"},
        {"elements that overflow",
         {tensor("a", {.bytes = 8, .elements = 1ull << 61}, DType::f64)},
         {},
         "do not need"},
        {"stride below the element",
         {tensor("a", {.bytes = 7, .elements = 2, .stride = 3}, DType::f32)},
         {},
         "do not need"},
        {"stride of a block type",
         {tensor("a", {.bytes = 100, .elements = 32, .stride = 100}, DType::q4_0)},
         {},
         "do not need"},
        {"long varint run",
         {tensor("a", {.bytes = 90, .elements = 8193, .encoding = Encoding::varint})},
         {},
         "do not need"},
        {"varints of eleven bytes",
         {tensor("a", {.bytes = 11, .elements = 1, .encoding = Encoding::varint})},
         {},
         "do not need"},
        {"elements elsewhere",
         {{.name = "a", .dtype = DType::u8, .elements = 11, .segments = {ten}}},
         {},
         "11 elements, but its segments contain 10"},
        {"checksum over too much", good, {{.offset = 50, .bytes = 51, .fields = {0}}}, "bytes outside"},
        {"field behind the end", good, {{.offset = 50, .bytes = 5, .fields = {97}}}, "field outside"},
        {"field in a tensor", good, {{.offset = 50, .bytes = 5, .fields = {7}}}, "inside a tensor"},
        {"field at the end of a tensor", good, {{.offset = 50, .bytes = 5, .fields = {19}}}, "inside a tensor"},
        {"fields that overlap",
         good,
         {{.offset = 50, .bytes = 5, .fields = {50}}, {.offset = 0, .bytes = 5, .fields = {53}}},
         "overlaps another"},
    };
    ASSERT_TRUE(model::validate_model(made_of(good)).ok());
    for (const auto& row : table) {
        auto model = made_of(row.tensors);
        model.files[0].checksums = row.checksums;
        const auto checked = model::validate_model(model);
        ASSERT_FALSE(checked.ok()) << row.what;
        EXPECT_THAT(checked.error().message, HasSubstr(row.message)) << row.what;
    }
}

TEST(CheckModel, AcceptsFieldsRightBesideTensors) {
    auto model = made_of({tensor("a", {.offset = 10, .bytes = 10, .elements = 10})});
    model.files[0].checksums = {{.offset = 10, .bytes = 10, .fields = {6, 20}}};
    EXPECT_TRUE(model::validate_model(model).ok());
}

}  // namespace
}  // namespace modelseal
