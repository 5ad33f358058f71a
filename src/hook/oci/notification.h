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
    // Unique for a push; the same when the registry reports it again. Begins with "sender:" or kDerivedEvent, so that none is
    // like an event of the queue's own.
    std::string event;
    std::string repository;  // is_repository()
    std::string digest;      // is_digest()
    std::string tag;         // is_tag(), or empty
    bool operator==(const Upload&) const = default;
};

inline constexpr std::size_t kMostNotificationBytes = 4u << 20, kMostUploadsAtOnce = 10'000;

// How the events of senders that give no id begin: made of what they say, to the second at most.
inline constexpr std::string_view kDerivedEvent = "derived:";

// Events that cannot be used: a registry sends a notification that is refused for ever, and nothing after it.
struct SkippedEvents {
    std::size_t count = 0;
    std::string first;  // why
};

// The manifests that a notification reports as pushed; other events (pulls, deletions, blobs) give none. ErrorKind::malformed
// for everything that is neither an envelope of events nor a webhook. A push whose repository or digest is none is passed over,
// and counted in `skipped`, which may be null.
Result<std::vector<Upload>> uploads_in(std::string_view body, SkippedEvents* skipped = nullptr);

}  // namespace modelseal::hook
