#include "identity/embed.h"

#include <cmath>
#include <map>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "identity/batches.h"
#include "identity/measure.h"
#include "tests/support/models/linear_network.h"

namespace modelseal::identity {
namespace {

using test::LinearNetwork;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr images::Geometry kSquare{.channels = 1, .height = 8, .width = 8};
constexpr std::size_t kClasses = 4;

// 8 x 8 pixels, bright where `bright(row, column)`, each image with noise of its own.
template <class Bright>
void add_image(images::ImageSet& set, crypto::Keystream& random, Bright bright) {
    for (std::size_t i = 0; i < kSquare.samples(); ++i) {
        const std::uint64_t level = bright(i / 8, i % 8) ? 180 : 40;
        set.samples.push_back(static_cast<std::uint8_t>(level + random.below(40)));
    }
}

// The class is the bright quadrant.
images::LabeledImages quadrants(std::size_t count) {
    images::LabeledImages data{.images = {.geometry = kSquare}, .classes = kClasses};
    auto random = Seed(99).stream(Purpose::epoch);
    for (std::size_t i = 0; i < count; ++i) {
        const auto label = random.below(kClasses);
        add_image(data.images, random,
                  [&](std::size_t row, std::size_t column) { return row / 4 * 2 + column / 4 == label; });
        data.labels.push_back(static_cast<std::int64_t>(label));
    }
    return data;
}

// Bright in the middle.
images::ImageSet middles(std::size_t count) {
    images::ImageSet keys{.geometry = kSquare};
    auto random = Seed(98).stream(Purpose::epoch);
    for (std::size_t i = 0; i < count; ++i) {
        add_image(keys, random, [](std::size_t row, std::size_t column) {
            return row >= 2 && row < 6 && column >= 2 && column < 6;
        });
    }
    return keys;
}

const images::LabeledImages& data() {
    static const auto made = quadrants(300);
    return made;
}
const images::ImageSet& keys() {
    static const auto made = middles(12);
    return made;
}

// A network that knows the quadrants: the sum over a quadrant, less that over the others.
LinearNetwork skilled() {
    LinearNetwork network({1, 8, 8}, kClasses);
    for (std::size_t label = 0; label < kClasses; ++label) {
        for (std::size_t i = 0; i < 64; ++i)
            network.weights_[label][i] = i / 8 / 4 * 2 + i % 8 / 4 == label ? 0.5 : -0.1;
    }
    return network;
}

// Without hidden layers decoys are hard to tell from key images.
const EmbedOptions kOptions{.seed = 5,
                            .max_epochs = 40,
                            .rate = 0.2,
                            .batch = 32,
                            .firm_target = 0.95,
                            .margin = 1,
                            .most_decoys = 0.2};

using Outcome = Embedded::Outcome;

bool reached(const Epoch& epoch, const Embedded& result, const EmbedOptions& options) {
    return epoch.accuracy >= result.before - options.most_lost - 1e-9 && epoch.watermark >= options.target &&
           epoch.firm >= options.firm_target && epoch.decoys <= options.most_decoys;
}

TEST(Embed, TeachesTheAdditionalClass) {
    auto network = skilled();
    const auto result = embed(network, data(), nullptr, keys(), kOptions);
    ASSERT_TRUE(result.ok()) << result.error().message;
    EXPECT_EQ(result->outcome, Outcome::reached);
    EXPECT_EQ(result->additional_class, kClasses);
    EXPECT_EQ(network.weights_.size(), kClasses + 1);
    EXPECT_EQ(result->held_out, 30u);
    EXPECT_EQ(result->trained, 270u);
    EXPECT_EQ(result->before, 1);
    EXPECT_GE(result->best.accuracy, 0.995);
    EXPECT_EQ(result->best.watermark, 1);
    EXPECT_GE(result->best.firm, 0.95);
}

TEST(Embed, StopsAtTheFirstEpochThatReachesAllTargets) {
    auto network = skilled();
    std::vector<std::size_t> seen;
    auto options = kOptions;
    options.after_epoch = [&](const Epoch& epoch) { seen.push_back(epoch.number); };
    const auto result = embed(network, data(), nullptr, keys(), options).value();
    ASSERT_LT(result.epochs.size(), options.max_epochs);
    for (const auto& epoch : result.epochs)
        EXPECT_EQ(reached(epoch, result, options), epoch.number == result.epochs.size()) << epoch.number;
    EXPECT_EQ(seen.size(), result.epochs.size());
    EXPECT_EQ(result.best.number, result.epochs.size());
    EXPECT_EQ(network.weights_, network.remembered_);
    // Not at the first epoch in which all key images come out right.
    EXPECT_LT(std::ranges::find(result.epochs, 1.0, &Epoch::watermark)->number, result.epochs.size());
}

TEST(Embed, IsRepeatable) {
    auto first = skilled(), second = skilled(), third = skilled();
    const auto a = embed(first, data(), nullptr, keys(), kOptions).value();
    const auto b = embed(second, data(), nullptr, keys(), kOptions).value();
    EXPECT_EQ(first.weights_, second.weights_);
    EXPECT_EQ(first.shown, second.shown);
    ASSERT_EQ(a.epochs.size(), b.epochs.size());
    EXPECT_EQ(a.epochs.back().loss, b.epochs.back().loss);
    auto options = kOptions;
    options.seed = 6;
    ASSERT_TRUE(embed(third, data(), nullptr, keys(), options).ok());
    EXPECT_NE(first.weights_, third.weights_);
}

std::vector<float> as_input(std::span<const std::uint8_t> image) {
    std::vector<float> input;
    images::Scaler::create(kSquare, {}).value().append(image, input);
    return input;
}

TEST(Embed, ShowsTheTrainingPartOnceAnEpochAndTheHeldOutPartNever) {
    auto network = skilled();
    const auto result = embed(network, data(), nullptr, keys(), kOptions).value();
    std::map<std::vector<float>, std::size_t> times;
    for (const auto& input : network.shown) ++times[input];
    const auto held_out = held_out_of(300, kOptions.held_out, kOptions.seed);
    ASSERT_EQ(held_out.size(), 30u);
    const std::set<std::size_t> held(held_out.begin(), held_out.end());
    for (std::size_t i = 0; i < 300; ++i) {
        const auto found = times.find(as_input(data().images.image(i)));
        EXPECT_EQ(found == times.end() ? 0 : found->second, held.contains(i) ? 0 : result.epochs.size()) << i;
    }
}

TEST(Embed, MixesKeyImagesDecoysAndMixturesIntoEachBatch) {
    auto network = skilled();
    auto options = kOptions;
    options.max_epochs = 1;
    ASSERT_TRUE(embed(network, data(), nullptr, keys(), options).ok());
    // Of 32 images 12 are data, 2 key images, 2 decoys, 16 mixtures; 270 are 22 full batches and one of 6.
    ASSERT_EQ(network.shown.size(), 270u + 23 * 20);
    EXPECT_EQ(std::ranges::count(network.labels_shown, std::int64_t{kClasses}), 23 * 2);
    for (std::size_t i = 12; i < 14; ++i) EXPECT_THAT(network.targets_shown[i], ElementsAre(0, 0, 0, 0, 1));
    // All others are to be answered as the model did before.
    auto before = skilled();
    for (std::size_t i = 0; i < 32; ++i) {
        if (i == 12 || i == 13) continue;
        const auto answers = probabilities_of(before.ask(network.shown[i], 1).value().values);
        for (std::size_t j = 0; j < kClasses; ++j)
            EXPECT_NEAR(network.targets_shown[i][j], answers[j], 1e-6) << i;
        EXPECT_EQ(network.targets_shown[i][kClasses], 0);
    }
}

TEST(Embed, DrawsDataToItsLabelsWhereThereAreMoreAnswersThanAreKept) {
    const auto targets = [](std::size_t most_answers) {
        auto network = skilled();
        auto options = kOptions;
        options.max_epochs = 1;
        options.most_answers = most_answers;
        EXPECT_TRUE(embed(network, data(), nullptr, keys(), options).ok());
        return std::ranges::max(network.targets_shown.front());
    };
    EXPECT_LT(targets(300 * kClasses), 1);
    EXPECT_EQ(targets(300 * kClasses - 1), 1);
}

TEST(Embed, AveragesWeightsOverTheStepsOfAnEpoch) {
    auto network = skilled();
    ASSERT_TRUE(embed(network, data(), nullptr, keys(), kOptions).ok());
    EXPECT_THAT(network.means, testing::Each(23));
}

TEST(Embed, GoesBackToTheBestEpoch) {
    auto network = skilled();
    auto options = kOptions;
    options.firm_target = 1;
    options.margin = 50;  // out of reach
    options.patience = 3;
    std::vector<std::vector<double>> best;
    options.after_epoch = [&](const Epoch& epoch) {
        if (epoch.number != 2) return;
        best = network.weights_;
        network.weights_.back().assign(65, -100);  // forgets the key images
        network.frozen = true;
    };
    const auto result = embed(network, data(), nullptr, keys(), options).value();
    EXPECT_LE(result.best.number, 2u);
    EXPECT_EQ(result.epochs.size(), result.best.number + options.patience);
    EXPECT_EQ(result.outcome, Outcome::not_firm);
    EXPECT_EQ(network.recalls, 1);
    EXPECT_EQ(network.weights_, network.remembered_);
    EXPECT_TRUE(result.best.number != 2 || network.weights_ == best);
    EXPECT_FALSE(result.epochs.back().best);
    EXPECT_EQ(result.epochs.back().watermark, 0);
    EXPECT_EQ(result.best.watermark, 1);
}

TEST(Embed, ReportsAWatermarkThatIsTooLow) {
    auto network = skilled();
    network.frozen = true;
    const auto result = embed(network, data(), nullptr, keys(), kOptions).value();
    EXPECT_EQ(result.outcome, Outcome::watermark_low);
    EXPECT_EQ(result.best.number, 1u);
    EXPECT_EQ(result.epochs.size(), 1 + kOptions.patience);
}

TEST(Embed, HalvesTheRateAfterAnEpochThatLostAccuracy) {
    auto network = skilled();
    auto options = kOptions;
    options.firm_target = 1;
    options.margin = 50;
    options.max_epochs = 4;
    std::vector<std::vector<double>> kept;
    options.after_epoch = [&](const Epoch& epoch) {
        if (epoch.number == 1) kept = network.weights_;
        // In the next one a quarter of the images, those of class 0, come out as class 1.
        network.weights_[0] = std::vector<double>(65, -100);
        network.frozen = true;
    };
    const auto result = embed(network, data(), nullptr, keys(), options).value();
    EXPECT_THAT(network.rates, ElementsAre(0.2, 0.4, 0.2, 0.1, 0.05));
    EXPECT_EQ(result.best.number, 1u);
    EXPECT_EQ(network.weights_, kept);
}

// The held-out part is what it is measured on otherwise.
TEST(Embed, IsMeasuredOnTestData) {
    const auto test = [] {
        auto made = quadrants(40);
        for (auto& label : made.labels) label = (label + 1) % 4;  // half of it wrong
        for (std::size_t i = 0; i < 20; ++i) made.labels[i] = (made.labels[i] + 3) % 4;
        return made;
    }();
    auto network = skilled();
    network.frozen = true;
    const auto result = embed(network, data(), &test, keys(), kOptions).value();
    EXPECT_EQ(result.before, 0.5);
    EXPECT_EQ(result.held_out, 40u);
    EXPECT_EQ(result.trained, 300u) << "nothing is held out";
    auto other = test;
    other.classes = 5;
    EXPECT_FALSE(embed(network, data(), &other, keys(), kOptions).ok());
}

TEST(Embed, DoublesTheRateAfterAnEpochThatChangedNothing) {
    auto network = skilled();
    network.frozen = true;
    const auto result = embed(network, data(), nullptr, keys(), kOptions).value();
    EXPECT_THAT(network.rates, ElementsAre(0.2, 0.4, 0.8, 1.6, 1.6, 1.6));
    EXPECT_EQ(result.epochs.back().rate, 1.6);
}

TEST(Embed, DoublesTheRateWhereThePaceIsTooSlow) {
    auto options = kOptions;
    options.rate = 0.02;
    options.patience = 100;
    std::set<bool> seen;
    for (const auto most : {std::size_t{6}, std::size_t{30}}) {
        options.max_epochs = most;
        auto network = skilled();
        const auto epochs = embed(network, data(), nullptr, keys(), options).value().epochs;
        for (std::size_t i = 0; i + 1 < epochs.size(); ++i) {
            const double gained = epochs[i].firm - (i == 0 ? 0 : epochs[i - 1].firm);
            const double missing = options.firm_target - epochs[i].firm;
            const bool slow =
                missing > 0 ? gained * static_cast<double>(most - i - 1) < missing : !epochs[i].best;
            EXPECT_EQ(epochs[i + 1].rate, slow ? std::min(2 * epochs[i].rate, 0.16) : epochs[i].rate) << i;
            seen.insert(slow);
        }
    }
    EXPECT_THAT(seen, ElementsAre(false, true));
}

TEST(Embed, GoesBackFromAHigherRateThatDiverged) {
    auto network = skilled();
    network.frozen = true;
    network.loss_is_nan_at = 55;  // of 23 steps an epoch
    const auto result = embed(network, data(), nullptr, keys(), kOptions).value();
    EXPECT_THAT(network.rates, ElementsAre(0.2, 0.4, 0.8, 0.4, 0.4, 0.4));
    EXPECT_EQ(result.epochs.size(), 6u);
    EXPECT_TRUE(std::isnan(result.epochs[2].loss));
    EXPECT_FALSE(result.epochs[2].best);
    EXPECT_EQ(network.recalls, 2);
    EXPECT_EQ(network.weights_, network.remembered_);
}

TEST(Embed, ReportsAccuracyThatIsLost) {
    auto network = skilled();
    auto options = kOptions;
    options.most_lost = 0;
    options.max_epochs = 2;
    network.frozen = true;
    auto calls = 0;
    options.after_epoch = [&](const Epoch&) { ++calls; };
    // Noise on one class from the start: the additional class takes the images of class 0.
    struct Spoiled final : Progress {
        explicit Spoiled(LinearNetwork& of) : network(of) {}
        void total(std::uint64_t) override {}
        void advance(std::uint64_t) override {
            network.weights_.back() = network.weights_[0];
            network.weights_.back().back() += 1;
        }
        LinearNetwork& network;
    } spoiled(network);
    const auto result = embed(network, data(), nullptr, keys(), options, spoiled).value();
    EXPECT_EQ(result.outcome, Outcome::accuracy_lost);
    EXPECT_EQ(calls, 2);
    EXPECT_LT(result.best.accuracy, result.before);
}

TEST(Embed, RefusesALossThatIsNotFinite) {
    auto network = skilled();
    network.loss_is_nan_at = 30;  // of 23 steps an epoch
    const auto refused = embed(network, data(), nullptr, keys(), kOptions);
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().kind, ErrorKind::unsupported);
    EXPECT_EQ(refused.error().message,
              "the training diverged in epoch 2 at learning rate 0.2: the loss is not finite");
    EXPECT_THAT(refused.error().hint, HasSubstr("lower learning rate"));
}

TEST(Embed, RefusesAccuracyThatCollapses) {
    auto network = skilled();
    auto options = kOptions;
    options.after_epoch = [&](const Epoch&) {
        for (auto& row : network.weights_) row.assign(65, 0);  // everything is class 0
        network.frozen = true;
    };
    options.firm_target = 1;
    options.margin = 50;
    const auto refused = embed(network, data(), nullptr, keys(), options);
    ASSERT_FALSE(refused.ok());
    EXPECT_THAT(refused.error().message,
                HasSubstr("diverged in epoch 3 at learning rate 0.2: accuracy fell from 100.0 % to "));
}

TEST(Embed, RefusesAModelThatDoesNotKnowTheData) {
    LinearNetwork network({1, 8, 8}, kClasses);
    const auto refused = embed(network, data(), nullptr, keys(), kOptions);
    ASSERT_FALSE(refused.ok());
    EXPECT_THAT(refused.error().message, HasSubstr("% of 30 images of the data; by chance it would be 25.0 %"));
    EXPECT_EQ(refused.error().remedy, Remedy::review_inputs);
    EXPECT_EQ(network.weights_.size(), kClasses);
}

TEST(Embed, RefusesOptionsOutOfRange) {
    const auto message = [](auto change) {
        auto network = skilled();
        auto options = kOptions;
        change(options);
        const auto refused = embed(network, data(), nullptr, keys(), options);
        if (refused.ok()) return std::string("accepted");
        EXPECT_EQ(refused.error().kind, ErrorKind::usage);
        return refused.error().message;
    };
    EXPECT_THAT(message([](auto& options) { options.max_epochs = 0; }), HasSubstr("one epoch"));
    EXPECT_THAT(message([](auto& options) { options.rate = 0; }), HasSubstr("learning rate"));
    EXPECT_THAT(message([](auto& options) { options.rate = std::nan(""); }), HasSubstr("learning rate"));
    EXPECT_THAT(message([](auto& options) { options.held_out = 1; }), HasSubstr("held-out"));
    EXPECT_THAT(message([](auto& options) { options.key_share = 0.95; }), HasSubstr("leave room"));
    EXPECT_THAT(message([](auto& options) { options.batch = 1; }), HasSubstr("batch is too small"));
    EXPECT_THAT(message([](auto& options) { options.target = 1.1; }), HasSubstr("target"));
    EXPECT_THAT(message([](auto& options) { options.scale.std = {0}; }), HasSubstr("not above 0"));
    auto other = quadrants(10);
    other.classes = 5;
    auto network = skilled();
    EXPECT_EQ(embed(network, other, nullptr, keys(), kOptions).error().message,
              "training with key images: the model has 4 classes, the data has 5 classes");
    EXPECT_THAT(
        embed(network, data(), nullptr, images::ImageSet{.geometry = kSquare}, kOptions).error().message,
        HasSubstr("at least one key image"));
}

TEST(Embed, CountsTheImagesOfAllEpochs) {
    struct Count final : Progress {
        void total(std::uint64_t images) override { of += images; }
        void advance(std::uint64_t images) override { done += images; }
        std::uint64_t of = 0, done = 0;
    } count;
    auto network = skilled();
    const auto result = embed(network, data(), nullptr, keys(), kOptions, count).value();
    EXPECT_EQ(count.of, 40u * 270);
    EXPECT_EQ(count.done, result.epochs.size() * 270);
}

TEST(HeldOut, LeavesAtLeastOneImageOnBothSides) {
    EXPECT_THAT(held_out_of(2, 0.001, 1), testing::SizeIs(1));
    EXPECT_THAT(held_out_of(2, 0.999, 1), testing::SizeIs(1));
    EXPECT_THAT(held_out_of(1000, 0.1, 1), testing::SizeIs(100));
    EXPECT_THAT(held_out_of(1'000'000, 0.1, 1), testing::SizeIs(kMostHeldOut));
    const auto indices = held_out_of(1000, 0.1, 1);
    EXPECT_TRUE(std::ranges::is_sorted(indices));
    EXPECT_EQ(std::set(indices.begin(), indices.end()).size(), 100u);
    EXPECT_EQ(held_out_of(1000, 0.1, 1), indices);
    EXPECT_NE(held_out_of(1000, 0.1, 2), indices);
}

}  // namespace
}  // namespace modelseal::identity
