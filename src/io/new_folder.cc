
#include "io/new_folder.h"

#include <cerrno>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/file.h"

namespace modelseal::io {
namespace {

namespace fs = std::filesystem;

constexpr const char* kInner = "new";

fs::path parent_of(const fs::path& path) {
    return path.has_parent_path() ? path.parent_path() : fs::path(".");
}

bool is_there(const fs::path& path) {
    struct stat status {};
    return ::lstat(path.c_str(), &status) == 0;
}

// Never replaces an empty folder that appeared meanwhile, if the file system supports it.
int rename_exclusively(const fs::path& from, const fs::path& to) {
    if (::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) == 0) return 0;
    if (errno != EINVAL && errno != ENOSYS && errno != ENOTSUP) return errno;
    if (is_there(to)) return EEXIST;
    return ::rename(from.c_str(), to.c_str()) == 0 ? 0 : errno;
}

}  // namespace

Result<NewFolder> NewFolder::create(const fs::path& path) {
    NewFolder made;
    made.path_ = path.has_filename() ? path : path.parent_path();
    if (is_there(made.path_)) return os_error(EEXIST, path.string(), "create");
    auto pattern = (parent_of(made.path_) / fmt::format(".{}.XXXXXX", made.path_.filename().string())).string();
    if (::mkdtemp(pattern.data()) == nullptr) return os_error(errno, path.string(), "create");
    made.staging_ = pattern;
    if (::mkdir((made.staging_ / kInner).c_str(), 0700) != 0) return os_error(errno, path.string(), "create");
    return made;
}

NewFolder::NewFolder(NewFolder&& other) noexcept
    : path_(std::move(other.path_)), staging_(std::exchange(other.staging_, {})) {}

NewFolder::~NewFolder() {
    std::error_code ignored;
    if (!staging_.empty()) fs::remove_all(staging_, ignored);
}

Result<void> NewFolder::write(const std::string& name, std::span<const std::byte> bytes) {
    MODELSEAL_TRY_ASSIGN(auto file, AtomicFile::create(staging_ / kInner / name, 0600, WriteMode::exclusive));
    MODELSEAL_TRY(file.write(0, bytes));
    return file.commit();
}

Result<void> NewFolder::commit() {
    if (const int failed = rename_exclusively(staging_ / kInner, path_); failed != 0) {
        return os_error(failed, path_.string(), "create");
    }
    return sync_folder(parent_of(path_));
}

}  // namespace modelseal::io
