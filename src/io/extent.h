// How large a target is on the disk, and in which state: without opening it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <limits>
#include <optional>
#include <system_error>

namespace modelseal::io {

struct Extent {
    std::uint64_t bytes = 0;    // of a file, or of all files in a folder at any depth
    std::uint64_t entries = 0;  // looked at in a folder; 0 for a file
    bool folder = false;
    std::error_code failed;  // why it is not complete
};

// Symbolic links in a folder are not followed into other folders. Stops when it has seen `most_bytes` or `most_entries`, for
// callers that only ask whether there are as many.
Extent extent_of(const std::filesystem::path& path,
                 std::uint64_t most_bytes = std::numeric_limits<std::uint64_t>::max(),
                 std::uint64_t most_entries = std::numeric_limits<std::uint64_t>::max());

// What the system knows of a file or folder. Whoever changes one, writes, replaces or renames it, changes this: `changed_ns`
// is set by the system alone.
struct FileState {
    std::uint64_t device = 0, inode = 0, size = 0;
    std::int64_t modified_ns = 0, changed_ns = 0;  // since 1970
    bool folder = false;
    bool operator==(const FileState&) const = default;
};

enum class Links { followed, as_they_are };
// Nothing if there is no such file, or it cannot be looked at.
std::optional<FileState> state_of(const std::filesystem::path& path, Links links = Links::followed);

}  // namespace modelseal::io
