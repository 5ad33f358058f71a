// `check --policy`, `policy test`, and many targets, as people run them.
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <sstream>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "io/file.h"
#include "tests/support/models/small_models.h"
#include "tests/support/run.h"
#include "tests/support/scratch.h"
#include <modelseal/keys.h>

namespace modelseal {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

class ManyModels : public testing::Test {
  protected:
    ManyModels() {
        const auto vendor = test::test_key();
        folder_.write("v.pub", public_key_pem(vendor.public_key()));
        folder_.write("policy.toml", R"(version = 1
[[vendor]]
name = "acme"
keys = ["v.pub"]
[[model]]
match = "trial/**"
audit = "warn"
[[model]]
match = "**/*.safetensors"
minimum = { version = "2" }
)");
        const auto plain = test::safetensors_file({{"w", "F32", {60'000}, test::float_weights(60'000, 1)}});
        const auto sealed = test::sealed_bytes(plain, vendor);
        folder_.write("models/good.bin", sealed);
        folder_.write("models/a/plain.bin", plain);
        folder_.write("models/old.safetensors", sealed);
        folder_.write("models/README.md", "text");
    }
    test::Outcome modelseal(const test::Words& words, const std::string& input = {}) const {
        return test::run(test::modelseal(words), {.folder = folder_.path(), .input = input});
    }
    static std::vector<nlohmann::json> lines_of(const std::string& out) {
        std::vector<nlohmann::json> lines;
        std::istringstream in(out);
        for (std::string line; std::getline(in, line);) lines.push_back(nlohmann::json::parse(line));
        std::ranges::sort(lines, {},
                          [](const nlohmann::json& line) { return line["target"].get<std::string>(); });
        return lines;
    }
    const test::Scratch folder_;
};

TEST_F(ManyModels, PolicyTestExplains) {
    const auto old = modelseal({"policy", "test", "policy.toml", "models/old.safetensors"});
    EXPECT_EQ(old.code, 1) << old.err;
    EXPECT_THAT(
        old.out,
        HasSubstr("models/old.safetensors: denied\n  rule '**/*.safetensors' in line 8 of policy.toml\n"));
    EXPECT_THAT(old.out, HasSubstr("minimum.version"));
    const auto tried =
        modelseal({"policy", "test", "policy.toml", "models/a/plain.bin", "--name", "trial/x", "--json"});
    EXPECT_EQ(tried.code, 0) << tried.err;
    const auto document = nlohmann::json::parse(tried.out);
    EXPECT_EQ(document["outcome"], "warn");
    EXPECT_EQ(document["audit"], true);
    EXPECT_EQ(document["rule"]["match"], "trial/**");
    EXPECT_EQ(document["name"], "trial/x");
    folder_.write("bad.toml", "version = 1\n[defaults]\nacton = \"deny\"\n");
    const auto bad = modelseal({"policy", "test", "bad.toml", "models/good.bin"});
    EXPECT_EQ(bad.code, 2);
    EXPECT_THAT(bad.err, HasSubstr("bad.toml:3:1: unknown key 'acton'"));
}

TEST_F(ManyModels, CheckUnderAPolicyNeedsNoOtherKeys) {
    const auto good = modelseal({"check", "models/good.bin", "--policy", "policy.toml"});
    EXPECT_EQ(good.code, 0) << good.err;
    EXPECT_THAT(good.out, HasSubstr("allowed by no rule for 'models/good.bin', so [defaults] of policy.toml"));
    EXPECT_EQ(modelseal({"check", "models/a/plain.bin", "--policy", "policy.toml"}).code, 1);
    const auto both = modelseal({"check", "models/good.bin", "--policy", "policy.toml", "--pub", "v.pub"});
    EXPECT_EQ(both.code, 2);
    EXPECT_THAT(both.err, HasSubstr("--policy"));
    EXPECT_EQ(modelseal({"check", "models/good.bin", "--pub", "v.pub", "--name", "x"}).code, 2);
}

TEST_F(ManyModels, EachModelBelowAFolder) {
    const auto each = modelseal({"check", "models", "--each", "--pub", "v.pub", "--json"});
    EXPECT_EQ(each.code, 4) << each.err;
    const auto lines = lines_of(each.out);
    ASSERT_EQ(lines.size(), 3u);
    EXPECT_EQ(lines[0]["target"], "models/a/plain.bin");
    EXPECT_EQ(lines[0]["verdict"], "unsealed");
    EXPECT_EQ(lines[1]["verdict"], "intact");
    const auto text = modelseal({"check", "models", "--each", "--pub", "v.pub"});
    EXPECT_THAT(text.out, HasSubstr("3 checked: 2 intact, 1 unsealed"));
    // A policy is about every file, by its name in the folder.
    const auto ruled =
        lines_of(modelseal({"check", "models", "--each", "--policy", "policy.toml", "--json"}).out);
    ASSERT_EQ(ruled.size(), 4u);
    EXPECT_EQ(ruled[0]["target"], "models/README.md");
    EXPECT_EQ(ruled[0]["policy"]["outcome"], "deny");
    EXPECT_EQ(ruled[0]["policy"]["name"], "README.md");
    EXPECT_EQ(ruled[3]["policy"]["rule"]["match"], "**/*.safetensors");
}

TEST_F(ManyModels, AListOfTargets) {
    const auto listed = modelseal({"check", "--from", "-", "--pub", "v.pub", "--json"},
                                  "models/good.bin\r\n\nmodels/gone.bin\nmodels/a/plain.bin\n");
    EXPECT_EQ(listed.code, 3) << listed.err;
    const auto lines = lines_of(listed.out);
    ASSERT_EQ(lines.size(), 3u);
    EXPECT_EQ(lines[1]["target"], "models/gone.bin");
    EXPECT_EQ(lines[1]["verdict"], "error");
    EXPECT_EQ(lines[1]["error_code"], "unreadable");
    EXPECT_EQ(modelseal({"check", "--from", "-", "-0", "--pub", "v.pub"},
                        std::string("models/good.bin\0models/old.safetensors", 38))
                  .code,
              0);
    const auto none = modelseal({"check", "--from", "-", "--pub", "v.pub"}, "");
    EXPECT_EQ(none.code, 4);
    EXPECT_THAT(none.out, HasSubstr("nothing to check"));
    EXPECT_EQ(modelseal({"check", "--from", "gone.txt", "--pub", "v.pub"}).code, 3);
    EXPECT_EQ(modelseal({"check", "models/good.bin", "--from", "-", "--pub", "v.pub"}).code, 2);
    EXPECT_EQ(modelseal({"check", "models/good.bin", "-0", "--pub", "v.pub"}).code, 2);
}

TEST_F(ManyModels, ThePageOfMergedResultsIsThatOfOneRun) {
    folder_.write("list", "models/old.safetensors\nmodels/good.bin\nmodels/gone.bin\nmodels/a/plain.bin\n");
    const auto check = [&](const test::Words& more) {
        test::Words words = {"check", "--from", "list", "--policy", "policy.toml", "--quiet"};
        words.insert(words.end(), more.begin(), more.end());
        return modelseal(words).code;
    };
    const auto page = [&](const char* name) {
        auto text = test::content_of(folder_ / name);
        // Times differ, and only one run knows how long it took.
        for (const auto* fact : {"<div><dt>Date</dt>", "<div><dt>Duration</dt>"}) {
            const auto at = text.find(fact);
            if (at != text.npos) text.erase(at, text.find("</div>\n", at) + 7 - at);
        }
        return text;
    };
    EXPECT_EQ(check({"--html", "one.html"}), 1);
    EXPECT_EQ(check({"--shard", "0/2", "--results", "r0"}) + check({"--shard", "1/2", "--results", "r1"}),
              1 + 3);
    const auto merged = modelseal({"report", "merge", "r0", "r1", "--html", "merged.html"});
    EXPECT_EQ(merged.code, 1) << merged.err;
    EXPECT_EQ(page("merged.html"), page("one.html"));
    EXPECT_THAT(page("one.html"), HasSubstr("3 of 4 targets do not pass"));
    EXPECT_THAT(test::content_of(folder_ / "merged.html"), HasSubstr("<dt>Date</dt>"));

    const auto gap = modelseal({"report", "merge", "r1", "--html", "merged.html"});
    EXPECT_EQ(gap.code, modelseal({"report", "merge", "r1"}).code);
    EXPECT_THAT(page("merged.html"), HasSubstr("gap: share 0/2: no results"));
    EXPECT_EQ(modelseal({"report", "merge", "r0", "r1", "--html", "r1"}).code, 2) << "an input";
    EXPECT_EQ(modelseal({"report", "merge", "r0", "r1", "--html", "list"}).code, 2) << "not a page";
    folder_.write("bad",
                  test::content_of(folder_ / "r0").substr(0, test::content_of(folder_ / "r0").find('\n') + 1) +
                      "{\"target\":\"m\",\"verdict\":\"intact\",\"exit_code\":0,\"checks\":[{}]}\n");
    EXPECT_EQ(modelseal({"report", "merge", "bad"}).code, 3) << "gaps";
    const auto bad = modelseal({"report", "merge", "bad", "--html", "bad.html"});
    EXPECT_EQ(bad.code, 3);
    EXPECT_THAT(bad.err, HasSubstr("bad:2: is not the result of a check: 'kind'"));
    EXPECT_FALSE(std::filesystem::exists(folder_ / "bad.html"));
}

TEST_F(ManyModels, DocumentsStateWhyNothingCouldBeChecked) {
    const auto one = modelseal({"check", "models/good.bin", "--pub", "gone.pub", "--json"});
    EXPECT_EQ(one.code, 3);
    const auto document = nlohmann::json::parse(one.out);
    EXPECT_EQ(document["target"], "models/good.bin");
    EXPECT_EQ(document["verdict"], "error");
    EXPECT_EQ(document["exit_code"], 3);
    EXPECT_EQ(document["error_code"], "unreadable");
    EXPECT_THAT(document["error"].get<std::string>(), HasSubstr("gone.pub"));
    EXPECT_THAT(one.err, HasSubstr("gone.pub"));
    const auto two = modelseal({"check", "a", "b", "--pub", "gone.pub", "--json"});
    EXPECT_EQ(nlohmann::json::parse(two.out).size(), 2u);
    const auto many = modelseal({"check", "--from", "gone.txt", "--pub", "v.pub", "--json"});
    EXPECT_EQ(many.code, 3);
    ASSERT_EQ(lines_of(many.out).size(), 1u);
    EXPECT_EQ(lines_of(many.out)[0]["target"], "gone.txt");
    const auto sarif =
        nlohmann::json::parse(modelseal({"check", "models/good.bin", "--pub", "gone.pub", "--sarif"}).out);
    EXPECT_EQ(sarif["runs"][0]["results"][0]["ruleId"], "target-unreadable");
    EXPECT_EQ(sarif["runs"][0]["invocations"][0]["exitCode"], 3);
    EXPECT_THAT(modelseal({"check", "models/good.bin", "--pub", "gone.pub", "--junit"}).out,
                HasSubstr("errors=\"1\""));
    EXPECT_EQ(modelseal({"check", "models/good.bin", "--pub", "gone.pub"}).out, "");
}

TEST_F(ManyModels, AHookAnswersEachUpload) {
    const auto paths =
        modelseal({"hook", "exec", "--policy", "policy.toml", "models/good.bin", "models/a/plain.bin"});
    EXPECT_EQ(paths.code, 1) << paths.err;
    auto lines = lines_of(paths.out);
    ASSERT_EQ(lines.size(), 2u);
    EXPECT_EQ(lines[0]["policy"]["outcome"], "deny");
    EXPECT_EQ(lines[1]["policy"]["outcome"], "allow");
    // By name, for uploads that lie under another one; a line that is neither is answered as well.
    const auto stream =
        modelseal({"hook", "exec", "--policy", "policy.toml", "--stream"},
                  "{\"path\": \"models/a/plain.bin\", \"name\": \"trial/x\"}\nmodels/good.bin\n{\"x\": 1}\n");
    EXPECT_EQ(stream.code, 3) << stream.out;
    lines = lines_of(stream.out);
    ASSERT_EQ(lines.size(), 3u);
    EXPECT_EQ(lines[0]["policy"]["outcome"], "warn");
    EXPECT_EQ(lines[0]["policy"]["name"], "trial/x");
    EXPECT_EQ(lines[1]["policy"]["outcome"], "allow");
    EXPECT_EQ(lines[2]["target"], "{\"x\": 1}");
    EXPECT_EQ(lines[2]["exit_code"], 3);
    const auto variable =
        test::run(test::modelseal({"hook", "exec", "models/good.bin"}),
                  {.folder = folder_.path(), .variables = {{"MODELSEAL_POLICY", "policy.toml"}}});
    EXPECT_EQ(variable.code, 0) << variable.err;
    EXPECT_EQ(modelseal({"hook", "exec", "models/good.bin"}).code, 2) << "no policy";
    EXPECT_EQ(modelseal({"hook", "exec", "--policy", "policy.toml"}).code, 2);
    EXPECT_EQ(modelseal({"hook", "exec", "--policy", "policy.toml", "--stream"}, "").code, 0);
}

TEST_F(ManyModels, ReportsForCiSystems) {
    const auto junit =
        modelseal({"check", "models", "--each", "--pub", "v.pub", "--junit", "--summary", "notes.md"});
    EXPECT_EQ(junit.code, 4) << junit.err;
    EXPECT_THAT(junit.out, HasSubstr("tests=\"3\" failures=\"1\" errors=\"0\""));
    if (test::installed("python3")) {
        const auto parsed = test::run({"python3", "-c",
                                       "import sys, xml.dom.minidom as d; "
                                       "print(len(d.parse(sys.stdin).getElementsByTagName('testcase')))"},
                                      {.input = junit.out});
        EXPECT_EQ(parsed.out, "3\n") << parsed.err;
    }
    // A summary is added to what is there, and to nothing but text.
    EXPECT_EQ(modelseal({"check", "models/good.bin", "--pub", "v.pub", "--summary", "notes.md"}).code, 0);
    const auto notes = test::content_of(folder_ / "notes.md");
    EXPECT_THAT(notes, HasSubstr("### Model check: 3 targets"));
    EXPECT_THAT(notes, HasSubstr("### Model check: 1 target\n"));
    folder_.write("data.json", "{}");
    for (const char* other : {"data.json", "models/good.bin", "v.pub", "models/a/plain.bin"})
        EXPECT_EQ(modelseal({"check", "models/good.bin", "--pub", "v.pub", "--summary", other}).code, 2)
            << other;
}

TEST_F(ManyModels, FailFastBeginsNothingMore) {
    std::string list = "models/a/plain.bin\n";
    for (int i = 0; i < 500; ++i) list += "models/good.bin\n";
    const auto outcome =
        modelseal({"check", "--from", "-", "--fail-fast", "--pub", "v.pub", "--json", "--jobs", "1"}, list);
    EXPECT_EQ(outcome.code, 4);
    EXPECT_LT(lines_of(outcome.out).size(), 20u);
    EXPECT_EQ(modelseal({"check", "models/a/plain.bin", "models/good.bin", "--fail-fast", "--pub", "v.pub"})
                  .out.find("good"),
              std::string::npos);
}

TEST_F(ManyModels, SharesWithResultsMergeToOneSummary) {
    std::string list;
    for (const char* name : {"good.bin", "a/plain.bin", "old.safetensors", "README.md"})
        list += "models/" + std::string(name) + "\n";
    const auto share = [&](const std::string& of, const std::string& results, const test::Words& more = {}) {
        test::Words words = {"check",     "--from", "-",        "--shard",    of,
                             "--results", results,  "--policy", "policy.toml"};
        words.insert(words.end(), more.begin(), more.end());
        return modelseal(words, list);
    };
    EXPECT_EQ(share("0/1", "one.jsonl").code, 1);
    share("0/2", "a.jsonl");
    share("1/2", "b.jsonl");
    EXPECT_EQ(share("0/2", "a.jsonl").code, 2) << "there are results already";
    const auto again = share("0/2", "a.jsonl", {"--resume"});
    EXPECT_EQ(again.code, 0) << again.err;
    EXPECT_THAT(again.out, HasSubstr("had results before"));
    const auto one = modelseal({"report", "merge", "one.jsonl", "--json"});
    const auto two = modelseal({"report", "merge", "b.jsonl", "a.jsonl", "--json"});
    EXPECT_EQ(one.code, 1);
    EXPECT_EQ(one.out, two.out);
    const auto document = nlohmann::json::parse(one.out);
    EXPECT_EQ(document["targets"], 4);
    EXPECT_EQ(document["checked"], 4);
    EXPECT_EQ(document["policy"]["deny"], 3);
    EXPECT_EQ(document["not_passed"].size(), 3u);
    const auto gap = modelseal({"report", "merge", "a.jsonl"});
    EXPECT_THAT(gap.out, HasSubstr("gap: share 1/2: no results"));
    EXPECT_NE(gap.code, 0);
    EXPECT_EQ(modelseal({"check", "models/good.bin", "--pub", "v.pub", "--shard", "0/2"}).code, 2);
    EXPECT_EQ(share("2/2", "c.jsonl").code, 2);
}

// Under the same path there may be others next time.
TEST_F(ManyModels, ResultsAreOfTheContentsOfFilesThatOptionsName) {
    const auto check = [&](const test::Words& more = {}) {
        test::Words words = {"check",        "models", "--each",    "--pub",  "v.pub",
                             "--cert-chain", "ca.pem", "--results", "r.jsonl"};
        words.insert(words.end(), more.begin(), more.end());
        return modelseal(words);
    };
    folder_.write("ca.pem", "of one authority");
    check();
    EXPECT_THAT(check({"--resume"}).out, HasSubstr("had results before"));
    folder_.write("ca.pem", "of another");
    const auto other = check({"--resume"});
    EXPECT_EQ(other.code, 2);
    EXPECT_THAT(other.err, HasSubstr("r.jsonl"));
}

TEST_F(ManyModels, ACacheAnswersForWhatNobodyTouched) {
    const auto model = io::FileSource::open(folder_ / "models/good.bin", "good.bin").value();
    if (!io::changes_show(model->descriptor(), std::numeric_limits<std::int64_t>::max()))
        GTEST_SKIP() << "the file system of " << folder_.path() << " does not show every change";
    const auto check = [&](const test::Words& more = {}) {
        test::Words words = {"check", "models", "--each", "--cache", "kept", "--pub", "v.pub"};
        words.insert(words.end(), more.begin(), more.end());
        return modelseal(words);
    };
    const auto first = check({"--json"});
    EXPECT_EQ(first.code, 4) << first.err;
    std::this_thread::sleep_for(std::chrono::milliseconds(2'200));  // what changed just now is not kept
    EXPECT_THAT(check().out, Not(HasSubstr("cache")));
    const auto again = check();
    EXPECT_EQ(again.code, 4);
    EXPECT_THAT(again.out, HasSubstr("good.bin: intact"));
    EXPECT_THAT(again.out, HasSubstr("(from the cache)"));
    EXPECT_THAT(again.out, HasSubstr("2 of them known from the cache"));
    for (auto line : lines_of(check({"--json"}).out)) {
        EXPECT_EQ(line.value("cached", false), line["verdict"] == "intact") << line;
        EXPECT_TRUE(line["verdict"] == "intact" || line["verdict"] == "unsealed");
    }
    EXPECT_THAT(check({"--expect", "name=small"}).out, Not(HasSubstr("cache"))) << "another question";
    EXPECT_EQ(modelseal({"check", "models", "--each", "--cache", "kept", "--policy", "policy.toml"}).code, 2);
    // Touched: checked again, and found out.
    auto content = test::content_of(folder_ / "models/good.bin");
    content[content.size() / 2] = static_cast<char>(content[content.size() / 2] ^ 1);
    folder_.write("models/good.bin", content);
    const auto after = check();
    EXPECT_EQ(after.code, 1);
    EXPECT_THAT(after.out, HasSubstr("good.bin: tampered"));
    EXPECT_EQ(modelseal({"check", "models/good.bin", "--cache", "kept", "--pub", "v.pub"}).code, 2);
    folder_.write("notes", "of mine");
    const auto other = modelseal({"check", "models", "--each", "--cache", "notes", "--pub", "v.pub"});
    EXPECT_EQ(other.code, 3);
    EXPECT_THAT(other.err, HasSubstr("notes: is damaged, or not a cache of checks"));
}

TEST_F(ManyModels, AFolderOfKeysIsTrusted) {
    for (unsigned i = 2; i < 12; ++i)
        folder_.write("trusted/" + std::to_string(i) + ".pub", public_key_pem(test::test_key(i).public_key()));
    folder_.write("trusted/acme.pub", public_key_pem(test::test_key().public_key()));
    folder_.write("trusted/.gitkeep", "");
    folder_.write("trusted/archive/old.txt", "a folder is not looked into");
    const auto check = [&](const std::string& target, const test::Words& more = {}) {
        test::Words words = {"check", target, "--trust", "trusted"};
        words.insert(words.end(), more.begin(), more.end());
        return modelseal(words);
    };
    const auto good = check("models/good.bin");
    EXPECT_EQ(good.code, 0) << good.err;
    EXPECT_THAT(good.out, HasSubstr(to_hex(test::test_key().public_key().id())));
    EXPECT_EQ(check("models/a/plain.bin").code, 4);
    std::filesystem::remove(folder_ / "trusted/acme.pub");
    EXPECT_EQ(check("models/good.bin").code, 4) << "under none of them";
    EXPECT_EQ(check("models/good.bin", {"--pub", "v.pub"}).code, 0) << "both are trusted";
    folder_.write("trusted/notes.txt", "not a key");
    const auto bad = check("models/good.bin");
    EXPECT_EQ(bad.code, 3);
    EXPECT_THAT(bad.err, HasSubstr("trusted/notes.txt"));
    EXPECT_EQ(modelseal({"check", "models/good.bin", "--trust", "models/a/../../nothing"}).code, 3);
    folder_.write("empty/.keep", "");
    EXPECT_THAT(modelseal({"check", "models/good.bin", "--trust", "empty"}).err,
                HasSubstr("empty: no public key in it that serves seals"));
}

}  // namespace
}  // namespace modelseal
