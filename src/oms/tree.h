// A model as a signature sees it: a folder with the files in it, or a single file, less what is ignored.
#pragma once

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

// Paths relative to the model, each with all that is below it. No patterns.
class IgnoreRules {
  public:
    // "." and nothing are no rules: they would ignore everything.
    void add(const std::string& relative);
    // The files of Git at the top of a model.
    void add_git();
    bool covers(const std::string& relative) const;
    const std::set<std::string>& paths() const { return paths_; }

  private:
    std::set<std::string> paths_;
};

// `path`, as given on a command line, relative to the model; nothing if it is outside or the model itself.
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

    static Result<Tree> open(const std::filesystem::path& path);
    bool single() const { return !folder_.has_value(); }
    // The last part of the path, of the folder that it names if it ends in "." or "..".
    std::string name() const;

    // By name in the order of bytes, as the specification sorts; of a single file its base name.
    Result<std::vector<Entry>> list(const IgnoreRules& ignore) const;
    Result<std::unique_ptr<io::FileSource>> file(const std::string& name, bool follow_link) const;

  private:
    Tree() = default;
    std::filesystem::path path_;
    std::optional<io::Folder> folder_;
};

// What is wrong with an entry that cannot be signed; empty if it can.
std::string complaint(const Tree::Entry& entry, bool allow_symlinks);

// The order of the reference: by the parts of paths.
bool component_less(const std::string& a, const std::string& b);

// A signature of one file covers that file alone, and says nothing of others that make up the model with it.

// Refuses a file that is part of a model: an index of shards, a numbered part of a split model, a graph with
// external data, and whatever looks like one of these but cannot be read, since other tools may read more of it
// than we do. ErrorKind::unsupported or malformed. No error for what is not a model at all.
Result<void> known_to_be_whole(const Tree& tree, const std::string& name, const Limits& limits);

}  // namespace modelseal::oms
