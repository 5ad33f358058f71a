// Names for what appears under its own name only when it is complete.
#pragma once

#include <filesystem>

namespace modelseal::io {

// The folder that `path` is in; "." for a bare name.
std::filesystem::path folder_of(const std::filesystem::path& path);

// ".NAME.k3v9x2.part" in the folder of `path`: hidden, on the same file system, and not guessable.
std::filesystem::path name_beside(const std::filesystem::path& path);

// Renames a file or a folder, and never replaces anything, not even an empty folder, as far as the file system
// can tell. Returns 0 or errno.
int rename_exclusively(const std::filesystem::path& from, const std::filesystem::path& to);

}  // namespace modelseal::io
