// What a ledger holds, as people and machines read it.
#pragma once

#include <span>
#include <string>

#include "report/report.h"
#include <modelseal/ledger.h>

namespace modelseal {

// A ledger as a whole, or one customer of it with their entries.
struct LedgerView {
    std::string ledger;      // the file
    std::string vendor_key;  // id, hex
    bool verified = false;   // with the vendor's key
};

std::string to_text(const LedgerView& view, std::span<const Customer> customers, const TextStyle& style);
std::string to_text(const LedgerView& view, const Customer& customer, std::span<const LedgerEntry> entries,
                    const TextStyle& style);
// Schema modelseal-customers/1, and modelseal-customer/1 with a list of entries. Pure ASCII, with a newline at
// the end.
std::string to_json(const LedgerView& view, std::span<const Customer> customers);
std::string to_json(const LedgerView& view, const Customer& customer, std::span<const LedgerEntry> entries);

namespace report {
// "net 1.0": name and version of a stamp, else the file that was sealed.
std::string model_text(const LedgerEntry& entry);
}  // namespace report

}  // namespace modelseal
