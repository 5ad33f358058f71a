#include "tests/support/services/background.h"

#include <cerrno>
#include <stdexcept>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

namespace modelseal::test {
namespace {

int exit_code_of(int status) {
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

}  // namespace

Background::Background(const std::vector<std::string>& command, const std::filesystem::path& output) {
    std::vector<char*> words;
    for (const auto& word : command) words.push_back(const_cast<char*>(word.c_str()));
    words.push_back(nullptr);
    const int file = ::open(output.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    child_ = ::fork();
    if (child_ < 0 || file < 0) throw std::runtime_error("cannot start " + command.at(0));
    if (child_ == 0) {
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);  // also if the test crashes
        ::dup2(file, STDOUT_FILENO);
        ::dup2(file, STDERR_FILENO);
        ::execvp(words[0], words.data());
        ::_exit(127);
    }
    ::close(file);
}

bool Background::is_running() {
    int status = 0;
    if (child_ < 0 || ::waitpid(child_, &status, WNOHANG) == 0) return child_ >= 0;
    child_ = -1;
    code_ = exit_code_of(status);
    return false;
}

int Background::stop(int signal) {
    if (child_ < 0) return code_;
    ::kill(child_, signal);
    int status = 0;
    while (::waitpid(child_, &status, 0) < 0 && errno == EINTR) {
    }
    child_ = -1;
    return code_ = exit_code_of(status);
}

unsigned free_port() {
    const int probe = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    if (probe < 0 || ::bind(probe, reinterpret_cast<sockaddr*>(&address), size) != 0 ||
        ::getsockname(probe, reinterpret_cast<sockaddr*>(&address), &size) != 0)
        throw std::runtime_error("no free port");
    ::close(probe);
    return ntohs(address.sin_port);
}

}  // namespace modelseal::test
