// Shares of a list of targets for machines that do not talk to each other: each computes the same shares from the same list.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "jobs/many/crew.h"
#include <modelseal/result.h>

namespace modelseal::jobs {

struct Share {
    std::uint32_t index = 0, of = 1;  // index < of
    bool operator==(const Share&) const = default;
};

// "3/8", counted from 0; or "auto": the number of this machine and how many there are, from the environment of a Kubernetes
// Indexed Job (JOB_COMPLETION_INDEX, and JOB_COMPLETIONS, which the manifest sets), a Slurm array, or MPI. ErrorKind::usage
// for anything else, and if the environment has none of them.
Result<Share> parse_share(std::string_view text);

// The targets of the share, in the order of the list: as even by bytes as can be had by giving each target, the largest
// first, to the share that has the least. Sizes are read from the disk; what has none counts as one byte.
std::vector<Target> targets_of(const Share& share, const std::vector<Target>& targets);
// The same for sizes that are known: the share of each.
std::vector<std::uint32_t> shares_of(const std::vector<std::uint64_t>& bytes, std::uint32_t of);

}  // namespace modelseal::jobs
