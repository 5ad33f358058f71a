// A line on standard error with the progress of a long job, its speed, and the time left:
//
//     checking 123/1,000 resnet.onnx   42 %   1.3 GB/s   0:12 left
//
// It appears after half a second, and is removed before anything else is printed there.
#pragma once

#include <atomic>
#include <chrono>
#include <string>

#include <modelseal/progress.h>

namespace modelseal::cli {

// What progress is counted in; no speed is shown for steps.
enum class Counted { bytes, steps };

// "checking", "resnet.onnx"; if there are several jobs, also the number of this one and how many there are.
struct Task {
    std::string verb, name;
    std::size_t number = 1, of = 1;
};

// One job, which begins when the object is made. The line stays if another job follows. Thread-safe.
class ProgressBar final : public Progress {
  public:
    ProgressBar(Task task, Counted counted);
    ~ProgressBar() override;
    ProgressBar(const ProgressBar&) = delete;
    ProgressBar& operator=(const ProgressBar&) = delete;

    void total(std::uint64_t amount) override { total_ = amount; }
    void advance(std::uint64_t amount) override;

  private:
    using Clock = std::chrono::steady_clock;
    Task task_;
    Counted counted_;
    Clock::time_point start_ = Clock::now();
    std::atomic<std::uint64_t> total_ = 0;
    std::atomic<std::uint64_t> done_ = 0;
};

// Removes the line, if there is one; called before anything else is printed on the terminal. From any thread.
void clear_progress_line();

// The text of the line, of at most `columns`; `total` is 0 if unknown. A name that is too long is cut at its front. If
// there is still no room, figures are left out before the verb is.
std::string progress_line(const Task& task, std::uint64_t done, std::uint64_t total, double seconds,
                          Counted counted, std::size_t columns);

}  // namespace modelseal::cli
