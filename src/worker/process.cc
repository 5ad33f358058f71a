
#include "worker/process.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <string_view>
#include <system_error>

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "io/file.h"
#include "io/spawn.h"
#include "util/text.h"

extern char** environ;

namespace modelseal::worker {
namespace {

namespace fs = std::filesystem;

constexpr const char* kProgram = "modelseal-worker";
constexpr const char* kWorkerHint =
    "install modelseal with LibTorch, or set MODELSEAL_WORKER to the program's path";
constexpr int kChannelDescriptor = 3;
constexpr std::size_t kLastWords = 4u << 10;

// Settings of numerical libraries and of the loader; nothing that could be a secret.
constexpr std::array<std::string_view, 11> kPassedOn = {
    "OMP_",  "GOMP_",   "OPENBLAS_",        "DNNL_",          "ONEDNN_", "MKL_", "ATEN_CPU_CAPABILITY=",
    "CUDA_", "NVIDIA_", "LD_LIBRARY_PATH=", "GLIBC_TUNABLES="};

// Threads of OpenMP and of OpenBLAS spin while they wait for work, and so take the processors from each
// other: one image through a small network on four threads took 300 to 1,000 ms instead of 2. LibTorch
// distributes the work itself, so OpenBLAS gets one thread, and waiting threads sleep. Tensors between layers that are too
// large to be kept come from the system in large pages, where it has them: that takes a fifth off the time of a network of
// large images. Settings of the user take precedence.
constexpr std::array<std::string_view, 3> kUnlessSet = {"OPENBLAS_NUM_THREADS=1", "OMP_WAIT_POLICY=PASSIVE",
                                                        "GLIBC_TUNABLES=glibc.malloc.hugetlb=1"};

// Candidate places of the program, the likeliest first: the one in the environment (and then no other), next
// to this program, where this version was installed.
std::vector<fs::path> places() {
    if (const char* given = std::getenv("MODELSEAL_WORKER"); given != nullptr && *given != '\0') {
        return {fs::path(given)};
    }
    std::vector<fs::path> places;
    std::error_code failed;
    if (const auto program = fs::read_symlink("/proc/self/exe", failed); !failed) {
        for (const char* beside : {"", "../" MODELSEAL_WORKER_FOLDER}) {
            places.push_back((program.parent_path() / beside / kProgram).lexically_normal());
        }
    }
    places.emplace_back(MODELSEAL_WORKER_FULL_FOLDER "/" + std::string(kProgram));
    return places;
}

Result<fs::path> find_program() {
    std::string looked;
    for (const auto& place : places()) {
        std::error_code failed;
        if (fs::exists(place, failed)) return place;
        looked += (looked.empty() ? "" : ", ") + util::printable(place.string());
    }
    return Error{ErrorKind::unsupported,
                 fmt::format("the program modelseal-worker, which runs models, was not found: {}", looked),
                 kWorkerHint};
}

// Above the descriptors that the worker's take, so that no dup2() steps on another.
bool lift(Descriptor& descriptor) {
    descriptor = Descriptor(io::lifted(descriptor.release(), kChannelDescriptor));
    return descriptor.get() >= 0;
}

std::string how_it_ended(int status) {
    if (WIFEXITED(status)) return fmt::format("ended with status {}", WEXITSTATUS(status));
    const int signal = WTERMSIG(status);
    if (signal == SIGSYS) return "was stopped by its sandbox: it tried a system call that no network needs";
    const char* description = ::sigdescr_np(signal);
    return fmt::format("crashed: signal {} ({})", signal, description == nullptr ? "unknown" : description);
}

}  // namespace

std::vector<std::string> passed_on(const char* const* environment) {
    std::vector<std::string> chosen;
    for (; environment != nullptr && *environment != nullptr; ++environment) {
        const std::string_view variable = *environment;
        if (std::ranges::any_of(kPassedOn, [&](auto name) { return variable.starts_with(name); })) {
            chosen.emplace_back(variable);
        }
    }
    for (const auto variable : kUnlessSet) {
        const auto name = variable.substr(0, variable.find('=') + 1);
        const bool set = std::ranges::any_of(chosen, [&](const auto& one) { return one.starts_with(name); });
        if (!set) chosen.emplace_back(variable);
    }
    return chosen;
}

Result<std::unique_ptr<Process>> Process::start() {
    MODELSEAL_TRY_ASSIGN(const auto program, find_program());
    const auto shown = util::printable(program.string());
    int sockets[2], pipe[2];
    if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets) != 0) {
        return io::os_error(errno, shown, "make a channel");
    }
    Descriptor ours(sockets[0]), theirs(sockets[1]);
    // It is read only at the end, and a full pipe must not block the worker.
    if (::pipe2(pipe, O_CLOEXEC | O_NONBLOCK) != 0) return io::os_error(errno, shown, "make a pipe");
    Descriptor said(pipe[0]), says(pipe[1]);
    if (!lift(ours) || !lift(theirs) || !lift(said) || !lift(says)) {
        return io::os_error(errno, shown, "make a channel");
    }
    pid_t pid = 0;
    std::error_code failed;
    const int code = io::spawn(pid, {.file = fs::absolute(program, failed).string(),
                                     .words = {kProgram},
                                     .environment = passed_on(environ),
                                     .descriptors = {{-1, STDIN_FILENO},
                                                     {-1, STDOUT_FILENO},
                                                     {says.get(), STDERR_FILENO},
                                                     {theirs.get(), kChannelDescriptor}},
                                     .others = io::Program::Others::closed});
    if (code != 0) {
        auto error = io::os_error(code, shown, "run it");
        return Error{ErrorKind::unsupported, std::move(error.message), kWorkerHint};
    }
    return std::unique_ptr<Process>(new Process(pid, std::move(ours), std::move(said)));
}

std::string Process::end() {
    if (pid_ <= 0) return "has ended";
    int status = 0;
    // One that is about to end by itself shows how; one that hangs is killed.
    siginfo_t info{};
    for (int tries = 0; tries < 50; ++tries) {
        info.si_pid = 0;
        if (::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG | WNOWAIT) != 0 ||
            info.si_pid != 0)
            break;
        ::poll(nullptr, 0, 2);
    }
    const bool killed = info.si_pid == 0;
    ::kill(-pid_, SIGKILL);  // not reaped yet: the number is still its own
    while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
    pid_ = 0;
    std::string words(kLastWords, '\0');
    const auto got = ::read(errors_.get(), words.data(), words.size());
    words.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
    const auto last = io::last_line(words);
    return (killed ? std::string("was stopped") : how_it_ended(status)) +
           (last.empty() ? "" : ": '" + last + "'");
}

Process::~Process() {
    if (pid_ <= 0) return;
    ::kill(-pid_, SIGKILL);
    while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
    }
}

}  // namespace modelseal::worker
