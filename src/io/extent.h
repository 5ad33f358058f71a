// How large a target is on the disk, without opening it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <limits>
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

}  // namespace modelseal::io
