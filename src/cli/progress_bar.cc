#include "cli/progress_bar.h"

#include <algorithm>
#include <cstdio>

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "util/text.h"

namespace modelseal::cli {
namespace {

constexpr std::int64_t kFirstMs = 500, kEachMs = 100;

std::size_t columns() {
    winsize size{};
    return ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

void write_line(const std::string& text) {
    const std::string whole = "\r\x1b[K" + text;
    std::fwrite(whole.data(), 1, whole.size(), stderr);
    std::fflush(stderr);
}

std::string duration(double seconds) {
    const auto whole = static_cast<std::uint64_t>(std::clamp(seconds, 0.0, 359999.0));
    return whole < 3600 ? fmt::format("{}:{:02}", whole / 60, whole % 60)
                        : fmt::format("{}:{:02}:{:02}", whole / 3600, whole / 60 % 60, whole % 60);
}

}  // namespace

std::string progress_line(const std::string& what, std::uint64_t done, std::uint64_t total, double seconds,
                          Counted counted) {
    const double speed = seconds > 0 ? static_cast<double>(done) / seconds : 0;
    const bool bytes = counted == Counted::bytes;
    if (total == 0 && !bytes) return fmt::format("{}   {}", what, done);
    if (total == 0) {
        return fmt::format("{}   {:.1f} GB   {:.1f} GB/s", what, static_cast<double>(done) / 1e9, speed / 1e9);
    }
    const std::uint64_t reached = std::min(done, total);
    const auto percent =
        static_cast<unsigned>(100.0 * static_cast<double>(reached) / static_cast<double>(total));
    std::string line = fmt::format("{}   {} %", what, percent);
    if (bytes) line += fmt::format("   {:.1f} GB/s", speed / 1e9);
    if (speed > 0) line += fmt::format("   {} left", duration(static_cast<double>(total - reached) / speed));
    return line;
}

ProgressBar::ProgressBar(std::string what, Counted counted)
    : what_(util::printable(what)), counted_(counted), next_ms_(kFirstMs) {}

ProgressBar::~ProgressBar() {
    if (drawn_) write_line("");
}

void ProgressBar::advance(std::uint64_t bytes) {
    done_ += bytes;
    const auto elapsed = Clock::now() - start_;
    const std::int64_t now = std::chrono::duration_cast<std::chrono::milliseconds>(elapsed).count();
    if (now < next_ms_) return;
    const std::unique_lock lock(drawing_, std::try_to_lock);
    if (!lock || now < next_ms_) return;
    next_ms_ = now + kEachMs;
    drawn_ = true;
    std::string line =
        progress_line(what_, done_, total_, std::chrono::duration<double>(elapsed).count(), counted_);
    const std::size_t room = columns() - 1;
    if (line.size() > room) line = line.substr(line.size() - room);  // the figures stand at the end
    write_line(line);
}

}  // namespace modelseal::cli
