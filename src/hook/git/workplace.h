// The folder of a hook's own: models are put there to be checked, and removed.
#pragma once

#include <filesystem>

#include <modelseal/result.h>

namespace modelseal::hook {

// A folder "modelseal-push-XXXXXX" with mode 0700, removed at the end with everything in it. A killed process leaves its folder
// behind, which the next one removes: nobody else holds its lock.
class Workplace {
  public:
    static Result<Workplace> create(const std::filesystem::path& in);
    Workplace(Workplace&& other) noexcept;
    Workplace& operator=(Workplace&& other) = delete;
    ~Workplace();

    const std::filesystem::path& path() const { return path_; }

    // An empty folder in it: one at a time, the earlier one is removed.
    Result<std::filesystem::path> empty_folder() const;

  private:
    Workplace(std::filesystem::path path, int lock) : path_(std::move(path)), lock_(lock) {}

    std::filesystem::path path_;
    int lock_ = -1;
};

}  // namespace modelseal::hook
