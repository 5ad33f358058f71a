
#include "cli/options/secrets.h"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <map>
#include <string_view>

#include <fcntl.h>
#include <poll.h>
#include <sodium.h>
#include <termios.h>
#include <unistd.h>

#include "crypto/secret.h"
#include "io/file.h"
#include "util/text.h"

namespace modelseal::cli {
namespace {

// Signals that end or stop the program. During a question they would leave the terminal without echo.
constexpr std::array kSignals = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP};
volatile std::sig_atomic_t caught = 0;

// While this object lives, these signals only interrupt wait_for_input(). They take effect after the terminal has its echo
// again.
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
    // False if a signal arrived, in this call or since the object was made.
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

// Reads a byte at a time: a buffered read could take bytes of the next answer.
End read_line(int fd, const SignalsHeld& signals, std::string& line) {
    constexpr std::size_t kLongest = 4096;
    // Reserved at once, so that growing leaves no copies of the secret on the heap.
    line.reserve(kLongest);
    for (char c = 0;;) {
        if (!signals.wait_for_input(fd)) return End::interrupted;
        if (::read(fd, &c, 1) <= 0) return End::closed;
        if (c == '\n' || c == '\r') return End::line;
        if (line.size() < kLongest) line += c;
    }
}

// Asks on the controlling terminal, whatever standard input and output are. Nothing if there is no terminal; an
// Error if the user closed the input. The caller wipes the answer.
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
        // The program was stopped and is in the foreground again: ask again.
    }
}

constexpr std::uint64_t kMaximalFile = 64u << 10;

// The first line of the file, without its end; "-" is standard input.
Result<std::string> from_file(const std::string& file) {
    MODELSEAL_TRY_ASSIGN(std::string text, io::read_text(file == "-" ? "/dev/stdin" : file, kMaximalFile));
    const crypto::WipeAtEnd wiped(text);
    std::string line = text.substr(0, text.find('\n'));
    if (line.ends_with('\r')) line.pop_back();
    if (line.empty()) {
        const auto what =
            file == "-" ? "standard input: the" : util::printable(file) + ": the passphrase file's";
        return Error{ErrorKind::usage, what + " first line is empty", ""};
    }
    return line;
}

Error no_source(const std::string& key_file) {
    return {ErrorKind::usage,
            util::printable(key_file) + ": needs a passphrase, and there is no terminal to ask for it",
            std::string("give --passphrase-file, or set ") + kPassphraseVariable};
}

// From the file or the environment; absent if neither was given.
Result<std::optional<std::string>> without_asking(const std::string& file) {
    if (!file.empty()) {
        MODELSEAL_TRY_ASSIGN(std::string word, from_file(file));
        return std::optional(std::move(word));
    }
    return environment_secret(kPassphraseVariable);
}

}  // namespace

std::optional<std::string> environment_secret(const char* variable) {
    static std::map<std::string, std::string> taken;
    if (char* value = std::getenv(variable); value != nullptr) {
        taken[variable] = value;
        sodium_memzero(value, std::strlen(value));
        ::unsetenv(variable);
    }
    const auto found = taken.find(variable);
    return found == taken.end() ? std::nullopt : std::optional(found->second);
}

CLI::Option* add_passphrase_option(CLI::App& command, std::string& file) {
    return command
        .add_option("--passphrase-file", file,
                    "read the passphrase from the first line of FILE, - for standard input (default: "
                    "MODELSEAL_PASSPHRASE, "
                    "else ask)")
        ->type_name("FILE");
}

bool is_asked_for(const std::string& file) {
    return file.empty() && !environment_secret(kPassphraseVariable);
}

Passphrase passphrase_from(const std::string& file) {
    return [file](const std::string& key_file) -> Result<std::string> {
        MODELSEAL_TRY_ASSIGN(auto given, without_asking(file));
        if (given) return std::move(*given);
        MODELSEAL_TRY_ASSIGN(auto typed, ask_hidden("passphrase of " + util::printable(key_file) + ": "));
        if (!typed) return no_source(key_file);
        return std::move(*typed);
    };
}

Result<std::string> new_passphrase(const std::string& file, const std::string& key_file) {
    const std::string shown = util::printable(key_file);
    const Error empty{ErrorKind::usage, shown + ": the passphrase is empty",
                      "--no-passphrase makes an unencrypted key"};
    MODELSEAL_TRY_ASSIGN(auto given, without_asking(file));
    if (given && given->empty()) return empty;
    if (given) return std::move(*given);
    MODELSEAL_TRY_ASSIGN(auto typed, ask_hidden("new passphrase for " + shown + ": "));
    if (!typed) {
        Error error = no_source(key_file);
        error.hint += ", or make an unencrypted key with --no-passphrase";
        return error;
    }
    const crypto::WipeAtEnd wiped(*typed);
    if (typed->empty()) return empty;
    MODELSEAL_TRY_ASSIGN(auto again, ask_hidden("repeat it: "));
    if (!again) return no_source(key_file);
    const crypto::WipeAtEnd wiped_again(*again);
    if (*typed != *again) return Error{ErrorKind::usage, shown + ": the two passphrases differ", ""};
    return std::move(*typed);
}

}  // namespace modelseal::cli
