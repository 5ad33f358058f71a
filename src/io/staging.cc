#include "io/staging.h"

#include <cerrno>
#include <string>
#include <string_view>

#include <fcntl.h>
#include <stdio.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

namespace modelseal::io {

namespace fs = std::filesystem;

fs::path folder_of(const fs::path& path) {
    return path.has_parent_path() ? path.parent_path() : fs::path(".");
}

fs::path name_beside(const fs::path& path) {
    constexpr std::size_t kLongestName = 255;  // NAME_MAX of the file systems in use
    constexpr std::string_view letters = "abcdefghijklmnopqrstuvwxyz012345";
    unsigned char random[6] = {};
    if (::getrandom(random, sizeof random, 0) != sizeof random) {
        random[0] = static_cast<unsigned char>(::getpid());
    }
    std::string suffix = ".";
    for (const auto byte : random) suffix += letters[byte % letters.size()];
    suffix += ".part";
    return folder_of(path) /
           ("." + path.filename().string().substr(0, kLongestName - 1 - suffix.size()) + suffix);
}

int rename_exclusively(const fs::path& from, const fs::path& to) {
    if (::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) == 0) return 0;
    if (errno != EINVAL && errno != ENOSYS && errno != ENOTSUP) return errno;
    if (::link(from.c_str(), to.c_str()) == 0) {
        ::unlink(from.c_str());
        return 0;
    }
    if (errno != EPERM) return errno;
    // Folders have no links, nor has every file system: a look before the rename is all that is left.
    struct stat status {};
    if (::lstat(to.c_str(), &status) == 0) return EEXIST;
    return ::rename(from.c_str(), to.c_str()) == 0 ? 0 : errno;
}

}  // namespace modelseal::io
