#include "io/file.h"

#include <cerrno>
#include <filesystem>
#include <system_error>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util/byte_order_mark.h"
#include "util/text.h"

namespace modelseal::io {
namespace {
struct Words {
    std::string_view reason;
    std::string_view hint;
};

// The codes that people meet; empty for the others.
Words words_for(int code) {
    switch (code) {
        case ENOENT:
            return {"not found", "check the path"};
        case ENOTDIR:
            return {"a part of the path is not a folder", {}};
        case EACCES:
        case EPERM:
            return {"permission denied", "check the permissions of the file and of its folders"};
        case EISDIR:
            return {"is a directory", {}};
        case EEXIST:
            return {"exists already", "choose another name, or remove it first"};
        case ENOSPC:
            return {"no space left on the device", "free some space, or write to another disk"};
        case EDQUOT:
            return {"the disk quota is used up", "free some space, or write to another disk"};
        case EFBIG:
            return {"the file would be larger than the system allows",
                    "check 'ulimit -f' and the file system's limit"};
        case EROFS:
            return {"the file system is read-only", "write to another folder"};
        case ELOOP:
            return {"is a symbolic link, or there is a loop of links", {}};
        case ENAMETOOLONG:
            return {"the path, or a name in it, is too long", {}};
        case EMFILE:
        case ENFILE:
            return {"too many open files", "raise the limit with 'ulimit -n'"};
        case EIO:
            return {"input/output error", "the disk or its connection may be failing"};
        default:
            return {};
    }
}
// Of a path that cannot be written because its folder is missing: the folder, not the file, has to be named.
Error no_folder(std::string_view name, std::string_view doing) {
    const auto folder = std::filesystem::path(name).parent_path().string();
    return {ErrorKind::unreadable,
            fmt::format("{}: cannot {}: there is no folder '{}'", util::printable(name), doing,
                        util::printable(folder)),
            "create the folder, or check the path"};
}
}  // namespace

Error os_error(int code, std::string_view name, std::string_view doing) {
    if (code == ENOENT && doing == "write" && name.find('/') != name.npos) return no_folder(name, doing);
    const auto words = words_for(code);
    const auto reason =
        words.reason.empty() ? std::generic_category().message(code) : std::string(words.reason);
    return {ErrorKind::unreadable, fmt::format("{}: cannot {}: {}", util::printable(name), doing, reason),
            std::string(words.hint)};
}

namespace {

std::int64_t change_time(const struct stat& status) {
    return std::int64_t{status.st_ctim.tv_sec} * 1'000'000'000 + status.st_ctim.tv_nsec;
}

// O_NONBLOCK: a named pipe must be refused, not waited for. It means nothing for regular files.
int open_for_reading(const std::filesystem::path& path, int more_flags) {
    int fd = -1;
    do {
        fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | more_flags);
    } while (fd < 0 && errno == EINTR);
    return fd;
}

// Bytes read, 0 at the end, or -1 with errno.
ssize_t read_some(int fd, std::span<std::byte> out) {
    ssize_t count = 0;
    do {
        count = ::read(fd, out.data(), out.size());
    } while (count < 0 && errno == EINTR);
    return count;
}

Error changed(std::string_view name, std::string_view how) {
    return {ErrorKind::unreadable, fmt::format("{}: {} while it was read", util::printable(name), how),
            "try again when no program writes to it"};
}

Error too_large(const std::string& shown, std::uint64_t cap) {
    return {ErrorKind::malformed,
            fmt::format("{}: larger than the limit of {}", util::printable(shown), util::counted(cap, "byte")),
            "check that this is the right file"};
}

}  // namespace

Result<std::unique_ptr<FileSource>> FileSource::open(const std::filesystem::path& path, std::string shown) {
    const int fd = open_for_reading(path, O_NONBLOCK);
    if (fd < 0) return os_error(errno, shown, "open");
    return adopt(fd, path, std::move(shown));
}

