// What is done in the registry about a decision. Everything here may be done again after it was interrupted.
#pragma once

#include <string>

#include "hook/oci/decision.h"
#include "hook/oci/queue.h"
#include "hook/oci/registry.h"
#include <modelseal/result.h>

namespace modelseal::hook {

// About what a policy denies; what it quarantines goes to the quarantine, unless nothing is to be done.
enum class OnDeny { quarantine, remove, nothing };

struct EffectOptions {
    OnDeny on_deny = OnDeny::quarantine;
    std::string quarantine = "quarantine";  // repositories below it
    bool attach = true;                     // the report, as a referrer of what stays
    bool last_attempt = false;              // after this one, nothing is tried again
};

// The artifact type of a report, and the media type of its only layer.
inline constexpr std::string_view kReportType = "application/vnd.modelseal.check.v1+json";

// Returns what was done, in a few words: "report attached", "moved to quarantine/acme/net". An Error is about what may succeed
// later.
Result<std::string> act_upon(Registry& registry, JobQueue& queue, const Job& job, const Decision& decision,
                             const EffectOptions& options);

}  // namespace modelseal::hook
