// A line on standard error that shows how far a long piece of work is, how fast it is, and when it will be done:
//
//     checking 123/1,000 resnet.onnx   42 %   1.3 GB/s   0:12 left
//
// It appears after half a second, and is gone before anything else is printed there.
#pragma once

#include <atomic>
#include <chrono>
#include <string>

#include <modelseal/progress.h>

namespace modelseal::cli {

// What progress is counted in; no speed is shown for steps.
enum class Counted { bytes, steps };

// "checking", "resnet.onnx"; of several pieces of work also which one of how many.
struct Task {
    std::string verb, name;
    std::size_t number = 1, of = 1;
};

// One piece of work, begun when it is made. The line outlives it if another piece follows. Thread-safe.
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

// Removes the line if it is there, before anything else is printed on the terminal. Not while work goes on.
void clear_progress_line();

// The text of the line, of at most `columns`; `total` 0 is unknown. A name that is too long loses its front, and figures
// give way before the verb does.
std::string progress_line(const Task& task, std::uint64_t done, std::uint64_t total, double seconds,
                          Counted counted, std::size_t columns);

}  // namespace modelseal::cli
