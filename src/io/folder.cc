
#include "io/folder.h"

#include <algorithm>
#include <cerrno>
#include <utility>

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "io/descriptor.h"
#include "io/file.h"
#include "util/text.h"

namespace modelseal::io {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t kLongestPath = 4096;
constexpr int kFollowAttempts = 100;

Error link_refused(const std::string& shown) {
    return {ErrorKind::unsupported,
            fmt::format(
                "{}: is a symbolic link, and links are not followed: they may lead out of the model's folder",
                util::printable(shown)),
            "replace the links by their files: cp -rL FOLDER COPY", Remedy::follow_links};
}

Error folder_link_refused(const std::string& shown) {
    return {ErrorKind::unsupported,
            fmt::format("{}: is a symbolic link to a folder; only links to files are followed",
                        util::printable(shown)),
            "replace the links by their files: cp -rL FOLDER COPY"};
}

// Why openat2() did not follow a link.
Error follow_error(int code, const std::string& shown, const fs::path& root) {
    if (code == EXDEV) {
        return {ErrorKind::unsupported,
                fmt::format("{}: is a symbolic link that leads out of '{}'", util::printable(shown),
                            util::printable(root.string())),
                "replace the links by their files: cp -rL FOLDER COPY"};
    }
    if (code == ENOENT) {
        return {ErrorKind::unreadable,
                fmt::format("{}: is a symbolic link to a missing file", util::printable(shown)),
                "download or copy all files of the model again"};
    }
    if (code == ENOSYS || code == EPERM) {
        return {ErrorKind::unsupported,
                fmt::format("{}: is a symbolic link, and this system cannot follow links within a folder",
                            util::printable(shown)),
                "replace the links by their files: cp -rL FOLDER COPY"};
    }
    return os_error(code, shown, "follow the link");
}

// How far up links may lead: NAME of NAME/snapshots/REVISION/..., if NAME/blobs is there, as huggingface_hub lays out
// its cache; else the folder itself.
fs::path root_for_links(const fs::path& folder) {
    std::error_code ignored;
    for (auto at = folder; at.has_relative_path(); at = at.parent_path()) {
        const auto above = at.parent_path();
        if (above.filename() == "snapshots" && fs::is_directory(above.parent_path() / "blobs", ignored))
            return above.parent_path();
    }
    return folder;
}

// The error for `name` in the folder `fd`, after openat() set errno; distinguishes links from other obstacles.
Error open_error(int fd, const std::string& name, const std::string& shown) {
    const int code = errno;
    struct stat status {};
    const bool known = ::fstatat(fd, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0;
    if (known && S_ISLNK(status.st_mode)) return link_refused(shown);
    return os_error(code, shown, "open");
}

Folder::Entry::Kind kind_of(mode_t mode) {
    using Kind = Folder::Entry::Kind;
    if (S_ISREG(mode)) return Kind::file;
    if (S_ISDIR(mode)) return Kind::folder;
    return S_ISLNK(mode) ? Kind::link : Kind::other;
}

}  // namespace

// Walks a tree of folders and gathers its entries.
class FolderLister {
  public:
    FolderLister(const Folder& folder, std::uint64_t most, std::uint32_t depth, const Folder::Skip& skip)
        : folder_(folder), most_(most), depth_(depth), skip_(skip) {}

    Result<void> list(Descriptor at, const std::string& prefix, std::uint32_t level) {
        DIR* stream = ::fdopendir(at.get());
        if (stream == nullptr) return os_error(errno, folder_.shown(prefix), "list");
        at.release();  // the stream owns it
        const std::unique_ptr<DIR, int (*)(DIR*)> closing(stream, ::closedir);
        for (;;) {
            errno = 0;
            const auto* entry = ::readdir(stream);
            if (entry == nullptr && errno != 0) return os_error(errno, folder_.shown(prefix), "list");
            if (entry == nullptr) return {};
            MODELSEAL_TRY(add(::dirfd(stream), prefix, entry->d_name, level));
        }
    }

    std::vector<Folder::Entry> found;

