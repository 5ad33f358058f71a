// A folder that appears under its name only when it is complete.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>

#include <modelseal/result.h>

namespace modelseal::io {

// Files are written to a hidden folder next to `path`, which commit() renames; without a commit the
// destructor removes it. Nothing may exist at `path`. Only the owner may read folder and files: a challenge
// is as secret as its fingerprint.
class NewFolder {
  public:
    // `mode`: permission bits that the folder gets at the end.
    static Result<NewFolder> create(const std::filesystem::path& path, std::uint32_t mode = 0700);
    NewFolder(NewFolder&& other) noexcept;
    NewFolder& operator=(NewFolder&& other) = delete;
    ~NewFolder();

    // Where the folder is until the commit: for files that are made elsewhere.
    const std::filesystem::path& inside() const { return staging_; }
    // A file that is its owner's alone.
    Result<void> write(const std::string& name, std::span<const std::byte> bytes);
    Result<void> write(const std::string& name, std::string_view text) {
        return write(name, std::as_bytes(std::span(text)));
    }
    Result<void> commit();

  private:
    NewFolder() = default;
    std::filesystem::path path_, staging_;
    std::uint32_t mode_ = 0700;
};

}  // namespace modelseal::io
