
#include "io/new_folder.h"

#include <cerrno>
#include <utility>

#include <sys/stat.h>

#include "io/file.h"
#include "io/staging.h"

namespace modelseal::io {

namespace fs = std::filesystem;

Result<NewFolder> NewFolder::create(const fs::path& path, std::uint32_t mode) {
    NewFolder made;
    made.path_ = path.has_filename() ? path : path.parent_path();
    struct stat status {};
    if (::lstat(made.path_.c_str(), &status) == 0) return os_error(EEXIST, path.string(), "create");
    const auto staging = name_beside(made.path_);
    if (::mkdir(staging.c_str(), mode | S_IRWXU) != 0) return os_error(errno, path.string(), "create");
    made.staging_ = staging;
    // What the umask leaves of the mode, in which others see the folder when it is complete.
    if (::lstat(staging.c_str(), &status) != 0) return os_error(errno, path.string(), "create");
    made.mode_ = status.st_mode & 0777u;
    if (::chmod(staging.c_str(), S_IRWXU) != 0) return os_error(errno, path.string(), "create");
    return made;
}

NewFolder::NewFolder(NewFolder&& other) noexcept
    : path_(std::move(other.path_)), staging_(std::exchange(other.staging_, {})), mode_(other.mode_) {}

NewFolder::~NewFolder() {
    std::error_code ignored;
    if (!staging_.empty()) fs::remove_all(staging_, ignored);
}

Result<void> NewFolder::write(const std::string& name, std::span<const std::byte> bytes) {
    MODELSEAL_TRY_ASSIGN(auto file, AtomicFile::create(staging_ / name, 0600, WriteMode::exclusive));
    MODELSEAL_TRY(file.write(0, bytes));
    return file.commit();
}

Result<void> NewFolder::commit() {
    if (const int failed = rename_exclusively(staging_, path_); failed != 0) {
        return os_error(failed, path_.string(), "create");
    }
    staging_.clear();
    // Not before: a folder that its owner may not write to could not be removed after an error.
    if (::chmod(path_.c_str(), mode_) != 0) return os_error(errno, path_.string(), "set the permissions");
    return sync_folder(folder_of(path_));
}

}  // namespace modelseal::io
