// The only place that prints.
//
// Rules of the terminal:
// - Results go to standard output; everything else goes to standard error and starts with
//   "modelseal: ".
// - Messages have no capitalized initials and no periods at the end.
// - An error may be followed by a hint, one line, about what the user probably wanted.
// - Nothing that came from a file, a server or a program acts on the terminal: every text is escaped as by
//   util::printable(), whether its author did so or not; on standard error a text is one line.
// - --quiet leaves results and errors, nothing else.
// - Colour is for people: only on terminals, unless --color says otherwise; never with NO_COLOR or TERM=dumb.
//
// Thread safety: none; the thread that runs the command prints.
#pragma once

#include <string>
#include <string_view>

#include "report/words.h"
#include <modelseal/result.h>

namespace modelseal::cli {

enum class Color { automatic, always, never };
using report::Tone;

class Terminal {
  public:
    void set_quiet(bool quiet) { quiet_ = quiet; }
    void set_color(Color color) { color_ = color; }
    bool quiet() const { return quiet_; }

    // Standard output; a missing newline at the end is added. Line ends, tabs and the colors of paint() stay.
    void print(std::string_view text);
    // Standard error: what was done or is worth knowing; left out when quiet.
    void note(std::string_view text) const;
    // Standard error: what will probably hurt.
    void warning(std::string_view text) const;
    // Standard error. Says that it is our bug if it is.
    void error(const Error& error) const;

    // `text` in the color of `tone` if standard output takes colors, else as it is.
    std::string paint(Tone tone, std::string_view text) const;
    bool color() const;           // whether standard output takes colour
    bool shows_progress() const;  // whether standard error is a terminal that may be written on

    // An Error if any output was lost, say to a full disk. A reader that went away is none: `| head`.
    Result<void> finish();

  private:
    bool quiet_ = false;
    Color color_ = Color::automatic;
    int lost_ = 0;  // errno of the first failed write
};

}  // namespace modelseal::cli
