// A folder that appears under its name only when it is whole.
#pragma once

#include <filesystem>
#include <span>
#include <string>

#include <modelseal/result.h>

namespace modelseal::io {

// Files are written to a hidden folder beside `path`, which commit() renames; without a commit the destructor
// removes it. Nothing may be at `path`. Folder and files are their owner's alone: a challenge is as secret as
// the fingerprint that it was made from.
class NewFolder {
  public:
    static Result<NewFolder> create(const std::filesystem::path& path);
    NewFolder(NewFolder&& other) noexcept;
    NewFolder& operator=(NewFolder&& other) = delete;
    ~NewFolder();

    // Each name once.
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
