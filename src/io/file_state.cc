#include "io/file_state.h"

#include <csignal>

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>

namespace modelseal::io {
namespace {

bool keeps_times(int fd) {
    struct statfs system {};
    if (::fstatfs(fd, &system) != 0) return false;
    const auto type = static_cast<std::uint32_t>(system.f_type);
    return type == EXT4_SUPER_MAGIC || type == BTRFS_SUPER_MAGIC;  // ext2 and ext3 have the number of ext4
}

// A lease is asked for and given back at once. Whoever opens the file in between waits that long; of that we would be told by a
// signal, which is to be one that does nothing.
bool nobody_writes(int fd) {
    if (::fcntl(fd, F_SETSIG, SIGURG) != 0 || ::fcntl(fd, F_SETLEASE, F_RDLCK) != 0) return false;
    return ::fcntl(fd, F_SETLEASE, F_UNLCK) == 0;
}

}  // namespace

bool changes_show(int fd, std::int64_t settled_ns) {
    if (!keeps_times(fd) || !nobody_writes(fd)) return false;
    struct stat now {};
    if (::fstat(fd, &now) != 0) return false;
    return std::int64_t{now.st_ctim.tv_sec} * 1'000'000'000 + now.st_ctim.tv_nsec < settled_ns;
}

}  // namespace modelseal::io
