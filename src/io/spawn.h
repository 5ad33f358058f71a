// Starting another program: the one place that does.
//
// Not by Boost.Process (1.74 in Debian 12): it makes its pipes without O_CLOEXEC, so that a second program that
// a thread starts meanwhile holds their ends open; it forks, and runs what is set up between fork() and exec()
// as C++ in the child of a process with threads; and waiting with a limit replaces the process's handler of
// SIGCHLD.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <sys/types.h>

namespace modelseal::io {

struct Program {
    std::string file;                      // looked for in PATH if it has no '/'
    std::vector<std::string> words;        // its argv: the name first
    std::vector<std::string> environment;  // "NAME=value"
    // Ours, and what it is there; -1: /dev/null. Ours lie above all of theirs: see lifted().
    std::vector<std::pair<int, int>> descriptors;
    // What becomes of descriptors above those that are not O_CLOEXEC.
    enum class Others { inherited, closed };
    Others others = Others::inherited;
};

// The environment of this process, without the secrets that are for it alone: MODELSEAL_PASSPHRASE and MODELSEAL_TOKEN.
std::vector<std::string> environment_without_secrets();

// Starts it in a process group of its own, with no signal blocked, and none ignored that modelseal ignores.
// Returns 0, or why it could not be run (errno).
int spawn(pid_t& pid, Program program);

// A descriptor above `least`, close-on-exec: `fd` itself, or a copy for which it is closed; so is it on an
// error, -1 with errno.
int lifted(int fd, int least);

// The last line of what a program wrote, without blanks at its end; printable, at most 300 bytes of it.
std::string last_line(std::string_view text);

}  // namespace modelseal::io
