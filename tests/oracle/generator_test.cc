// Generators of triggers, trained in the worker against small networks.
#include "oracle/generator.h"

#include <cmath>
#include <limits>
#include <random>

#include <gmock/gmock.h>

#include "oracle/network.h"
#include "tests/support/models/script_file.h"
#include "tests/support/scratch.h"
#include "tests/support/services/worker.h"

namespace modelseal::oracle {
namespace {

using test::ScriptFile;
using testing::Each;
using testing::HasSubstr;

constexpr std::size_t kTriggers = 12;

std::vector<float> noise_of(std::size_t triggers, unsigned seed = 1) {
    std::mt19937 random(seed);
    std::normal_distribution<float> normal;
    std::vector<float> noise(triggers * kGeneratorNoise);
    for (auto& value : noise) value = normal(random);
    return noise;
}

std::vector<std::int64_t> labels_of(std::size_t triggers, std::int64_t classes = 3) {
    std::vector<std::int64_t> labels(triggers);
    for (std::size_t i = 0; i < triggers; ++i) labels[i] = static_cast<std::int64_t>(i) % classes;
    return labels;
}

// With a rate at which a few dozen steps are enough.
GeneratorOptions small(std::uint64_t seed = 7) {
    return {.width = 16, .rate = 1e-2, .seed = seed};
}

double largest_step_between(const std::vector<float>& a, const std::vector<float>& b) {
    double most = a.size() == b.size() ? 0 : INFINITY;
    for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i)
        most = std::max(most, std::abs(static_cast<double>(a[i]) - static_cast<double>(b[i])));
    return most;
}

class Generator : public testing::Test {
  protected:
    void SetUp() override { MODELSEAL_NEED_TORCH(); }

