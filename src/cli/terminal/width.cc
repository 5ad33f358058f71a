#include "cli/terminal/width.h"

#include <algorithm>
#include <charconv>
#include <cstdlib>

#include <sys/ioctl.h>
#include <unistd.h>

namespace modelseal::cli {
namespace {

constexpr std::size_t kNarrowest = 20, kWidest = 10000;

// COLUMNS, which shells export only if the user says so; 0 if it is not a number in range.
std::size_t columns_in_environment() {
    const char* text = std::getenv("COLUMNS");
    if (text == nullptr) return 0;
    const std::string_view digits = text;
    std::size_t columns = 0;
    const auto [stopped, code] = std::from_chars(digits.data(), digits.data() + digits.size(), columns);
    const bool number = code == std::errc() && stopped == digits.data() + digits.size();
    return number && columns >= kNarrowest && columns <= kWidest ? columns : 0;
}

std::size_t columns_of_window(int descriptor) {
    winsize size{};
    return ::ioctl(descriptor, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

// One line, without its end.
std::string wrapped_line(std::string_view line, std::size_t columns) {
    const auto indent = std::min(line.find_first_not_of(' '), line.size());
    std::string out(line.substr(0, indent));
    std::size_t at = indent;
    bool first = true;
    while (!(line = line.substr(std::min(line.find_first_not_of(' '), line.size()))).empty()) {
        const auto end = std::min(line.find(' '), line.size());
        const auto next = std::min(line.find_first_not_of(' ', end), line.size());
        const auto gap = next - end;
        const auto word = line.substr(0, end);
        const auto width = columns_of(word);
        if (!first && at + width > columns) {
            out.erase(out.find_last_not_of(' ') + 1);
            out += "\n" + std::string(indent + 2, ' ');
            at = indent + 2;
        }
        out += word;
        out.append(gap, ' ');
        at += width + gap;
        first = false;
        line.remove_prefix(next);
    }
    return out;
}

}  // namespace

std::size_t terminal_columns(int descriptor) {
    if (::isatty(descriptor) != 1) return 0;
    const auto asked = columns_in_environment();
    return asked != 0 ? asked : columns_of_window(descriptor);
}

unsigned output_columns() {
    const auto columns = terminal_columns(STDOUT_FILENO);
    return columns != 0 ? static_cast<unsigned>(columns) : 120;
}

std::size_t help_columns() {
    constexpr std::size_t kDefault = 80, kMost = 100;
    auto columns = columns_in_environment();
    if (columns == 0) columns = terminal_columns(STDOUT_FILENO);
    return columns == 0 ? kDefault : std::clamp(columns, kNarrowest, kMost);
}

std::size_t columns_of(std::string_view text) {
    std::size_t columns = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '\x1b') {
            i = std::min(text.find('m', i), text.size());
        } else if ((static_cast<unsigned char>(text[i]) & 0xC0) != 0x80) {
            ++columns;
        }
    }
    return columns;
}

std::string wrapped(std::string_view text, std::size_t columns) {
    std::string out;
    for (std::size_t at = 0; at < text.size();) {
        const auto end = std::min(text.find('\n', at), text.size());
        const auto line = text.substr(at, end - at);
        out += columns_of(line) <= columns ? std::string(line) : wrapped_line(line, columns);
        if (end < text.size()) out += '\n';
        at = end + 1;
    }
    return out;
}

}  // namespace modelseal::cli
