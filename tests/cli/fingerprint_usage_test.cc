// Usage errors of `fingerprint` and of the black-box options of `check`, found before any work.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/models/small_models.h"
#include "tests/support/run.h"
#include "tests/support/scratch.h"

namespace modelseal {
namespace {

using test::modelseal;
using test::run;
using test::Words;
using testing::HasSubstr;

class Usage : public testing::Test {
  protected:
    Usage() {
        folder_.write("m", "no model");
        folder_.write("v.key", *signing_key_pem(vendor_, ""));
        folder_.write("v.pub", public_key_pem(vendor_.public_key()));
    }
    test::Outcome refused(const Words& words) const {
        auto outcome = run(modelseal(words), {.folder = folder_.path()});
        EXPECT_EQ(outcome.code, 2) << testing::PrintToString(words) << outcome.err;
        EXPECT_EQ(outcome.out, "");
        EXPECT_FALSE(std::filesystem::exists(folder_ / "m.fp"));
        return outcome;
    }
    const SigningKey vendor_ = test::test_key();
    const test::Scratch folder_;
};

TEST_F(Usage, OfFingerprintIsValidated) {
    const auto with = [](Words more) {
        Words words = {"fingerprint", "m", "-k", "v.key", "-o", "m.fp"};
        words.insert(words.end(), more.begin(), more.end());
        return words;
    };
    EXPECT_THAT(refused(with({"--method", "oracle"})).err, HasSubstr("--method"));
    EXPECT_THAT(refused(with({"--width", "32"})).err, HasSubstr("--width goes with --method generator"));
    EXPECT_THAT(refused(with({"--method", "generator", "--pairs", "3"})).err,
                HasSubstr("--pairs goes with --method pairs"));
    EXPECT_THAT(refused(with({"--method", "generator", "--seeds", "."})).err,
                HasSubstr("--seeds goes with --method pairs"));
    EXPECT_THAT(refused(with({"--schedule", "paper", "--seeds", "."})).err, HasSubstr("only keyed pairs"));
    EXPECT_THAT(refused(with({"--method", "generator", "--triggers", "0"})).err, HasSubstr("--triggers"));
    EXPECT_THAT(refused(with({"--method", "generator", "--arm", "left"})).err, HasSubstr("--arm"));
    EXPECT_THAT(refused(with({"--pairs", "0"})).err, HasSubstr("--pairs"));
    EXPECT_THAT(refused(with({"--pairs", "10001"})).err, HasSubstr("--pairs"));
    EXPECT_THAT(refused(with({"--access", "none"})).err, HasSubstr("--access"));
    EXPECT_THAT(refused(with({"--input-shape", "3,0,32"})).err, HasSubstr("--input-shape"));
    EXPECT_THAT(refused(with({"--input-range", "1,0"})).err, HasSubstr("--input-range"));
    EXPECT_THAT(refused(with({"--input-range", "1"})).err, HasSubstr("--input-range"));
    EXPECT_THAT(refused(with({"--std", "1,0,1"})).err, HasSubstr("--std"));
    EXPECT_THAT(refused(with({"--mean", "x"})).err, HasSubstr("--mean"));
    EXPECT_THAT(refused(with({"--expires", "2020-01-01"})).err, HasSubstr("in the past"));
    EXPECT_THAT(refused(with({"--device", "tpu"})).err, HasSubstr("'tpu' is not one of"));
    EXPECT_THAT(refused(with({"--device", "cuda:"})).err, HasSubstr("'cuda:' is not one of"));
    refused({"fingerprint", "m", "-k", "v.key"});
    refused({"fingerprint", "m", "-o", "m.fp"});
}

TEST_F(Usage, OfCheckIsValidated) {
    const auto with = [](Words more) {
        Words words = {"check", "--pub", "v.pub"};
        words.insert(words.end(), more.begin(), more.end());
        return words;
    };
    EXPECT_THAT(refused(with({})).err, HasSubstr("nothing to check"));
    EXPECT_THAT(refused(with({"m", "n", "--fingerprint", "m.print", "--responses", "d"})).err,
                HasSubstr("of one model"));
    EXPECT_THAT(refused(with({"m", "--require", "luck"})).err, HasSubstr("--require"));
    EXPECT_THAT(refused(with({"m", "--rung", "fp64"})).err, HasSubstr("--rung"));
    EXPECT_THAT(refused(with({"m", "--batch", "0"})).err, HasSubstr("--batch"));
    EXPECT_THAT(refused(with({"m", "--timeout", "0"})).err, HasSubstr("--timeout"));
    EXPECT_THAT(refused(with({"m", "--tensors", "xml"})).err, HasSubstr("--tensors"));
    folder_.write("token", "two words");
    EXPECT_THAT(
        refused(with({"http://127.0.0.1:1/v2/models/m", "--fingerprint", "m.print", "--token-file", "token"}))
            .err,
        HasSubstr("is not a bearer token"));
}

TEST_F(Usage, KeysMayStandBeforeTheTarget) {
    const auto outcome = run(modelseal({"check", "--pub", "v.pub", "m"}), {.folder = folder_.path()});
    EXPECT_EQ(outcome.code, 3);
    EXPECT_THAT(outcome.err, HasSubstr("modelseal: m: "));
}

}  // namespace
}  // namespace modelseal
