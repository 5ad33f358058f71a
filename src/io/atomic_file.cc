#include <algorithm>
#include <cerrno>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "io/file.h"
#include "io/irreplaceable.h"
#include "io/staging.h"
#include "util/text.h"

namespace modelseal::io {

namespace {

constexpr int kAttempts = 100;

// The destination of the bytes: through a symbolic link to the file that it names, so that the link stays.
// Refuses what a rename would destroy: folders and devices (-o /dev/stdout), and irreplaceable files.
Result<std::filesystem::path> destination(const std::filesystem::path& path, WriteMode write_mode) {
    const auto shown = path.string();
    if (!path.has_filename()) return os_error(EISDIR, shown, "write");
    struct stat status {};
    if (::lstat(path.c_str(), &status) != 0) {
        if (errno == ENOENT) return path;
        return os_error(errno, shown, "write");
    }
    if (write_mode == WriteMode::exclusive) return os_error(EEXIST, shown, "create");
    std::error_code failed;
    const bool link = S_ISLNK(status.st_mode);
    // A link in /proc, to which /dev/stdout leads, has a target without a path.
    const bool there = ::stat(path.c_str(), &status) == 0;
    auto real = link && there && S_ISREG(status.st_mode) ? std::filesystem::canonical(path, failed) : path;
    if (failed || !there) {
        return Error{ErrorKind::unreadable,
                     fmt::format("{}: a symbolic link to a missing file", util::printable(shown)),
                     "remove the link, or give the path that it should lead to"};
    }
    if (S_ISDIR(status.st_mode)) return os_error(EISDIR, shown, "write");
    if (!S_ISREG(status.st_mode)) {
        return Error{ErrorKind::unreadable,
                     fmt::format("{}: is not a regular file; the output must be one", util::printable(shown)),
                     {}};
    }
    MODELSEAL_TRY(refuse_to_replace(real));
    return real;
}

// The link in /proc for an open file, which linkat() can name without privileges.
std::string proc_link(int fd) {
    return fmt::format("/proc/self/fd/{}", fd);
}

// -1 where a file cannot be made without a name, or not be given one later.
int open_nameless(const std::filesystem::path& folder, mode_t mode) {
    const int fd = ::open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, mode);
    if (fd < 0 || ::access(proc_link(fd).c_str(), F_OK) == 0) return fd;
    ::close(fd);
    return -1;
}

}  // namespace

Result<void> sync_folder(const std::filesystem::path& folder) {
    const int fd = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return {};  // a folder that may be written but not read
    const int failed = ::fsync(fd) != 0 ? errno : 0;
    ::close(fd);
    if (failed != 0 && failed != EINVAL && failed != ENOTSUP) return os_error(failed, folder.string(), "sync");
    return {};
}

Result<AtomicFile> AtomicFile::create(const std::filesystem::path& path, std::uint32_t mode,
                                      WriteMode write_mode, Unseen unseen, const std::filesystem::path& in) {
    AtomicFile file;
    MODELSEAL_TRY_ASSIGN(file.path_, destination(path, write_mode));
    file.write_mode_ = write_mode;
    const auto folder = in.empty() ? folder_of(file.path_) : in;
    if (unseen == Unseen::nameless) file.fd_ = open_nameless(folder, mode & 0777u);
    for (int attempt = 0; file.fd_ < 0; ++attempt) {
        const auto beside = name_beside(folder / file.path_.filename());
        file.fd_ = ::open(beside.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode & 0777u);
        if (file.fd_ >= 0) {
            file.beside_ = beside;
        } else if ((errno != EINTR && errno != EEXIST) || attempt == kAttempts) {
            return os_error(errno, path.string(), "write");
        }
    }
    return file;
}

AtomicFile::AtomicFile(AtomicFile&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)),
      path_(std::move(other.path_)),
      beside_(std::exchange(other.beside_, {})),
      write_mode_(other.write_mode_) {}

AtomicFile& AtomicFile::operator=(AtomicFile&& other) noexcept {
    if (this == &other) return *this;
    discard();
    fd_ = std::exchange(other.fd_, -1);
    path_ = std::move(other.path_);
    beside_ = std::exchange(other.beside_, {});
    write_mode_ = other.write_mode_;
    return *this;
}

AtomicFile::~AtomicFile() {
    discard();
}

