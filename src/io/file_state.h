// What the system knows of a file, by which it can be told later that nobody has written to it.
#pragma once

#include <compare>
#include <cstdint>

namespace modelseal::io {

// As long as these are the same, so are the bytes of a file of which changes_show().
struct FileState {
    std::uint64_t device = 0, inode = 0, size = 0;
    std::int64_t changed_ns = 0;  // time of change (ctime), since 1970; no program can set it
    auto operator<=>(const FileState&) const = default;
};

// Whether every later change to an open file gives it a time of change after `settled_ns`, and its present one is before that.
//
// That holds of a local file system that keeps such times for writes through mappings as well and has no call that
// exchanges contents below them: ext2, ext3, ext4 and btrfs. (XFS has XFS_IOC_SWAPEXT, tmpfs does not see writes through
// mappings, and a server has times of its own.) A writer that began earlier could go on under its old time, so nobody may have the
// file open for writing, or mapped; a lease is granted only then (fcntl(2), F_SETLEASE), and only to the owner of the file and
// to root. `fd`: opened for reading only. False if any of this cannot be shown.
//
// What lies outside: writes to the disk below the file system, and a clock that is set back.
bool changes_show(int fd, std::int64_t settled_ns);

}  // namespace modelseal::io
