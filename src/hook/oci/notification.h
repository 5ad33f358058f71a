// What registries report: notifications of CNCF distribution (Docker's registry) and webhooks of Harbor.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include <modelseal/result.h>

namespace modelseal::hook {

// A manifest that was pushed.
struct Upload {
    std::string event;       // unique for a push; the same when the registry reports it again
    std::string repository;  // is_repository()
    std::string digest;      // is_digest()
    std::string tag;         // is_tag(), or empty
    bool operator==(const Upload&) const = default;
};

inline constexpr std::size_t kMostNotificationBytes = 4u << 20, kMostUploadsAtOnce = 10'000;

// The manifests that a notification reports as pushed; other events (pulls, deletions, blobs) give none. ErrorKind::malformed
// for everything that is neither an envelope of events nor a webhook, and for a push whose repository or digest is none: a
// notification counts completely or not at all.
Result<std::vector<Upload>> uploads_in(std::string_view body);

}  // namespace modelseal::hook
