// A folder as a boundary: files in it are opened one path component at a time, and never through a symbolic link that
// leads out, so that nothing outside is reached however the folder changes meanwhile.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "io/file.h"
#include <modelseal/result.h>

namespace modelseal::io {

// `text`, found in a model file, as a path inside a folder: parts joined by '/', without "." and empty ones.
// Refuses whatever any system would read as a path out of the folder or to another file: an absolute path,
// "..", a backslash, a drive letter, a NUL, an empty text. `where` begins the message: "model.onnx: external
// data".
Result<std::string> path_inside(std::string_view text, std::string_view where);

// How `text`, a path with '/' between its parts, would leave its folder: "is an absolute path", "leads out of
// the model's folder", "holds a NUL byte", fit to end a message; nothing if it stays there.
std::optional<std::string_view> way_out(std::string_view text);

class Folder {
  public:
    // Links::inside: symbolic links to regular files are followed as long as they stay below the root of the folder:
    // the folder itself or, for a snapshot in a cache of Hugging Face (NAME/snapshots/REVISION and all in it, with
    // NAME/blobs), NAME. Links to folders are refused all the same.
    static Result<Folder> open(const std::filesystem::path& path, Links links = Links::refused);
    Folder(Folder&& other) noexcept;
    Folder& operator=(Folder&& other) noexcept;
    ~Folder();

    // `relative` as path_inside() returns it. Refuses a symbolic link in any part, except a followed one in the last,
    // and everything but a regular file.
    Result<std::unique_ptr<FileSource>> file(const std::string& relative) const;

    struct Entry {
        // link: symbolic, and not followed; other: pipes, devices, sockets
        enum class Kind { file, folder, link, other };
        std::string path;  // as the system returns it, UTF-8 or not
        Kind kind = Kind::file;
    };
    // Returns true for a file to leave out, or a folder to leave out with everything in it. Sees each link as a link.
    using Skip = std::function<bool(const Entry&)>;

    // Everything in the folder at any depth except folders, in ascending order of bytes.
    Result<std::vector<Entry>> entries(std::uint64_t most, std::uint32_t depth, const Skip& skip) const;

    // The paths of the same entries, all of which must be regular files. Refuses symbolic links and special
    // files, more than `most` entries, and more than `depth` levels.
    Result<std::vector<std::string>> files(std::uint64_t most, std::uint32_t depth, const Skip& skip) const;

    // "..2026_11_29" for the folder in which a mounted ConfigMap or Secret of Kubernetes keeps its files, to which
    // "..data" leads, while every other entry is a link through that. Nullopt for other folders, and if links are refused.
    std::optional<std::string> config_map_folder() const;

    // Name for messages.
    std::string shown(const std::string& relative) const { return (path_ / relative).string(); }

  private:
    Folder() = default;
    friend class FolderLister;
    Result<int> follow(const std::string& relative, int flags) const;
    int fd_ = -1;
    std::filesystem::path path_;
    // Where links may lead, and the way from there to this folder with a slash at its end; -1 if links are refused.
    int root_fd_ = -1;
    std::filesystem::path root_;
    std::string from_root_;
};

}  // namespace modelseal::io
