// Other arithmetic computes the same network: near the usual results, as near as its rounding allows, and not the same bits.
#include "torch/arithmetic/arithmetic.h"

#include <cmath>
#include <functional>

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>

#include "io/file.h"
#include "tests/support/data.h"
#include "torch/arithmetic/rounding.h"
#include "torch/module_network.h"

namespace modelseal::libtorch {
namespace {

using oracle::Arithmetic;

at::Tensor waves(at::IntArrayRef sizes, double phase) {
    auto count = std::int64_t{1};
    for (const auto size : sizes) count *= size;
    return at::sin(at::arange(count, at::TensorOptions(at::kDouble)) * 0.737 + phase)
        .reshape(sizes)
        .to(at::kFloat);
}

double distance(const at::Tensor& a, const at::Tensor& b) {
    return (a.to(at::kDouble) - b.to(at::kDouble)).abs().max().item<double>();
}

template <class Compute>
at::Tensor computed(Arithmetic arithmetic, Compute compute) {
    const at::NoGradGuard no_gradients;
    const WithArithmetic with(arithmetic);
    return compute();
}

class Arithmetics : public testing::Test {
  protected:
    // 9 x 11 is no multiple of any tile.
    const at::Tensor x = waves({2, 12, 9, 11}, 0), w = waves({8, 12, 3, 3}, 1), b = waves({8}, 2);
    at::Tensor convolution() const { return at::conv2d(x, w, b, 1, 1); }
    at::Tensor exact() const {
        return at::conv2d(x.to(at::kDouble), w.to(at::kDouble), b.to(at::kDouble), 1, 1);
    }
};

TEST_F(Arithmetics, OfFloat32AreAsNearToTheTruthAsTheirErrorsAllow) {
    struct Bound {
        Arithmetic arithmetic;
        double least, most;  // of the distance to float64, of values up to about 50
    };
    for (const auto& [arithmetic, least, most] : {Bound{Arithmetic::one_term, 1e-6, 2e-4},
                                                  {Arithmetic::permuted, 1e-6, 1e-4},
                                                  {Arithmetic::winograd2, 1e-6, 2e-4},
                                                  {Arithmetic::winograd4, 1e-6, 1e-3},
                                                  {Arithmetic::winograd6, 1e-6, 4e-3},
                                                  {Arithmetic::rounded_steps, 1e-6, 1e-4}}) {
        const auto other = computed(arithmetic, [&] { return convolution(); });
        EXPECT_EQ(other.sizes(), convolution().sizes()) << name_of(arithmetic);
        EXPECT_GT(distance(other, exact()), least) << name_of(arithmetic);
        EXPECT_LT(distance(other, exact()), most) << name_of(arithmetic);
        EXPECT_GT(distance(other, convolution()), 0) << name_of(arithmetic);
        EXPECT_EQ(distance(other, computed(arithmetic, [&] { return convolution(); })), 0)
            << "the same each time";
    }
}

// Winograd with larger tiles rounds more, as published.
TEST_F(Arithmetics, WinogradsErrorGrowsWithItsTiles) {
    const auto off = [&](Arithmetic arithmetic) {
        return (computed(arithmetic, [&] { return convolution(); }).to(at::kDouble) - exact())
            .norm()
            .item<double>();
    };
    EXPECT_LT(off(Arithmetic::winograd2), off(Arithmetic::winograd4));
    EXPECT_LT(off(Arithmetic::winograd4), off(Arithmetic::winograd6));
}

// Whole numbers are exact in every order of summation.
TEST_F(Arithmetics, OneTermAtATimeIsExactForWholeNumbers) {
    const auto whole = [](const at::Tensor& tensor) { return at::round(tensor * 9); };
    const auto image = whole(x), kernel = whole(w), bias = whole(b);
    const auto groups = kernel.narrow(1, 0, 4);
    const auto matrix = whole(waves({7, 12}, 3)), other = whole(waves({12, 5}, 4)),
               batch = whole(waves({3, 1, 4, 12}, 5));
    const auto line = whole(waves({2, 12, 31}, 6)), taps = whole(waves({8, 12, 5}, 7));
    const std::vector<std::function<at::Tensor()>> operators = {
        [&] { return at::conv2d(image, kernel, bias, 1, 1); },
        [&] {
            return at::conv2d(image, kernel, {}, at::IntArrayRef({2, 1}), at::IntArrayRef({1, 0}),
                              at::IntArrayRef({1, 2}));
        },
        [&] {
            return at::conv2d(image, groups.narrow(0, 0, 6), {}, 1, at::IntArrayRef({0, 0}), 1, 3);
        },
        [&] { return at::conv1d(line, taps, bias, 2, 2); },
        [&] { return at::linear(matrix, other.t(), whole(waves({5}, 8))); },
        [&] { return at::linear(batch, other.t()); },
        [&] { return at::matmul(batch, other); },
        [&] { return at::mm(matrix, other); },
        [&] {
            return at::addmm(whole(waves({7, 5}, 9)), matrix, other, 2, 3);
        },
        [&] { return at::matmul(matrix, other.select(1, 0)); },
        [&] { return at::conv_transpose2d(image, kernel.transpose(0, 1).contiguous()); },
    };
    for (std::size_t i = 0; i < operators.size(); ++i) {
        for (const auto arithmetic : {Arithmetic::one_term, Arithmetic::permuted, Arithmetic::winograd2}) {
            const auto got = computed(arithmetic, operators[i]);
            EXPECT_EQ(got.sizes(), operators[i]().sizes()) << i;
            EXPECT_LT(distance(got, operators[i]()), arithmetic == Arithmetic::winograd2 ? 1e-2 : 1e-9) << i;
        }
    }
}

at::Tensor product_in_order(const at::Tensor& left, const at::Tensor& right) {
    auto out = at::zeros({left.size(0), right.size(1)}, at::kFloat);
    const auto a = left.accessor<float, 2>(), b = right.accessor<float, 2>();
    auto sums = out.accessor<float, 2>();
    for (std::int64_t i = 0; i < out.size(0); ++i) {
        for (std::int64_t n = 0; n < out.size(1); ++n) {
            for (std::int64_t k = 0; k < left.size(1); ++k) sums[i][n] += a[i][k] * b[k][n];
        }
    }
    return out;
}

// Bit by bit, whatever is summed up together.
TEST_F(Arithmetics, OneTermAtATimeKeepsTheOrderOfTerms) {
    for (const std::int64_t rows : {1, 3, 4, 5, 9}) {
        for (const std::int64_t columns : {1, 63, 64, 65, 130}) {
            const auto left = waves({rows, 37}, 1), right = waves({37, columns}, 2);
            const auto got = computed(Arithmetic::one_term, [&] { return at::mm(left, right); });
            EXPECT_TRUE(at::equal(got, product_in_order(left, right))) << rows << " x " << columns;
        }
    }
}

TEST_F(Arithmetics, NarrowOnesHoldWhatTheirTypesHold) {
    const auto third = at::full({1}, 1.0F / 3);
    EXPECT_EQ(rounded_to_tf32(third).item<float>(), 0x1.554p-2F);
    EXPECT_EQ(rounded_to_tf32(at::full({1}, 0x1.002p0F)).item<float>(), 0x1p0F) << "ties to even";
    EXPECT_EQ(rounded_to_tf32(at::full({1}, -0x1.006p0F)).item<float>(), -0x1.008p0F);
    EXPECT_EQ(rounded_to_tf32(at::full({1}, 0x1.ffffp0F)).item<float>(), 0x1p1F);
    const auto half = computed(Arithmetic::half, [&] { return convolution(); });
    EXPECT_EQ(distance(half, half.to(at::kHalf)), 0);
    const auto brain = computed(Arithmetic::bfloat16, [&] { return at::relu(x * 3); });
    EXPECT_EQ(distance(brain, brain.to(at::kBFloat16)), 0);
    const auto usual = distance(convolution(), exact());
    for (const auto arithmetic : {Arithmetic::tf32, Arithmetic::half, Arithmetic::bfloat16})
        EXPECT_GT(distance(computed(arithmetic, [&] { return convolution(); }), exact()), 50 * usual);
    auto in_place = x.clone();
    computed(Arithmetic::half, [&] { return in_place.mul_(1.0 / 3); });
    EXPECT_EQ(distance(in_place, in_place.to(at::kHalf)), 0) << "others hold the tensor";
}

TEST_F(Arithmetics, HalfAUnitIsANeighborAtMost) {
    const auto off = off_by_half_a_unit(x, at::detail::createCPUGenerator(3));
    const auto steps = (off.view(at::kInt) - x.view(at::kInt)).abs();
    EXPECT_EQ(steps.max().item<int>(), 1);
    const auto moved = (steps > 0).to(at::kDouble).mean().item<double>();
    EXPECT_GT(moved, 0.1);
    EXPECT_LT(moved, 0.6);
}

TEST_F(Arithmetics, EndWithTheirGuard) {
    { const WithArithmetic with(Arithmetic::bfloat16); }
    EXPECT_GT(distance(at::relu(x), at::relu(x).to(at::kBFloat16)), 0);
}

// Both kinds of files run LibTorch's operators, and so both are reached.
TEST(ArithmeticOfNetworks, ReachesTorchScriptAndOnnx) {
    MODELSEAL_NEED_DATA();
    const auto real = [](const std::string& file) { return (test::data_folder() / "models" / file).string(); };
    const auto path = real("torchscript/cifar10-resnet20.pt");
    const auto source = io::FileSource::open(path, path);
    ASSERT_TRUE(source.ok());
    oracle::NetworkOptions options{.device = "cpu", .threads = 2, .input_shape = {3, 32, 32}};
    auto script = open_torchscript(**source, options);
    options.input_shape = {};
    auto graph = open_onnx(model::open_model(real("onnx/cifar10-resnet20.onnx")).value(), options);
    ASSERT_TRUE(script.ok() && graph.ok());
    std::vector<float> inputs(3 * 3 * 32 * 32);
    for (std::size_t i = 0; i < inputs.size(); ++i)
        inputs[i] = std::fabs(std::sin(static_cast<float>(i) * 0.37F));
    for (auto* network : {script->get(), graph->get()}) {
        const auto usual = network->ask(inputs, 3).value();
        for (unsigned kind = 1; kind <= static_cast<unsigned>(oracle::kLastArithmetic); ++kind) {
            const auto arithmetic = static_cast<Arithmetic>(kind);
            const auto other = network->ask_as(inputs, 3, {.arithmetic = arithmetic});
            ASSERT_TRUE(other.ok()) << name_of(arithmetic) << ": " << other.error().message;
            double most = 0;
            for (std::size_t i = 0; i < usual.values.size(); ++i)
                most = std::max(most, std::abs(static_cast<double>(usual.values[i]) -
                                               static_cast<double>(other->values[i])));
            const bool narrow = arithmetic >= Arithmetic::half_weights;
            EXPECT_GT(most, narrow ? 1e-4 : 1e-7) << name_of(arithmetic);
            EXPECT_LT(most, narrow ? 1.0 : 1e-3) << name_of(arithmetic);
        }
        EXPECT_EQ(network->ask(inputs, 3)->values, usual.values) << "as before afterwards";
    }
}

}  // namespace
}  // namespace modelseal::libtorch
