#include "io/spawn.h"

#include <algorithm>
#include <cerrno>
#include <csignal>

#include <fcntl.h>
#include <spawn.h>
#include <unistd.h>

#include "util/text.h"

extern char** environ;

namespace modelseal::io {
namespace {

std::vector<char*> pointers_to(std::vector<std::string>& texts) {
    std::vector<char*> all;
    for (auto& text : texts) all.push_back(text.data());
    all.push_back(nullptr);
    return all;
}

void place_descriptors(posix_spawn_file_actions_t& files, const Program& program) {
    int highest = STDERR_FILENO;
    for (const auto& [ours, theirs] : program.descriptors) {
        highest = std::max(highest, theirs);
        if (ours >= 0) {
            posix_spawn_file_actions_adddup2(&files, ours, theirs);
        } else {
            const int access = theirs == STDIN_FILENO ? O_RDONLY : O_WRONLY;
            posix_spawn_file_actions_addopen(&files, theirs, "/dev/null", access, 0);
        }
    }
    if (program.others == Program::Others::closed) {
        posix_spawn_file_actions_addclosefrom_np(&files, highest + 1);
    }
}

void set_signals_and_group(posix_spawnattr_t& attributes) {
    sigset_t none, ours;
    sigemptyset(&none);
    sigemptyset(&ours);
    sigaddset(&ours, SIGPIPE);
    sigaddset(&ours, SIGXFSZ);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &ours);
    posix_spawnattr_setpgroup(&attributes, 0);  // Ctrl-C is ours to handle, and its children go with it
    posix_spawnattr_setflags(&attributes,
                             POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
}

}  // namespace

std::vector<std::string> environment_without_secrets() {
    std::vector<std::string> variables;
    for (char** variable = environ; variable != nullptr && *variable != nullptr; ++variable) {
        const std::string_view text(*variable);
        if (!text.starts_with("MODELSEAL_PASSPHRASE=") && !text.starts_with("MODELSEAL_TOKEN="))
            variables.emplace_back(text);
    }
    return variables;
}

int spawn(pid_t& pid, Program program) {
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attributes;
    posix_spawn_file_actions_init(&files);
    posix_spawnattr_init(&attributes);
    place_descriptors(files, program);
    set_signals_and_group(attributes);
    const int code = ::posix_spawnp(&pid, program.file.c_str(), &files, &attributes,
                                    pointers_to(program.words).data(), pointers_to(program.environment).data());
    posix_spawn_file_actions_destroy(&files);
    posix_spawnattr_destroy(&attributes);
    return code;
}

int lifted(int fd, int least) {
    if (fd > least || fd < 0) return fd;
    const int copy = ::fcntl(fd, F_DUPFD_CLOEXEC, least + 1);
    const int failed = errno;
    ::close(fd);
    errno = failed;
    return copy;
}

std::string last_line(std::string_view text) {
    while (!text.empty() && (text.back() == '\n' || text.back() == '\r' || text.back() == ' ')) {
        text.remove_suffix(1);
    }
    if (const auto line = text.rfind('\n'); line != text.npos) text.remove_prefix(line + 1);
    return util::printable(text.substr(0, 300));
}

}  // namespace modelseal::io
