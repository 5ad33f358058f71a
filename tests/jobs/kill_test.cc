// Killed at any moment while sealing: the original and an earlier output are whole, and nothing half-written is
// there.
#include <csignal>
#include <cstdlib>
#include <random>

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/models/small_models.h"
#include "tests/support/scratch.h"

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
        const auto report = check_model(out, {.keys = {&check, 1}});
        ASSERT_EQ(report.verdict, Verdict::intact) << "round " << round;
    }
    EXPECT_GT(killed, 0) << "every run was over before it was killed";
    for (const auto& entry : std::filesystem::directory_iterator(folder.path())) {
        EXPECT_TRUE(entry.path() == model || entry.path() == out ||
                    entry.path().filename().string().starts_with('.'))
            << entry.path();
    }
}

}  // namespace
}  // namespace modelseal
