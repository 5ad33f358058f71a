// Answers of single operators where engines might differ, worked out by hand or by ONNX Runtime 1.32.
#include <limits>

#include <gtest/gtest.h>

#include "tests/torch/small_graph.h"

namespace modelseal::libtorch::onnx {
namespace {

using test::Family;
using test::Proto;

namespace build = test::onnx;
using test::onnx::floats, test::onnx::integer, test::onnx::node, test::onnx::text;

// The output of the graph as float32, flat; empty after a failure of the test.
std::vector<float> answers(const Family& family, const at::Tensor& x) {
    std::vector<std::byte> bytes;
    const auto interpreter = test::open(family, bytes);
    if (interpreter == nullptr) return {};
    const auto outputs = interpreter->run({Value(x)});
    EXPECT_TRUE(outputs.ok()) << family.name << ": " << outputs.error().message;
    if (!outputs.ok()) return {};
    const auto flat = outputs->at(0).tensor.to(at::kFloat).contiguous();
    return {flat.data_ptr<float>(), flat.data_ptr<float>() + flat.numel()};
}

using Floats = std::vector<float>;

// Four elements in a row, sampled between, at and outside them. Without aligned corners a coordinate c lies at
// ((c + 1) * 4 - 1) / 2: those of the grid at -1.5, -0.5, 0.5, 1.5, 2.5, 3.5 and 4.5.
Family samples_of_a_row(const char* padding, bool volume) {
    const std::initializer_list<float> plane = {-1.5F, 0, -1, 0, -0.5F, 0, 0, 0, 0.5F, 0, 1, 0, 1.5F, 0};
    const std::initializer_list<float> space = {-1.5F, 0,    0, -1, 0, 0, -0.5F, 0,    0, 0, 0,
                                                0,     0.5F, 0, 0,  1, 0, 0,     1.5F, 0, 0};
    const auto grid = volume ? build::tensor("g", build::kFloat, {1, 1, 1, 7, 3}).bytes(9, floats(space))
                             : build::tensor("g", build::kFloat, {1, 1, 7, 2}).bytes(9, floats(plane));
    return {"a row",
            {},
            {node("GridSample", {"x", "g"}, "y", {text("mode", "nearest"), text("padding_mode", padding)})},
            {grid}};
}

TEST(OnnxOperators, GridSampleTakesTheEvenOfTwoElementsThatAreAsNear) {
    const auto row = at::tensor({10.0F, 11.0F, 12.0F, 13.0F});
    for (const bool volume : {false, true}) {
        const auto x = volume ? row.reshape({1, 1, 1, 1, 4}) : row.reshape({1, 1, 1, 4});
        // Rounded to -2, -0, 0, 2, 2, 4 and 4.
        EXPECT_EQ(answers(samples_of_a_row("zeros", volume), x), (Floats{0, 10, 10, 12, 12, 0, 0})) << volume;
        EXPECT_EQ(answers(samples_of_a_row("border", volume), x), (Floats{10, 10, 10, 12, 12, 13, 13}))
            << volume;
        // Mirrored at -0.5 and 3.5 once they are rounded: -2 is at 1, and 4 at 3.
        EXPECT_EQ(answers(samples_of_a_row("reflection", volume), x), (Floats{11, 10, 10, 12, 12, 13, 13}))
            << volume;
    }
}

TEST(OnnxOperators, GridSampleOfOneElementOrNoNumber) {
    auto family = samples_of_a_row("reflection", true);
    family.nodes = {
        node("GridSample", {"x", "g"}, "y",
             {text("mode", "nearest"), text("padding_mode", "reflection"), integer("align_corners", 1)})};
    EXPECT_EQ(answers(family, at::full({1, 1, 1, 1, 1}, 5.0F)), Floats(7, 5));
    const auto nan = std::numeric_limits<float>::quiet_NaN();
    family.constants = {
        build::tensor("g", build::kFloat, {1, 1, 1, 1, 3}).bytes(9, floats({nan, 3e38F, -3e38F}))};
    EXPECT_EQ(answers(family, at::full({1, 1, 2, 2, 2}, 5.0F)), Floats(1, 5));
}

TEST(OnnxOperators, BitShiftLosesTheBitsThatAreShiftedOut) {
    const auto shift = [](const char* direction, std::uint64_t type, std::string by) {
        return Family{"shift",
                      {},
                      {node("Cast", {"x"}, "a", {integer("to", type)}),
                       node("BitShift", {"a", "b"}, "s", {text("direction", direction)}),
                       node("Cast", {"s"}, "y", {integer("to", build::kDouble)})},
                      {build::tensor("b", type, {by.size() / 4}).bytes(9, std::move(by))}};
    };
    const auto distances = [](std::initializer_list<std::uint32_t> numbers) {
        Proto raw;
        for (const auto number : numbers) raw.little_endian(number, 4);
        return raw.text();
    };
    const auto by = distances({0, 1, 31, 32, 0xFFFFFFFF});
    const auto x = at::tensor({-5.0F, -5.0F, -5.0F, -5.0F, -5.0F});
    EXPECT_EQ(answers(shift("LEFT", build::kInt32, by), x), (Floats{-5, -10, -2147483648.0F, 0, 0}));
    EXPECT_EQ(answers(shift("RIGHT", build::kInt32, by), x), (Floats{-5, -3, -1, -1, -1}));
    const auto most = at::full({4}, 4294967040.0F);  // 0xFFFFFF00
    const auto up = distances({0, 8, 31, 32});
    EXPECT_EQ(answers(shift("LEFT", build::kUint32, up), most), (Floats{4294967040.0F, 4294901760.0F, 0, 0}));
    EXPECT_EQ(answers(shift("RIGHT", build::kUint32, up), most), (Floats{4294967040.0F, 16777215.0F, 1, 0}));
}

TEST(OnnxOperators, SpaceToDepthKeepsChannelsTogetherInTheOrderCrd) {
    const auto x = at::arange(8, at::TensorOptions(at::kFloat)).reshape({1, 2, 2, 2});
    const auto blocks = [](std::initializer_list<Proto> attributes) {
        return Family{"blocks", {}, {node("SpaceToDepth", {"x"}, "y", attributes)}, {}};
    };
    EXPECT_EQ(answers(blocks({integer("blocksize", 2)}), x), (Floats{0, 4, 1, 5, 2, 6, 3, 7}));
    EXPECT_EQ(answers(blocks({integer("blocksize", 2), text("mode", "CRD")}), x),
              (Floats{0, 1, 2, 3, 4, 5, 6, 7}));
}

// Equal products, so that each answer is the mean of the values that the query sees.
TEST(OnnxOperators, AttentionSeesTheWindowAroundEachQuery) {
    const Family family = {"window",
                           {},
                           {node("Mul", {"x", "zero"}, "q"),
                            node("Attention", {"q", "q", "x"}, "y",
                                 {integer("left_window_size", 1), integer("right_window_size", 0)})},
                           {build::tensor("zero", build::kFloat, {}).bytes(9, floats({0}))}};
    const auto x = at::tensor({1.0F, 3.0F, 7.0F, 15.0F}).reshape({1, 1, 4, 1});
    EXPECT_EQ(answers(family, x), (Floats{1, 2, 5, 11}));
}

TEST(OnnxOperators, BitCastKeepsBitsOfTypesThatAreComputedInOthers) {
    const auto cast = [](std::uint64_t from, std::uint64_t to) {
        return Family{
            "bits",
            {},
            {node("Cast", {"x"}, "a", {integer("to", from)}), node("BitCast", {"a"}, "b", {integer("to", to)}),
             node("Cast", {"b"}, "y", {integer("to", build::kFloat)})},
            {}};
    };
    constexpr std::uint64_t kUint16 = 4, kInt16 = 5;
    EXPECT_EQ(answers(cast(kUint16, kInt16), at::tensor({65535.0F, 3.0F})), (Floats{-1, 3}));
    EXPECT_EQ(answers(cast(kInt16, kUint16), at::tensor({-1.0F, 3.0F})), (Floats{65535, 3}));
    EXPECT_EQ(answers(cast(build::kFloat16, kUint16), at::tensor({1.0F, -2.0F})), (Floats{0x3C00, 0xC000}));
    EXPECT_EQ(answers(cast(build::kFloat, build::kUint32), at::tensor({1.0F})), (Floats{0x3F800000}));
}

// A kernel of two elements beside each other; the second looks half an element further to the right.
TEST(OnnxOperators, DeformConvSamplesWhereTheOffsetMovesTheKernel) {
    const auto moved = [](const std::vector<Proto>& constants, const std::vector<const char*>& inputs) {
        return Family{"moved", {}, {node("DeformConv", inputs, "y")}, constants};
    };
    const auto w = build::tensor("w", build::kFloat, {1, 1, 1, 2}).bytes(9, floats({1, 2}));
    // By kernel element (row, column), for two places of the output each.
    const auto o =
        build::tensor("o", build::kFloat, {1, 4, 1, 2}).bytes(9, floats({0, 0, 0, 0, 0, 0, 0.5F, 0.5F}));
    const auto m = build::tensor("m", build::kFloat, {1, 2, 1, 2}).bytes(9, floats({1, 1, 0.5F, 0}));
    const auto b = build::tensor("b", build::kFloat, {1}).bytes(9, floats({100}));
    const auto x = at::tensor({1.0F, 3.0F, 7.0F}).reshape({1, 1, 1, 3});
    EXPECT_EQ(answers(moved({w, o}, {"x", "w", "o"}), x), (Floats{1 + 2 * 5, 3 + 2 * 3.5F}));
    EXPECT_EQ(answers(moved({w, o, b, m}, {"x", "w", "o", "b", "m"}), x), (Floats{100 + 1 + 5, 100 + 3}));
}

TEST(OnnxOperators, LabelEncoderTakesTheLastOfEqualKeysAndADefault) {
    const Family family = {"labels",
                           {},
                           {node("Cast", {"x"}, "i", {integer("to", build::kInt64)}),
                            node("LabelEncoder", {"i"}, "y",
                                 {test::onnx::list("keys_int64s", {1, 2, 2}),
                                  test::onnx::list("values_int64s", {10, 20, 30}), integer("default_int64", 7)},
                                 "ai.onnx.ml")},
                           {}};
    EXPECT_EQ(answers(family, at::tensor({2.0F, 1.0F, 9.0F})), (Floats{30, 10, 7}));
}

// With keys and queries of 1, the state is the sum of what was written.
TEST(OnnxOperators, LinearAttentionReadsWhatEarlierStepsWrote) {
    const auto attention = [](const char* rule, const std::vector<const char*>& inputs) {
        return Family{
            "attention",
            {},
            {node("LinearAttention", inputs, "y",
                  {integer("q_num_heads", 1), integer("kv_num_heads", 1), text("update_rule", rule)})},
            {build::tensor("one", build::kFloat, {1, 3, 1}).bytes(9, floats({1, 1, 1})),
             build::tensor("half", build::kFloat, {1, 3, 1}).bytes(9, floats({0.5F, 0.5F, 0.5F})),
             build::tensor("ln2", build::kFloat, {1, 3, 1})
                 .bytes(9, floats({0.6931471806F, 0.6931471806F, 0.6931471806F}))}};
    };
    const auto x = at::tensor({1.0F, 2.0F, 4.0F}).reshape({1, 3, 1});
    // The query is x, so that an answer is the state times x.
    EXPECT_EQ(answers(attention("linear", {"x", "one", "x"}), x), (Floats{1, 6, 28}));
    // A step of "delta" moves the state half of the way to x: 0.5, 1.25, 2.625.
    EXPECT_EQ(answers(attention("delta", {"x", "one", "x", "", "", "half"}), x), (Floats{0.5F, 2.5F, 10.5F}));
    // The state is doubled before each step: 1, 4, 12.
    const auto doubled = answers(attention("gated", {"x", "one", "x", "", "ln2"}), x);
    ASSERT_EQ(doubled.size(), 3U);
    EXPECT_NEAR(doubled[2], 12 * 4, 1e-4);
}

}  // namespace
}  // namespace modelseal::libtorch::onnx
