#include "hook/oci/live_policy.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include "util/text.h"

namespace modelseal::hook {

Result<std::unique_ptr<LivePolicy>> LivePolicy::open(std::filesystem::path file) {
    std::unique_ptr<LivePolicy> live(new LivePolicy(std::move(file)));
    live->read_ = live->seen_ = live->version();
    MODELSEAL_TRY_ASSIGN(auto policy, Policy::load(live->file_));
    live->policy_ = std::make_shared<const Policy>(std::move(policy));
    return live;
}

std::optional<LivePolicy::Version> LivePolicy::version() const {
    struct stat status {};
    if (::stat(file_.c_str(), &status) != 0) return std::nullopt;
    return Version{.inode = status.st_ino,
                   .size = static_cast<std::uint64_t>(status.st_size),
                   .changed_ns = status.st_mtim.tv_sec * 1'000'000'000ll + status.st_mtim.tv_nsec};
}

std::shared_ptr<const Policy> LivePolicy::current() const {
    const std::lock_guard lock(mutex_);
    return policy_;
}

bool LivePolicy::is_valid() const {
    const std::lock_guard lock(mutex_);
    return valid_;
}

std::optional<std::string> LivePolicy::look() {
    const auto now = version();
    const bool settled = now == seen_;
    seen_ = now;
    if (now == read_ || !settled) return std::nullopt;
    read_ = now;
    const auto shown = util::printable(file_.string());
    auto loaded = Policy::load(file_);
    const std::lock_guard lock(mutex_);
    valid_ = loaded.ok();
    if (!loaded.ok()) {
        return fmt::format("{}: the policy of before stays in force: {}", shown,
                           util::printable(loaded.error().message));
    }
    policy_ = std::make_shared<const Policy>(std::move(*loaded));
    return shown + ": the policy was read again";
}

}  // namespace modelseal::hook
