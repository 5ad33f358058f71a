// The objects of a repository, read through two programs that stay: 'git cat-file' with contents, and with sizes.
//
// Not thread-safe.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "hook/git/program.h"
#include "hook/git/tree.h"
#include <modelseal/result.h>

namespace modelseal::hook {

class Objects {
  public:
    explicit Objects(Deadline deadline) : deadline_(deadline) {}

    struct Info {
        std::string id, type;  // "commit", "tree", "blob", "tag"
        std::uint64_t bytes = 0;
    };
    // `id` with a suffix or without: "...^{}" is what a tag names, "...^{tree}" the tree of a commit. Nothing if the
    // repository does not have it.
    Result<std::optional<Info>> info(const std::string& id);

    // An Error (unreadable) if it is not there. Recent ones are kept, up to 64 MiB.
    Result<std::shared_ptr<const Tree>> tree(const std::string& id);

    // Passes the content of a blob of `bytes` bytes, as info() found it.
    Result<void> blob(const std::string& id, std::uint64_t bytes, const GitProgram::Sink& sink);

  private:
    struct Answer {
        std::string type;
        std::uint64_t bytes = 0;
    };
    Result<Answer> request(const std::string& id);
    Result<void> end_of_content();
    void keep(const std::string& id, std::shared_ptr<const Tree> tree, std::uint64_t bytes);

    Deadline deadline_;
    std::unique_ptr<GitProgram> sizes_, contents_;
    std::map<std::string, std::shared_ptr<const Tree>> trees_;
    std::uint64_t trees_bytes_ = 0;
};

}  // namespace modelseal::hook
