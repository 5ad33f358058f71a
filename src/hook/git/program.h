// Programs of git, started and read: one for many objects, never one for each.
//
// They get the environment of the hook, in which git names the repository and where the objects of a push are kept until it
// is accepted (GIT_DIR, GIT_QUARANTINE_PATH, GIT_OBJECT_DIRECTORY). Objects are read as they are pushed: replacements
// (refs/replace) are not followed, since a push can bring some.
//
// Every wait ends at the deadline, with an Error (unreadable). Not thread-safe.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

#include <modelseal/result.h>

namespace modelseal::hook {

using Deadline = std::chrono::steady_clock::time_point;

// "git WORDS..." while it runs. The destructor kills it.
class GitProgram {
  public:
    using Words = std::vector<std::string>;
    using Sink = std::function<Result<void>(std::string_view piece)>;

    // Its standard input holds `input`.
    static Result<std::unique_ptr<GitProgram>> start(const Words& words, std::string_view input,
                                                     Deadline deadline);
    // Its standard input is what is sent.
    static Result<std::unique_ptr<GitProgram>> converse(const Words& words, Deadline deadline);
    ~GitProgram();
    GitProgram(const GitProgram&) = delete;
    GitProgram& operator=(const GitProgram&) = delete;

    Result<void> send(std::string_view text);
    // The next line without its end. False at the end of the output; a line that is not ended is an Error, and so is one
    // of more than 64 KiB.
    Result<bool> line(std::string& out);
    // The next `bytes` bytes, in pieces.
    Result<void> pass(std::uint64_t bytes, const Sink& sink);
    // Waits for its end; an Error unless it exits with 0, which names the last line of its standard error.
    Result<void> finish();

  private:
    GitProgram() = default;
    static Result<std::unique_ptr<GitProgram>> run(const Words& words, int input, Deadline deadline);
    Result<bool> fill();
    Error failed(std::string_view what) const;
    std::string last_words() const;

    std::string name_;
    Deadline deadline_;
    pid_t pid_ = 0;
    int in_ = -1, out_ = -1, err_ = -1;  // our ends; -1: none
    std::string buffer_;
    std::size_t at_ = 0;  // of the buffer, what was not taken yet begins there
};

// What a program wrote, at most 1 MiB of it, without the line end at its end.
Result<std::string> git_answer(const GitProgram::Words& words, Deadline deadline);

// How many programs were started here so far; for tests of what a large push costs.
std::uint64_t git_programs_started();

}  // namespace modelseal::hook
