
#include "oracle/subprocess.h"

#include <algorithm>
#include <cerrno>
#include <thread>

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "io/file.h"
#include "io/spawn.h"
#include "util/text.h"

namespace modelseal::oracle {
namespace {

using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

constexpr std::size_t kPiece = 64u << 10;
constexpr std::size_t kErrorsKept = 4u << 10;
constexpr milliseconds kPatience{500};  // for a program to end by itself once its input has ended

void close_fd(int& fd) {
    if (fd >= 0) ::close(fd);
    fd = -1;
}

// Both ends above the standard descriptors, which may be closed here, and neither inherited by itself.
struct Pipe {
    int ends[2] = {-1, -1};
    ~Pipe() {
        close_fd(ends[0]);
        close_fd(ends[1]);
    }
    bool open() {
        if (::pipe2(ends, O_CLOEXEC) != 0) return false;
        for (auto& end : ends) {
            end = io::lifted(end, STDERR_FILENO);
            if (end < 0) return false;
        }
        return true;
    }
    int keep(int which) {
        const int fd = ends[which];
        ends[which] = -1;
        ::fcntl(fd, F_SETFL, O_NONBLOCK);
        return fd;
    }
};

// A write to a program that is gone must not end us, whatever the process does with SIGPIPE.
class NoBrokenPipe {
  public:
    NoBrokenPipe() {
        sigemptyset(&pipe_);
        sigaddset(&pipe_, SIGPIPE);
        sigset_t waiting;
        sigpending(&waiting);
        was_waiting_ = sigismember(&waiting, SIGPIPE) == 1;
        pthread_sigmask(SIG_BLOCK, &pipe_, &before_);
    }
    ~NoBrokenPipe() {
        const int code = errno;
        const timespec now{};
        if (!was_waiting_) sigtimedwait(&pipe_, nullptr, &now);
        pthread_sigmask(SIG_SETMASK, &before_, nullptr);
        errno = code;
    }
    NoBrokenPipe(const NoBrokenPipe&) = delete;
    NoBrokenPipe& operator=(const NoBrokenPipe&) = delete;

  private:
    sigset_t pipe_, before_;
    bool was_waiting_ = false;
};

}  // namespace

Result<std::unique_ptr<Subprocess>> Subprocess::start(const std::vector<std::string>& words,
                                                      const std::vector<std::string>& variables,
                                                      std::string name) {
    Pipe in, out, err;
    if (!in.open() || !out.open() || !err.open()) return io::os_error(errno, name, "make a pipe");
    auto environment = variables;
    const auto own = io::environment_without_secrets();
    environment.insert(environment.end(), own.begin(), own.end());
    std::unique_ptr<Subprocess> process(new Subprocess);
    const int code = io::spawn(process->pid_, {.file = words[0],
                                               .words = words,
                                               .environment = std::move(environment),
                                               .descriptors = {{in.ends[0], STDIN_FILENO},
                                                               {out.ends[1], STDOUT_FILENO},
                                                               {err.ends[1], STDERR_FILENO}}});
    if (code != 0) {
        process->pid_ = 0;
        return io::os_error(code, name, fmt::format("run '{}'", util::printable(words[0])));
    }
    process->name_ = std::move(name);
    process->in_ = in.keep(1);
    process->out_ = out.keep(0);
    process->err_ = err.keep(0);
    return process;
}

Subprocess::~Subprocess() {
    stop(kPatience);
}

// Ends the program and everything that it started, and notes how it ended.
void Subprocess::stop(milliseconds patience) {
    close_fd(in_);
    if (pid_ > 0) {
        siginfo_t info{};
        const auto deadline = Clock::now() + patience;
        for (;;) {
            info.si_pid = 0;
            if (::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG | WNOWAIT) != 0) break;
            if (info.si_pid != 0 || Clock::now() >= deadline) break;
            // It may not end before its remaining output is read.
            if (err_ >= 0 && read_some(err_, errors_)) keep_end_of_errors();
            std::this_thread::sleep_for(milliseconds(2));
        }
        if (info.si_pid != 0) {
            ended_well_ = info.si_code == CLD_EXITED && info.si_status == 0;
            how_it_ended_ = info.si_code == CLD_EXITED
                                ? fmt::format("ended with status {}", info.si_status)
                                : fmt::format("was terminated by signal {}", info.si_status);
        }
        ::kill(-pid_, SIGKILL);  // not yet reaped: the group's number is still ours
        int status = 0;
        while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
        }
        pid_ = 0;
    }
    // A child of its own that left the group may go on and on.
    for (int pieces = 0; pieces < 16 && err_ >= 0 && read_some(err_, errors_); ++pieces) keep_end_of_errors();
    close_fd(out_);
    close_fd(err_);
}

