// From a manifest's digest to a decision: fetches what it lists, checks it under the policy.
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <set>
#include <string>

#include "hook/oci/decision.h"
#include "hook/oci/registry.h"
#include "hook/oci/unpack.h"
#include <modelseal/policy.h>
#include <modelseal/result.h>

namespace modelseal::hook {

struct InspectOptions {
    std::filesystem::path scratch;  // a folder of our own, for the files of jobs
    UnpackLimits limits = {};
    unsigned threads = 1;                         // of one check
    std::atomic<std::uint64_t>* bytes = nullptr;  // counts what was fetched; may be null
    bool last_attempt = false;                    // after this one, nothing is tried again
};

// Which part of an artifact is the model: its only file; else its only file that is not a document (README, license, ...), a
// signature, or an adapter next to it (a model counts as one, whatever its name); else the folder, all of which a seal must cover.
std::string target_in(const std::filesystem::path& folder, const std::set<std::string>& files);

// `children`: of an index. An Error is about what may succeed later; everything else is a decision, which lets nothing through
// that could not be checked.
struct Inspection {
    Decision decision;
    std::vector<std::string> children;
};
Result<Inspection> inspect(Registry& registry, const Policy& policy, const Job& job,
                           const InspectOptions& options);

}  // namespace modelseal::hook
