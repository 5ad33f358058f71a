#include "cli/prompt.h"

#include <array>
#include <cerrno>
#include <csignal>
#include <string_view>

#include <fcntl.h>
#include <termios.h>
#include <unistd.h>

namespace modelseal::cli {
namespace {

// Signals that would leave the terminal without echo if they ended or stopped the program in mid-question.
constexpr std::array kSignals = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP};
volatile std::sig_atomic_t caught = 0;

// While it lives, the signals only interrupt the read; they take effect when the terminal is as it was.
class SignalsHeld {
  public:
    SignalsHeld() {
        caught = 0;
        struct sigaction held {};
        held.sa_handler = [](int signal) { caught = signal; };
        for (std::size_t i = 0; i < kSignals.size(); ++i) sigaction(kSignals[i], &held, &before_[i]);
    }
    SignalsHeld(const SignalsHeld&) = delete;
    SignalsHeld& operator=(const SignalsHeld&) = delete;
    ~SignalsHeld() {
        for (std::size_t i = 0; i < kSignals.size(); ++i) sigaction(kSignals[i], &before_[i], nullptr);
        if (caught != 0) std::raise(caught);
    }

  private:
    std::array<struct sigaction, kSignals.size()> before_{};
};

class EchoOff {
  public:
    explicit EchoOff(int fd) : fd_(fd) {
        known_ = tcgetattr(fd, &before_) == 0;
        termios silent = before_;
        silent.c_lflag &= ~static_cast<tcflag_t>(ECHO | ECHONL);
        if (known_) tcsetattr(fd, TCSAFLUSH, &silent);
    }
    EchoOff(const EchoOff&) = delete;
    EchoOff& operator=(const EchoOff&) = delete;
    ~EchoOff() {
        if (known_) tcsetattr(fd_, TCSAFLUSH, &before_);
    }

  private:
    int fd_;
    bool known_ = false;
    termios before_{};
};

class TerminalFile {
  public:
    TerminalFile() : fd_(::open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC)) {}
    TerminalFile(const TerminalFile&) = delete;
    TerminalFile& operator=(const TerminalFile&) = delete;
    ~TerminalFile() {
        if (fd_ >= 0) ::close(fd_);
    }
    int fd() const { return fd_; }
    void write(std::string_view text) const {
        [[maybe_unused]] const auto written = ::write(fd_, text.data(), text.size());
    }

  private:
    int fd_;
};

enum class End { line, closed, interrupted };

// One line, a byte at a time, so that nothing of the next answer is swallowed.
End read_line(int fd, std::string& line) {
    constexpr std::size_t kLongest = 4096;
    // On the heap from the start and never moved: no copies are left behind.
    line.reserve(kLongest);
    for (char c = 0;;) {
        const ssize_t count = ::read(fd, &c, 1);
        if (caught != 0) return End::interrupted;
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) return End::closed;
        if (c == '\n' || c == '\r') return End::line;
        if (line.size() < kLongest) line += c;
    }
}

}  // namespace

Result<std::optional<std::string>> ask_hidden(const std::string& question) {
    const TerminalFile terminal;
    if (terminal.fd() < 0) return std::optional<std::string>();
    for (;;) {
        std::string line;
        End end = End::closed;
        {
            const SignalsHeld held;
            const EchoOff silent(terminal.fd());
            terminal.write(question);
            end = read_line(terminal.fd(), line);
            terminal.write("\n");
        }
        if (end == End::line) return std::optional(std::move(line));
        if (end == End::closed) return Error{ErrorKind::usage, "no passphrase was given", ""};
        // Stopped and brought back to the foreground: ask again.
    }
}

}  // namespace modelseal::cli
