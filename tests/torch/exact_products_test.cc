// Products of integers are exact at every size, and the same in every arithmetic.
#include "torch/onnx/ops/exact_products.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>

#include "torch/arithmetic/arithmetic.h"

namespace modelseal::libtorch::onnx {
namespace {

at::Tensor integers(std::int64_t low, std::int64_t high, at::IntArrayRef sizes) {
    return at::randint(low, high + 1, sizes).to(at::kFloat);
}

Window window_3x3() {
    return {.kernel = {3, 3}, .strides = {1, 2}, .dilations = {1, 1}, .begin = {1, 0}, .end = {1, 1}};
}

at::Tensor by_float64(const at::Tensor& x, const at::Tensor& w, std::int64_t groups) {
    const auto padded = at::constant_pad_nd(x.to(at::kDouble), {0, 1, 1, 1});
    return at::convolution(padded, w.to(at::kDouble), c10::nullopt, {1, 2}, {0, 0}, {1, 1}, false, {0, 0},
                           groups);
}

// 7 channels fit float32 at once, 70 in parts; 300 of the largest bytes are more than it can count to.
TEST(ExactProducts, OfConvolutionsAreThoseOfFloat64) {
    at::manual_seed(1);
    for (const std::int64_t channels : {1, 7, 70, 200}) {
        const auto x = integers(-255, 255, {2, channels, 6, 7}), w = integers(-128, 127, {5, channels, 3, 3});
        const auto exact = exact_convolution(x, w, 255, window_3x3(), 1).to(at::kDouble);
        EXPECT_TRUE(at::equal(exact, by_float64(x, w, 1))) << channels;
    }
    const auto large = at::full({1, 300, 5, 5}, 255.0f), high = at::full({1, 300, 3, 3}, 127.0f);
    const auto sum = exact_convolution(large, high, 255, window_3x3(), 1);
    EXPECT_EQ(sum.max().item<double>(), 300.0 * 9 * 255 * 127) << "more than float32 can count to";
    const auto x = integers(-255, 255, {2, 8, 6, 7}), w = integers(-128, 127, {8, 1, 3, 3});
    EXPECT_TRUE(at::equal(exact_convolution(x, w, 255, window_3x3(), 8).to(at::kDouble), by_float64(x, w, 8)));
}

TEST(ExactProducts, OfMatricesAreThoseOfFloat64) {
    at::manual_seed(2);
    for (const std::int64_t terms : {3, 514, 5000}) {
        const auto a = integers(-255, 255, {4, terms}), b = integers(-128, 127, {terms, 3});
        const auto exact = exact_matmul(a, b, 255).to(at::kDouble);
        EXPECT_TRUE(at::equal(exact, at::matmul(a.to(at::kDouble), b.to(at::kDouble)))) << terms;
    }
    const auto a = at::full({1, 5000}, 255.0f), b = at::full({5000, 1}, 127.0f);
    EXPECT_EQ(exact_matmul(a, b, 255).item<double>(), 5000.0 * 255 * 127);
}

TEST(ExactProducts, AreTheSameInEveryArithmetic) {
    at::manual_seed(3);
    const at::NoGradGuard no_gradients;
    const auto x = integers(-255, 255, {2, 16, 12, 12}), w = integers(-128, 127, {8, 16, 3, 3});
    const Window window = {
        .kernel = {3, 3}, .strides = {1, 1}, .dilations = {1, 1}, .begin = {0, 0}, .end = {0, 0}};
    const auto usual = exact_convolution(x, w, 255, window, 1);
    const auto floats = at::conv2d(x, w);
    for (const auto arithmetic : {oracle::Arithmetic::winograd6, oracle::Arithmetic::half,
                                  oracle::Arithmetic::bfloat16, oracle::Arithmetic::rounded_steps}) {
        const WithArithmetic computed(arithmetic);
        EXPECT_TRUE(at::equal(exact_convolution(x, w, 255, window, 1), usual)) << name_of(arithmetic);
        EXPECT_FALSE(at::equal(at::conv2d(x, w), floats)) << name_of(arithmetic);
    }
}

TEST(ExactProducts, RefuseShapesThatDoNotFit) {
    const auto w = integers(-9, 9, {4, 2, 3, 3});
    for (const std::int64_t channels : {1, 3, 4})
        EXPECT_ANY_THROW(exact_convolution(integers(-9, 9, {1, channels, 6, 7}), w, 9, window_3x3(), 1));
    const auto x = integers(-9, 9, {1, 6, 6, 7});
    EXPECT_ANY_THROW(exact_convolution(x, w, 9, window_3x3(), 3)) << "4 outputs in 3 groups";
    EXPECT_ANY_THROW(exact_convolution(x, w, 9, window_3x3(), 0));
    EXPECT_ANY_THROW(exact_convolution(x.narrow(1, 0, 2).narrow(3, 0, 1), w, 9, window_3x3(), 1))
        << "a kernel wider than the padded input";
    EXPECT_ANY_THROW(exact_matmul(integers(-9, 9, {2, 5}), integers(-9, 9, {4, 2}), 9));
}

TEST(ExactProducts, LetGradientsPass) {
    const auto x = integers(-9, 9, {1, 2, 4, 4}).set_requires_grad(true), w = integers(-9, 9, {3, 2, 3, 3});
    EXPECT_TRUE(exact_convolution(x, w, 9, window_3x3(), 1).requires_grad());
    EXPECT_TRUE(exact_matmul(x.reshape({2, 16}), w.reshape({3, 18}).narrow(1, 0, 16).t(), 9).requires_grad());
}

}  // namespace
}  // namespace modelseal::libtorch::onnx
