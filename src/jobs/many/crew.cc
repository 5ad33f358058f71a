#include "jobs/many/crew.h"

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "io/extent.h"
#include "io/threads.h"
#include "oracle/endpoint.h"
#include "util/text.h"

namespace modelseal::jobs {
namespace {

constexpr std::uint64_t kLarge = 64u << 20;  // bytes, from which more threads than one are worth it

// Of a file, or of the files in a folder, as far as it takes to know that it is large.
bool is_large(const std::string& path) {
    constexpr std::uint64_t kMostLookedAt = 10'000;
    if (oracle::is_endpoint(path)) return false;
    const auto extent = io::extent_of(path, kLarge, kMostLookedAt);
    return extent.bytes >= kLarge || extent.entries >= kMostLookedAt;
}

class Work {
  public:
    explicit Work(const Crew& crew)
        : crew_(crew), threads_(crew.jobs == 0 ? io::default_jobs() : crew.jobs), free_(threads_) {}

    void run() {
        std::vector<std::jthread> workers;
        try {
            while (workers.size() < threads_) {
                count_worker(1);
                workers.emplace_back([this] { work(); });
            }
        } catch (const std::system_error&) {
            count_worker(-1);  // the system has no more threads: those that there are do it, or this one
        }
        if (workers.empty()) return alone();
        take_all();
    }

  private:
    struct Done {
        Target target;
        Result<CheckReport> report;
    };

    void alone() {
        while (auto target = next()) {
            auto report = checked(*target, 1);
            if (!crew_.take(*target, std::move(report))) return;
        }
    }

    void work() {
        while (true) {
            std::optional<Target> target;
            unsigned taken = 0;
            {
                // Whoever has the turn waits for the threads that the target takes, so that a large one is not passed by.
                const std::scoped_lock turn(turn_);
                target = next();
                if (target) taken = acquire(is_large(target->path) ? threads_ : 1);
            }
            if (!target || taken == 0) break;
            auto report = checked(*target, taken);
            finish({std::move(*target), std::move(report)}, taken);
        }
        count_worker(-1);
    }

    void count_worker(int change) {
        const std::scoped_lock lock(mutex_);
        running_ += change;
        changed_.notify_all();
    }

    std::optional<Target> next() {
        {
            const std::scoped_lock lock(mutex_);
            if (stopped_) return std::nullopt;
        }
        return crew_.next();
    }

    // Waits for `wanted` threads; 0 if the work was stopped meanwhile.
    unsigned acquire(unsigned wanted) {
        std::unique_lock lock(mutex_);
        changed_.wait(
            lock, [&] { return stopped_ || (free_ >= wanted && done_.size() < std::size_t{4} * threads_); });
        if (stopped_) return 0;
        free_ -= wanted;
        return wanted;
    }

    Result<CheckReport> checked(const Target& target, unsigned threads) const {
        try {
            return crew_.check(target, threads);
        } catch (const std::exception& error) {
            return Error{
                ErrorKind::internal, util::printable(target.path) + ": " + util::printable(error.what()), {}};
        }
    }

    void finish(Done done, unsigned taken) {
        const std::scoped_lock lock(mutex_);
        done_.push_back(std::move(done));
        free_ += taken;
        changed_.notify_all();
    }

    void take_all() {
        std::unique_lock lock(mutex_);
        while (true) {
            changed_.wait(lock, [&] { return !done_.empty() || running_ == 0; });
            if (done_.empty()) return;
            auto done = std::move(done_.front());
            done_.pop_front();
            lock.unlock();
            const bool goes_on = crew_.take(done.target, std::move(done.report));
            lock.lock();
            stopped_ = stopped_ || !goes_on;
            changed_.notify_all();
        }
    }

    const Crew& crew_;
    const unsigned threads_;
    std::mutex turn_;   // to ask for the next target
    std::mutex mutex_;  // for all below
    std::condition_variable changed_;
    unsigned free_;
    int running_ = 0;
    bool stopped_ = false;
    std::deque<Done> done_;
};

}  // namespace

void check_all(const Crew& crew) {
    Work(crew).run();
}

}  // namespace modelseal::jobs