Result<std::unique_ptr<FileSource>> FileSource::adopt(int fd, std::filesystem::path path, std::string shown) {
    std::unique_ptr<FileSource> source(new FileSource);
    source->fd_ = fd;
    source->path_ = std::move(path);
    source->name_ = util::printable(shown);
    struct stat status {};
    if (::fstat(fd, &status) != 0) return os_error(errno, shown, "get its status");
    if (S_ISDIR(status.st_mode)) return os_error(EISDIR, shown, "read");
    if (!S_ISREG(status.st_mode)) {
        return Error{ErrorKind::unreadable,
                     fmt::format("{}: is a pipe, device or socket; a regular file is needed", source->name_),
                     "copy its content into a file first"};
    }
    source->size_ = static_cast<std::uint64_t>(status.st_size);
    source->mode_ = status.st_mode & 0777u;
    source->links_ = status.st_nlink;
    source->device_ = status.st_dev;
    source->inode_ = status.st_ino;
    source->changed_ns_ = change_time(status);
    return source;
}

FileSource::~FileSource() {
    if (fd_ >= 0) ::close(fd_);
}

Result<void> FileSource::read(std::uint64_t offset, std::span<std::byte> out) const {
    if (offset > size_ || out.size() > size_ - offset) {
        return Error{ErrorKind::unreadable,
                     fmt::format("{}: {} at offset {} are outside the file of {}", name_,
                                 util::counted(out.size(), "byte"), offset, size_),
                     {}};
    }
    if (std::chrono::steady_clock::now() >= deadline_)
        return Error{ErrorKind::unreadable, name_ + ": the time for reading it is over", {}};
    while (!out.empty()) {
        const auto count = ::pread(fd_, out.data(), out.size(), static_cast<off_t>(offset));
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return os_error(errno, name_, "read");
        if (count == 0) return changed(name_, "was truncated");
        offset += static_cast<std::uint64_t>(count);
        out = out.subspan(static_cast<std::size_t>(count));
    }
    return {};
}

// An ordinary program cannot set back the change time, unlike the modification time.
Result<void> FileSource::unchanged() const {
    struct stat now {};
    const bool there = ::stat(path_.c_str(), &now) == 0;
    if (!there && errno != ENOENT && errno != ENOTDIR) return os_error(errno, name_, "get its status");
    if (!there || now.st_dev != device_ || now.st_ino != inode_)
        return changed(name_, "was replaced or removed");
    if (::fstat(fd_, &now) != 0) return os_error(errno, name_, "get its status");
    if (static_cast<std::uint64_t>(now.st_size) != size_ || change_time(now) != changed_ns_) {
        return changed(name_, "was changed");
    }
    return {};
}

bool FileSource::same_file(const std::filesystem::path& other) const {
    struct stat status {};
    return ::stat(other.c_str(), &status) == 0 && status.st_dev == device_ && status.st_ino == inode_;
}

// Unlike model files, a text may come through a pipe: --passphrase-file <(pass show seal).
Result<std::string> read_text(const std::filesystem::path& path, std::uint64_t cap) {
    const auto shown = path.string();
    const int fd = open_for_reading(path, 0);
    if (fd < 0) return os_error(errno, shown, "open");
    std::string text;
    std::byte chunk[16384];
    ssize_t count = 0;
    struct stat status {};
    // A file that is too large is not read at all; the size of a pipe is unknown.
    const bool regular = ::fstat(fd, &status) == 0 && S_ISREG(status.st_mode);
    if (regular && static_cast<std::uint64_t>(status.st_size) > cap) {
        ::close(fd);
        return too_large(shown, cap);
    }
    while ((count = read_some(fd, chunk)) > 0 && text.size() <= cap) {
        text.append(reinterpret_cast<const char*>(chunk), static_cast<std::size_t>(count));
    }
    const int code = errno;
    ::close(fd);
    if (count < 0) return os_error(code, shown, "read");
    if (text.size() > cap) return too_large(shown, cap);
    if (text.starts_with(util::kByteOrderMark)) text.erase(0, util::kByteOrderMark.size());
    return text;
}

}  // namespace modelseal::io
