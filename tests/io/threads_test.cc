#include "io/threads.h"

#include <atomic>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace modelseal::io {
namespace {

TEST(ParallelFor, RunsEveryRoundOnce) {
    for (const unsigned jobs : {0u, 1u, 2u, 7u, 100u}) {
        for (const std::size_t count : {0u, 1u, 2u, 1000u}) {
            std::vector<std::atomic<int>> rounds(count);
            std::atomic<bool> worker_too_high = false;
            ASSERT_TRUE(parallel_for(count, jobs, [&](std::size_t index, unsigned worker) -> Result<void> {
                            ++rounds[index];
                            if (worker >= (jobs == 0 ? default_jobs() : jobs)) worker_too_high = true;
                            return {};
                        }).ok());
            for (const auto& round : rounds) EXPECT_EQ(round, 1);
            EXPECT_FALSE(worker_too_high);
        }
    }
}

TEST(ParallelFor, LowestErrorWinsWithAnyNumberOfThreads) {
    for (const unsigned jobs : {1u, 2u, 8u}) {
        for (int repeat = 0; repeat < 50; ++repeat) {
            std::atomic<int> rounds = 0;
            const auto done = parallel_for(10000, jobs, [&](std::size_t index, unsigned) -> Result<void> {
                ++rounds;
                if (index % 10 == 7) return Error{ErrorKind::malformed, std::to_string(index), {}};
                return {};
            });
            EXPECT_EQ(done.error().message, "7");
            EXPECT_LT(rounds, 10000);  // the rest was not begun
        }
    }
}

TEST(ParallelFor, StaysOnTheCallersThreadWhenThereIsNothingToShare) {
    const auto here = std::this_thread::get_id();
    const auto same = [&](std::size_t, unsigned) -> Result<void> {
        if (std::this_thread::get_id() == here) return {};
        return Error{ErrorKind::internal, "another thread", {}};
    };
    EXPECT_TRUE(parallel_for(100, 1, same).ok());
    EXPECT_TRUE(parallel_for(1, 8, same).ok());
}

TEST(ParallelFor, RethrowsExceptions) {
    EXPECT_THROW((void)parallel_for(100, 4,
                                    [](std::size_t index, unsigned) -> Result<void> {
                                        if (index == 50) throw std::runtime_error("own mistake");
                                        return {};
                                    }),
                 std::runtime_error);
}

TEST(DefaultJobs, IsBetweenOneAndSixtyFour) {
    EXPECT_GE(default_jobs(), 1u);
    EXPECT_LE(default_jobs(), 64u);
}

}  // namespace
}  // namespace modelseal::io
