// What identity images, other pictures, and registries of identities say.
#pragma once

#include <modelseal/inspect.h>
#include <modelseal/ledger.h>

namespace modelseal::jobs {

bool looks_like_picture(const Source& source);  // a PNG file

// Verified with a key of `keys` if one is the vendor's; otherwise a warning says that nothing is.
Result<Inspection> inspect_picture(const std::filesystem::path& path, const InspectOptions& options);
Result<Inspection> inspect_registry(const Source& source, const std::string& target,
                                    const InspectOptions& options);

// Adds the marks and identities of a ledger.
void add_identity_facts(const IdentityRecords& records, Inspection& out);

}  // namespace modelseal::jobs
