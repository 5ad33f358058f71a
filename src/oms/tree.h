// A model as the list of files to sign: a folder with the files in it, or a single file, without ignored
// ones.
#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "io/folder.h"
#include <modelseal/format.h>
#include <modelseal/result.h>

namespace modelseal::oms {

// Paths relative to the model, each with everything below it. No patterns.
class IgnoreRules {
  public:
    // Skips "." and the empty path, which would ignore everything.
    void add(const std::string& relative);
    // The files of Git at the top of a model.
    void add_git();
    bool covers(const std::string& relative) const;
    const std::set<std::string>& paths() const { return paths_; }

  private:
    std::set<std::string> paths_;
};

// `path`, as given by the caller, relative to the model; nullopt if it is outside or the model itself.
std::optional<std::string> relative_to(const std::filesystem::path& model, const std::filesystem::path& path);

class Tree {
  public:
    struct Entry {
        enum class Kind {
            file,
            link,         // to a file
            folder_link,  // symbolic link to a folder, or to nothing
            special,      // a pipe, device or socket
            bad_name,     // not UTF-8
        };
        std::string name;
        Kind kind = Kind::file;
        bool operator==(const Entry&) const = default;
    };

    using Deadline = std::chrono::steady_clock::time_point;

    // Files are not read after the deadline (Limits).
    static Result<Tree> open(const std::filesystem::path& path, Deadline deadline = Deadline::max());
    bool single() const { return !folder_.has_value(); }
    // The last part of the path; of the folder's real path if it ends in "." or "..".
    std::string name() const;

    // By name in the order of bytes, as the specification sorts; the base name for a single file.
    Result<std::vector<Entry>> list(const IgnoreRules& ignore) const;
    Result<std::unique_ptr<io::FileSource>> file(const std::string& name, bool follow_link) const;

  private:
    Tree() = default;
    Result<std::unique_ptr<io::FileSource>> open_file(const std::string& name, bool follow_link) const;
    std::filesystem::path path_;
    Deadline deadline_ = Deadline::max();
    std::optional<io::Folder> folder_;
};

// The reason why an entry cannot be signed; empty if it can.
std::string complaint(const Tree::Entry& entry, bool allow_symlinks);

// The order of the reference: by the parts of paths.
bool component_less(const std::string& a, const std::string& b);

// A signature of one file covers that file alone, and nothing else that belongs to the same model.

// Refuses a file that is part of a model: an index of shards, a numbered part of a split model, a graph with
// external data, and any file that looks like one of these but cannot be read, because other tools may read
// more of it. ErrorKind::unsupported or malformed. Accepts files that are not models.
Result<void> known_to_be_whole(const Tree& tree, const std::string& name, const Limits& limits);

}  // namespace modelseal::oms
