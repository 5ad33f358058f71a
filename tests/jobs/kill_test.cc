// Killed at any moment while sealing: the original and an earlier output are complete, and nothing half-written
// is there.
#include <atomic>
#include <csignal>
#include <cstdlib>
#include <random>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/models/small_models.h"
#include "tests/support/scratch.h"
#include <modelseal/check.h>
#include <modelseal/progress.h>

namespace modelseal {
namespace {

// MODELSEAL_KILLS=200 for the long run.
int rounds() {
    const char* given = std::getenv("MODELSEAL_KILLS");
    return given != nullptr ? std::atoi(given) : 25;
}

pid_t start_sealing(const std::filesystem::path& model, const std::filesystem::path& out, const CheckKey& check,
                    const SigningKey& key) {
    const auto child = ::fork();
    if (child != 0) return child;
    const auto done =
        seal_model(model, out, {.key = key, .check = check, .stamp = {{"version", "2"}}, .jobs = 2});
    ::_exit(done.ok() ? 0 : 1);
}

TEST(Seal, KilledAtAnyMomentLeavesOriginalAndEarlierOutputComplete) {
    const test::Scratch folder;
    const auto key = test::test_key();
    const auto check = public_check_key(key.public_key());
    const auto original = test::safetensors_file({{"w", "F32", {1024, 1024}, test::float_weights(1 << 20, 1)}});
    const auto model = folder.write("model", original);
    const auto out = folder / "out";
    ASSERT_TRUE(seal_model(model, out, {.key = key, .check = check, .stamp = {{"version", "1"}}}).ok());

    std::mt19937 generator(std::random_device{}());
    int killed = 0;
    for (int round = 0; round < rounds(); ++round) {
        const auto child = start_sealing(model, out, check, key);
        ASSERT_GT(child, 0);
        ::usleep(static_cast<useconds_t>(generator() % 60'000));
        ::kill(child, SIGKILL);
        int status = 0;
        ::waitpid(child, &status, 0);
        killed += WIFSIGNALED(status);
        ASSERT_EQ(test::content_of(model), original) << "round " << round;
        const auto report = check_model(out, {.seal = SealCheck{.keys = {check}}}).value();
        ASSERT_EQ(report.verdict, Verdict::intact) << "round " << round;
    }
    EXPECT_GT(killed, 0) << "every run was over before it was killed";
    for (const auto& entry : std::filesystem::directory_iterator(folder.path())) {
        EXPECT_TRUE(entry.path() == model || entry.path() == out ||
                    entry.path().filename().string().starts_with('.'))
            << entry.path();
    }
}

// Asked to stop once so many bytes are done.
class StopAfter final : public Progress {
  public:
    explicit StopAfter(std::uint64_t bytes) : left_(static_cast<std::int64_t>(bytes)) {}
    void total(std::uint64_t) override {}
    void advance(std::uint64_t bytes) override {
        if ((left_ -= static_cast<std::int64_t>(bytes)) <= 0) ::raise(SIGTERM);
    }

  private:
    std::atomic<std::int64_t> left_;
};

TEST(Seal, OfAFolderThatIsStoppedLeavesNothing) {
    const test::Scratch scratch;
    const int probe = ::open(scratch.path().c_str(), O_TMPFILE | O_RDWR, 0600);
    if (probe < 0) GTEST_SKIP() << "this file system has no O_TMPFILE";
    ::close(probe);
    const auto key = test::test_key();
    const auto bytes = test::safetensors_file({{"w", "F32", {256, 1024}, test::float_weights(1 << 18, 1)}});
    scratch.write("net/model.safetensors", bytes);
    for (std::uint64_t done = 0; done <= bytes.size(); done += bytes.size() / 8) {
        const auto child = ::fork();
        if (child == 0) {
            StopAfter stop(done);
            const auto check = public_check_key(key.public_key());
            const auto sealed = seal_model(scratch / "net", scratch / "out",
                                           {.key = key, .check = check, .jobs = 1, .progress = &stop});
            ::_exit(sealed.ok() ? 0 : 1);
        }
        int status = 0;
        ::waitpid(child, &status, 0);
        ASSERT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM) << done;
        std::vector<std::string> left;
        for (const auto& entry : std::filesystem::directory_iterator(scratch.path())) {
            left.push_back(entry.path().filename());
        }
        ASSERT_THAT(left, testing::ElementsAre("net")) << "after " << done << " bytes";
    }
}

}  // namespace
}  // namespace modelseal
