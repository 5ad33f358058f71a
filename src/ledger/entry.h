// Entries between the words of the library and the rows of the file.
#pragma once

#include "ledger/rows.h"
#include <modelseal/ledger.h>

namespace modelseal::ledger {

LedgerEntry entry_of(const EntryRow& row, const std::string& customer);

// All but number, customer and time. ErrorKind::usage for what no row can hold.
Result<EntryRow> row_of(const LedgerEntry& entry);

}  // namespace modelseal::ledger
