#include "cli/terminal.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include <fmt/format.h>
#include <unistd.h>

#include "cli/remedies.h"
#include "util/text.h"

namespace modelseal::cli {
namespace {

void complain(std::string_view before, std::string_view text) {
    const auto line = fmt::format("modelseal: {}{}\n", before, util::printable(text));
    std::fwrite(line.data(), 1, line.size(), stderr);
}

// Length of a color code of paint() at the front of `text`, or 0.
std::size_t color_code(std::string_view text) {
    if (!text.starts_with("\x1b[")) return 0;
    const auto end = text.find_first_not_of("0123456789", 2);
    return end != text.npos && end <= 4 && text[end] == 'm' ? end + 1 : 0;
}

enum class Colors { kept, escaped };

// The last line of defense: whoever composed `text` escaped the names in it, but a name that slipped through
// must not reach the terminal either. Line ends and tabs stay, and colors where they were asked for.
std::string defused(std::string_view text, Colors colors) {
    std::string out;
    while (!text.empty()) {
        const auto special = text.find_first_of("\n\t\x1b");
        out += util::printable(text.substr(0, special));
        if (special == text.npos) break;
        text.remove_prefix(special);
        const auto code = colors == Colors::kept ? color_code(text) : 0;
        const auto taken = std::max<std::size_t>(code, 1);
        const bool stays = code != 0 || text[0] != '\x1b';
        out += stays ? std::string(text.substr(0, taken)) : util::printable(text.substr(0, taken));
        text.remove_prefix(taken);
    }
    return out;
}

bool set_in_environment(const char* name) {
    const char* value = std::getenv(name);
    return value != nullptr && *value != '\0';
}

bool dumb() {
    const char* term = std::getenv("TERM");
    return term == nullptr || std::strcmp(term, "dumb") == 0;
}

}  // namespace

void Terminal::print(std::string_view composed) {
    const auto text = defused(composed, color() ? Colors::kept : Colors::escaped);
    errno = 0;
    bool done = std::fwrite(text.data(), 1, text.size(), stdout) == text.size();
    if (done && !text.ends_with('\n')) done = std::fputc('\n', stdout) != EOF;
    if (!done && lost_ == 0) lost_ = errno != 0 ? errno : EIO;
}

void Terminal::note(std::string_view text) const {
    if (!quiet_) complain("", text);
}

void Terminal::warning(std::string_view text) const {
    if (!quiet_) complain("warning: ", text);
}

void Terminal::error(const Error& error) const {
    complain("", error.message);
    if (error.kind == ErrorKind::internal) {
        complain("", "this is a bug in modelseal; please report it with the command that shows it");
    }
    if (const auto hint = hint_of(error); !hint.empty()) complain("hint: ", hint);
}

bool Terminal::color() const {
    if (color_ != Color::automatic) return color_ == Color::always;
    return ::isatty(STDOUT_FILENO) == 1 && !set_in_environment("NO_COLOR") && !dumb();
}

bool Terminal::shows_progress() const {
    return !quiet_ && ::isatty(STDERR_FILENO) == 1 && !dumb();
}

std::string Terminal::paint(Tone tone, std::string_view text) const {
    return report::paint({.color = color()}, tone, text);
}

Result<void> Terminal::finish() {
    if (std::fflush(stdout) != 0 && lost_ == 0) lost_ = errno;
    if (lost_ == 0 || lost_ == EPIPE) return {};
    return Error{ErrorKind::unreadable,
                 fmt::format("could not write to standard output: {}", std::strerror(lost_)), ""};
}

}  // namespace modelseal::cli
