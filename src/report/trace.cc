#include "report/trace.h"

#include <cmath>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "report/customers.h"
#include "report/customers_json.h"
#include "report/seal_json.h"
#include "report/words.h"
#include "util/text.h"

namespace modelseal {
namespace {

using nlohmann::ordered_json;
using report::Ink;
using report::json_text;

constexpr std::size_t kTraceRows = 10;  // of a list that is cut

std::string names_of(const TraceReport& trace) {
    std::string names;
    for (const auto& mark : trace.marks) {
        if (!mark.customer.empty()) names += (names.empty() ? "" : " and ") + util::printable(mark.customer);
    }
    return names;
}

std::string chance_text(double chance) {
    return fmt::format("by chance in less than one of 10^{} models",
                       chance > 0 ? static_cast<int>(std::floor(-std::log10(chance))) : 300);
}

std::string evidence_text(const TracedMark& mark) {
    if (mark.places_whole > 0) {
        return fmt::format("{} of {} of their mark {} whole; {}", report::grouped(mark.places_whole),
                           report::counted(mark.places, "place"), mark.places == 1 ? "is" : "are",
                           chance_text(mark.chance));
    }
    return fmt::format("the {} of their mark were changed, but begin alike; {}",
                       report::counted(mark.places, "place"), chance_text(mark.chance));
}

std::string seal_text(const TracedMark& mark) {
    if (!mark.seal) return "too little of the seal is left to read what it says";
    auto line = fmt::format("the seal: {}", report::word(mark.seal->outcome));
    if (const auto findings = report::findings_text(*mark.seal); !findings.empty()) line += ", " + findings;
    if (const auto stamp = report::stamp_text(*mark.seal); !stamp.empty()) line += ", " + stamp;
    return line;
}

std::string entry_text(const LedgerEntry& entry) {
    return fmt::format("entry {}: {}, made {}, written to {}", entry.number, report::model_text(entry),
                       entry.made, util::printable(entry.output));
}

std::string entries_text(const TracedMark& mark) {
    if (mark.entries.empty()) return "  the ledger has no entry of it\n";
    if (mark.entries.size() == 1) {
        return fmt::format("  {}{}\n", mark.entry_certain ? "" : "probably ", entry_text(mark.entries.front()));
    }
    std::string out = "  one of:\n";
    for (std::size_t i = 0; i < std::min(kTraceRows, mark.entries.size()); ++i) {
        out += "    " + entry_text(mark.entries[i]) + "\n";
    }
    if (mark.entries.size() > kTraceRows)
        out += fmt::format("    ... and {} more (use --json)\n", mark.entries.size() - kTraceRows);
    return out;
}

std::string mark_text(const TracedMark& mark, bool several) {
    std::string out;
    if (several)
        out += fmt::format("  {}:\n", mark.customer.empty() ? "everybody" : util::printable(mark.customer));
    out += "  " + evidence_text(mark) + "\n  " + seal_text(mark) + "\n" + entries_text(mark);
    if (!mark.revoked.empty())
        out += fmt::format("  {} was revoked on {}\n", util::printable(mark.customer), mark.revoked);
    return out;
}

std::string_view word(TraceReport::Outcome outcome) {
    switch (outcome) {
        case TraceReport::Outcome::customer:
            return "customer";
        case TraceReport::Outcome::everybody:
            return "everybody";
        case TraceReport::Outcome::none:
            break;
    }
    return "none";
}

ordered_json mark_json(const TracedMark& mark) {
    ordered_json out;
    out["customer"] = mark.customer.empty() ? ordered_json(nullptr) : ordered_json(json_text(mark.customer));
    out["revoked"] = mark.revoked.empty() ? ordered_json(nullptr) : ordered_json(mark.revoked);
    out["places"] = mark.places;
    out["places_whole"] = mark.places_whole;
    out["chance"] = mark.chance;
    out["seal"] = mark.seal ? report::seal_json(*mark.seal) : ordered_json(nullptr);
    out["entry_certain"] = mark.entry_certain;
    out["entries"] = ordered_json::array();
    for (const auto& entry : mark.entries) out["entries"].push_back(report::entry_json(entry));
    return out;
}

}  // namespace

std::string to_text(const TraceReport& trace, const TextStyle& style) {
    const auto name = util::printable(trace.target);
    std::string out;
    switch (trace.outcome) {
        case TraceReport::Outcome::customer:
            out = report::paint(style, Ink::bold, fmt::format("{}: sealed for {}", name, names_of(trace)));
            break;
        case TraceReport::Outcome::everybody:
            out = report::paint(
                style, Ink::yellow,
                fmt::format("{}: sealed by this vendor for everybody, not for one customer", name));
            break;
        case TraceReport::Outcome::none:
            return report::paint(style, Ink::yellow,
                                 fmt::format("{}: no mark of any of {}", name,
                                             report::counted(trace.customers_asked, "customer"))) +
                   "\n";
    }
    out += "\n";
    for (const auto& mark : trace.marks) out += mark_text(mark, trace.marks.size() > 1);
    return out;
}

std::string to_json(const TraceReport& trace) {
    ordered_json out;
    out["schema"] = "modelseal-trace/1";
    out["target"] = json_text(trace.target);
    out["outcome"] = word(trace.outcome);
    out["customers_asked"] = trace.customers_asked;
    out["marks"] = ordered_json::array();
    for (const auto& mark : trace.marks) out["marks"].push_back(mark_json(mark));
    return out.dump(2, ' ', true) + "\n";
}

}  // namespace modelseal
