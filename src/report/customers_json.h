// An entry of a ledger in JSON, the same wherever one is shown.
#pragma once

#include <nlohmann/json.hpp>

#include <modelseal/ledger.h>

namespace modelseal::report {

nlohmann::ordered_json entry_json(const LedgerEntry& entry);

}  // namespace modelseal::report
