// What a transparency log says about an entry: that it holds it (Rekor 1 and 2), and since when (Rekor 1).
#pragma once

#include "oms/bundle.h"
#include "oms/trusted_root.h"

namespace modelseal::oms {

// Whether the entry's leaf is in the tree with the root that the proof names (RFC 6962, section 2.1.1).
bool in_tree(const LogEntry& entry);

// Whether the log signed that root and size as a checkpoint (a signed note). False if its key is not supported.
bool checkpoint_holds(const LogEntry& entry, const TrustedRoot::Log& log);

// Whether the log signed when it took the entry up.
bool promise_holds(const LogEntry& entry, const TrustedRoot::Log& log);

}  // namespace modelseal::oms
