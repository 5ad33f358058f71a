// How a service is queried: in which order, which inputs twice, and the jitter measured so.
#include "blackbox/interview.h"

#include <map>

#include <gmock/gmock.h>

#include "blackbox/pairs/inputs.h"
#include "tests/support/models/two_classes.h"

namespace modelseal::blackbox {
namespace {

using testing::HasSubstr;

// Answers with `answer` of each input, and records the inputs.
class NotingOracle final : public oracle::Oracle {
  public:
    using Answer = std::function<std::vector<float>(std::span<const float> input)>;
    NotingOracle(const Fingerprint& fingerprint, Answer answer)
        : input_(fingerprint.input.shape), answer_(std::move(answer)) {}

    std::vector<std::vector<float>> asked;
    std::function<std::int64_t(std::span<const float> input)> label;  // where it answers with labels

    const std::string& name() const override { return name_; }
    const oracle::InputShape& input() const override { return input_; }
    Result<oracle::Answers> ask(std::span<const float> inputs, std::size_t count) override {
        oracle::Answers answers{.count = count};
        for (std::size_t row = 0; row < count; ++row) {
            const auto input = inputs.subspan(row * input_.elements(), input_.elements());
            asked.emplace_back(input.begin(), input.end());
            if (label) {
                answers.labels.push_back(label(input));
                continue;
            }
            const auto outputs = answer_(input);
            answers.classes = outputs.size();
            answers.values.insert(answers.values.end(), outputs.begin(), outputs.end());
        }
        return answers;
    }

  private:
    std::string name_ = "noting";
    oracle::InputShape input_;
    Answer answer_;
};

// Many pairs, each with inputs of its own.
Fingerprint many_pairs() {
    auto print = test::two_classes();
    print.pairs().paths.clear();
    for (auto& rung : print.pairs().rungs) {
        for (auto& pair : rung.pairs) {
            pair.path = static_cast<std::uint32_t>(print.pairs().paths.size());
            print.pairs().paths.push_back(
                {{static_cast<float>(print.pairs().paths.size()) / 64}, {1.0f / 128}});
        }
    }
    return print;
}

TEST(Interview, SendsSomeInputsTwiceAtRandomPositions) {
    const auto print = many_pairs();
    std::size_t early = 0;
    for (int time = 0; time < 10; ++time) {
        NotingOracle oracle(print, [](std::span<const float>) { return std::vector<float>{0, 1}; });
        const auto replies = ask_service(oracle, print, no_progress());
        ASSERT_TRUE(replies.ok()) << replies.error().message;
        std::map<std::vector<float>, int> seen;
        std::size_t twice = 0;
        for (std::size_t i = 0; i < oracle.asked.size(); ++i) {
            if (++seen[oracle.asked[i]] < 2) continue;
            ++twice;
            early += i < oracle.asked.size() / 2 ? 1 : 0;
        }
        EXPECT_EQ(seen.size(), 4 * test::kPairs);
        EXPECT_EQ(twice, 32u);
        EXPECT_EQ(replies->queries, oracle.asked.size());
        EXPECT_EQ(replies->answers.count, 4 * test::kPairs);
    }
    EXPECT_GT(early, 0u) << "not all of them at the end";
}

TEST(Interview, PutsEachAnswerWhereItsInputBelongs) {
    const auto print = many_pairs();
    NotingOracle oracle(print, [](std::span<const float> input) { return std::vector<float>{input[0], 1}; });
    const auto replies = ask_service(oracle, print, no_progress());
    ASSERT_TRUE(replies.ok());
    EXPECT_EQ(replies->jitter, 0);
    std::size_t row = 0;
    for (const auto& rung : print.pairs().rungs) {
        for (const float expected : inputs_of(print, rung.pairs)) {
            EXPECT_EQ(replies->answers.values[2 * row++], expected);
        }
    }
}

TEST(Interview, MeasuresByHowMuchAnswersVary) {
    const auto print = many_pairs();
    std::map<float, int> times;
    NotingOracle oracle(print, [&](std::span<const float> input) {
        return std::vector<float>{0, ++times[input[0]] == 2 ? 1.25f : 1};
    });
    const auto replies = ask_service(oracle, print, no_progress());
    ASSERT_TRUE(replies.ok());
    EXPECT_NEAR(replies->jitter, 0.25 / std::sqrt(2.0), 1e-9);
    EXPECT_NEAR(replies->value_jitter, 0.25, 1e-9);
}

TEST(Interview, DoesNotTakeRoundingForVariation) {
    const auto print = many_pairs();
    oracle::Answers answers{.count = 4 * test::kPairs + 1, .classes = 2, .rounding = 0.05};
    answers.values.assign(2 * answers.count, 0.5f);
    answers.values.back() = 0.6f;  // one step, as of a value between two
    const std::vector<std::size_t> repeated = {3};
    EXPECT_NEAR(with_jitter(print, answers, repeated).jitter, 0, 1e-7);
    answers.values.back() = 0.7f;
    EXPECT_NEAR(with_jitter(print, answers, repeated).value_jitter, 0.1, 1e-6);
}

// One input of many is labeled wrongly, once or always.
TEST(Interview, SendsInputsAgainWhoseLabelsWouldMeanTampering) {
    auto print = many_pairs();
    print.access = Access::label;
    print.pairs().direction.clear();
    const float odd = inputs_of(print, print.pairs().rungs[0].pairs)[3];
    for (const int wrong : {1, 1000}) {
        std::map<float, int> times;
        NotingOracle oracle(print, {});
        oracle.label = [&](std::span<const float> input) {
            const auto path = static_cast<int>(input[0] * 64);
            const bool inside = input[0] * 64 > static_cast<float>(path);
            return std::int64_t{(input[0] == odd && ++times[odd] <= wrong) != inside};
        };
        const auto replies = ask_service(oracle, print, no_progress());
        ASSERT_TRUE(replies.ok()) << replies.error().message;
        EXPECT_EQ(std::isinf(replies->jitter), wrong == 1);
        if (wrong > 1) {
            EXPECT_GE(times[odd], 17);
        }
        EXPECT_EQ(replies->queries, oracle.asked.size());
        const auto finding = test::judged(print, *replies);
        EXPECT_EQ(finding.outcome, wrong == 1 ? FingerprintFinding::Outcome::inconclusive
                                              : FingerprintFinding::Outcome::tampered);
    }
}

TEST(Interview, RefusesAnotherNumberOfOutputs) {
    const auto print = many_pairs();
    NotingOracle oracle(print, [](std::span<const float>) { return std::vector<float>(7); });
    const auto replies = ask_service(oracle, print, no_progress());
    ASSERT_FALSE(replies.ok());
    EXPECT_THAT(replies.error().message, HasSubstr("noting: 7 outputs per input, 2"));
}

}  // namespace
}  // namespace modelseal::blackbox
