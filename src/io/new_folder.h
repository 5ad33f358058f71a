// A folder that appears under its name only when it is complete.
#pragma once

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
    static Result<NewFolder> create(const std::filesystem::path& path);
    NewFolder(NewFolder&& other) noexcept;
    NewFolder& operator=(NewFolder&& other) = delete;
    ~NewFolder();

    Result<void> write(const std::string& name, std::span<const std::byte> bytes);
    Result<void> write(const std::string& name, std::string_view text) {
        return write(name, std::as_bytes(std::span(text)));
    }
    Result<void> commit();

  private:
    NewFolder() = default;
    std::filesystem::path path_, staging_;
};

}  // namespace modelseal::io
