// What was decided about an upload, as the queue keeps it until it was acted upon and logged.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "hook/audit.h"
#include "hook/oci/queue.h"
#include <modelseal/report.h>
#include <modelseal/result.h>

namespace modelseal::hook {

struct Decision {
    enum class Subject {
        files,  // an artifact that was checked, or could not be
        index,  // a list of manifests, which are decided one by one
        gone,   // the registry does not have it any more
    };
    Subject subject = Subject::files;
    Ruling::Outcome outcome = Ruling::Outcome::deny;
    std::string verdict = "error";
    std::string name;    // by which rules were looked up
    std::string reason;  // empty for what is allowed; at most 16 KiB of it are kept
    std::string report;  // modelseal-check/1 on one line, without a newline; may be empty
    std::string time;    // RFC 3339
    // Of the manifest: what a referrer needs about its subject.
    std::string media_type;
    std::uint64_t size = 0;
    std::string action;  // what was done about it

    std::string to_text() const;
    // ErrorKind::malformed for what to_text() has not written.
    static Result<Decision> from_text(std::string_view text);
};

AuditEntry audit_entry_of(const Job& job, const Decision& decision);

}  // namespace modelseal::hook
