#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/models/small_fingerprint.h"
#include "tests/support/models/small_models.h"
#include "tests/support/run.h"
#include "tests/support/scratch.h"

namespace modelseal {
namespace {

using test::modelseal;
using test::run;
using testing::HasSubstr;

class ChallengeCommand : public testing::Test {
  protected:
    ChallengeCommand() {
        folder_.write("v.pub", public_key_pem(vendor_.public_key()));
        folder_.write("other.pub", public_key_pem(test::test_key(2).public_key()));
        test::write_fingerprint(test::small_fingerprint(), vendor_, public_check_key(vendor_.public_key()),
                                folder_ / "net.fp");
    }
    test::Outcome challenge(test::Words words) const {
        words.insert(words.begin(), {"challenge", "net.fp"});
        return run(modelseal(words), {.folder = folder_.path()});
    }
    const SigningKey vendor_ = test::test_key();
    const test::Scratch folder_;
};

TEST_F(ChallengeCommand, WritesAFolder) {
    const auto outcome = challenge({"--pub", "other.pub", "--pub", "v.pub", "-o", "ask"});
    EXPECT_EQ(outcome.code, 0) << outcome.err;
    EXPECT_THAT(outcome.out, HasSubstr("wrote ask: 6 inputs (npy)"));
    EXPECT_THAT(outcome.out, HasSubstr("\n  modelseal check --responses ask --fingerprint "));
    for (const char* name : {"inputs.npy", "manifest.json", "README.txt"}) {
        EXPECT_TRUE(std::filesystem::exists(folder_ / "ask" / name)) << name;
    }
    EXPECT_EQ(challenge({"--pub", "v.pub", "-o", "again", "--quiet"}).out, "");
}

TEST_F(ChallengeCommand, LeavesNothingWhenItFails) {
    EXPECT_EQ(challenge({"--pub", "other.pub", "-o", "ask"}).code, 1);
    EXPECT_EQ(challenge({"-o", "ask"}).code, 2);
    EXPECT_EQ(challenge({"--pub", "v.pub"}).code, 2);
    EXPECT_EQ(challenge({"--pub", "missing.pub", "-o", "ask"}).code, 3);
    EXPECT_EQ(challenge({"--pub", "v.pub", "-o", "net.fp"}).code, 2);
    EXPECT_EQ(challenge({"--pub", "v.pub", "-o", "v.pub"}).code, 2);
    EXPECT_FALSE(std::filesystem::exists(folder_ / "ask"));
    EXPECT_EQ(
        run(modelseal({"challenge", "v.pub", "--pub", "v.pub", "-o", "ask"}), {.folder = folder_.path()}).code,
        3);
}

}  // namespace
}  // namespace modelseal
