// A line on standard error that says how far a long piece of work is, how fast, and when it will be done:
//
//     sealing resnet.onnx   42 %   1.3 GB/s   0:12 left
//
// It shows itself only after half a second, and leaves no trace when it goes. Thread-safe.
#pragma once

#include <atomic>
#include <chrono>
#include <mutex>
#include <string>

#include "io/progress.h"

namespace modelseal::cli {

// What progress is counted in: of steps no speed is shown.
enum class Counted { bytes, steps };

class ProgressBar final : public io::Progress {
  public:
    ProgressBar(std::string what, Counted counted);
    ~ProgressBar() override;
    ProgressBar(const ProgressBar&) = delete;
    ProgressBar& operator=(const ProgressBar&) = delete;

    void total(std::uint64_t bytes) override { total_ = bytes; }
    void advance(std::uint64_t bytes) override;

  private:
    using Clock = std::chrono::steady_clock;
    std::string what_;
    Counted counted_;
    Clock::time_point start_ = Clock::now();
    std::atomic<std::uint64_t> total_ = 0;
    std::atomic<std::uint64_t> done_ = 0;
    std::atomic<std::int64_t> next_ms_;  // when to draw again, since start_
    std::mutex drawing_;
    bool drawn_ = false;
};

// The text of the line; `total` 0 is unknown.
std::string progress_line(const std::string& what, std::uint64_t done, std::uint64_t total, double seconds,
                          Counted counted = Counted::bytes);

}  // namespace modelseal::cli
