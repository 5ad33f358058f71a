// A program that asked for JSON gets JSON, also where a command fails before it has anything to show.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/support/models/small_models.h"
#include "tests/support/run.h"
#include "tests/support/scratch.h"

namespace modelseal {
namespace {

using nlohmann::json;
using test::Words;
using testing::HasSubstr;

class JsonErrors : public testing::Test {
  protected:
    JsonErrors() {
        scratch_.write("v.key", *signing_key_pem(test::test_key(), ""));
        scratch_.write("p.key", *signing_key_pem(test::test_key_p256(), ""));
        scratch_.write("v.pub", public_key_pem(test::test_key().public_key()));
        scratch_.write("tiny", test::safetensors_file({{"w", "F32", {8}, test::float_weights(8, 1)}}));
    }
    test::Outcome run(Words words) const {
        return test::run(test::modelseal(std::move(words)), {.folder = scratch_.path()});
    }
    const test::Scratch scratch_;
};

TEST_F(JsonErrors, OfEveryCommandNameWhatFailed) {
    for (const auto& [command, words] : std::vector<std::pair<std::string, Words>>{
             {"seal", {"seal", "none", "-k", "v.key", "-o", "out"}},
             {"seal", {"seal", "tiny", "-k", "none", "-o", "out"}},
             {"sign", {"sign", "none", "-k", "p.key"}},
             {"inspect", {"inspect", "none"}},
             {"diff", {"diff", "none", "tiny"}},
             {"fingerprint", {"fingerprint", "none", "-k", "v.key", "-o", "out"}},
             {"customer list", {"customer", "list", "--ledger", "none"}},
             {"customer show", {"customer", "show", "acme", "--ledger", "none"}},
             {"customer trace", {"customer", "trace", "tiny", "--ledger", "none", "-k", "v.key"}},
             {"report merge", {"report", "merge", "none"}},
             {"policy test", {"policy", "test", "none", "tiny"}}}) {
        auto with_json = words;
        with_json.push_back("--json");
        const auto outcome = run(with_json);
        EXPECT_EQ(outcome.code, 3) << command << outcome.err;
        const auto error = json::parse(outcome.out, nullptr, false);
        ASSERT_TRUE(error.is_object()) << command << outcome.out;
        EXPECT_EQ(error["schema"], "modelseal-error/1");
        EXPECT_EQ(error["command"], command);
        EXPECT_EQ(error["exit_code"], 3);
        EXPECT_EQ(error["error_code"], "unreadable");
        EXPECT_EQ(error["error"], "none: cannot open: not found");
        EXPECT_EQ(error["hint"], "check the path");
        EXPECT_THAT(outcome.err, HasSubstr("modelseal: none: cannot open: not found"));
        EXPECT_EQ(run(words).out, "") << "nothing without --json";
    }
}

TEST_F(JsonErrors, OfTheCommandLineAreJsonAsWell) {
    for (const auto& [command, words] : std::vector<std::pair<std::string, Words>>{
             {"diff", {"diff", "tiny", "--json"}},
             {"seal", {"seal", "tiny", "--key", "v.key", "--out", "x", "--json"}},
             {"verify", {"verify", "tiny", "--json"}},
             {"check", {"check", "tiny", "--pubb", "v.pub", "--json"}},
             {"customer list", {"customer", "list", "--json"}}}) {
        const auto outcome = run(words);
        EXPECT_EQ(outcome.code, 2) << command;
        const auto error = json::parse(outcome.out, nullptr, false);
        ASSERT_TRUE(error.is_object()) << command << outcome.out;
        EXPECT_EQ(error["command"], command);
        EXPECT_EQ(error["exit_code"], 2);
        EXPECT_EQ(error["error_code"], "usage");
    }
}

TEST_F(JsonErrors, OfChecksAreThoseOfTheirTargets) {
    for (const auto& words :
         std::vector<Words>{{"check", "tiny", "--pub", "none", "--json"},
                            {"check", "none", "--pub", "v.pub", "--json"},
                            {"verify", "tiny", "--signature", "s", "--pub", "none", "--json"},
                            {"verify", "none", "--signature", "s", "--trust", ".", "--json"}}) {
        const auto outcome = run(words);
        EXPECT_EQ(outcome.code, 3) << words[0];
        const auto report = json::parse(outcome.out, nullptr, false);
        ASSERT_TRUE(report.is_object()) << words[0] << outcome.out;
        EXPECT_EQ(report["schema"], "modelseal-check/1");
        EXPECT_EQ(report["target"], words[1]);
        EXPECT_EQ(report["verdict"], "error");
    }
}

}  // namespace
}  // namespace modelseal
