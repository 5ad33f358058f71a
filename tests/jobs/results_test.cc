// Shares and files of results: the same shares everywhere, no result lost or twice, and gaps and contradictions found.
#include "jobs/many/results.h"

#include <cstdlib>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "report/report.h"
#include "tests/support/scratch.h"

namespace modelseal::jobs {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TEST(Share, IsWrittenOrTakenFromTheScheduler) {
    EXPECT_EQ(parse_share("3/8").value(), (Share{3, 8}));
    EXPECT_EQ(parse_share("0/1").value(), (Share{0, 1}));
    for (const char* wrong :
         {"", "8/8", "-1/8", "3", "3/", "/8", "3/0", "a/b", "3/8 ", "0x1/8", "99999999999999999999/8"})
        EXPECT_FALSE(parse_share(wrong).ok()) << wrong;

    const auto with = [](std::vector<std::pair<const char*, const char*>> variables) {
        for (const auto& [name, value] : variables) ::setenv(name, value, 1);
        auto share = parse_share("auto");
        for (const auto& [name, value] : variables) ::unsetenv(name);
        return share;
    };
    EXPECT_EQ(with({{"JOB_COMPLETION_INDEX", "2"}, {"JOB_COMPLETIONS", "5"}}).value(), (Share{2, 5}));
    EXPECT_EQ(
        with({{"SLURM_ARRAY_TASK_ID", "12"}, {"SLURM_ARRAY_TASK_COUNT", "4"}, {"SLURM_ARRAY_TASK_MIN", "10"}})
            .value(),
        (Share{2, 4}));
    EXPECT_EQ(with({{"OMPI_COMM_WORLD_RANK", "0"}, {"OMPI_COMM_WORLD_SIZE", "2"}}).value(), (Share{0, 2}));
    EXPECT_THAT(with({{"JOB_COMPLETION_INDEX", "2"}}).error().message, HasSubstr("JOB_COMPLETIONS is not"));
    EXPECT_FALSE(with({{"OMPI_COMM_WORLD_RANK", "2"}, {"OMPI_COMM_WORLD_SIZE", "2"}}).ok());
    EXPECT_THAT(with({}).error().message, HasSubstr("the environment has no number of a share"));
}

TEST(Share, IsEvenByBytes) {
    const auto shares = shares_of({100, 1, 1, 1, 50, 50, 1, 1}, 2);
    std::array<std::uint64_t, 2> loads{};
    const std::vector<std::uint64_t> bytes = {100, 1, 1, 1, 50, 50, 1, 1};
    for (std::size_t i = 0; i < bytes.size(); ++i) loads[shares[i]] += bytes[i];
    EXPECT_LE(std::max(loads[0], loads[1]) - std::min(loads[0], loads[1]), 1u);
    EXPECT_THAT(shares_of({5, 5, 5}, 3), ElementsAre(0u, 1u, 2u)) << "equal ones in the order of the list";
    EXPECT_THAT(shares_of({7, 7}, 5), ElementsAre(0u, 1u)) << "more shares than targets";
}

TEST(Share, TogetherTheyAreTheList) {
    const test::Scratch scratch;
    std::vector<Target> all;
    for (int i = 0; i < 57; ++i)
        all.push_back(
            {scratch.write(std::to_string(i), std::string(static_cast<std::size_t>(i * i), 'x')).string(), {}});
    all.push_back({(scratch / "gone").string(), {}});
    std::multiset<std::string> found;
    for (std::uint32_t i = 0; i < 8; ++i) {
        for (const auto& target : targets_of({i, 8}, all)) found.insert(target.path);
    }
    EXPECT_EQ(found.size(), all.size());
    EXPECT_EQ(std::set(found.begin(), found.end()).size(), all.size());
}

class ResultsInAFile : public testing::Test {
  protected:
    ResultsInAFile() {
        for (int i = 0; i < 6; ++i) all_.push_back({"m" + std::to_string(i), {}});
    }
    ResultsHead head(Share share = {}, std::size_t of_share = 6) const {
        return head_of(all_, share, of_share, "modelseal 0.1.0", "question");
    }
    static std::string line(const std::string& target, Verdict verdict = Verdict::intact,
                            ExitCode code = ExitCode::done) {
        CheckReport report{.target = target, .verdict = verdict, .exit_code = code};
        if (verdict == Verdict::error) report.error = target + ": cannot be read";
        return report::to_json_line(report);
    }
    void append(ResultsFile& file, const std::string& target) {
        ASSERT_TRUE(file.append(target, line(target)).ok());
    }

