// The generator of triggers on its own: how inputs are laid out, and that pieces do not change a step.
#include "torch/trigger_generator.h"

#include <random>

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "torch/errors.h"

namespace modelseal::libtorch {
namespace {

using Order = Picture::Order;

TEST(Picture, FollowsFromTheShape) {
    const struct {
        std::vector<std::int64_t> shape;
        std::int64_t channels, height, width;
        Order order;
        int stages;
    } rows[] = {
        {{3, 32, 32}, 3, 32, 32, Order::channels_first, 3},
        {{1, 28, 28}, 1, 28, 28, Order::channels_first, 3},
        {{3, 33, 20}, 3, 33, 20, Order::channels_first, 4},
        {{224, 224, 3}, 3, 224, 224, Order::channels_last, 6},
        {{3, 4, 3}, 3, 4, 3, Order::channels_first, 0},
        {{64, 8, 8}, 64, 8, 8, Order::channels_first, 1},
        {{28, 28}, 1, 28, 28, Order::channels_first, 3},
        {{16, 64}, 1, 16, 64, Order::channels_first, 4},
        {{16, 80}, 1, 36, 36, Order::flat, 4},
        {{784}, 1, 28, 28, Order::flat, 3},
        {{5}, 1, 3, 3, Order::flat, 0},
        {{1}, 1, 1, 1, Order::flat, 0},
        {{1, 1, 16'000}, 1, 127, 127, Order::flat, 5},
        {{3, 8, 32, 32}, 1, 157, 157, Order::flat, 6},
    };
    for (const auto& row : rows) {
        const auto picture = picture_of(row.shape);
        EXPECT_EQ(picture.channels, row.channels) << row.shape;
        EXPECT_EQ(picture.height, row.height) << row.shape;
        EXPECT_EQ(picture.width, row.width) << row.shape;
        EXPECT_EQ(picture.order, row.order) << row.shape;
        EXPECT_EQ(picture.stages, row.stages) << row.shape;
    }
}

struct Steps {
    std::vector<oracle::GeneratorStep> steps;
    std::vector<float> images;
};

// 7 triggers for a network of one layer and a bend.
Steps train(std::size_t most, std::uint64_t bytes_at_once) {
    constexpr std::int64_t kCount = 7, kClasses = 4;
    std::mt19937 random(3);
    std::normal_distribution<float> normal;
    std::vector<float> noise(kCount * oracle::kGeneratorNoise);
    for (auto& value : noise) value = normal(random);
    const std::vector<std::int64_t> labels{0, 1, 2, 3, 0, 1, 2};
    TriggerGenerator generator({.width = 8, .rate = 1e-2}, {"x", {1, 6, 6}, {}}, noise, labels, at::kCPU,
                               bytes_at_once);
    const auto weights = at::arange(36 * kClasses, at::kFloat).mul(1.3).sin().reshape({36, kClasses});
    const auto rows = [&](const at::Tensor& inputs) {
        EXPECT_LE(static_cast<std::size_t>(inputs.size(0)), most);
        return at::matmul(at::tanh(inputs.flatten(1)), weights);
    };
    Steps made;
    for (int i = 0; i < 8; ++i) made.steps.push_back(generator.step(rows, most));
    made.images = generator.images();
    return made;
}

TEST(TriggerGenerator, PiecesOfAnySizeMakeTheSameStep) {
    constexpr std::uint64_t kEnough = 1u << 30;
    const auto whole = train(100, kEnough);
    for (const auto& [most, bytes] :
         {std::pair<std::size_t, std::uint64_t>{3, kEnough}, {1, kEnough}, {100, 1}, {2, 60'000}, {1, 1}}) {
        const auto pieces = train(most, bytes);
        for (std::size_t i = 0; i < whole.steps.size(); ++i) {
            EXPECT_NEAR(pieces.steps[i].loss, whole.steps[i].loss, 1e-3 * whole.steps[0].loss)
                << most << ", " << i;
            EXPECT_EQ(pieces.steps[i].matched, whole.steps[i].matched);
        }
        ASSERT_EQ(pieces.images.size(), whole.images.size());
        for (std::size_t i = 0; i < whole.images.size(); ++i)
            EXPECT_NEAR(pieces.images[i], whole.images[i], 5e-3);
    }
}

}  // namespace
}  // namespace modelseal::libtorch
