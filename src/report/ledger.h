// What a ledger holds, and for whom a model was sealed, as people and machines read it.
#pragma once

#include <span>
#include <string>

#include "report/report.h"
#include <modelseal/ledger.h>
#include <modelseal/trace.h>

namespace modelseal::report {

// A ledger as a whole, or one customer of it with their entries.
struct LedgerView {
    std::string ledger;      // the file
    std::string vendor_key;  // id, hex
    bool verified = false;   // with the vendor's key
};

std::string to_text(const LedgerView& view, std::span<const Customer> customers, const TextStyle& style);
std::string to_text(const LedgerView& view, const Customer& customer, std::span<const LedgerEntry> entries,
                    std::span<const IssuedIdentity> identities, const TextStyle& style);
std::string to_text(const TraceReport& trace, const TextStyle& style);

// Schemas modelseal-customers/1, modelseal-customer/1 with lists of entries and identities, and modelseal-trace/1. Pure ASCII,
// with a newline at the end.
std::string to_json(const LedgerView& view, std::span<const Customer> customers);
std::string to_json(const LedgerView& view, const Customer& customer, std::span<const LedgerEntry> entries,
                    std::span<const IssuedIdentity> identities);
std::string to_json(const TraceReport& trace);

}  // namespace modelseal::report
