
#include "worker/sandbox.h"

#include <cerrno>
#include <fstream>
#include <memory>

#include <fcntl.h>
#include <linux/landlock.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "io/file.h"

namespace modelseal::worker {
namespace {

// As in linux/landlock.h of a newer kernel than the headers may be of.
struct Ruleset {
    std::uint64_t files = 0;    // since version 1
    std::uint64_t network = 0;  // since version 4: bind and connect of TCP
    std::uint64_t scoped = 0;   // since version 6: abstract sockets, signals
};

// Rights over files, of which each version added some; none is ever granted.
constexpr std::uint64_t file_rights(int version) {
    constexpr std::uint64_t first = (1u << 13) - 1;
    return first | (version >= 2 ? 1u << 13 : 0) | (version >= 3 ? 1u << 14 : 0) |
           (version >= 5 ? 1u << 15 : 0);
}

bool set_limit(int resource, rlim_t value) {
    const rlimit limit{value, value};
    return ::setrlimit(static_cast<__rlimit_resource>(resource), &limit) == 0;
}

// Address space in use, in bytes.
std::uint64_t mapped_now() {
    std::uint64_t pages = 0;
    std::ifstream("/proc/self/statm") >> pages;
    return pages * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

using Filter = std::unique_ptr<void, decltype(&::seccomp_release)>;

// Calls that a network needs: memory, threads, clocks, and open descriptors.
constexpr int kAllowed[] = {
    SCMP_SYS(read),
    SCMP_SYS(pread64),
    SCMP_SYS(readv),
    SCMP_SYS(write),
    SCMP_SYS(writev),
    SCMP_SYS(lseek),
    SCMP_SYS(close),
    SCMP_SYS(fstat),
    SCMP_SYS(poll),
    SCMP_SYS(ppoll),
    SCMP_SYS(recvmsg),
    SCMP_SYS(sendmsg),
    SCMP_SYS(mmap),
    SCMP_SYS(munmap),
    SCMP_SYS(mremap),
    SCMP_SYS(mprotect),
    SCMP_SYS(madvise),
    SCMP_SYS(brk),
    SCMP_SYS(mincore),
    SCMP_SYS(membarrier),
    SCMP_SYS(futex),
    SCMP_SYS(set_robust_list),
    SCMP_SYS(get_robust_list),
    SCMP_SYS(rseq),
    SCMP_SYS(set_tid_address),
    SCMP_SYS(rt_sigaction),
    SCMP_SYS(rt_sigprocmask),
    SCMP_SYS(rt_sigreturn),
    SCMP_SYS(sigaltstack),
    SCMP_SYS(restart_syscall),
    SCMP_SYS(sched_yield),
    SCMP_SYS(sched_getaffinity),
    SCMP_SYS(sched_setaffinity),
    SCMP_SYS(sched_getparam),
    SCMP_SYS(sched_getscheduler),
    SCMP_SYS(sched_get_priority_max),
    SCMP_SYS(sched_get_priority_min),
    SCMP_SYS(getcpu),
    SCMP_SYS(get_mempolicy),
    SCMP_SYS(getpid),
    SCMP_SYS(gettid),
    SCMP_SYS(getrusage),
    SCMP_SYS(sysinfo),
    SCMP_SYS(uname),
    SCMP_SYS(clock_gettime),
    SCMP_SYS(clock_getres),
    SCMP_SYS(clock_nanosleep),
    SCMP_SYS(nanosleep),
    SCMP_SYS(gettimeofday),
    SCMP_SYS(time),
    SCMP_SYS(getrandom),
    SCMP_SYS(exit),
    SCMP_SYS(exit_group),
};

// Calls that only an attack would make: the process ends, and its parent sees that.
constexpr int kDeadly[] = {
    SCMP_SYS(execve),
    SCMP_SYS(execveat),
    SCMP_SYS(fork),
    SCMP_SYS(vfork),
    SCMP_SYS(socket),
    SCMP_SYS(socketpair),
    SCMP_SYS(connect),
    SCMP_SYS(bind),
    SCMP_SYS(listen),
    SCMP_SYS(accept),
    SCMP_SYS(accept4),
    SCMP_SYS(sendto),
    SCMP_SYS(ptrace),
    SCMP_SYS(process_vm_readv),
    SCMP_SYS(process_vm_writev),
    SCMP_SYS(kill),
    SCMP_SYS(bpf),
    SCMP_SYS(io_uring_setup),
    SCMP_SYS(mount),
    SCMP_SYS(unshare),
    SCMP_SYS(setns),
    SCMP_SYS(keyctl),
    SCMP_SYS(unlink),
    SCMP_SYS(unlinkat),
    SCMP_SYS(rename),
    SCMP_SYS(renameat),
    SCMP_SYS(renameat2),
    SCMP_SYS(truncate),
    SCMP_SYS(ftruncate),
    SCMP_SYS(chmod),
    SCMP_SYS(fchmod),
    SCMP_SYS(fchmodat),
};

bool allow_some(scmp_filter_ctx filter, Devices devices) {
    const auto rule = [&](std::uint32_t action, int call, auto... arguments) {
        return ::seccomp_rule_add(filter, action, call, sizeof...(arguments), arguments...) == 0;
    };
    const auto has = [](unsigned index, std::uint64_t bits) {
        return scmp_arg_cmp{index, SCMP_CMP_MASKED_EQ, bits, bits};
    };
    const auto is = [](unsigned index, std::uint64_t value) {
        return scmp_arg_cmp{index, SCMP_CMP_EQ, value, 0};
    };
    bool done = true;
    // Threads, not processes. clone3() hides its flags in memory; glibc falls back to clone() where there is
    // none.
    done &= rule(SCMP_ACT_ALLOW, SCMP_SYS(clone), has(0, CLONE_THREAD | CLONE_VM));
    done &= rule(SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3));
    // fstat() of an open descriptor in newer C libraries.
    done &= rule(SCMP_ACT_ALLOW, SCMP_SYS(newfstatat), has(3, AT_EMPTY_PATH));
    for (const auto command : {F_GETFL, F_GETFD, F_SETFD, F_DUPFD_CLOEXEC}) {
        done &= rule(SCMP_ACT_ALLOW, SCMP_SYS(fcntl), is(1, static_cast<std::uint64_t>(command)));
    }
    done &= rule(SCMP_ACT_ALLOW, SCMP_SYS(prlimit64), is(2, 0));  // reading limits alone
    done &= rule(SCMP_ACT_ALLOW, SCMP_SYS(prctl), is(0, PR_SET_NAME));
    done &= rule(SCMP_ACT_ALLOW, SCMP_SYS(prctl), is(0, 0x53564d41));  // PR_SET_VMA: names of memory
    done &= rule(SCMP_ACT_ALLOW, SCMP_SYS(tgkill), is(0, static_cast<std::uint64_t>(::getpid())));  // abort()
    if (devices == Devices::gpu) {
        for (const int call : {SCMP_SYS(ioctl), SCMP_SYS(eventfd2)}) done &= rule(SCMP_ACT_ALLOW, call);
    }
    return done;
}

}  // namespace

Result<void> limit_process(std::uint64_t memory) {
    const bool quiet =
        ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && ::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0;
    if (!quiet || !set_limit(RLIMIT_CORE, 0) || !set_limit(RLIMIT_FSIZE, 0) ||
        (memory != 0 && !set_limit(RLIMIT_AS, mapped_now() + memory))) {
        return io::os_error(errno, "worker", "limit itself");
    }
    return {};
}

int enter_landlock() {
    const auto version =
        static_cast<int>(::syscall(SYS_landlock_create_ruleset, nullptr, 0, LANDLOCK_CREATE_RULESET_VERSION));
    if (version < 1) return 0;
    const Ruleset rules{
        .files = file_rights(version), .network = version >= 4 ? 3u : 0, .scoped = version >= 6 ? 3u : 0};
    const auto known = version >= 6   ? sizeof rules
                       : version >= 4 ? 2 * sizeof(std::uint64_t)
                                      : sizeof(std::uint64_t);
    const auto ruleset = static_cast<int>(::syscall(SYS_landlock_create_ruleset, &rules, known, 0));
    if (ruleset < 0) return 0;
    const bool entered = ::syscall(SYS_landlock_restrict_self, ruleset, 0) == 0;
    ::close(ruleset);
    return entered ? version : 0;
}

bool enter_seccomp(Devices devices) {
    const Filter filter(::seccomp_init(SCMP_ACT_ERRNO(EPERM)), &::seccomp_release);
    if (filter == nullptr || ::seccomp_attr_set(filter.get(), SCMP_FLTATR_CTL_TSYNC, 1) != 0) return false;
    for (const int call : kAllowed) {
        if (::seccomp_rule_add(filter.get(), SCMP_ACT_ALLOW, call, 0) != 0) return false;
    }
    for (const int call : kDeadly) {
        if (::seccomp_rule_add(filter.get(), SCMP_ACT_KILL_PROCESS, call, 0) != 0) return false;
    }
    return allow_some(filter.get(), devices) && ::seccomp_load(filter.get()) == 0;
}

}  // namespace modelseal::worker
