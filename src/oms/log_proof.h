// What a transparency log says about an entry (Rekor 1): that it holds it, and since when.
#pragma once

#include "oms/bundle.h"
#include "oms/trusted_root.h"

namespace modelseal::oms {

// Whether the entry's leaf is in the tree with the root that the proof names (RFC 6962, section 2.1.1).
bool in_tree(const LogEntry& entry);

// Whether the log signed that root and size as a checkpoint.
bool checkpoint_holds(const LogEntry& entry, const TrustedRoot::Log& log);

// Whether the log signed when it took the entry up.
bool promise_holds(const LogEntry& entry, const TrustedRoot::Log& log);

}  // namespace modelseal::oms
