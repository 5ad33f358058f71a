#include "io/threads.h"

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <optional>
#include <system_error>
#include <thread>
#include <vector>

#include <sched.h>

namespace modelseal::io {

namespace {

constexpr unsigned kMostJobs = 64;

using Work = std::function<Result<void>(std::size_t, unsigned)>;

// Shared by the threads of one loop.
class Loop {
  public:
    Loop(std::size_t count, const Work& work) : count_(count), work_(work) {}

    // Rounds are handed out in ascending order, so that when one fails all lower ones have begun, and run to
    // their end: the lowest error does not depend on chance.
    void run(unsigned worker) {
        try {
            while (!stop_.load(std::memory_order_relaxed)) {
                const auto index = next_.fetch_add(1, std::memory_order_relaxed);
                if (index >= count_) return;
                if (auto done = work_(index, worker); !done) fail(index, std::move(done).error());
            }
        } catch (...) {
            const std::lock_guard lock(mutex_);
            stop_ = true;
            if (!thrown_) thrown_ = std::current_exception();
        }
    }

    Result<void> result() {
        if (thrown_) std::rethrow_exception(thrown_);
        if (error_) return std::move(*error_);
        return {};
    }

  private:
    void fail(std::size_t index, Error error) {
        const std::lock_guard lock(mutex_);
        stop_ = true;
        if (error_ && failed_at_ < index) return;
        failed_at_ = index;
        error_ = std::move(error);
    }

    const std::size_t count_;
    const Work& work_;
    std::atomic<std::size_t> next_{0};
    std::atomic<bool> stop_{false};
    std::mutex mutex_;
    std::size_t failed_at_ = 0;
    std::optional<Error> error_;
    std::exception_ptr thrown_;
};

}  // namespace

unsigned default_jobs() {
    cpu_set_t allowed;
    CPU_ZERO(&allowed);
    unsigned count = 0;
    if (::sched_getaffinity(0, sizeof allowed, &allowed) == 0)
        count = static_cast<unsigned>(CPU_COUNT(&allowed));
    if (count == 0) count = std::thread::hardware_concurrency();  // more processors than a cpu_set_t holds
    return std::clamp(count, 1u, kMostJobs);
}

Result<void> parallel_for(std::size_t count, unsigned jobs, const Work& work) {
    const auto workers = std::min<std::size_t>(jobs == 0 ? default_jobs() : jobs, count);
    Loop loop(count, work);
    std::vector<std::jthread> threads;
    for (unsigned worker = 1; worker < workers; ++worker) {
        try {
            threads.emplace_back([&loop, worker] { loop.run(worker); });
        } catch (const std::system_error&) {
            break;  // no more threads available: the running ones do all the work
        }
    }
    loop.run(0);
    threads.clear();  // joins
    return loop.result();
}

}  // namespace modelseal::io
