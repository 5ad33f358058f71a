#include "cli/prompt.h"

#include <array>
#include <cerrno>
#include <csignal>
#include <string_view>

#include <fcntl.h>
#include <poll.h>
#include <termios.h>
#include <unistd.h>

namespace modelseal::cli {
namespace {

// Signals that would leave the terminal without echo if they ended or stopped the program in mid-question.
constexpr std::array kSignals = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP};
volatile std::sig_atomic_t caught = 0;

// While it lives, the signals only interrupt wait_for_input(), wherever they come; they take effect when the
// terminal is as it was.
class SignalsHeld {
  public:
    SignalsHeld() {
        sigset_t blocked;
        sigemptyset(&blocked);
        for (const int number : kSignals) sigaddset(&blocked, number);
        pthread_sigmask(SIG_BLOCK, &blocked, &mask_);
        caught = 0;
        struct sigaction noted {};
        noted.sa_handler = [](int number) { caught = number; };
        for (std::size_t i = 0; i < kSignals.size(); ++i) sigaction(kSignals[i], &noted, &before_[i]);
    }
    SignalsHeld(const SignalsHeld&) = delete;
    SignalsHeld& operator=(const SignalsHeld&) = delete;
    ~SignalsHeld() {
        for (std::size_t i = 0; i < kSignals.size(); ++i) sigaction(kSignals[i], &before_[i], nullptr);
        pthread_sigmask(SIG_SETMASK, &mask_, nullptr);
        if (caught != 0) std::raise(caught);
    }
    // False if a signal came, now or since the object was made.
    bool wait_for_input(int fd) const {
        pollfd input{fd, POLLIN, 0};
        while (caught == 0) {
            if (::ppoll(&input, 1, nullptr, &mask_) >= 0 || errno != EINTR) break;
        }
        return caught == 0;
    }

  private:
    std::array<struct sigaction, kSignals.size()> before_{};
    sigset_t mask_{};
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
End read_line(int fd, const SignalsHeld& signals, std::string& line) {
    constexpr std::size_t kLongest = 4096;
    // On the heap from the start and never moved: no copies are left behind.
    line.reserve(kLongest);
    for (char c = 0;;) {
        if (!signals.wait_for_input(fd)) return End::interrupted;
        if (::read(fd, &c, 1) <= 0) return End::closed;
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
            end = read_line(terminal.fd(), held, line);
            terminal.write("\n");
        }
        if (end == End::line) return std::optional(std::move(line));
        if (end == End::closed) return Error{ErrorKind::usage, "no passphrase was given", ""};
        // Stopped and brought back to the foreground: ask again.
    }
}

}  // namespace modelseal::cli