void AtomicFile::discard() {
    if (fd_ >= 0) ::close(std::exchange(fd_, -1));
    if (!beside_.empty()) ::unlink(beside_.c_str());
    beside_.clear();
}

Result<void> AtomicFile::reserve(std::uint64_t bytes) {
    if (bytes == 0) return {};
    int failed = 0;
    do {
        failed = ::fallocate(fd_, 0, 0, static_cast<off_t>(bytes)) != 0 ? errno : 0;
    } while (failed == EINTR);
    if (failed == EOPNOTSUPP || failed == ENOSYS) {
        // The file system cannot promise the space; at least ask whether there is any.
        struct statvfs disk {};
        const bool known = ::fstatvfs(fd_, &disk) == 0 && disk.f_frsize != 0 && disk.f_blocks != 0;
        failed = known && bytes / disk.f_frsize > disk.f_bavail ? ENOSPC : 0;
        if (failed == 0 && ::ftruncate(fd_, static_cast<off_t>(bytes)) != 0) failed = errno;
    }
    if (failed != 0)
        return os_error(failed, path_.string(), fmt::format("reserve {}", util::counted(bytes, "byte")));
    return {};
}

Result<void> AtomicFile::write(std::uint64_t offset, std::span<const std::byte> bytes) {
    while (!bytes.empty()) {
        const auto count = ::pwrite(fd_, bytes.data(), bytes.size(), static_cast<off_t>(offset));
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return os_error(errno, path_.string(), "write");
        offset += static_cast<std::uint64_t>(count);
        bytes = bytes.subspan(static_cast<std::size_t>(count));
    }
    return {};
}

Result<void> AtomicFile::read(std::uint64_t offset, std::span<std::byte> out) const {
    while (!out.empty()) {
        const auto count = ::pread(fd_, out.data(), out.size(), static_cast<off_t>(offset));
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return os_error(errno, path_.string(), "read it back");
        if (count == 0) {
            return Error{ErrorKind::unreadable,
                         fmt::format("{}: ends before offset {}", util::printable(path_.string()), offset),
                         {}};
        }
        offset += static_cast<std::uint64_t>(count);
        out = out.subspan(static_cast<std::size_t>(count));
    }
    return {};
}

// A link never replaces; so a nameless file gets a hidden name first when it shall replace.
Result<void> AtomicFile::give_name(const std::filesystem::path& at) {
    const auto link_to = [&](const std::filesystem::path& name) {
        return ::linkat(AT_FDCWD, proc_link(fd_).c_str(), AT_FDCWD, name.c_str(), AT_SYMLINK_FOLLOW) == 0;
    };
    if (beside_.empty() && write_mode_ == WriteMode::exclusive) {
        return link_to(at) ? Result<void>() : os_error(errno, path_.string(), "create");
    }
    for (int attempt = 0; beside_.empty(); ++attempt) {
        const auto beside = name_beside(at);
        if (link_to(beside)) {
            beside_ = beside;
        } else if (errno != EEXIST || attempt == kAttempts) {
            return os_error(errno, path_.string(), "create");
        }
    }
    const int failed = write_mode_ == WriteMode::exclusive          ? rename_exclusively(beside_, at)
                       : ::rename(beside_.c_str(), at.c_str()) != 0 ? errno
                                                                    : 0;
    if (failed != 0) return os_error(failed, path_.string(), "create");
    beside_.clear();
    return {};
}

Result<void> AtomicFile::sync() {
    if (::fsync(fd_) != 0) return os_error(errno, path_.string(), "write to the disk");
    return {};
}

Result<void> AtomicFile::commit(const std::filesystem::path& elsewhere) {
    MODELSEAL_TRY(sync());
    const auto& at = elsewhere.empty() ? path_ : elsewhere;
    MODELSEAL_TRY(give_name(at));
    ::close(std::exchange(fd_, -1));  // fsync() has reported errors of the disk already
    return sync_folder(folder_of(at));
}

Result<void> write_text(const std::filesystem::path& path, std::string_view text, std::uint32_t mode,
                        WriteMode write_mode) {
    MODELSEAL_TRY_ASSIGN(auto file, AtomicFile::create(path, mode, write_mode));
    MODELSEAL_TRY(file.write(0, std::as_bytes(std::span(text))));
    return file.commit();
}

}  // namespace modelseal::io
