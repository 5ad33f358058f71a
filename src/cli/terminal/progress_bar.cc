#include "cli/terminal/progress_bar.h"

#include <algorithm>
#include <cstdio>
#include <mutex>
#include <vector>

#include <fmt/format.h>
#include <unistd.h>

#include "cli/terminal/width.h"
#include "report/words.h"
#include "util/text.h"

namespace modelseal::cli {
namespace {

constexpr std::int64_t kFirstMs = 500, kEachMs = 100;

// The terminal has one line for all jobs: with many small files it would flicker, or never appear, if each job had its own.
struct Line {
    using Clock = std::chrono::steady_clock;
    Clock::time_point start = Clock::now();
    std::atomic<std::int64_t> next_ms = kFirstMs;  // when to draw again, since `start`
    std::atomic<bool> drawn = false;
    std::mutex drawing;
};

Line& line() {
    static Line one;
    return one;
}

void write_line(const std::string& text) {
    const std::string complete = "\r\x1b[K" + text;
    std::fwrite(complete.data(), 1, complete.size(), stderr);
    std::fflush(stderr);
}

std::string duration(double seconds) {
    const auto rounded = static_cast<std::uint64_t>(std::clamp(seconds, 0.0, 359999.0));
    return rounded < 3600 ? fmt::format("{}:{:02}", rounded / 60, rounded % 60)
                          : fmt::format("{}:{:02}:{:02}", rounded / 3600, rounded / 60 % 60, rounded % 60);
}

std::vector<std::string> figures(std::uint64_t done, std::uint64_t total, double seconds, Counted counted) {
    const double speed = seconds > 0 ? static_cast<double>(done) / seconds : 0;
    const bool bytes = counted == Counted::bytes;
    const auto speed_text = fmt::format("{:.1f} GB/s", speed / 1e9);
    if (total == 0 && !bytes) return {fmt::format("{}", done)};
    if (total == 0) return {fmt::format("{:.1f} GB", static_cast<double>(done) / 1e9), speed_text};
    const std::uint64_t reached = std::min(done, total);
    const auto percent =
        static_cast<unsigned>(100.0 * static_cast<double>(reached) / static_cast<double>(total));
    std::vector<std::string> out = {fmt::format("{} %", percent)};
    if (bytes) out.push_back(speed_text);
    if (speed > 0) out.push_back(duration(static_cast<double>(total - reached) / speed) + " left");
    return out;
}

// The end of `name` in at most `columns`, cut between characters.
std::string end_of(const std::string& name, std::size_t columns) {
    constexpr std::string_view kCut = "...";
    if (columns_of(name) <= columns) return name;
    if (columns <= kCut.size()) return {};
    auto at = name.size();
    for (auto left = columns - kCut.size(); left > 0; --left) {
        do --at;
        while (at > 0 && (static_cast<unsigned char>(name[at]) & 0xC0) == 0x80);
    }
    return std::string(kCut) + name.substr(at);
}

}  // namespace

std::string progress_line(const Task& task, std::uint64_t done, std::uint64_t total, double seconds,
                          Counted counted, std::size_t columns) {
    constexpr std::size_t kShortName = 16;
    auto head = task.verb;
    if (task.of > 1) head += fmt::format(" {}/{}", report::grouped(task.number), report::grouped(task.of));
    const auto numbers = figures(done, total, seconds, counted);
    const auto name_columns = columns_of(task.name);
    auto shown = numbers.size();
    std::string tail;
    for (;; --shown) {
        tail = shown == 0 ? ""
                          : fmt::format("   {}",
                                        fmt::join(numbers.begin(),
                                                  numbers.begin() + static_cast<std::ptrdiff_t>(shown), "   "));
        const auto wanted = head.size() + 1 + std::min(name_columns, kShortName) + tail.size();
        if (shown <= 1 || wanted <= columns) break;
    }
    const auto used = head.size() + 1 + tail.size();
    const auto name = used < columns ? end_of(task.name, columns - used) : std::string();
    return head + (name.empty() ? "" : " ") + name + tail;
}

ProgressBar::ProgressBar(Task task, Counted counted) : task_(std::move(task)), counted_(counted) {
    task_.name = util::printable(task_.name);
    line();
}

ProgressBar::~ProgressBar() {
    if (task_.number >= task_.of) clear_progress_line();
}

void ProgressBar::advance(std::uint64_t amount) {
    done_ += amount;
    const auto since_start = [](Clock::time_point start) { return Clock::now() - start; };
    const auto now = std::chrono::duration_cast<std::chrono::milliseconds>(since_start(line().start)).count();
    if (now < line().next_ms) return;
    const std::unique_lock lock(line().drawing, std::try_to_lock);
    if (!lock || now < line().next_ms) return;
    line().next_ms = now + kEachMs;
    line().drawn = true;
    const double seconds = std::chrono::duration<double>(since_start(start_)).count();
    const auto columns = terminal_columns(STDERR_FILENO);
    write_line(progress_line(task_, done_, total_, seconds, counted_, (columns == 0 ? 80 : columns) - 1));
}

void clear_progress_line() {
    const std::lock_guard lock(line().drawing);
    if (line().drawn.exchange(false)) write_line("");
}

}  // namespace modelseal::cli