    std::unique_ptr<Network> opened(const ScriptFile& file,
                                    std::vector<std::int64_t> shape = test::kSmallInput) {
        const auto bytes = file.build();
        const auto path = scratch_.write("net.pt", {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
        auto network =
            open_network(path.string(), {.device = "cpu", .threads = 1, .input_shape = std::move(shape)});
        if (!network.ok()) throw std::runtime_error(network.error().message);
        return std::move(network).value();
    }
    std::unique_ptr<Network> good() { return opened(test::small_network()); }

    struct Run {
        std::vector<double> losses;
        std::vector<std::uint64_t> matched;
        std::vector<float> images;
    };
    static Run run(Network& network, const GeneratorOptions& options, int steps) {
        Run run;
        const auto begun = network.begin_generator(options, noise_of(kTriggers), labels_of(kTriggers));
        EXPECT_TRUE(begun.ok()) << begun.error().message;
        for (int i = 0; begun.ok() && i < steps; ++i) {
            const auto step = network.generator_step();
            EXPECT_TRUE(step.ok()) << step.error().message;
            if (!step.ok()) break;
            run.losses.push_back(step->loss);
            run.matched.push_back(step->matched);
        }
        if (auto images = network.generated(); images.ok()) run.images = std::move(images).value();
        return run;
    }

    test::Scratch scratch_;
};

TEST_F(Generator, MakesImagesThatAllGetTheirLabels) {
    const auto network = good();
    auto options = small();
    options.variance = 1;  // at 150 the first steps are for the variance alone
    const auto made = run(*network, options, 80);
    EXPECT_LT(made.matched.front(), kTriggers);
    EXPECT_EQ(made.matched.back(), kTriggers);
    EXPECT_LT(made.losses.back(), 0.7 * made.losses.front());
    const auto answers = network->ask(made.images, kTriggers).value();
    for (std::size_t i = 0; i < kTriggers; ++i) {
        const auto row = std::span(answers.values).subspan(3 * i, 3);
        EXPECT_EQ(std::ranges::max_element(row) - row.begin(), static_cast<std::ptrdiff_t>(i % 3)) << i;
    }
}

TEST_F(Generator, ItsLossIsThatOfThePaper) {
    const auto network = good();
    ASSERT_TRUE(network->begin_generator(small(), noise_of(kTriggers), labels_of(kTriggers)).ok());
    const auto images = network->generated().value();
    const auto answers = network->ask(images, kTriggers).value();
    double entropy = 0, sum = 0, squares = 0;
    std::uint64_t matched = 0;
    for (std::size_t i = 0; i < kTriggers; ++i) {
        const auto row = std::span(answers.values).subspan(3 * i, 3);
        double total = 0;
        for (const float logit : row) total += std::exp(static_cast<double>(logit));
        entropy -= std::log(std::exp(static_cast<double>(row[i % 3])) / total) / kTriggers;
        for (const float logit : row) {
            const double share = std::exp(static_cast<double>(logit)) / total;
            sum += share;
            squares += share * share;
        }
        matched += std::ranges::max_element(row) - row.begin() == static_cast<std::ptrdiff_t>(i % 3);
    }
    constexpr double n = 3 * kTriggers;
    const auto step = network->generator_step().value();
    EXPECT_NEAR(step.loss, entropy + 150 * (squares - sum * sum / n) / (n - 1), 1e-4);
    EXPECT_EQ(step.matched, matched);
}

TEST_F(Generator, VarianceFallsIfItIsAllThatCounts) {
    auto options = small();
    options.classification = 0;
    const auto made = run(*good(), options, 30);
    EXPECT_LT(made.losses.back(), 0.2 * made.losses.front());
}

TEST_F(Generator, RepeatsItselfWithASeedAndStartsAgain) {
    const auto network = good();
    const auto first = run(*network, small(), 5), again = run(*network, small(), 5),
               elsewhere = run(*good(), small(), 5);
    EXPECT_EQ(first.images, again.images);
    EXPECT_EQ(first.losses, again.losses);
    EXPECT_EQ(first.images, elsewhere.images);
    EXPECT_GT(largest_step_between(first.images, run(*network, small(8), 5).images), 0.1);
}

TEST_F(Generator, LeavesTheNetworkAsItIs) {
    const auto network = good();
    const auto inputs = noise_of(1);
    const std::span<const float> some(inputs.data(), 500);
    const auto before = network->ask(some, 10).value();
    run(*network, small(), 10);
    EXPECT_EQ(network->ask(some, 10).value().values, before.values);
}

TEST_F(Generator, OneInputAtATimeGivesTheSame) {
    auto one_by_one = test::small_network();
    one_by_one.body[1] = "_1 = torch.reshape(torch.tanh(_0), [1, 100])";
    const auto together = run(*good(), small(), 10), apart = run(*opened(one_by_one), small(), 10);
    ASSERT_EQ(apart.losses.size(), 10u);
    for (std::size_t i = 0; i < 10; ++i)
        EXPECT_NEAR(apart.losses[i], together.losses[i], 1e-3 * together.losses[0]);
    EXPECT_EQ(apart.matched, together.matched);
    EXPECT_LT(largest_step_between(apart.images, together.images), 1e-2);
}

TEST_F(Generator, ProbabilitiesGiveWhatTheirLogitsGive) {
    auto softmax = test::small_network();
    softmax.body.back() = "return torch.softmax(torch.matmul(_1, torch.t(self.v)), 1)";
    const auto logits = run(*good(), small(), 10), probabilities = run(*opened(softmax), small(), 10);
    ASSERT_EQ(probabilities.losses.size(), 10u);
    for (std::size_t i = 0; i < 10; ++i)
        EXPECT_NEAR(probabilities.losses[i], logits.losses[i], 1e-3 * logits.losses[0]) << i;
    EXPECT_LT(largest_step_between(logits.images, probabilities.images), 1e-2);
}

TEST_F(Generator, KeepsToTheRange) {
    const auto network = good();
    auto options = small();
    options.low = -0.3f;
    options.high = 0.1f;
    options.rate = 0.1;  // too much, so that pixels reach the ends
    const auto made = run(*network, options, 20);
    EXPECT_THAT(made.images, Each(testing::AllOf(testing::Ge(-0.3f), testing::Le(0.1f))));
    const auto [least, most] = std::ranges::minmax(made.images);
    EXPECT_LT(least, -0.25f);
    EXPECT_GT(most - least, 0.2f);
}

// The same network, given (x - mean) / std of a channel, or that computed inside of it.
TEST_F(Generator, GivesTheNetworkScaledInputs) {
    auto inside = test::small_network();
    inside.weights.push_back({"m", {2, 1, 1}, {0.5f, 0.25f}});
    inside.weights.push_back({"s", {2, 1, 1}, {0.5f, 2.0f}});
    inside.body.insert(inside.body.begin(), "_9 = torch.div(torch.sub(x, self.m), self.s)");
    inside.body[1] = "_0 = torch.conv2d(_9, self.w, None, [1, 1], [1, 1], [1, 1], 1)";
    auto options = small();
    const auto expected = run(*opened(inside), options, 5);
    options.mean = {0.5f, 0.25f};
    options.std = {0.5f, 2.0f};
    const auto made = run(*good(), options, 5);
    EXPECT_EQ(made.matched, expected.matched);
    EXPECT_LT(largest_step_between(made.images, expected.images), 1e-4);
}

// The network of an image, in the layout of its name.
ScriptFile network_of(const char* layout) {
    auto file = test::small_network();
    file.weights[0] = {"w", {4, 3, 3, 3}, std::vector<float>(108)};
    for (std::size_t i = 0; i < 108; ++i) file.weights[0].values[i] = std::sin(static_cast<float>(i));
    file.body.insert(file.body.begin(), std::string("_9 = ") + layout);
    file.body[1] = "_0 = torch.conv2d(_9, self.w, None, [1, 1], [1, 1], [1, 1], 1)";
    return file;
}

TEST_F(Generator, LaysAPictureOutAsTheNetworkHasIt) {
    const auto first = run(*opened(network_of("x"), {3, 5, 5}), small(), 5).images;
    const auto last = run(*opened(network_of("torch.permute(x, [0, 3, 1, 2])"), {5, 5, 3}), small(), 5).images;
    ASSERT_EQ(first.size(), kTriggers * 75);
    ASSERT_EQ(last.size(), first.size());
    for (std::size_t i = 0; i < first.size(); ++i) {
        const auto of = i / 75, channel = i % 75 / 25, pixel = i % 25;
        EXPECT_NEAR(first[i], last[of * 75 + pixel * 3 + channel], 1e-4);
    }
}

TEST_F(Generator, FillsInputsOfAnyShape) {
    auto plain = test::small_network();
    plain.body[0] =
        "_0 = torch.conv2d(torch.reshape(x, [-1, 2, 5, 5]), self.w, None, [1, 1], [1, 1], [1, 1], 1)";
    for (const std::vector<std::int64_t>& shape :
         {std::vector<std::int64_t>{50}, {5, 10}, {1, 50}, {1, 2, 5, 5}, {50, 1, 1}}) {
        const auto made = run(*opened(plain, shape), small(), 3);
        EXPECT_EQ(made.images.size(), kTriggers * 50) << shape.size();
        EXPECT_EQ(made.losses.size(), 3u);
    }
}

TEST_F(Generator, ALossThatIsNotFiniteIsReported) {
    auto file = test::small_network();  // finite for all but bright inputs
    file.body.back() =
        "return torch.log(torch.add(torch.mul(torch.matmul(_1, torch.t(self.v)), 0.), "
        "torch.sub(6., torch.slice(torch.flatten(x, 1, -1), 1, 0, 3))))";
    const auto network = opened(file);
    auto options = small();
    options.low = 7;
    options.high = 9;
    ASSERT_TRUE(network->begin_generator(options, noise_of(kTriggers), labels_of(kTriggers)).ok());
    const auto before = network->generated().value();
    const auto step = network->generator_step();
    ASSERT_TRUE(step.ok()) << step.error().message;
    EXPECT_TRUE(std::isnan(step->loss));
    EXPECT_EQ(network->generated().value(), before) << "nothing to learn from it";
}

TEST_F(Generator, ArgumentsThatMakeNoSenseAreRefused) {
    const struct {
        const char* message;
        std::function<void(GeneratorOptions&, std::vector<float>&, std::vector<std::int64_t>&)> spoil;
    } rows[] = {
        {"net.pt: has 3 classes; the label of trigger 4 is 3",
         [](auto&, auto&, auto& labels) { labels[4] = 3; }},
        {"the label of trigger 0 is -1", [](auto&, auto&, auto& labels) { labels[0] = -1; }},
        {"no labels", [](auto&, auto&, auto& labels) { labels.clear(); }},
        {"6,143 values of noise for 12 triggers; 512 each",
         [](auto&, auto& noise, auto&) { noise.pop_back(); }},
        {"the noise of a generator is not finite", [](auto&, auto& noise, auto&) { noise[9] = NAN; }},
        {"width of the generator is 0", [](auto& options, auto&, auto&) { options.width = 0; }},
        {"width of the generator is 16385", [](auto& options, auto&, auto&) { options.width = 16385; }},
        {"the rate of the generator is 0", [](auto& options, auto&, auto&) { options.rate = 0; }},
        {"has the weight -1", [](auto& options, auto&, auto&) { options.variance = -1; }},
        {"has the weight nan", [](auto& options, auto&, auto&) { options.classification = NAN; }},
        {"range of the images is 1 to 1", [](auto& options, auto&, auto&) { options.low = 1; }},
        {"3 values for the mean, not 1 or 2",
         [](auto& options, auto&, auto&) {
             options.mean = {0, 0, 0};
         }},
        {"a standard deviation is 0",
         [](auto& options, auto&, auto&) {
             options.std = {1, 0};
         }},
        {"the standard deviation is not finite", [](auto& options, auto&, auto&) { options.std = {INFINITY}; }},
    };
    const auto network = good();
    for (const auto& row : rows) {
        auto options = small();
        auto noise = noise_of(kTriggers);
        auto labels = labels_of(kTriggers);
        row.spoil(options, noise, labels);
        const auto begun = network->begin_generator(options, noise, labels);
        ASSERT_FALSE(begun.ok()) << row.message;
        EXPECT_EQ(begun.error().kind, ErrorKind::usage) << begun.error().message;
        EXPECT_THAT(begun.error().message, HasSubstr(row.message));
    }
}

TEST_F(Generator, OneThatTakesTooMuchMemoryIsRefused) {
    auto options = small();
    options.width = 9000;
    const auto begun = good()->begin_generator(options, noise_of(1), labels_of(1));
    ASSERT_FALSE(begun.ok());
    EXPECT_EQ(begun.error().kind, ErrorKind::unsupported);
    EXPECT_THAT(begun.error().message, HasSubstr("a generator of width 9000 for these inputs takes "));
    EXPECT_THAT(begun.error().hint, HasSubstr("smaller width"));
}

TEST_F(Generator, NeedsANetworkWithAGradientAndClasses) {
    auto cut = test::small_network();
    cut.body[0] = "_0 = torch.conv2d(torch.detach(x), self.w, None, [1, 1], [1, 1], [1, 1], 1)";
    auto picture = test::small_network();
    picture.body.back() = "return torch.tanh(_0)";
    const struct {
        ScriptFile file;
        const char* message;
    } rows[] = {{cut, "net.pt: has no gradient"}, {picture, "net.pt: the output is not a classifier's"}};
    for (const auto& row : rows) {
        const auto begun = opened(row.file)->begin_generator(small(), noise_of(2), labels_of(2));
        ASSERT_FALSE(begun.ok());
        EXPECT_EQ(begun.error().kind, ErrorKind::unsupported);
        EXPECT_THAT(begun.error().message, HasSubstr(row.message));
    }
}

TEST_F(Generator, HasToBeBegun) {
    const auto network = good();
    const auto refused = [&] {
        EXPECT_THAT(network->generator_step().error().message,
                    HasSubstr("net.pt: no generator has been begun"));
        EXPECT_EQ(network->generated().error().kind, ErrorKind::usage);
    };
    refused();
    run(*network, small(), 1);
    auto options = small();
    options.width = 9000;
    ASSERT_FALSE(network->begin_generator(options, noise_of(1), labels_of(1)).ok());
    refused();
}

}  // namespace
}  // namespace modelseal::oracle
