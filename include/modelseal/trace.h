// For whom was this file sealed? Asked of a model that leaked, with the vendor's ledger.
//
// The customers' check keys are tried, all at once; it does not take an intact seal: the customer is named as
// well where nine blocks in ten were overwritten. What naming somebody proves: that the mark was made with
// their check key, which they and the vendor have.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <modelseal/ledger.h>
#include <modelseal/report.h>

namespace modelseal {

struct TraceOptions {
    unsigned jobs = 0;  // threads; 0: all
    io::Progress* progress = nullptr;
    Limits limits = {};
};

// A mark that was found, of a customer's key or of the public one.
struct TracedMark {
    std::string customer;  // empty: everybody's
    std::string revoked;   // RFC 3339; empty: not revoked
    // Places of the mark, and those whose contents are whole. With none whole, it is their beginnings that
    // agree.
    std::uint64_t places = 0, places_whole = 0;
    // So likely at most, over all keys that were tried, does a model without the mark look like this one.
    double chance = 0;
    // What a check with this key says; nothing if too little of the seal is left for one.
    std::optional<SealFinding> seal;
    // What the ledger has of it: the very entry if the seal's root could be read, else all of this customer
    // that it may be, and none if nothing was put down.
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
