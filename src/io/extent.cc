#include "io/extent.h"

#include <sys/stat.h>

namespace modelseal::io {

namespace fs = std::filesystem;

Extent extent_of(const fs::path& path, std::uint64_t most_bytes, std::uint64_t most_entries) {
    Extent extent;
    extent.folder = fs::is_directory(path, extent.failed);
    if (!extent.folder) {
        const auto size = fs::file_size(path, extent.failed);
        if (!extent.failed) extent.bytes = size;
        return extent;
    }
    for (auto at = fs::recursive_directory_iterator(path, extent.failed);
         !extent.failed && at != fs::recursive_directory_iterator(); at.increment(extent.failed)) {
        ++extent.entries;
        std::error_code unreadable;
        if (at->is_regular_file(unreadable)) {
            const auto size = at->file_size(unreadable);
            if (!unreadable) extent.bytes += size;
        }
        if (extent.bytes >= most_bytes || extent.entries >= most_entries) break;
    }
    return extent;
}

namespace {

std::int64_t nanoseconds(const timespec& time) {
    return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

}  // namespace

std::optional<FileState> state_of(const fs::path& path, Links links) {
    struct stat status {};
    const int done = links == Links::followed ? ::stat(path.c_str(), &status) : ::lstat(path.c_str(), &status);
    if (done != 0) return std::nullopt;
    return FileState{.device = status.st_dev,
                     .inode = status.st_ino,
                     .size = static_cast<std::uint64_t>(status.st_size),
                     .modified_ns = nanoseconds(status.st_mtim),
                     .changed_ns = nanoseconds(status.st_ctim),
                     .folder = S_ISDIR(status.st_mode)};
}

}  // namespace modelseal::io