    std::vector<Target> all_;
    const test::Scratch scratch_;
    const std::filesystem::path path_ = scratch_ / "r.jsonl";
};

TEST_F(ResultsInAFile, GoOnWhereTheyEnd) {
    {
        auto file = ResultsFile::create(path_, head()).value();
        append(file, "m0");
        append(file, "m1");
    }
    EXPECT_EQ(ResultsFile::create(path_, head()).error().kind, ErrorKind::usage) << "nothing is overwritten";
    // Killed in the middle of a line.
    scratch_.write("r.jsonl", test::content_of(path_) + line("m2").substr(0, 20));
    {
        auto file = ResultsFile::resume(path_, head()).value();
        EXPECT_TRUE(file.has("m0") && file.has("m1") && !file.has("m2"));
        EXPECT_FALSE(ResultsFile::resume(path_, head()).ok()) << "another process has it";
        append(file, "m2");
    }
    auto file = ResultsFile::resume(path_, head()).value();
    EXPECT_EQ(file.count(), 3u);
    EXPECT_THAT(test::content_of(path_), HasSubstr(line("m1") + line("m2")));
}

TEST_F(ResultsInAFile, OfSomethingElseAreNotGoneOnWith) {
    { auto file = ResultsFile::create(path_, head()).value(); }
    EXPECT_THAT(ResultsFile::resume(path_, head({1, 2}, 3)).error().message,
                HasSubstr("another list, another share"));
    auto other = head();
    other.question = "another";
    EXPECT_FALSE(ResultsFile::resume(path_, other).ok());
    for (const char* text : {"hello\n", "hello", "{\"schema\":\"modelseal-results/1\"}\n", "[]\n"}) {
        scratch_.write("other", text);
        EXPECT_FALSE(ResultsFile::resume(scratch_ / "other", head()).ok()) << text;
        EXPECT_EQ(test::content_of(scratch_ / "other"), text) << "not touched";
    }
    // Killed before the head was complete.
    const auto complete = test::content_of(path_);
    scratch_.write("begun", complete.substr(0, 30));
    EXPECT_TRUE(ResultsFile::resume(scratch_ / "begun", head()).ok());
    EXPECT_EQ(test::content_of(scratch_ / "begun"), complete);
    EXPECT_TRUE(ResultsFile::resume(scratch_ / "new", head()).ok()) << "the first run";
}

TEST_F(ResultsInAFile, OfAllSharesMergeToTheSameAsOne) {
    const auto whole = scratch_ / "whole";
    {
        auto file = ResultsFile::create(whole, head()).value();
        for (const auto* target : {"m3", "m0", "m5", "m1", "m2"}) append(file, target);
        ASSERT_TRUE(file.append("m4", line("m4", Verdict::tampered, ExitCode::mismatch)).ok());
    }
    std::vector<std::filesystem::path> parts;
    for (std::uint32_t i = 0; i < 3; ++i) {
        parts.push_back(scratch_ / ("part" + std::to_string(i)));
        auto file = ResultsFile::create(parts.back(), head({i, 3}, 2)).value();
        for (const auto k : {2 * i, 2 * i + 1}) {
            const auto name = "m" + std::to_string(k);
            const bool bad = k == 4;
            ASSERT_TRUE(file.append(name, line(name, bad ? Verdict::tampered : Verdict::intact,
                                               bad ? ExitCode::mismatch : ExitCode::done))
                            .ok());
        }
    }
    const auto one = merge_results({whole}).value(), many = merge_results(parts).value();
    ASSERT_EQ(one.results.size(), 6u);
    ASSERT_EQ(many.results.size(), 6u);
    for (std::size_t i = 0; i < 6; ++i) {
        EXPECT_EQ(one.results[i].target, "m" + std::to_string(i));
        EXPECT_EQ(many.results[i].target, one.results[i].target);
        EXPECT_EQ(many.results[i].verdict, one.results[i].verdict);
    }
    EXPECT_THAT(many.gaps, IsEmpty());
    EXPECT_THAT(many.contradictions, IsEmpty());
    EXPECT_EQ(many.exit_code(), ExitCode::mismatch);
    EXPECT_THAT(merge_results({parts[0], parts[2]}).value().gaps, ElementsAre("share 1/3: no results"));
}

TEST_F(ResultsInAFile, AreReadAgainWhereTheyCount) {
    using std::chrono::seconds;
    const auto begin = [&](std::uint32_t share, int when) {
        auto one = head({share, 2}, 3);
        one.begun = std::chrono::sys_seconds(seconds(when));
        one.keys = {"1a2b"};
        return one;
    };
    const std::vector<std::filesystem::path> files = {scratch_ / "a", scratch_ / "b", scratch_ / "again"};
    {
        auto a = ResultsFile::create(files[0], begin(0, 2000)).value();
        append(a, "m3");
        append(a, "m0");
        auto b = ResultsFile::create(files[1], begin(1, 1000)).value();
        append(b, "m1");
        auto again = ResultsFile::create(files[2], begin(0, 3000)).value();
        append(again, "m3");
        ASSERT_TRUE(again.append("m0", line("m0", Verdict::error, ExitCode::failed)).ok());
    }
    const auto merged = merge_results(files).value();
    EXPECT_EQ(merged.begun, std::chrono::sys_seconds(seconds(1000))) << "the first to begin";
    EXPECT_THAT(merged.keys, ElementsAre("1a2b"));
    EXPECT_EQ(merged.program, "modelseal 0.1.0");
    std::vector<std::string> seen;
    const auto see = [&](const MergedResult& result, const std::string& text) -> Result<void> {
        seen.push_back(result.target + " " + std::to_string(result.file));
        EXPECT_THAT(text, HasSubstr("\"target\":\"" + result.target + "\""));
        EXPECT_THAT(text, HasSubstr("\"verdict\":\"" + result.verdict + "\""));
        return {};
    };
    ASSERT_TRUE(visit_results(files, merged, see).ok());
    EXPECT_THAT(seen, ElementsAre("m3 0", "m1 1", "m0 2"));
    const auto stop = [](const MergedResult&, const std::string&) -> Result<void> {
        return Error{ErrorKind::malformed, "no", {}};
    };
    EXPECT_EQ(visit_results(files, merged, stop).error().message, "no");
    scratch_.write("b", "");
    EXPECT_THAT(visit_results(files, merged, see).error().message, HasSubstr("changed while it was read"));
    // Who goes on begins later, and with the same results.
    EXPECT_TRUE(ResultsFile::resume(files[0], begin(0, 9000)).ok());
}

// A model that grew between the starts of two machines: both have the same one in their share, and nobody the other.
TEST_F(ResultsInAFile, ATargetInNoShareIsAGap) {
    std::vector<std::filesystem::path> parts;
    for (std::uint32_t i = 0; i < 2; ++i) {
        parts.push_back(scratch_ / ("part" + std::to_string(i)));
        auto file = ResultsFile::create(parts.back(), head({i, 2}, 3)).value();
        for (const auto* target : {"m0", "m1", i == 0 ? "m2" : "m3"}) append(file, target);
    }
    const auto merged = merge_results(parts).value();
    EXPECT_THAT(merged.gaps, ElementsAre("2 targets in no share, since sizes differed between the machines"));
    EXPECT_EQ(merged.exit_code(), ExitCode::failed);
}

TEST_F(ResultsInAFile, HeadsThatContradictEachOtherAreRefused) {
    const auto with_head = [&](const char* name, const ResultsHead& head) {
        auto file = ResultsFile::create(scratch_ / name, head).value();
        append(file, "m0");
        return scratch_ / name;
    };
    const auto first = with_head("first", head({0, 2}, 3));
    EXPECT_EQ(merge_results({first, with_head("fewer", head({0, 2}, 1))}).error().kind, ErrorKind::usage);
    auto other = head({1, 2}, 3);
    other.program = "modelseal 0.2.0";
    EXPECT_EQ(merge_results({first, with_head("release", other)}).error().kind, ErrorKind::usage);
}

TEST_F(ResultsInAFile, GapsAndContradictionsAreFound) {
    {
        auto file = ResultsFile::create(path_, head({0, 2}, 3)).value();
        append(file, "m0");
    }
    const auto again = scratch_ / "again";
    {
        auto file = ResultsFile::create(again, head({0, 2}, 3)).value();
        ASSERT_TRUE(file.append("m0", line("m0", Verdict::error, ExitCode::failed)).ok());
        append(file, "m1");
    }
    const auto merged = merge_results({path_, again}).value();
    EXPECT_THAT(merged.gaps, ElementsAre("share 0/2: 1 of 3 results are missing", "share 1/2: no results"));
    EXPECT_THAT(merged.contradictions, ElementsAre("m0: intact, and error"));
    ASSERT_EQ(merged.results.size(), 2u);
    EXPECT_EQ(merged.results[0].verdict, "error") << "the worse one counts";
    EXPECT_EQ(merged.exit_code(), ExitCode::failed);
    { auto file = ResultsFile::create(scratch_ / "other", head_of({{"x", {}}}, {}, 1, "", "")).value(); }
    EXPECT_EQ(merge_results({path_, scratch_ / "other"}).error().kind, ErrorKind::usage);
    scratch_.write("bad", test::content_of(path_) + "{\"target\": 1}\n");
    EXPECT_EQ(merge_results({scratch_ / "bad"}).error().kind, ErrorKind::malformed);
    EXPECT_FALSE(merge_results({scratch_ / "gone"}).ok());
}

}  // namespace
}  // namespace modelseal::jobs
