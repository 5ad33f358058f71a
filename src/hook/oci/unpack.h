// Layers become files in a private folder, while they come in.
//
// Titles and archives are hostile: paths out of the folder, links, devices, two files of one name, and archives that become much
// more than they are, are refused by name. Nothing here is trusted before the last layer's digest was right.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "hook/oci/manifest.h"
#include <modelseal/result.h>

namespace modelseal::hook {

struct UnpackLimits {
    std::uint64_t bytes = 200ull << 30;  // of all files together
    std::uint64_t files = 100'000;       // and folders
    // How many times as large as its compressed form an archive may be, beyond the first 64 MiB.
    std::uint64_t ratio = 200;
};

// Not thread-safe.
class ArtifactFolder {
  public:
    // Makes the folder, for its owner alone; there must be nothing of that name.
    static Result<ArtifactFolder> create(std::filesystem::path path, UnpackLimits limits);
    ArtifactFolder(ArtifactFolder&& other) noexcept;
    ArtifactFolder& operator=(ArtifactFolder&&) = delete;
    ~ArtifactFolder();  // removes it, with everything in it

    // `name` of the layer begins messages. Errors: malformed for what is refused, unreadable for a full disk.
    Result<void> make_folder(const std::string& written, const std::string& name);
    Result<void> begin_file(const std::string& written, std::uint64_t size, const std::string& name);
    Result<void> write(std::span<const std::byte> bytes);
    Result<void> end_file();

    const std::filesystem::path& path() const { return path_; }
    const std::set<std::string>& files() const { return files_; }  // relative paths
    const UnpackLimits& limits() const { return limits_; }

  private:
    ArtifactFolder() = default;
    void close_file();
    Result<void> make_folders(const std::string& relative, const std::string& name);
    Result<void> check_entries(const std::string& name) const;  // that there may be one more
    std::filesystem::path path_;
    UnpackLimits limits_;
    std::set<std::string> files_;
    std::uint64_t folders_ = 0;
    std::uint64_t bytes_ = 0;
    int fd_ = -1;
    std::string current_;
};

// One layer on its way: take() in order, then finish(). Not thread-safe.
class LayerUnpacker {
  public:
    // Both must outlive it. ErrorKind::unsupported for a form that is not unpacked.
    static Result<std::unique_ptr<LayerUnpacker>> begin(const Layer& layer, ArtifactFolder& folder);
    ~LayerUnpacker();

    Result<void> take(std::span<const std::byte> bytes);
    // ErrorKind::mismatch if size or digest are not those of the manifest.
    Result<void> finish();

  private:
    struct State;
    explicit LayerUnpacker(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

}  // namespace modelseal::hook
