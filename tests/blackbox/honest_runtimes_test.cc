// Verdicts on real networks that nobody touched, as other engines compute them: with draws and settings that making the fingerprint
// did not try. Never "tampered" in float32; in less, never without that explanation, and intact on the rung for it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "blackbox/method.h"
#include "blackbox/pairs/judge.h"
#include "blackbox/pairs/make.h"
#include "oracle/network.h"
#include "tests/support/data.h"
#include "tests/support/services/worker.h"

namespace modelseal::blackbox {
namespace {

using oracle::Arithmetic;
using Outcome = FingerprintFinding::Outcome;

struct Given {
    const char* model;
    unsigned pairs, draws;  // as many as take seconds
};

class HonestRuntimes : public testing::TestWithParam<Given> {
  protected:
    void SetUp() override {
        MODELSEAL_NEED_TORCH();
        MODELSEAL_NEED_DATA();
        const auto file = test::data_folder() / "models/onnx" / GetParam().model;
        auto opened = oracle::open_network(file.string(), {.device = "cpu", .threads = 2});
        ASSERT_TRUE(opened.ok()) << opened.error().message;
        network_ = std::move(*opened);
        std::array<std::byte, 32> key{std::byte{1}};
        const Plan plan{.count = GetParam().pairs, .input = {.shape = network_->input()}, .threads = 2};
        auto made = make_pairs(*network_, plan, Secret32(key), key, no_progress());
        ASSERT_TRUE(made.ok()) << made.error().message;
        print_ = std::move(made->fingerprint);
    }

    FingerprintFinding served(const oracle::Runtime& runtime, std::optional<Rung> rung = {}) const {
        const auto count = method_of(print_).queries(print_).size();
        auto answers = network_->ask_as(inputs_of(print_, 0, count), count, runtime);
        EXPECT_TRUE(answers.ok()) << runtime.name();
        auto finding = judge_pairs(print_, {.answers = std::move(*answers)}, rung, "net");
        EXPECT_TRUE(finding.ok());
        return *finding;
    }
    void expect_untouched(const oracle::Runtime& runtime, std::optional<Rung> rung = {}) const {
        const auto finding = served(runtime, rung);
        EXPECT_THAT(finding.outcome, testing::AnyOf(Outcome::intact, Outcome::other_runtime))
            << runtime.name() << ": " << finding.detail;
    }

    std::unique_ptr<oracle::Network> network_;
    Fingerprint print_;
};

TEST_P(HonestRuntimes, InFloat32AreNeverTampered) {
    for (const std::size_t batch : {1u, 3u, 11u, 2u * GetParam().pairs})
        expect_untouched({.threads = 1, .batch = batch});
    for (const auto arithmetic :
         {Arithmetic::one_term, Arithmetic::winograd2, Arithmetic::winograd4, Arithmetic::winograd6})
        expect_untouched({.threads = 1, .batch = 5, .arithmetic = arithmetic});
    for (const auto arithmetic :
         {Arithmetic::permuted, Arithmetic::rounded_weights, Arithmetic::rounded_steps}) {
        for (unsigned draw = 100; draw < 100 + GetParam().draws; ++draw)
            expect_untouched({.batch = 9, .arithmetic = arithmetic, .draw = draw});
    }
}

TEST_P(HonestRuntimes, InLessThanFloat32AreExplainedAndIntactOnTheirRung) {
    for (const auto arithmetic :
         {Arithmetic::half_weights, Arithmetic::tf32, Arithmetic::half, Arithmetic::bfloat16}) {
        const oracle::Runtime runtime{.batch = 9, .arithmetic = arithmetic};
        const auto finding = served(runtime);
        EXPECT_TRUE(finding.outcome != Outcome::tampered || finding.reduced_precision_possible)
            << runtime.name() << ": " << finding.detail;
        expect_untouched(runtime, Rung::mixed);
    }
}

INSTANTIATE_TEST_SUITE_P(OfRealNetworks, HonestRuntimes,
                         testing::Values(Given{"burn-mnist.onnx", 40, 5}, Given{"mnist-8/model.onnx", 40, 5},
                                         Given{"cifar10-resnet20.onnx", 15, 1}),
                         [](const auto& given) {
                             std::string name = given.param.model;
                             std::erase_if(name,
                                           [](char c) { return !std::isalnum(static_cast<unsigned char>(c)); });
                             return name;
                         });

}  // namespace
}  // namespace modelseal::blackbox