void Subprocess::keep_end_of_errors() {
    if (errors_.size() > kErrorsKept) errors_.erase(0, errors_.size() - kErrorsKept);
}

// False if there is nothing more to be had now, or ever: then the descriptor is closed.
bool Subprocess::read_some(int fd, std::string& into) {
    char piece[kPiece];
    ssize_t got = 0;
    do {
        got = ::read(fd, piece, sizeof piece);
    } while (got < 0 && errno == EINTR);
    if (got > 0) {
        into.append(piece, static_cast<std::size_t>(got));
        return true;
    }
    if (got == 0 || (errno != EAGAIN && errno != EWOULDBLOCK)) close_fd(fd == out_ ? out_ : err_);
    return false;
}

Result<void> Subprocess::write_some(std::string_view& message) {
    const NoBrokenPipe guard;
    const auto written = ::write(in_, message.data(), std::min(message.size(), kPiece));
    if (written >= 0) {
        message.remove_prefix(static_cast<std::size_t>(written));
    } else if (errno == EPIPE) {
        return ended();
    } else if (errno != EAGAIN && errno != EINTR) {
        return io::os_error(errno, name_, "write to the program");
    }
    return {};
}

// Transfers the bytes that are ready now, or within the time.
Result<void> Subprocess::pump(std::string_view& message, int timeout_ms) {
    pollfd waits[] = {{message.empty() ? -1 : in_, POLLOUT, 0}, {out_, POLLIN, 0}, {err_, POLLIN, 0}};
    const int ready = ::poll(waits, 3, timeout_ms);
    if (ready < 0 && errno != EINTR) return io::os_error(errno, name_, "wait for the program");
    if (ready <= 0) return {};
    if (waits[2].revents != 0 && read_some(err_, errors_)) keep_end_of_errors();
    if (waits[1].revents != 0) read_some(out_, received_);
    if (waits[0].revents != 0) return write_some(message);
    return {};
}

Error Subprocess::ended() {
    stop(kPatience);
    const auto said = io::last_line(errors_);
    return {ErrorKind::unreadable,
            fmt::format("{}: the program {}{}", name_,
                        how_it_ended_.empty() ? "closed its standard input or output" : how_it_ended_,
                        said.empty() ? "" : ": '" + said + "'"),
            {}};
}

Result<std::string> Subprocess::exchange(std::string_view message, const Measure& measure, std::size_t cap,
                                         milliseconds timeout) {
    if (!received_.empty()) {
        stop(milliseconds(0));
        return Error{ErrorKind::malformed,
                     fmt::format("{}: the program wrote more output than was requested", name_),
                     {}};
    }
    const auto deadline = Clock::now() + timeout;
    std::size_t seen = 0;
    std::optional<std::size_t> length;
    for (;;) {
        if (!length && received_.size() > seen) {
            auto measured = measure(received_, seen);
            if (!measured.ok()) {
                stop(milliseconds(0));
                return std::move(measured).error();
            }
            length = *measured;
            seen = received_.size();
        }
        if (length && received_.size() >= *length) break;
        if (received_.size() > cap || (length && *length > cap)) {
            stop(milliseconds(0));
            return Error{ErrorKind::malformed,
                         fmt::format("{}: the program's answer is larger than {} MiB", name_, cap >> 20),
                         {}};
        }
        if (out_ < 0) return ended();
        const auto left = std::chrono::ceil<milliseconds>(deadline - Clock::now()).count();
        if (left <= 0) {
            stop(milliseconds(0));
            return Error{ErrorKind::unreadable,
                         fmt::format("{}: the program gave no answer within {} s", name_,
                                     static_cast<double>(timeout.count()) / 1000),
                         "allow more time, or use smaller batches"};
        }
        if (auto moved = pump(message, static_cast<int>(std::min<long long>(left, 60'000))); !moved.ok()) {
            stop(milliseconds(0));
            return std::move(moved).error();
        }
    }
    auto answer = received_.substr(0, *length);
    received_.erase(0, *length);
    return answer;
}

}  // namespace modelseal::oracle
