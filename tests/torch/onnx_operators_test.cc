// Answers of single operators where engines might differ, worked out by hand or by ONNX Runtime 1.32.
#include <limits>

#include <gtest/gtest.h>

#include "tests/torch/small_graph.h"

namespace modelseal::libtorch::onnx {
namespace {

using test::Family;

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

}  // namespace
}  // namespace modelseal::libtorch::onnx
