// Names the customer a leaked model was sealed for, with the vendor's ledger.
//
// Tries the check keys of all customers at once. The seal need not be intact: the customer is named even if
// nine in ten blocks were overwritten. This proves that the mark was made with the customer's check key,
// which only they and the vendor have.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <modelseal/ledger.h>
#include <modelseal/progress.h>
#include <modelseal/report.h>

namespace modelseal {

struct TraceOptions {
    unsigned jobs = 0;  // threads; 0: all
    Progress* progress = nullptr;
    Limits limits = {};
};

// A mark that was found, under a customer's key or the public one.
struct TracedMark {
    std::string customer;  // empty: everybody's
    std::string revoked;   // RFC 3339; empty: not revoked
    // Places of the mark, and those whose content is complete. If none is, the first bits of the places
    // agree.
    std::uint64_t places = 0, places_whole = 0;
    // Upper bound of the probability, over all keys that were tried, that a model without the mark looks like
    // this one.
    double chance = 0;
    // The result of a check with this key; absent if too little of the seal is left for one.
    std::optional<SealFinding> seal;
    // Entries of the ledger: the one of this file if the seal's root could be read, else all of this customer
    // that may be it, and none if nothing was recorded.
    std::vector<LedgerEntry> entries;
    bool entry_certain = false;
};

struct TraceReport {
    std::string target;
    enum class Outcome {
        customer,   // sealed for the customers in `marks`: nearly always one
        everybody,  // sealed for everybody by this vendor
        none,       // no mark of any of these keys
    };
    Outcome outcome = Outcome::none;
    std::uint64_t customers_asked = 0;
    std::uint64_t bytes = 0;        // of the model
    std::vector<TracedMark> marks;  // the clearest first; customers' before everybody's
};

// Errors: those of opening the model and of reading the ledger, which must have been opened with the vendor's
// key.
Result<TraceReport> trace_model(const std::filesystem::path& model, const Ledger& ledger,
                                const TraceOptions& options = {});

}  // namespace modelseal
