// The tables of a ledger, versions 1 and 2; modelseal-ledger(5) describes them.
#pragma once

#include "ledger/database.h"
#include <modelseal/format.h>

namespace modelseal::ledger {

inline constexpr std::int64_t kApplicationId = 0x4D534C47;  // "MSLG", in the header of the file
inline constexpr std::int64_t kVersion = 2;                 // that is written

// Decides by the header of the file alone; the ledger must not be open in this process, see Database::open().
bool looks_like_ledger(const Source& source);

// True if the file is empty: a ledger that has no tables yet. Errors: `malformed` for a file that is not a
// ledger, is damaged, or has other tables than a ledger; `unsupported` for one of a later version.
Result<bool> is_empty(const Database& database);

// Checks every page, row and index; `malformed` if anything is wrong.
Result<void> check_integrity(const Database& database);

// Of a file that is_empty() has accepted; within a transaction, the present one.
Result<std::int64_t> version_of(const Database& database);

// Call in a write transaction on an empty file.
Result<void> create_tables(const Database& database);

// Adds the tables that came after the version of the file. Call in a write transaction.
Result<void> migrate_tables(const Database& database);

}  // namespace modelseal::ledger
