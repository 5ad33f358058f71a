// Digests of files, several at a time, each byte read once.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "io/progress.h"
#include "oms/hash.h"
#include "oms/statement.h"
#include "oms/tree.h"

namespace modelseal::oms {

// For callers that read the same files concurrently.
struct SharedFiles {
    // What to read in place of the file of this name; nothing for files of which the other pass knows nothing.
    std::function<const Source*(const std::string& name)> view = {};
    unsigned at_once = 1;  // files side by side, as the other pass has them
};

struct DigestOptions {
    HashType hash = HashType::sha256;
    std::optional<std::uint64_t> shard_size;
    bool follow_links = false;
    unsigned jobs = 0;
    const SharedFiles* shared = nullptr;  // nothing: from the disk
};

// The resources of each of `names`, in their order: one a file, or one a shard (of an empty file none). Fails
// with the first file that cannot be read or that was changed under way.
Result<std::vector<std::vector<Resource>>> digest_files(const Tree& tree, const std::vector<std::string>& names,
                                                        const DigestOptions& options, io::Progress& progress);

// Bytes of all files together, for the progress.
Result<std::uint64_t> bytes_of(const Tree& tree, const std::vector<std::string>& names, bool follow_links);

}  // namespace modelseal::oms
