// The derivative of an objective that counts how much the rectified units of a network are activated.
#include <cmath>

#include <gmock/gmock.h>

#include "oracle/network.h"
#include "tests/support/models/rectified_network.h"
#include "tests/support/models/script_file.h"
#include "tests/support/models/toy_network.h"
#include "tests/support/scratch.h"
#include "tests/support/services/worker.h"

namespace modelseal::oracle {
namespace {

using test::RectifiedNetwork;
using testing::HasSubstr;

constexpr std::size_t kRows = 3;
constexpr double kWeight = 2.5;

std::vector<float> some_inputs() {
    std::vector<float> values(kRows * RectifiedNetwork::kInputs);
    for (std::size_t i = 0; i < values.size(); ++i) values[i] = std::cos(0.7f * static_cast<float>(i));
    return values;
}

class ActivatedGradient : public testing::Test {
  protected:
    void SetUp() override { MODELSEAL_NEED_TORCH(); }
    std::unique_ptr<Network> opened(const std::string& file, const std::string& bytes,
                                    std::vector<std::int64_t> shape) {
        auto network = open_network(scratch_.write(file, bytes).string(),
                                    {.device = "cpu", .threads = 1, .input_shape = std::move(shape)});
        if (!network.ok()) throw std::runtime_error(network.error().message);
        return std::move(network).value();
    }
    std::unique_ptr<Network> opened(const RectifiedNetwork& network) {
        return opened("net.onnx", network.build(), {RectifiedNetwork::kInputs});
    }
    test::Scratch scratch_;
};

// The mean of the positive parts of the units, written out.
double mean_of(const RectifiedNetwork& network, std::span<const float> input) {
    double sum = 0;
    for (const double unit : network.units(input)) sum += std::max(unit, 0.0);
    return sum / RectifiedNetwork::kUnits;
}

TEST_F(ActivatedGradient, IsThatOfFiniteDifferences) {
    const RectifiedNetwork file;
    const auto network = opened(file);
    const auto x = some_inputs();
    const auto pull = [](std::span<const float> outputs, std::span<float> cotangents) {
        for (std::size_t i = 0; i < outputs.size(); ++i) cotangents[i] = i % 2 == 0 ? 1.0f : -0.5f;
    };
    const auto plain = network->gradient(x, kRows, pull).value();
    const auto found = network->activated_gradient(x, kRows, pull, kWeight);
    ASSERT_TRUE(found.ok()) << found.error().message;
    ASSERT_EQ(found->activation.size(), kRows);
    ASSERT_EQ(found->gradient.size(), x.size());
    for (std::size_t row = 0; row < kRows; ++row) {
        const auto input = std::span(x).subspan(row * RectifiedNetwork::kInputs, RectifiedNetwork::kInputs);
        EXPECT_NEAR(found->activation[row], mean_of(file, input), 1e-5);
        for (std::size_t i = 0; i < input.size(); ++i) {
            std::vector<float> up(input.begin(), input.end()), down = up;
            up[i] += 1e-4f;
            down[i] -= 1e-4f;
            const double slope = (mean_of(file, up) - mean_of(file, down)) / 2e-4;
            const auto at = row * input.size() + i;
            EXPECT_NEAR(found->gradient[at] - plain[at], kWeight * slope, 2e-2) << row << ", " << i;
        }
    }
}

TEST_F(ActivatedGradient, SeesEveryKindOfRectifier) {
    const auto x = some_inputs();
    const auto nothing = [](std::span<const float>, std::span<float>) {};
    const auto expected = opened(RectifiedNetwork())->activated_gradient(x, kRows, nothing, 1).value();
    RectifiedNetwork leaky, clip;
    leaky.bend = {RectifiedNetwork::bend_of("LeakyRelu")};
    clip.bend = {test::Proto().bytes(1, "h").bytes(1, "zero").bytes(2, "r").bytes(4, "Clip")};
    for (const auto& file : {leaky, clip}) {
        const auto found = opened(file)->activated_gradient(x, kRows, nothing, 1);
        ASSERT_TRUE(found.ok()) << found.error().message;
        for (std::size_t row = 0; row < kRows; ++row)
            EXPECT_NEAR(found->activation[row], expected.activation[row], 1e-5);
    }
}

TEST_F(ActivatedGradient, NeedsRectifiersThatShow) {
    const auto nothing = [](std::span<const float>, std::span<float>) {};
    RectifiedNetwork smooth;
    smooth.bend = {RectifiedNetwork::bend_of("Tanh")};
    const auto absent = opened(smooth)->activated_gradient(some_inputs(), kRows, nothing, 1);
    ASSERT_FALSE(absent.ok());
    EXPECT_EQ(absent.error().kind, ErrorKind::unsupported);
    EXPECT_THAT(absent.error().message, HasSubstr("net.onnx: has no rectified units"));
    const auto bytes = test::small_network().build();
    const auto script =
        opened("net.pt", {reinterpret_cast<const char*>(bytes.data()), bytes.size()}, test::kSmallInput);
    const auto hidden = script->activated_gradient(std::vector<float>(50), 1, nothing, 1);
    ASSERT_FALSE(hidden.ok());
    EXPECT_EQ(hidden.error().kind, ErrorKind::unsupported);
    EXPECT_THAT(hidden.error().message,
                HasSubstr("net.pt: the rectified units of a TorchScript file are hidden"));
    test::ToyNetwork toy(1);
    EXPECT_EQ(toy.activated_gradient({}, 0, nothing, 1).error().kind, ErrorKind::unsupported);
}

}  // namespace
}  // namespace modelseal::oracle
