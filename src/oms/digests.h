// Digests of files, several at a time, each byte read once.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "oms/hash.h"
#include "oms/statement.h"
#include "oms/tree.h"
#include <modelseal/progress.h>

namespace modelseal::oms {

struct DigestOptions {
    HashType hash = HashType::sha256;
    std::optional<std::uint64_t> shard_size;
    bool follow_links = false;
    unsigned jobs = 0;
};

// The resources of each of `names`, in their order: one per file, or one per shard (none for an empty file).
// Fails with the first file that cannot be read or that changed meanwhile.
Result<std::vector<std::vector<Resource>>> digest_files(const Tree& tree, const std::vector<std::string>& names,
                                                        const DigestOptions& options, Progress& progress);

// Bytes of all files together, for the progress.
Result<std::uint64_t> bytes_of(const Tree& tree, const std::vector<std::string>& names, bool follow_links);

}  // namespace modelseal::oms
