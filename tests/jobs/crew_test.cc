// Many targets at once: each once, in bounded memory, a large one alone, and an end when asked.
#include "jobs/many/crew.h"

#include <atomic>
#include <set>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "jobs/many/targets.h"
#include "tests/support/models/small_models.h"
#include "tests/support/scratch.h"

namespace modelseal::jobs {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

struct Counting {
    std::atomic<int> running = 0, most = 0, checked = 0;
    std::size_t next = 0, count = 0;
    std::multiset<std::string> taken;

    Crew crew(unsigned threads) {
        return {.jobs = threads,
                .next = [this]() -> std::optional<Target> {
                    if (next == count) return std::nullopt;
                    return Target{"target " + std::to_string(next++), {}};
                },
                .check = [this](const Target& target, unsigned) -> Result<CheckReport> {
                    const int now = ++running;
                    for (int seen = most; seen < now && !most.compare_exchange_weak(seen, now);) {
                    }
                    std::this_thread::yield();
                    --running;
                    ++checked;
                    return CheckReport{.target = target.path};
                },
                .take =
                    [this](const Target& target, Result<CheckReport> report) {
                        EXPECT_EQ(report->target, target.path);
                        taken.insert(target.path);
                        return true;
                    }};
    }
};

TEST(Crew, ChecksEachTargetOnce) {
    for (const unsigned threads : {1u, 2u, 7u}) {
        Counting counting{.count = 500};
        check_all(counting.crew(threads));
        EXPECT_EQ(counting.taken.size(), 500u);
        EXPECT_EQ(std::set(counting.taken.begin(), counting.taken.end()).size(), 500u);
        EXPECT_LE(counting.most, static_cast<int>(threads));
    }
    Counting none;
    check_all(none.crew(3));
    EXPECT_TRUE(none.taken.empty());
}

// What is done waits to be taken, and nothing more is begun.
TEST(Crew, WaitsForASlowTaker) {
    Counting counting{.count = 200};
    auto crew = counting.crew(2);
    int behind = 0;
    const auto take = crew.take;
    crew.take = [&](const Target& target, Result<CheckReport> report) {
        std::this_thread::sleep_for(std::chrono::microseconds(200));
        behind = std::max(behind, counting.checked - static_cast<int>(counting.taken.size()));
        return take(target, std::move(report));
    };
    check_all(crew);
    EXPECT_EQ(counting.taken.size(), 200u);
    EXPECT_LE(behind, 4 * 2 + 2);
}

TEST(Crew, BeginsNothingAfterItWasStopped) {
    Counting counting{.count = 1'000'000};
    auto crew = counting.crew(3);
    crew.take = [&](const Target& target, Result<CheckReport>) {
        counting.taken.insert(target.path);
        return counting.taken.size() < 10;
    };
    check_all(crew);
    EXPECT_GE(counting.taken.size(), 10u);
    EXPECT_LE(counting.checked, 10 + 4 * 3 + 3);
}

TEST(Crew, ALargeModelIsCheckedAloneWithAllThreads) {
    const test::Scratch scratch;
    scratch.write("large", "");
    std::filesystem::resize_file(scratch / "large", std::uintmax_t{65} << 20);
    scratch.write("small", "x");
    std::vector<Target> targets;
    for (int i = 0; i < 40; ++i)
        targets.push_back({(scratch / (i % 10 == 5 ? "large" : "small")).string(), {}});
    std::size_t next = 0;
    std::atomic<int> running = 0;
    std::atomic<bool> wrong = false;
    check_all({.jobs = 4,
               .next = [&]() { return next == targets.size() ? std::nullopt : std::optional(targets[next++]); },
               .check = [&](const Target& target, unsigned threads) -> Result<CheckReport> {
                   const bool large = target.path.ends_with("large");
                   const int others = running++;
                   if (threads != (large ? 4u : 1u) || (large && others != 0)) wrong = true;
                   std::this_thread::sleep_for(std::chrono::milliseconds(1));
                   if (large && running != 1) wrong = true;
                   --running;
                   return CheckReport{};
               },
               .take = [](const Target&, Result<CheckReport>) { return true; }});
    EXPECT_FALSE(wrong);
}

TEST(Crew, AnExceptionIsAnErrorOfItsTarget) {
    Counting counting{.count = 3};
    auto crew = counting.crew(2);
    int errors = 0;
    crew.check = [](const Target&, unsigned) -> Result<CheckReport> {
        throw std::runtime_error("out of luck");
    };
    crew.take = [&](const Target&, const Result<CheckReport>& report) {
        errors += report.ok() ? 0 : 1;
        EXPECT_THAT(report.error().message, HasSubstr("out of luck"));
        return true;
    };
    check_all(crew);
    EXPECT_EQ(errors, 3);
}

std::vector<std::string> listed(const std::string& text, char separator) {
    const test::Scratch scratch;
    auto list = TargetList::open(scratch.write("list", text).string(), separator).value();
    std::vector<std::string> found;
    while (auto target = list.next()) found.push_back(target->path);
    if (const auto complete = list.complete(); !complete.ok())
        found.push_back("error: " + complete.error().message);
    return found;
}

TEST(Targets, AreAListOfLinesOrNulEndedTexts) {
    EXPECT_THAT(listed("a\nb c\r\n\n/d", '\n'), ElementsAre("a", "b c", "/d"));
    EXPECT_THAT(listed(std::string("a\nb\0c\r\0", 7), '\0'), ElementsAre("a\nb", "c\r"));
    EXPECT_THAT(listed("", '\n'), ElementsAre());
    EXPECT_THAT(listed("a\n" + std::string(70'000, 'x') + "\nb", '\n'),
                ElementsAre("a", HasSubstr("a target of more than 65,536 bytes")));
    EXPECT_FALSE(TargetList::open("/nonexistent/list", '\n').ok());
}

TEST(Targets, AreTheModelsBelowAFolder) {
    const test::Scratch scratch;
    const auto model = test::safetensors_file({{"w", "F32", {100}, test::float_weights(100, 1)}});
    scratch.write("b/one.safetensors", model);
    scratch.write("a.safetensors", model);
    scratch.write("README.md", "text");
    scratch.write(".git/x.safetensors", model);
    scratch.write("s/model-00001-of-00001.safetensors", model);
    scratch.write("s/model.safetensors.index.json",
                  R"({"weight_map": {"w": "model-00001-of-00001.safetensors"}})");
    std::filesystem::create_symlink(scratch / "a.safetensors", scratch / "link.safetensors");
    const auto names = [&](bool others) {
        std::vector<std::string> found;
        const auto targets = models_below(scratch.path(), others).value();
        for (const auto& target : targets) {
            EXPECT_EQ(target.path, (scratch / target.name).string());
            found.push_back(target.name);
        }
        return found;
    };
    EXPECT_THAT(names(false),
                ElementsAre("a.safetensors", "b/one.safetensors", "s/model.safetensors.index.json"));
    EXPECT_THAT(names(true), ElementsAre("README.md", "a.safetensors", "b/one.safetensors",
                                         "s/model.safetensors.index.json"));
}

}  // namespace
}  // namespace modelseal::jobs