  private:
    Result<void> add(int fd, const std::string& prefix, const std::string& name, std::uint32_t level) {
        if (name == "." || name == "..") return {};
        Folder::Entry entry{.path = prefix + name};
        const auto shown = folder_.shown(entry.path);
        struct stat status {};
        if (::fstatat(fd, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0)
            return os_error(errno, shown, "get its status");
        entry.kind = kind_of(status.st_mode);
        if (skip_(entry)) return {};
        if (shown.size() >= kLongestPath) {
            return Error{ErrorKind::unsupported,
                         fmt::format("{}: its path of {} is too long, at most {} work", util::printable(shown),
                                     util::counted(shown.size(), "byte"), kLongestPath - 1),
                         "move the model to a shorter path, or call this in its folder"};
        }
        if (entry.kind == Folder::Entry::Kind::link && folder_.root_fd_ >= 0) MODELSEAL_TRY(resolve(entry));
        if (++entries_ > most_)
            return too_much(fmt::format("contains more than {}", util::counted(most_, "file")));
        if (entry.kind != Folder::Entry::Kind::folder) {
            found.push_back(std::move(entry));
            return {};
        }
        if (level >= depth_)
            return too_much(fmt::format("contains folders more than {} deep", util::counted(depth_, "level")));
        Descriptor inner(::openat(fd, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
        if (inner.get() < 0) return open_error(fd, name, shown);
        return list(std::move(inner), entry.path + "/", level + 1);
    }

    // A link that is followed counts as what it leads to.
    Result<void> resolve(Folder::Entry& entry) const {
        MODELSEAL_TRY_ASSIGN(const int fd, folder_.follow(entry.path, O_PATH));
        const Descriptor target(fd);
        struct stat status {};
        if (::fstat(target.get(), &status) != 0)
            return os_error(errno, folder_.shown(entry.path), "get its status");
        entry.kind = kind_of(status.st_mode);
        if (entry.kind == Folder::Entry::Kind::folder) return folder_link_refused(folder_.shown(entry.path));
        return {};
    }

    Error too_much(const std::string& what) const {
        return {ErrorKind::unsupported, fmt::format("{}: {}", util::printable(folder_.shown({})), what),
                "give the folder of one model"};
    }

    const Folder& folder_;
    const std::uint64_t most_;
    const std::uint32_t depth_;
    const Folder::Skip& skip_;
    std::uint64_t entries_ = 0;
};

std::optional<std::string_view> way_out(std::string_view text) {
    if (text.find('\0') != text.npos) return "contains a NUL byte";
    if (text.starts_with('/')) return "is an absolute path";
    if (fmt::format("/{}/", text).find("/../") != std::string::npos) return "leads out of the model's folder";
    return std::nullopt;
}

// Refuses what onnx/checker.cc, resolve_external_data_location, does, and paths of other systems.
Result<std::string> path_inside(std::string_view text, std::string_view where) {
    const auto refuse = [&](std::string_view why) {
        return Error{ErrorKind::malformed, fmt::format("{} '{}' {}", where, util::printable(text), why), {}};
    };
    if (text.empty()) return refuse("is an empty name");
    if (text.size() > kLongestPath) {
        return Error{ErrorKind::malformed,
                     fmt::format("{} has a name of {}", where, util::counted(text.size(), "byte")),
                     {}};
    }
    if (const auto why = way_out(text)) return refuse(*why);
    if (text.find('\\') != text.npos)
        return refuse("contains a backslash, which separates folders on some systems");
    if (text.size() > 1 && text[1] == ':') return refuse("begins with a drive letter");
    std::string inside;
    std::string_view part;
    for (std::size_t begin = 0; begin <= text.size(); begin += part.size() + 1) {
        part = text.substr(begin, text.find('/', begin) - begin);
        if (part.empty() || part == ".") continue;
        if (!inside.empty()) inside += '/';
        inside += part;
    }
    if (part.empty() || part == ".") return refuse("names a folder, not a file");
    return inside;
}

Result<Folder> Folder::open(const fs::path& path, Links links) {
    Folder folder;
    folder.path_ = path;
    const auto opened = path.empty() ? fs::path(".") : path;
    folder.fd_ = ::open(opened.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder.fd_ < 0) return os_error(errno, opened.string(), "open");
    if (links == Links::refused) return folder;
    std::error_code failed;
    const auto real = fs::canonical(opened, failed);
    if (failed) return os_error(failed.value(), opened.string(), "open");
    folder.root_ = root_for_links(real);
    if (folder.root_ != real) folder.from_root_ = real.lexically_relative(folder.root_).string() + "/";
    folder.root_fd_ = ::open(folder.root_.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (folder.root_fd_ < 0) return os_error(errno, folder.root_.string(), "open");
    return folder;
}

Folder::Folder(Folder&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)),
      path_(std::move(other.path_)),
      root_fd_(std::exchange(other.root_fd_, -1)),
      root_(std::move(other.root_)),
      from_root_(std::move(other.from_root_)) {}

Folder& Folder::operator=(Folder&& other) noexcept {
    std::swap(fd_, other.fd_);
    std::swap(path_, other.path_);
    std::swap(root_fd_, other.root_fd_);
    std::swap(root_, other.root_);
    std::swap(from_root_, other.from_root_);
    return *this;
}

Folder::~Folder() {
    if (fd_ >= 0) ::close(fd_);
    if (root_fd_ >= 0) ::close(root_fd_);
}

// The kernel holds every step of the way, the links among them, below the root.
Result<int> Folder::follow(const std::string& relative, int flags) const {
    struct open_how how {};
    how.flags = static_cast<std::uint64_t>(flags | O_CLOEXEC);
    how.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS;
    const auto path = from_root_ + relative;
    long fd = -1;
    // EAGAIN: something on the way was renamed meanwhile.
    for (int attempt = 0; attempt < kFollowAttempts; ++attempt) {
        fd = ::syscall(SYS_openat2, root_fd_, path.c_str(), &how, sizeof how);
        if (fd >= 0 || (errno != EINTR && errno != EAGAIN)) break;
    }
    if (fd < 0) return follow_error(errno, shown(relative), root_);
    return static_cast<int>(fd);
}

std::optional<std::string> Folder::config_map_folder() const {
    if (root_fd_ < 0) return std::nullopt;
    char target[256];
    const auto size = ::readlinkat(fd_, "..data", target, sizeof target);
    if (size <= 2 || static_cast<std::size_t>(size) == sizeof target) return std::nullopt;
    std::string name(target, static_cast<std::size_t>(size));
    struct stat status {};
    const bool beside = name.starts_with("..") && name.find('/') == name.npos &&
                        ::fstatat(fd_, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0 &&
                        S_ISDIR(status.st_mode);
    return beside ? std::optional(std::move(name)) : std::nullopt;
}

Result<std::unique_ptr<FileSource>> Folder::file(const std::string& relative) const {
    Descriptor at;
    int from = fd_;
    std::size_t begin = 0;
    for (auto slash = relative.find('/'); slash != relative.npos; slash = relative.find('/', begin)) {
        const auto part = relative.substr(begin, slash - begin);
        Descriptor next(::openat(from, part.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
        if (next.get() < 0) return open_error(from, part, shown(relative.substr(0, slash)));
        at = std::move(next);
        from = at.get();
        begin = slash + 1;
    }
    const auto name = relative.substr(begin);
    const int fd = ::openat(from, name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (fd < 0 && errno == ELOOP && root_fd_ >= 0) {
        MODELSEAL_TRY_ASSIGN(const int followed, follow(relative, O_RDONLY | O_NONBLOCK | O_NOCTTY));
        return FileSource::adopt(followed, path_ / relative, shown(relative));
    }
    if (fd < 0) return open_error(from, name, shown(relative));
    return FileSource::adopt(fd, path_ / relative, shown(relative));
}

Result<std::vector<Folder::Entry>> Folder::entries(std::uint64_t most, std::uint32_t depth,
                                                   const Skip& skip) const {
    FolderLister lister(*this, most, depth, skip);
    Descriptor root(::openat(fd_, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (root.get() < 0) return os_error(errno, shown({}), "list");
    MODELSEAL_TRY(lister.list(std::move(root), {}, 1));
    std::ranges::sort(lister.found, {}, &Entry::path);
    return std::move(lister.found);
}

Result<std::vector<std::string>> Folder::files(std::uint64_t most, std::uint32_t depth,
                                               const Skip& skip) const {
    MODELSEAL_TRY_ASSIGN(auto all, entries(most, depth, skip));
    std::vector<std::string> found;
    for (auto& entry : all) {
        if (entry.kind == Entry::Kind::link) return link_refused(shown(entry.path));
        if (entry.kind == Entry::Kind::other) {
            return Error{ErrorKind::unsupported,
                         fmt::format("{}: is a pipe, device or socket; a regular file is needed",
                                     util::printable(shown(entry.path))),
                         "take it out of the model's folder"};
        }
        found.push_back(std::move(entry.path));
    }
    return found;
}

}  // namespace modelseal::io
