// Samples of the published schemes of single inputs, of a network that is small and known.
#include "baseline/single_samples.h"

#include <numeric>

#include <gmock/gmock.h>

#include "tests/support/models/rectified_network.h"
#include "tests/support/models/toy_network.h"
#include "tests/support/scratch.h"
#include "tests/support/services/worker.h"

namespace modelseal::baseline {
namespace {

using test::RectifiedNetwork;

constexpr std::array<std::byte, 32> kKeySalt{std::byte{9}};

double mean_of(const std::vector<double>& values) {
    return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

class SingleSamplesTest : public testing::Test {
  protected:
    void SetUp() override {
        MODELSEAL_NEED_TORCH();
        auto network = oracle::open_network(scratch_.write("net.onnx", file_.build()).string(),
                                            {.device = "cpu", .threads = 1, .input_shape = {6}});
        ASSERT_TRUE(network.ok()) << network.error().message;
        network_ = std::move(network).value();
    }
    blackbox::Probe probe() { return {*network_, input_, RectifiedNetwork::kClasses, 8}; }

    // The mean output of the rectified units over all samples.
    double activation(const SingleSamples& samples) const {
        double sum = 0;
        for (std::size_t at = 0; at < samples.pixels.size(); at += RectifiedNetwork::kInputs) {
            for (const double unit :
                 file_.units(std::span(samples.pixels).subspan(at, RectifiedNetwork::kInputs)))
                sum += std::max(unit, 0.0);
        }
        return sum / static_cast<double>(samples.labels.size() * RectifiedNetwork::kUnits);
    }

    RectifiedNetwork file_;
    blackbox::Input input_{.shape = {"x", {6}, {}}, .low = 0, .high = 1, .mean = {}, .std = {}};
    blackbox::Keyed keyed_{Secret32(), kKeySalt};
    test::Scratch scratch_;
    std::unique_ptr<oracle::Network> network_;
};

TEST_F(SingleSamplesTest, BothBringTheVarianceDownAndAidActivatesMore) {
    auto probe = this->probe();
    const auto start = dbi_samples(probe, keyed_, {.count = 20, .steps = 0}, no_progress()).value();
    const SamplePlan plan{.count = 20, .steps = 60, .rate = 0.02, .activation = 0.3};
    const auto dbi = dbi_samples(probe, keyed_, plan, no_progress()).value();
    const auto aid = aid_samples(probe, keyed_, plan, no_progress()).value();
    EXPECT_LT(mean_of(dbi.variances), 0.5 * mean_of(start.variances));
    EXPECT_LT(mean_of(aid.variances), 0.7 * mean_of(start.variances));
    EXPECT_NE(aid.pixels, dbi.pixels);
    EXPECT_GT(activation(aid), 1.1 * activation(dbi));
    EXPECT_EQ(aid.activations.size(), 20u);
    EXPECT_TRUE(dbi.activations.empty());
    EXPECT_THAT(aid.pixels, testing::Each(testing::AllOf(testing::Ge(0.0f), testing::Le(1.0f))));
}

TEST_F(SingleSamplesTest, RecordTheLabelsOfTheNetworkAndTheirPrice) {
    auto probe = this->probe();
    const auto samples =
        aid_samples(probe, keyed_, {.count = 5, .steps = 3, .rate = 0.01}, no_progress()).value();
    EXPECT_EQ(samples.evaluations, 5u + 3 * 3 * 5 + 5);
    const auto answers = network_->ask(samples.pixels, 5).value();
    for (std::size_t row = 0; row < 5; ++row) {
        const auto values = std::span(answers.values).subspan(row * 4, 4);
        EXPECT_EQ(samples.labels[row], std::ranges::max_element(values) - values.begin());
    }
    EXPECT_EQ(samples.pixels,
              aid_samples(probe, keyed_, {.count = 5, .steps = 3, .rate = 0.01}, no_progress())->pixels);
}

// As if mean and deviation were inside of the network.
TEST_F(SingleSamplesTest, StepsAreInPixels) {
    auto probe = this->probe();
    const SamplePlan plan{.count = 4, .steps = 5, .rate = 0.01};
    const auto plain = aid_samples(probe, keyed_, plan, no_progress()).value();
    auto inside = file_;
    for (auto& weight : inside.first) weight *= 2;
    auto doubled = oracle::open_network(scratch_.write("two.onnx", inside.build()).string(),
                                        {.device = "cpu", .threads = 1, .input_shape = {6}})
                       .value();
    auto input = input_;
    input.std = {2};
    blackbox::Probe scaled(*doubled, input, RectifiedNetwork::kClasses, 8);
    const auto same = aid_samples(scaled, keyed_, plan, no_progress()).value();
    // Twice the weights and half the input are the same network; its units too.
    for (std::size_t i = 0; i < plain.pixels.size(); ++i) EXPECT_NEAR(same.pixels[i], plain.pixels[i], 1e-5);
}

TEST(SingleSamples, NeedActivationsForAidAlone) {
    test::ToyNetwork toy(1);
    const blackbox::Input input{.shape = toy.input(), .low = 0, .high = 1, .mean = {}, .std = {}};
    blackbox::Probe probe(toy, input, 5, 8);
    const blackbox::Keyed keyed(Secret32(), kKeySalt);
    const SamplePlan plan{.count = 6, .steps = 200, .rate = 1e-3};
    const auto start = dbi_samples(probe, keyed, {.count = 6, .steps = 0}, no_progress()).value();
    for (const bool softmax : {false, true}) {
        toy.softmax = softmax;
        const auto dbi = dbi_samples(probe, keyed, plan, no_progress());
        ASSERT_TRUE(dbi.ok());
        EXPECT_LT(mean_of(dbi->variances), 0.5 * mean_of(start.variances));
    }
    const auto refused = aid_samples(probe, keyed, plan, no_progress());
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().kind, ErrorKind::unsupported);
}

}  // namespace
}  // namespace modelseal::baseline
