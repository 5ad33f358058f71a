// The only place that prints.
//
// Rules of the terminal:
// - Results go to standard output; everything else goes to standard error and starts with "modelseal: ".
// - Messages have no capitalized initials and no periods at the end.
// - An error may be followed by a hint, "modelseal: hint: ", which has a command or an option that would help.
// - What is printed appears in the order in which it was printed, whichever of the two it goes to.
// - Lines that are longer than the terminal are broken between words. Off a terminal a message is one line.
// - Nothing that came from a file, a server or a program acts on the terminal: every text is escaped as by
//   util::printable(), even if the caller has done so.
// - --quiet leaves results and errors, nothing else.
// - Color is for people: only on terminals, unless --color says otherwise; never with NO_COLOR or TERM=dumb.
//
// Thread safety: none but of aside(); the thread that runs the command prints.
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

    // Standard output, for people; a missing newline at the end is added. Line ends, tabs and the colors of paint()
    // stay.
    void print(std::string_view text);
    // Standard output, for programs: no line is broken.
    void print_data(std::string_view text);
    // Standard error: the usage, where no command was given.
    void print_usage(std::string_view text);
    // Standard error: what was done or is worth knowing; left out when quiet.
    void note(std::string_view text);
    // The same from any thread, while a job runs: in no order with what is printed.
    void aside(std::string_view text);
    // Standard error: what will probably cause trouble.
    void warning(std::string_view text);
    // Standard error: a command that helps. Left out when quiet.
    void hint(std::string_view text);
    // Standard error, with its hint. Asks to report an internal error.
    void error(const Error& error);

    // `text` in the color of `tone` if standard output takes colors, else as it is.
    std::string paint(Tone tone, std::string_view text) const;
    bool color() const;           // whether standard output takes color
    bool shows_progress() const;  // whether standard error is a terminal that may be written on

    // Whether anything went to standard output.
    bool has_printed() const { return printed_; }
    // Lets a reader of standard output see what was printed so far.
    void flush();
    // An Error if output was lost, as on a full disk. A reader that closed the pipe (`| head`) is not an error.
    Result<void> finish();

  private:
    void complain(std::string_view kind, Tone tone, std::string_view text);
    void write_message(std::string_view kind, Tone tone, std::string_view text) const;

    bool quiet_ = false;
    Color color_ = Color::automatic;
    bool printed_ = false;
    int lost_ = 0;  // errno of the first failed write
};

}  // namespace modelseal::cli
