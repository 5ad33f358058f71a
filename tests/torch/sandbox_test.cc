// The sandbox, tried from inside by a process that enters it.
#include "worker/sandbox.h"

#include <csignal>
#include <fstream>
#include <functional>
#include <thread>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

namespace modelseal::worker {
namespace {

constexpr int kRefused = 10, kDone = 11, kNoSandbox = 12;

// What became of `attempt` (true: it was done) in a sandbox of its own: an exit status as above, or -signal.
int inside(const std::function<bool()>& attempt, bool landlock = true, bool seccomp = true) {
    const auto child = ::fork();
    if (child == 0) {
        if (!limit_process(0).ok() || (landlock && enter_landlock() == 0) ||
            (seccomp && !enter_seccomp(Devices::cpu))) {
            ::_exit(kNoSandbox);
        }
        ::_exit(attempt() ? kDone : kRefused);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

bool opens(const char* path, int flags) {
    return ::open(path, flags | O_CLOEXEC, 0600) >= 0;
}

TEST(Sandbox, NoFileCanBeOpenedByEitherHalfAlone) {
    for (const bool landlock : {false, true}) {
        EXPECT_EQ(inside([] { return opens("/etc/passwd", O_RDONLY); }, landlock, !landlock), kRefused);
        EXPECT_EQ(inside([] { return opens("/tmp/modelseal-owned", O_WRONLY | O_CREAT); }, landlock, !landlock),
                  kRefused);
        EXPECT_EQ(inside([] { return opens("/dev/null", O_RDWR); }, landlock, !landlock), kRefused);
    }
    EXPECT_FALSE(std::ifstream("/tmp/modelseal-owned").good());
}

TEST(Sandbox, AttemptsThatOnlyAnAttackWouldMakeEndTheProcess) {
    EXPECT_EQ(inside([] { return ::socket(AF_INET, SOCK_STREAM, 0) >= 0; }), -SIGSYS);
    EXPECT_EQ(inside([] { return ::execl("/bin/true", "true", nullptr) == 0; }), -SIGSYS);
    EXPECT_EQ(inside([] { return ::vfork() >= 0; }), -SIGSYS);
    EXPECT_EQ(inside([] { return ::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr) == 0; }), -SIGSYS);
    EXPECT_EQ(inside([] { return ::kill(::getppid(), 0) == 0; }), -SIGSYS);
    EXPECT_EQ(inside([] { return ::unlink("/tmp/modelseal-nothing") == 0; }), -SIGSYS);
}

TEST(Sandbox, NoProcessCanBeStartedNorAnythingElseThatIsNotListed) {
    EXPECT_EQ(inside([] { return ::fork() >= 0; }), kRefused);
    EXPECT_EQ(inside([] { return ::mkdir("/tmp/modelseal-owned", 0700) == 0; }), kRefused);
    EXPECT_EQ(inside([] { return ::memfd_create("x", 0) >= 0; }), kRefused);
    EXPECT_EQ(inside([] { return ::setuid(65534) == 0; }), kRefused);
    struct stat status {};
    EXPECT_EQ(inside([&] { return ::stat("/etc/passwd", &status) == 0; }), kRefused);
}

TEST(Sandbox, MemoryThreadsAndOpenDescriptorsWork) {
    const int open_before = ::open("/etc/passwd", O_RDONLY | O_CLOEXEC);
    ASSERT_GE(open_before, 0);
    EXPECT_EQ(inside([&] {
                  char first = 0;
                  int counted = 0;
                  std::thread([&] { counted = 1; }).join();
                  void* code =
                      ::mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
                  return counted == 1 && ::pread(open_before, &first, 1, 0) == 1 &&
                         ::mprotect(code, 4096, PROT_READ | PROT_EXEC) == 0;
              }),
              kDone);
    ::close(open_before);
}

TEST(Sandbox, MemoryBeyondTheLimitIsRefused) {
    const auto child = ::fork();
    if (child == 0) {
        if (!limit_process(64u << 20).ok()) ::_exit(kNoSandbox);
        const bool little =
            ::mmap(nullptr, 16u << 20, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED;
        const bool much =
            ::mmap(nullptr, 128u << 20, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED;
        ::_exit(little && !much ? kDone : kRefused);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    EXPECT_EQ(WEXITSTATUS(status), kDone);
}

}  // namespace
}  // namespace modelseal::worker
