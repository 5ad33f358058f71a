// Fingerprints of generated triggers: made, written, read, judged.
#include <cmath>
#include <functional>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "blackbox/challenge.h"
#include "blackbox/container/container.h"
#include "blackbox/container/payload.h"
#include "blackbox/interview.h"
#include "blackbox/triggers/method.h"
#include "blackbox/verdict.h"
#include "formats/reader.h"
#include "tests/support/models/toy_network.h"

namespace modelseal::blackbox {
namespace {

using test::ToyNetwork;
using testing::HasSubstr;
using Outcome = FingerprintFinding::Outcome;

constexpr std::array<std::byte, 32> kTriggerSalt{std::byte{3}};

Secret32 customer(unsigned char first) {
    std::array<std::byte, 32> bytes{};
    bytes[0] = std::byte{first};
    return Secret32(bytes);
}

Plan plan_of(const ToyNetwork& network, unsigned count = 20) {
    return {.count = count, .input = {.shape = network.input()}, .threads = 2, .generator = {.steps = 200}};
}

Made made_of(ToyNetwork& network, const Plan& plan, unsigned char key = 1) {
    auto made = triggers_method().make(network, plan, customer(key), kTriggerSalt, no_progress());
    if (!made) {
        ADD_FAILURE() << made.error().message;
        return {};
    }
    made->fingerprint.root = std::string(64, '0');
    made->fingerprint.runtime = "toy";
    return std::move(*made);
}

FingerprintFinding checked(ToyNetwork& network, const Fingerprint& print) {
    auto replies = ask_file(network, print, print.batch, no_progress());
    EXPECT_TRUE(replies.ok());
    auto finding = method_of(print).judge(print, std::move(*replies), {}, "toy");
    EXPECT_TRUE(finding.ok()) << (finding.ok() ? "" : finding.error().message);
    return finding.ok() ? *finding : FingerprintFinding{};
}

TEST(Triggers, AreAnsweredWithTheirClassByAMarginThatHonestRuntimesAgreeOn) {
    ToyNetwork network(5);
    const auto made = made_of(network, plan_of(network));
    const auto& triggers = made.fingerprint.triggers();
    EXPECT_EQ(made.fingerprint.method(), FingerprintMethod::generator);
    ASSERT_GT(triggers.triggers.size(), 10u);
    EXPECT_EQ(triggers.width, 64u);
    EXPECT_LE(triggers.steps, 200u);
    ASSERT_EQ(triggers.rungs.front().rung, Rung::fp32);
    std::set<std::int64_t> classes;
    for (const auto& trigger : triggers.triggers) {
        EXPECT_GE(trigger.margin, triggers.rungs.front().floor);
        const auto answers = network.ask(trigger.pixels, 1);
        const auto& row = answers->values;
        EXPECT_EQ(std::ranges::max_element(row) - row.begin(), trigger.label);
        classes.insert(trigger.label);
    }
    EXPECT_EQ(classes.size(), 5u) << "the key has every class equally often";
    EXPECT_EQ(complaint(made.fingerprint), "");
    // A step is a forward and a backward pass over all triggers.
    EXPECT_GE(made.evaluations, 3u * 20u * triggers.steps);
}

TEST(Triggers, FollowFromKeyAndSaltAlone) {
    ToyNetwork network(5);
    const auto pixels = [&](unsigned char key) {
        return inputs_of(made_of(network, plan_of(network), key).fingerprint, 0, 5);
    };
    EXPECT_EQ(pixels(1), pixels(1));
    EXPECT_NE(pixels(1), pixels(2));
}

TEST(Triggers, OfAnUntouchedModelMatchOnEveryRuntime) {
    ToyNetwork network(7);
    const auto made = made_of(network, plan_of(network));
    const auto& print = made.fingerprint;
    for (const std::size_t batch : {1u, 3u, 50u}) {
        auto replies = ask_file(network, print, batch, no_progress());
        const auto finding = method_of(print).judge(print, std::move(*replies), {}, "toy");
        ASSERT_TRUE(finding.ok());
        EXPECT_EQ(finding->outcome, Outcome::intact);
        EXPECT_EQ(finding->mismatched, 0u);
        EXPECT_EQ(finding->false_alarm_bound, kFalseAlarms);
        const auto& details = std::get<FingerprintFinding::Triggers>(finding->details);
        EXPECT_EQ(details.matched, details.count);
        EXPECT_EQ(details.count, print.triggers().triggers.size());
    }
}

TEST(Triggers, OfAnotherModelDoNotMatch) {
    ToyNetwork network(7), other(8);
    const auto made = made_of(network, plan_of(network));
    const auto finding = checked(other, made.fingerprint);
    EXPECT_EQ(finding.outcome, Outcome::tampered);
    EXPECT_GE(finding.mismatched, finding.threshold);
    const auto& details = std::get<FingerprintFinding::Triggers>(finding.details);
    EXPECT_EQ(details.count - details.matched, finding.mismatched);
    EXPECT_THAT(finding.detail, HasSubstr("are answered with another class"));
}

TEST(Triggers, AreJudgedByLabelsAlone) {
    ToyNetwork network(7);
    auto made = made_of(network, plan_of(network));
    auto& print = made.fingerprint;
    print.access = Access::label;
    oracle::Answers answers{.count = print.triggers().triggers.size()};
    for (const auto& trigger : print.triggers().triggers) answers.labels.push_back(trigger.label);
    const auto judge = [&](const oracle::Answers& given) {
        return *method_of(print).judge(print, {.answers = given}, {}, "service");
    };
    EXPECT_EQ(judge(answers).outcome, Outcome::intact);
    const auto threshold = judge(answers).threshold;
    for (std::size_t i = 0; i < threshold; ++i) answers.labels[i] = (answers.labels[i] + 1) % 5;
    EXPECT_EQ(judge(answers).outcome, Outcome::tampered);
    EXPECT_EQ(judge(answers).mismatched, threshold);
}

// Answers that are as coarse as the margins show nothing; they are no alarm, and not intact.
TEST(Triggers, WithCoarseAnswersAreInconclusive) {
    ToyNetwork network(7);
    const auto made = made_of(network, plan_of(network));
    const auto& print = made.fingerprint;
    auto replies = *ask_file(network, print, print.batch, no_progress());
    replies.answers.rounding = 100;
    const auto finding = *method_of(print).judge(print, std::move(replies), {}, "service");
    EXPECT_EQ(finding.outcome, Outcome::inconclusive);
    EXPECT_EQ(finding.compared, 0u);
}

TEST(Triggers, OnTheGridSurvivePng) {
    ToyNetwork network(5);
    auto plan = plan_of(network);
    plan.grid = Grid::u8;
    const auto made = made_of(network, plan);
    const auto& print = made.fingerprint;
    const auto levels = grey_levels(print, *all_inputs(print));
    ASSERT_TRUE(levels);
    EXPECT_EQ(levels->size(), count_inputs(print) * 36);
    const auto bytes = encode_payload(print);
    ASSERT_TRUE(bytes.ok());
    const auto back = decode_payload(*bytes, "net.fp");
    ASSERT_TRUE(back.ok()) << back.error().message;
    EXPECT_EQ(inputs_of(*back, 0, count_inputs(print)), inputs_of(print, 0, count_inputs(print)));
    EXPECT_EQ(checked(network, *back).outcome, Outcome::intact);
}

TEST(Triggers, RoundTripThroughAPayload) {
    ToyNetwork network(5);
    const auto made = made_of(network, plan_of(network));
    const auto bytes = encode_payload(made.fingerprint);
    ASSERT_TRUE(bytes.ok()) << bytes.error().message;
    const auto back = decode_payload(*bytes, "net.fp");
    ASSERT_TRUE(back.ok()) << back.error().message;
    EXPECT_EQ(*encode_payload(*back), *bytes);
    EXPECT_EQ(back->triggers().steps, made.fingerprint.triggers().steps);
    EXPECT_EQ(back->triggers().triggers[3].pixels, made.fingerprint.triggers().triggers[3].pixels);
}

TEST(Triggers, ThatAreNotWellFormedAreRefused) {
    ToyNetwork network(5);
    const auto good = made_of(network, plan_of(network)).fingerprint;
    const auto about = [&](const std::function<void(Triggers&)>& spoil) {
        auto bad = good;
        spoil(bad.triggers());
        return complaint(bad);
    };
    EXPECT_THAT(about([](Triggers& t) { t.width = 0; }), HasSubstr("a generator of width 0"));
    EXPECT_THAT(about([](Triggers& t) { t.triggers.clear(); }), HasSubstr("0 triggers"));
    EXPECT_THAT(about([](Triggers& t) { t.triggers[2].label = 5; }), HasSubstr("trigger 2: has label 5"));
    EXPECT_THAT(about([](Triggers& t) { t.triggers[1].margin = 0; }),
                HasSubstr("trigger 1: has a margin of 0"));
    EXPECT_THAT(about([](Triggers& t) { t.triggers[0].pixels[7] = 1.5f; }), HasSubstr("outside the range"));
    EXPECT_THAT(about([](Triggers& t) { t.triggers[0].pixels.pop_back(); }), HasSubstr("has 35 elements"));
    EXPECT_THAT(about([](Triggers& t) { t.rungs.erase(t.rungs.begin()); }), HasSubstr("no rung fp32"));
    EXPECT_THAT(about([](Triggers& t) { t.rungs.front().floor = 0; }), HasSubstr("without a floor"));
    EXPECT_THAT(about([](Triggers& t) { t.rungs.front().noise = std::nan(""); }), HasSubstr("not a number"));
}

TEST(Triggers, OfTrainingThatDivergesAreNotMade) {
    ToyNetwork network(5);
    network.diverges = true;
    const auto made =
        triggers_method().make(network, plan_of(network), customer(1), kTriggerSalt, no_progress());
    ASSERT_FALSE(made.ok());
    EXPECT_THAT(made.error().message, HasSubstr("the training of the generator diverged in step 1"));
}

// The network has one class for every input: no trigger reaches the others.
TEST(Triggers, ThatDoNotReachTheirClassesAreNotMade) {
    ToyNetwork network(5);
    network.answer_for_all = 1;
    const auto made =
        triggers_method().make(network, plan_of(network), customer(1), kTriggerSalt, no_progress());
    ASSERT_FALSE(made.ok());
    EXPECT_THAT(made.error().message, HasSubstr("0 of 20 triggers reached their class"));
}

// Without classes in the loss the labels on record are the model's own, and nothing ends the training early.
TEST(Triggers, OfTheOtherArmsHaveTheLabelsOfTheModel) {
    ToyNetwork network(5);
    auto plan = plan_of(network);
    plan.generator.arm = Arm::none;
    const auto untrained = made_of(network, plan).fingerprint;
    EXPECT_EQ(untrained.triggers().steps, 0u);
    EXPECT_EQ(untrained.triggers().arm, Arm::none);
    EXPECT_EQ(checked(network, untrained).outcome, Outcome::intact);
    plan.generator = {.steps = 7, .arm = Arm::variance};
    EXPECT_EQ(made_of(network, plan).fingerprint.triggers().steps, 7u);
}

TEST(Triggers, AreShownWithTheirMargins) {
    ToyNetwork network(5);
    const auto print = made_of(network, plan_of(network)).fingerprint;
    const auto small = method_of(print).preview(print, 4), sheet = method_of(print).preview_sheet(print, 12);
    EXPECT_GT(small.size(), 100u);
    EXPECT_GT(sheet.size(), small.size());
}

TEST(Triggers, AreTaggedInTheirContainer) {
    ToyNetwork network(5);
    auto print = made_of(network, plan_of(network)).fingerprint;
    print.created = "2026-11-21T00:00:00Z";
    const auto vendor = SigningKey::generate();
    const auto check = public_check_key(vendor.public_key());
    const auto file = encode(print, vendor, check);
    ASSERT_TRUE(file.ok()) << file.error().message;
    const formats::MemorySource source("net.fp", file->bytes);
    EXPECT_EQ(show(source)->method, FingerprintMethod::generator);
    const auto back = load(source, check, 0);
    ASSERT_TRUE(back.ok()) << back.error().message;
    EXPECT_EQ(back->method(), FingerprintMethod::generator);
}

}  // namespace
}  // namespace modelseal::blackbox
