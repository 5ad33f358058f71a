// The contents of files in a push, as they are checked out: blobs, or what Git LFS has in their place; and what they are to
// models.
//
// Not thread-safe.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "hook/git/lfs.h"
#include "hook/git/objects.h"
#include "hook/git/tree.h"
#include <modelseal/format.h>
#include <modelseal/result.h>

namespace modelseal::hook {

// A file as it is checked out.
struct Content {
    std::string id;  // of the blob
    std::uint64_t bytes = 0;
    std::optional<LfsPointer> pointer;  // in the blob, which has the content elsewhere
};

struct FileFacts {
    bool model = false;  // some format recognizes it
    bool index = false;  // of shards
    std::vector<std::string>
        references;  // external data of a model, or shards of an index, as they are written there
};

class Contents {
  public:
    // `scratch`: a folder for files that are read here. `most_bytes`: of all files that are read or placed together.
    Contents(Objects& objects, LfsStore store, std::filesystem::path scratch, std::uint64_t most_bytes,
             const Limits& limits)
        : objects_(objects),
          store_(std::move(store)),
          scratch_(std::move(scratch)),
          left_(most_bytes),
          limits_(limits) {}

    Result<Content> locate(const TreeEntry& file, const std::string& path);

    // Whether the object of Git LFS has to have the digest that its pointer names.
    enum class Digest { trusted, verified };
    // Facts of the same blob are found once. `path` is in the repository.
    Result<FileFacts> facts(const TreeEntry& file, const std::string& path, Digest digest);

    // Writes the file to `to`, where nothing may be. A large file of Git LFS becomes a hard link, if that is possible: it must
    // not be written to.
    Result<void> place(const Content& content, const std::string& path, const std::filesystem::path& to);

  private:
    Result<void> charge(std::uint64_t bytes, const std::string& path);
    Result<void> verify(const LfsPointer& pointer, const std::string& path);
    Result<FileFacts> read_facts(const Source& source, const std::string& path) const;
    Result<void> read(const Content& content, const std::string& path, const GitProgram::Sink& sink);
    Result<FileFacts> blob_facts(const Content& content, const std::string& path);

    Objects& objects_;
    LfsStore store_;
    std::filesystem::path scratch_;
    std::uint64_t left_;  // bytes
    const Limits& limits_;
    std::map<std::string, Content> located_;
    std::map<std::string, FileFacts> facts_;
    std::set<std::string> verified_;  // objects of Git LFS, with their sizes
};

}  // namespace modelseal::hook
