#include "hook/git/program.h"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <thread>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "io/file.h"
#include "io/spawn.h"
#include "util/text.h"

namespace modelseal::hook {
namespace {

using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

constexpr std::size_t kPiece = 256u << 10;
constexpr std::size_t kLongestLine = 64u << 10;
constexpr std::size_t kMostAnswer = 1u << 20;
constexpr std::size_t kErrorsRead = 4u << 10;

std::atomic<std::uint64_t> programs_started{0};

void close_end(int& fd) {
    if (fd >= 0) ::close(std::exchange(fd, -1));
}

std::vector<std::string> environment_for_git() {
    auto out = io::environment_without_secrets();
    std::erase_if(out, [](const std::string& variable) {
        return variable.starts_with("GIT_NO_REPLACE_OBJECTS=") || variable.starts_with("GIT_NO_LAZY_FETCH=") ||
               variable.starts_with("LC_ALL=");
    });
    out.insert(out.end(), {"GIT_NO_REPLACE_OBJECTS=1", "GIT_NO_LAZY_FETCH=1", "LC_ALL=C"});
    return out;
}

// A file without a name, in memory.
int unnamed_file() {
    return io::lifted(::memfd_create("modelseal", MFD_CLOEXEC), STDERR_FILENO);
}

bool write_all(int fd, std::string_view text) {
    while (!text.empty()) {
        const auto written = ::write(fd, text.data(), text.size());
        if (written < 0 && errno != EINTR) return false;
        if (written > 0) text.remove_prefix(static_cast<std::size_t>(written));
    }
    return ::lseek(fd, 0, SEEK_SET) == 0;
}

// Milliseconds to the deadline for poll(), at most a minute; 0: it is over.
int left_of(Deadline deadline) {
    if (deadline == Deadline::max()) return 60'000;
    const auto left = std::chrono::ceil<milliseconds>(deadline - Clock::now()).count();
    return static_cast<int>(std::clamp<long long>(left, 0, 60'000));
}

}  // namespace

std::uint64_t git_programs_started() {
    return programs_started;
}

Result<std::unique_ptr<GitProgram>> GitProgram::run(const Words& words, int input, Deadline deadline) {
    std::unique_ptr<GitProgram> program(new GitProgram);
    program->name_ = fmt::format("git {}", words.empty() ? "" : words[0]);
    program->deadline_ = deadline;
    program->err_ = unnamed_file();
    int ends[2] = {-1, -1};
    if (program->err_ < 0 || ::pipe2(ends, O_CLOEXEC) != 0) return io::os_error(errno, program->name_, "start");
    program->out_ = io::lifted(ends[0], STDERR_FILENO);
    int output = io::lifted(ends[1], STDERR_FILENO);
    Words all = {"git"};
    all.insert(all.end(), words.begin(), words.end());
    const int code = io::spawn(
        program->pid_,
        {.file = "git",
         .words = std::move(all),
         .environment = environment_for_git(),
         .descriptors = {{input, STDIN_FILENO}, {output, STDOUT_FILENO}, {program->err_, STDERR_FILENO}},
         .others = io::Program::Others::closed});
    close_end(output);
    if (code != 0) {
        program->pid_ = 0;
        return io::os_error(code, "git", "run");
    }
    ++programs_started;
    return program;
}

Result<std::unique_ptr<GitProgram>> GitProgram::start(const Words& words, std::string_view input,
                                                      Deadline deadline) {
    int file = unnamed_file();
    if (file < 0 || !write_all(file, input)) {
        auto error = io::os_error(errno, "git", "start");
        close_end(file);
        return error;
    }
    auto program = run(words, file, deadline);
    close_end(file);
    return program;
}

Result<std::unique_ptr<GitProgram>> GitProgram::converse(const Words& words, Deadline deadline) {
    // A socket instead of a pipe: a write to a program that is gone can be kept from raising a signal.
    int ends[2];
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
        return io::os_error(errno, "git", "start");
    int ours = io::lifted(ends[0], STDERR_FILENO), theirs = io::lifted(ends[1], STDERR_FILENO);
    auto program = run(words, theirs, deadline);
    close_end(theirs);
    if (program.ok()) {
        (*program)->in_ = ours;
    } else {
        close_end(ours);
    }
    return program;
}

GitProgram::~GitProgram() {
    close_end(in_);
    close_end(out_);
    if (pid_ > 0) {
        ::kill(-pid_, SIGKILL);  // not yet reaped: the group's number is still ours
        while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
        }
    }
    close_end(err_);
}

std::string GitProgram::last_words() const {
    std::string text(kErrorsRead, '\0');
    const auto size = ::lseek(err_, 0, SEEK_END);
    const auto from = std::max<off_t>(0, size - static_cast<off_t>(kErrorsRead));
    const auto got = ::pread(err_, text.data(), text.size(), from);
    text.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
    return io::last_line(text);
}

Error GitProgram::failed(std::string_view what) const {
    const auto said = last_words();
    return {ErrorKind::unreadable,
            fmt::format("{}: {}{}", name_, what, said.empty() ? "" : ": '" + said + "'"),
            {}};
}

Result<void> GitProgram::send(std::string_view text) {
    while (!text.empty()) {
        const auto sent = ::send(in_, text.data(), text.size(), MSG_NOSIGNAL);
        if (sent < 0 && errno != EINTR) return failed("does not read any more");
        if (sent > 0) text.remove_prefix(static_cast<std::size_t>(sent));
    }
    return {};
}

// Waits for more output. False at its end.
Result<bool> GitProgram::fill() {
    buffer_.erase(0, at_);
    at_ = 0;
    pollfd wait{out_, POLLIN, 0};
    for (int ready = 0; ready <= 0;) {
        const int left = left_of(deadline_);
        if (left == 0) return failed("the time for the check is over");
        ready = ::poll(&wait, 1, left);
        if (ready < 0 && errno != EINTR) return io::os_error(errno, name_, "wait for");
    }
    const auto kept = buffer_.size();
    buffer_.resize(kept + kPiece);
    ssize_t got = -1;
    do {
        got = ::read(out_, buffer_.data() + kept, kPiece);
    } while (got < 0 && errno == EINTR);
    buffer_.resize(kept + static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
    if (got < 0) return io::os_error(errno, name_, "read from");
    return got > 0;
}

Result<bool> GitProgram::line(std::string& out) {
    for (std::size_t seen = at_;;) {
        const auto end = buffer_.find('\n', seen);
        if (end != std::string::npos) {
            out.assign(buffer_, at_, end - at_);
            at_ = end + 1;
            return true;
        }
        if (buffer_.size() - at_ > kLongestLine) return failed("a line that is too long");
        seen = buffer_.size() - at_;  // as fill() moves it
        MODELSEAL_TRY_ASSIGN(const bool more, fill());
        if (more) continue;
        if (buffer_.empty()) return false;
        return failed("the output is cut off");
    }
}

Result<void> GitProgram::pass(std::uint64_t bytes, const Sink& sink) {
    while (bytes > 0) {
        if (at_ == buffer_.size()) {
            MODELSEAL_TRY_ASSIGN(const bool more, fill());
            if (!more) return failed("the output is cut off");
        }
        const auto piece = std::string_view(buffer_).substr(
            at_, static_cast<std::size_t>(std::min<std::uint64_t>(bytes, buffer_.size() - at_)));
        MODELSEAL_TRY(sink(piece));
        at_ += piece.size();
        bytes -= piece.size();
    }
    return {};
}

Result<void> GitProgram::finish() {
    close_end(in_);
    while (true) {
        MODELSEAL_TRY_ASSIGN(const bool more, fill());
        if (!more) break;
        at_ = buffer_.size();
    }
    int status = 0;
    while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
    pid_ = 0;
    if (!WIFEXITED(status)) return failed("was terminated");
    if (WEXITSTATUS(status) != 0) return failed(fmt::format("ended with status {}", WEXITSTATUS(status)));
    return {};
}

Result<std::string> git_answer(const GitProgram::Words& words, Deadline deadline) {
    MODELSEAL_TRY_ASSIGN(const auto program, GitProgram::start(words, {}, deadline));
    std::string answer, line;
    while (true) {
        MODELSEAL_TRY_ASSIGN(const bool more, program->line(line));
        if (!more) break;
        if (answer.size() + line.size() > kMostAnswer) break;
        answer += line + "\n";
    }
    MODELSEAL_TRY(program->finish());
    if (answer.ends_with('\n')) answer.pop_back();
    return answer;
}

}  // namespace modelseal::hook
