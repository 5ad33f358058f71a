// A policy that is read again when its file changes: the one before it holds until the new one is complete and valid.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include <modelseal/policy.h>
#include <modelseal/result.h>

namespace modelseal::hook {

// Thread safety: current() may be called by any thread; look() by one.
class LivePolicy {
  public:
    static Result<std::unique_ptr<LivePolicy>> open(std::filesystem::path file);

    std::shared_ptr<const Policy> current() const;

    // Reads the file if it is another one than at the last reading, and the same as at the last look: a file that is being
    // written is left alone. Returns a line for the log if anything came of it.
    std::optional<std::string> look();

    bool is_valid() const;  // whether the file as it is now is the one in force

  private:
    // What changes when a file is written or replaced.
    struct Version {
        std::uint64_t inode = 0, size = 0;
        std::int64_t changed_ns = 0;
        bool operator==(const Version&) const = default;
    };
    explicit LivePolicy(std::filesystem::path file) : file_(std::move(file)) {}
    std::optional<Version> version() const;

    const std::filesystem::path file_;
    mutable std::mutex mutex_;
    std::shared_ptr<const Policy> policy_;
    std::optional<Version> read_, seen_;  // at the last reading; at the last look
    bool valid_ = true;
};

}  // namespace modelseal::hook
