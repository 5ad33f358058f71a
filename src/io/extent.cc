#include "io/extent.h"

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

}  // namespace modelseal::io
