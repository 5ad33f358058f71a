#include "cli/terminal.h"

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include <fmt/format.h>
#include <unistd.h>

namespace modelseal::cli {
namespace {

void complain(const std::string& line) {
    std::fwrite(line.data(), 1, line.size(), stderr);
}

bool set_in_environment(const char* name) {
    const char* value = std::getenv(name);
    return value != nullptr && *value != '\0';
}

bool dumb() {
    const char* term = std::getenv("TERM");
    return term == nullptr || std::strcmp(term, "dumb") == 0;
}

const char* code_of(Paint paint) {
    switch (paint) {
        case Paint::good:
            return "32";
        case Paint::bad:
            return "31";
        case Paint::doubtful:
            return "33";
        case Paint::strong:
            return "1";
        case Paint::faint:
            return "2";
    }
    return "0";
}

}  // namespace

void Terminal::print(std::string_view text) {
    errno = 0;
    bool done = std::fwrite(text.data(), 1, text.size(), stdout) == text.size();
    if (done && !text.ends_with('\n')) done = std::fputc('\n', stdout) != EOF;
    if (!done && lost_ == 0) lost_ = errno != 0 ? errno : EIO;
}

void Terminal::note(std::string_view text) const {
    if (!quiet_) complain(fmt::format("modelseal: {}\n", text));
}

void Terminal::warning(std::string_view text) const {
    if (!quiet_) complain(fmt::format("modelseal: warning: {}\n", text));
}

void Terminal::error(const Error& error) const {
    complain(fmt::format("modelseal: {}\n", error.message));
    if (error.kind == ErrorKind::internal) {
        complain("modelseal: this is a bug in modelseal; please report it with the command that shows it\n");
    }
    if (!error.hint.empty()) complain(fmt::format("modelseal: hint: {}\n", error.hint));
}

bool Terminal::color() const {
    if (color_ != Color::automatic) return color_ == Color::always;
    return ::isatty(STDOUT_FILENO) == 1 && !set_in_environment("NO_COLOR") && !dumb();
}

bool Terminal::shows_progress() const {
    return !quiet_ && ::isatty(STDERR_FILENO) == 1 && !dumb();
}

std::string Terminal::paint(Paint paint, std::string_view text) const {
    return color() ? fmt::format("\x1b[{}m{}\x1b[0m", code_of(paint), text) : std::string(text);
}

Result<void> Terminal::finish() {
    if (std::fflush(stdout) != 0 && lost_ == 0) lost_ = errno;
    if (lost_ == 0 || lost_ == EPIPE) return {};
    return Error{ErrorKind::unreadable,
                 fmt::format("could not write to standard output: {}", std::strerror(lost_)), ""};
}

}  // namespace modelseal::cli
