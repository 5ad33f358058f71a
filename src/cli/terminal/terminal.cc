#include "cli/terminal/terminal.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include <fmt/format.h>
#include <unistd.h>

#include "cli/options/remedies.h"
#include "cli/terminal/progress_bar.h"
#include "cli/terminal/width.h"
#include "util/text.h"

namespace modelseal::cli {
namespace {

// Length of a color code of paint() at the front of `text`, or 0.
std::size_t color_code(std::string_view text) {
    if (!text.starts_with("\x1b[")) return 0;
    const auto end = text.find_first_not_of("0123456789", 2);
    return end != text.npos && end <= 4 && text[end] == 'm' ? end + 1 : 0;
}

enum class Colors { kept, escaped };

// Callers escape names themselves. This escapes once more what they forgot. Line ends, tabs and the colors of paint() stay.
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

bool is_dumb() {
    const char* term = std::getenv("TERM");
    return term == nullptr || *term == '\0' || std::strcmp(term, "dumb") == 0;
}

bool takes_color(Color color, int descriptor) {
    if (color != Color::automatic) return color == Color::always;
    return ::isatty(descriptor) == 1 && !set_in_environment("NO_COLOR") && !is_dumb();
}

std::string painted(Tone tone, std::string_view text) {
    return report::paint({.color = true}, tone, text);
}

// For a terminal of known width; anything else gets the lines as they are.
std::string fitted(const std::string& text, int descriptor) {
    const auto columns = terminal_columns(descriptor);
    return columns == 0 ? text : wrapped(text, columns);
}

}  // namespace

void Terminal::print(std::string_view text) {
    print_data(fitted(defused(text, color() ? Colors::kept : Colors::escaped), STDOUT_FILENO));
}

void Terminal::print_data(std::string_view composed) {
    printed_ = true;
    if (::isatty(STDOUT_FILENO) == 1) clear_progress_line();
    const auto text = defused(composed, color() ? Colors::kept : Colors::escaped);
    errno = 0;
    bool done = std::fwrite(text.data(), 1, text.size(), stdout) == text.size();
    if (done && !text.ends_with('\n')) done = std::fputc('\n', stdout) != EOF;
    if (!done && lost_ == 0) lost_ = errno != 0 ? errno : EIO;
}

void Terminal::print_usage(std::string_view composed) {
    const auto text = defused(composed, Colors::escaped);
    std::fwrite(text.data(), 1, text.size(), stderr);
}

// `kind` is empty or ends in ": ".
void Terminal::complain(std::string_view kind, Tone tone, std::string_view text) {
    flush();
    write_message(kind, tone, text);
}

void Terminal::write_message(std::string_view kind, Tone tone, std::string_view text) const {
    clear_progress_line();
    const auto front = fmt::format("modelseal: {}", kind);
    const auto color = takes_color(color_, STDERR_FILENO);
    const auto line = fmt::format(
        "{} {}\n", color ? painted(tone, front.substr(0, front.size() - 1)) : front.substr(0, front.size() - 1),
        util::printable(text));
    const auto shown = fitted(line, STDERR_FILENO);
    std::fwrite(shown.data(), 1, shown.size(), stderr);
}

void Terminal::note(std::string_view text) {
    if (!quiet_) complain("", Tone::strong, text);
}

void Terminal::aside(std::string_view text) {
    if (!quiet_) write_message("", Tone::strong, text);
}

void Terminal::warning(std::string_view text) {
    if (!quiet_) complain("warning: ", Tone::doubtful, text);
}

void Terminal::hint(std::string_view text) {
    if (!quiet_) complain("hint: ", Tone::strong, text);
}

void Terminal::error(const Error& error) {
    complain("", Tone::bad, error.message);
    if (error.kind == ErrorKind::internal) {
        complain("", Tone::bad, "this is a bug in modelseal; please report it with the command that shows it");
    }
    if (const auto hint = hint_of(error); !hint.empty()) complain("hint: ", Tone::strong, hint);
}

bool Terminal::color() const {
    return takes_color(color_, STDOUT_FILENO);
}

bool Terminal::shows_progress() const {
    return !quiet_ && ::isatty(STDERR_FILENO) == 1 && !is_dumb();
}

std::string Terminal::paint(Tone tone, std::string_view text) const {
    return report::paint({.color = color()}, tone, text);
}

void Terminal::flush() {
    if (std::fflush(stdout) != 0 && lost_ == 0) lost_ = errno;
}

Result<void> Terminal::finish() {
    flush();
    if (lost_ == 0 || lost_ == EPIPE) return {};
    return Error{ErrorKind::unreadable,
                 fmt::format("could not write to standard output: {}", std::strerror(lost_)), ""};
}

}  // namespace modelseal::cli
