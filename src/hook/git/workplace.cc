#include "hook/git/workplace.h"

#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/file.h"

namespace modelseal::hook {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kPrefix = "modelseal-push-";
constexpr std::string_view kPattern = "XXXXXX";  // of mkdtemp(3)
// A folder without a lock is one whose owner was killed, or is about to lock it.
constexpr auto kStale = std::chrono::minutes(10);

// The descriptor of the folder, locked; -1 if another process has the lock.
int locked(const fs::path& folder) {
    const int fd = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd >= 0 && ::flock(fd, LOCK_EX | LOCK_NB) == 0) return fd;
    if (fd >= 0) ::close(fd);
    return -1;
}

bool is_named_as_ours(const std::string& name) {
    return name.starts_with(kPrefix) && name.size() == kPrefix.size() + kPattern.size();
}

// As mkdtemp(3) makes them: others may have folders of such a name.
bool is_ours(int folder) {
    struct stat found {};
    return ::fstat(folder, &found) == 0 && found.st_uid == ::geteuid() && (found.st_mode & 0777) == 0700;
}

void remove_stale(const fs::path& in) {
    std::error_code failed;
    for (auto at = fs::directory_iterator(in, failed); !failed && at != fs::end(at); at.increment(failed)) {
        if (!is_named_as_ours(at->path().filename().string())) continue;
        const auto written = at->last_write_time(failed);
        if (failed || fs::file_time_type::clock::now() - written < kStale) continue;
        const int lock = locked(at->path());
        if (lock < 0) continue;
        if (is_ours(lock)) fs::remove_all(at->path(), failed);
        ::close(lock);
    }
}

}  // namespace

Result<Workplace> Workplace::create(const fs::path& in) {
    remove_stale(in);
    auto pattern = (in / (std::string(kPrefix) += kPattern)).string();
    if (::mkdtemp(pattern.data()) == nullptr) return io::os_error(errno, in.string(), "make a folder in");
    const int lock = locked(pattern);
    if (lock < 0) return io::os_error(errno, pattern, "lock");
    return Workplace(pattern, lock);
}

Workplace::Workplace(Workplace&& other) noexcept
    : path_(std::exchange(other.path_, {})), lock_(std::exchange(other.lock_, -1)) {}

Workplace::~Workplace() {
    if (path_.empty()) return;
    std::error_code ignored;
    fs::remove_all(path_, ignored);
    ::close(lock_);
}

Result<fs::path> Workplace::empty_folder() const {
    const auto folder = path_ / "model";
    std::error_code failed;
    fs::remove_all(folder, failed);
    if (!failed) fs::create_directory(folder, failed);
    if (failed) return io::os_error(failed.value(), folder.string(), "make");
    return folder;
}

}  // namespace modelseal::hook
