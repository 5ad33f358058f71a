#include "tests/support/run.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <sstream>
#include <stdexcept>
#include <thread>

#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <sys/wait.h>
#include <unistd.h>

namespace modelseal::test {
namespace {

using Clock = std::chrono::steady_clock;
constexpr auto kPatience = std::chrono::minutes(5);

[[noreturn]] void become(const Words& command, const Surroundings& surroundings) {
    std::vector<char*> arguments;
    for (const auto& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
    arguments.push_back(nullptr);
    ::unsetenv("MODELSEAL_PASSPHRASE");
    ::unsetenv("NO_COLOR");
    ::setenv("TERM", "xterm", 1);
    for (const auto& [name, value] : surroundings.variables) ::setenv(name.c_str(), value.c_str(), 1);
    if (!surroundings.folder.empty() && ::chdir(surroundings.folder.c_str()) != 0) ::_exit(126);
    ::execvp(arguments[0], arguments.data());
    ::_exit(127);
}

int wait_for(pid_t child) {
    int status = 0;
    while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

// Appends what is there; false at the end.
bool drain(int fd, std::string& to) {
    std::array<char, 4096> chunk;
    const ssize_t count = ::read(fd, chunk.data(), chunk.size());
    if (count > 0) to.append(chunk.data(), static_cast<std::size_t>(count));
    return count > 0 || (count < 0 && errno == EINTR);
}

class Pipe {
  public:
    Pipe() {
        if (::pipe2(ends_.data(), O_CLOEXEC) != 0) throw std::runtime_error("no pipe");
    }
    Pipe(const Pipe&) = delete;
    Pipe& operator=(const Pipe&) = delete;
    ~Pipe() {
        close_read();
        close_write();
    }
    int reader() const { return ends_[0]; }
    int writer() const { return ends_[1]; }
    void close_read() { close(ends_[0]); }
    void close_write() { close(ends_[1]); }

  private:
    static void close(int& fd) {
        if (fd >= 0) ::close(std::exchange(fd, -1));
    }
    std::array<int, 2> ends_{-1, -1};
};

// Reads both until both end, or until patience does; then the child is killed.
void collect(pid_t child, int out, int err, Outcome& outcome) {
    std::array<pollfd, 2> open = {pollfd{out, POLLIN, 0}, pollfd{err, POLLIN, 0}};
    const auto end = Clock::now() + kPatience;
    while (open[0].fd >= 0 || open[1].fd >= 0) {
        if (Clock::now() > end) ::kill(child, SIGKILL);
        ::poll(open.data(), open.size(), 1000);
        if (open[0].revents != 0 && !drain(out, outcome.out)) open[0].fd = -1;
        if (open[1].revents != 0 && !drain(err, outcome.err)) open[1].fd = -1;
    }
}

}  // namespace

Outcome run(const Words& command, const Surroundings& surroundings) {
    Pipe in, out, err;
    const pid_t child = ::fork();
    if (child < 0) throw std::runtime_error("no fork");
    if (child == 0) {
        ::setsid();  // no terminal to ask on
        ::dup2(in.reader(), STDIN_FILENO);
        ::dup2(out.writer(), STDOUT_FILENO);
        ::dup2(err.writer(), STDERR_FILENO);
        become(command, surroundings);
    }
    in.close_read();
    out.close_write();
    err.close_write();
    std::thread feeder([&] {
        // A child that does not read its input must not end this process.
        sigset_t pipe_signal;
        sigemptyset(&pipe_signal);
        sigaddset(&pipe_signal, SIGPIPE);
        pthread_sigmask(SIG_BLOCK, &pipe_signal, nullptr);
        std::string_view rest = surroundings.input;
        while (!rest.empty()) {
            const ssize_t count = ::write(in.writer(), rest.data(), rest.size());
            if (count <= 0) break;
            rest.remove_prefix(static_cast<std::size_t>(count));
        }
        in.close_write();
    });
    Outcome outcome;
    collect(child, out.reader(), err.reader(), outcome);
    outcome.code = wait_for(child);
    feeder.join();
    return outcome;
}

Outcome run_on_terminal(const Words& command, const std::vector<Answer>& answers,
                        const Surroundings& surroundings) {
    int terminal = -1;
    const pid_t child = ::forkpty(&terminal, nullptr, nullptr, nullptr);
    if (child < 0) throw std::runtime_error("no terminal");
    if (child == 0) become(command, surroundings);
    Outcome outcome;
    std::size_t seen = 0;
    auto next = answers.begin();
    const auto end = Clock::now() + kPatience;
    for (;;) {
        if (Clock::now() > end) ::kill(child, SIGKILL);
        pollfd open{terminal, POLLIN, 0};
        ::poll(&open, 1, 1000);
        if (open.revents != 0 && !drain(terminal, outcome.out)) break;
        if (next == answers.end()) continue;
        if (const auto at = outcome.out.find(next->first, seen); at != std::string::npos) {
            seen = at + next->first.size();
            if (::write(terminal, next->second.data(), next->second.size()) < 0) break;
            ++next;
        }
    }
    ::close(terminal);
    outcome.code = wait_for(child);
    return outcome;
}

Words modelseal(Words arguments) {
    arguments.insert(arguments.begin(), MODELSEAL_PROGRAM);
    return arguments;
}

bool installed(const std::string& program) {
    const char* path = std::getenv("PATH");
    std::istringstream folders(path == nullptr ? "" : path);
    for (std::string folder; std::getline(folders, folder, ':');) {
        if (::access((std::filesystem::path(folder) / program).c_str(), X_OK) == 0) return true;
    }
    return false;
}

}  // namespace modelseal::test
