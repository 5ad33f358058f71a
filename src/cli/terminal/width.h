// How wide text may be, and where it is broken.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace modelseal::cli {

// Columns of the terminal that `descriptor` is, from COLUMNS or from the terminal itself; 0 if it is not a terminal, or
// one that does not report its width.
std::size_t terminal_columns(int descriptor);

// Columns for results: those of the terminal that standard output is; 120 where it goes to a file or a pipe.
unsigned output_columns();
// Columns for help: 80 where standard output is not a terminal, and at most 100, which reads better than a long line.
std::size_t help_columns();

// Columns that `text` takes on a terminal: one per code point, none for color codes.
std::size_t columns_of(std::string_view text);

// `text` with each line that is longer than `columns` broken between words; what follows is indented by two more. A
// word that is longer than a line stays in one piece, so that it can be copied.
std::string wrapped(std::string_view text, std::size_t columns);

}  // namespace modelseal::cli
