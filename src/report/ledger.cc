#include "report/ledger.h"

#include <algorithm>

#include <fmt/format.h>

#include "report/check/json.h"
#include "report/check/seal_section.h"
#include "report/words.h"
#include "util/text.h"

namespace modelseal::report {
namespace {

using nlohmann::ordered_json;
using util::printable;

constexpr std::size_t kEntriesShown = 10;  // of a list that is cut

std::string revoked_text(const Customer& customer) {
    if (customer.revoked.empty()) return {};
    return fmt::format("revoked {}{}{}", customer.revoked, customer.reason.empty() ? "" : ": ",
                       printable(customer.reason));
}

std::string_view kind_of(LedgerEntry::Kind kind) {
    return kind == LedgerEntry::Kind::seal ? "seal" : "fingerprint";
}

ordered_json customer_json(const Customer& customer) {
    ordered_json out;
    out["name"] = json_text(customer.name);
    out["added"] = customer.added;
    out["revoked"] = customer.revoked.empty() ? ordered_json(nullptr) : ordered_json(customer.revoked);
    if (!customer.revoked.empty()) out["reason"] = json_text(customer.reason);
    out["seals"] = customer.seals;
    out["fingerprints"] = customer.fingerprints;
    out["identities"] = customer.identities;
    return out;
}

ordered_json view_json(const char* schema, const LedgerView& view) {
    ordered_json out;
    out["schema"] = schema;
    out["ledger"] = json_text(view.ledger);
    out["vendor_key"] = view.vendor_key;
    out["verified"] = view.verified;
    return out;
}

// "net 1.0": name and version of a stamp, else the file that was sealed.
std::string model_text(const LedgerEntry& entry) {
    std::string name, version;
    for (const auto& [key, value] : entry.stamp) {
        if (key == "name") name = value;
        if (key == "version") version = " " + value;
    }
    return printable(name.empty() ? entry.model : name + version);
}

ordered_json entry_json(const LedgerEntry& entry) {
    ordered_json out;
    out["number"] = entry.number;
    out["kind"] = kind_of(entry.kind);
    out["customer"] = entry.customer.empty() ? ordered_json(nullptr) : ordered_json(json_text(entry.customer));
    out["made"] = entry.made;
    out["finished"] = entry.finished;
    out["model"] = json_text(entry.model);
    out["output"] = json_text(entry.output);
    out["root"] = entry.root.empty() ? ordered_json(nullptr) : ordered_json(entry.root);
    if (entry.kind == LedgerEntry::Kind::fingerprint) {
        out["fingerprint"] = entry.fingerprint;
    } else {
        out["stamp"] = ordered_json::object();
        for (const auto& [key, value] : entry.stamp) out["stamp"].emplace(json_text(key), json_text(value));
    }
    return out;
}

ordered_json identity_json(const IssuedIdentity& identity) {
    ordered_json out;
    out["serial"] = identity.serial;
    out["mark"] = identity.mark;
    out["issued"] = identity.issued;
    out["expires"] = identity.expires.empty() ? ordered_json(nullptr) : ordered_json(identity.expires);
    out["revoked"] = identity.revoked.empty() ? ordered_json(nullptr) : ordered_json(identity.revoked);
    out["finished"] = identity.finished;
    out["key_image"] = identity.key_image;
    out["digest"] = identity.digest.empty() ? ordered_json(nullptr) : ordered_json(identity.digest);
    out["output"] = json_text(identity.output);
    return out;
}

// Empty if there are none.
std::string identities_table(std::span<const IssuedIdentity> identities, const TextStyle& style) {
    if (identities.empty()) return {};
    using enum Table::Align;
    Table table({left, left, left, left, left});
    table.add({"identity", "issued", "expires", "output", ""});
    for (const auto& identity : identities) {
        table.add(
            {identity.serial, identity.issued, identity.expires.empty() ? "never" : identity.expires,
             printable(identity.output) + (identity.finished ? "" : "  (started, not recorded as finished)"),
             identity.revoked.empty() ? "" : "revoked " + identity.revoked});
    }
    return table.text("    ", style);
}

std::string names_of(const TraceReport& trace) {
    std::string names;
    for (const auto& mark : trace.marks) {
        if (!mark.customer.empty()) names += (names.empty() ? "" : " and ") + printable(mark.customer);
    }
    return names;
}

std::string evidence_text(const TracedMark& mark) {
    const auto chance = fmt::format("a chance match: {} models", chance_text(mark.chance));
    if (mark.places_whole > 0) {
        return fmt::format("{} of {} of this mark {} complete; {}", grouped(mark.places_whole),
                           counted(mark.places, "cell"), mark.places == 1 ? "is" : "are", chance);
    }
    return fmt::format("the {} of this mark were changed, but their first bytes match; {}",
                       counted(mark.places, "cell"), chance);
}

std::string seal_text(const TracedMark& mark) {
    if (!mark.seal) return "too little of the seal is left to read its stamp";
    auto line = fmt::format("the seal: {}", word(mark.seal->outcome));
    if (const auto findings = findings_text(*mark.seal); !findings.empty()) line += ", " + findings;
    if (const auto stamp = stamp_text(*mark.seal); !stamp.empty()) line += ", " + stamp;
    return line;
}

std::string entry_text(const LedgerEntry& entry) {
    return fmt::format("entry {}: {}, made {}, written to {}", entry.number, model_text(entry), entry.made,
                       printable(entry.output));
}

std::string entries_text(const TracedMark& mark, const TextStyle& style) {
    if (mark.entries.empty()) return "  the ledger has no entry for it\n";
    if (mark.entries.size() == 1) {
        return fmt::format("  {}{}\n", mark.entry_certain ? "" : "probably ", entry_text(mark.entries.front()));
    }
    std::string out = "  one of:\n";
    for (std::size_t i = 0; i < std::min(kEntriesShown, mark.entries.size()); ++i) {
        out += "    " + entry_text(mark.entries[i]) + "\n";
    }
    if (mark.entries.size() > kEntriesShown)
        out += cut_text(mark.entries.size() - kEntriesShown, "    ", style);
    return out;
}

std::string mark_text(const TracedMark& mark, bool several, const TextStyle& style) {
    std::string out;
    if (several) out += fmt::format("  {}:\n", mark.customer.empty() ? "everybody" : printable(mark.customer));
    out += "  " + evidence_text(mark) + "\n  " + seal_text(mark) + "\n" + entries_text(mark, style);
    if (!mark.revoked.empty())
        out += fmt::format("  {} was revoked on {}\n", printable(mark.customer), mark.revoked);
    return out;
}

std::string_view trace_word(TraceReport::Outcome outcome) {
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
    out["seal"] = mark.seal ? seal_json(*mark.seal) : ordered_json(nullptr);
    out["entry_certain"] = mark.entry_certain;
    out["entries"] = ordered_json::array();
    for (const auto& entry : mark.entries) out["entries"].push_back(entry_json(entry));
    return out;
}

}  // namespace

std::string to_text(const LedgerView& view, std::span<const Customer> customers, const TextStyle& style) {
    auto out = fmt::format("{}: {} of vendor key {}\n", printable(view.ledger),
                           counted(customers.size(), "customer"), view.vendor_key);
    if (customers.empty()) return out;
    using enum Table::Align;
    Table table({left, left, right, right, right, left});
    table.add({"customer", "added", "seals", "fingerprints", "identities", ""});
    for (const auto& customer : customers) {
        table.add({printable(customer.name), customer.added, grouped(customer.seals),
                   grouped(customer.fingerprints), grouped(customer.identities), revoked_text(customer)});
    }
    return out + table.text("    ", style);
}

std::string to_text(const LedgerView& view, const Customer& customer, std::span<const LedgerEntry> entries,
                    std::span<const IssuedIdentity> identities, const TextStyle& style) {
    auto out = fmt::format("{}: customer of vendor key {} since {}\n", printable(customer.name),
                           view.vendor_key, customer.added);
    if (!customer.revoked.empty()) {
        out += paint(style, Tone::doubtful, "  " + revoked_text(customer)) + "\n";
    }
    const auto issued = identities_table(identities, style);
    if (entries.empty()) return out + (issued.empty() ? "  nothing was made for this customer yet\n" : issued);
    using enum Table::Align;
    Table table({right, left, left, left, left, left});
    table.add({"", "made", "what", "of", "root", "output"});
    for (const auto& entry : entries) {
        table.add({std::to_string(entry.number), entry.made, std::string(kind_of(entry.kind)),
                   model_text(entry), entry.root.substr(0, 16),
                   printable(entry.output) + (entry.finished ? "" : "  (started, not recorded as finished)")});
    }
    return out + table.text("    ", style) + issued;
}

std::string to_json(const LedgerView& view, std::span<const Customer> customers) {
    auto out = view_json("modelseal-customers/1", view);
    out["customers"] = ordered_json::array();
    for (const auto& customer : customers) out["customers"].push_back(customer_json(customer));
    return dumped(out);
}

std::string to_json(const LedgerView& view, const Customer& customer, std::span<const LedgerEntry> entries,
                    std::span<const IssuedIdentity> identities) {
    auto out = view_json("modelseal-customer/1", view);
    out["customer"] = customer_json(customer);
    out["entries"] = ordered_json::array();
    for (const auto& entry : entries) out["entries"].push_back(entry_json(entry));
    out["identities"] = ordered_json::array();
    for (const auto& identity : identities) out["identities"].push_back(identity_json(identity));
    return dumped(out);
}

std::string to_text(const TraceReport& trace, const TextStyle& style) {
    const auto name = printable(trace.target);
    std::string out;
    switch (trace.outcome) {
        case TraceReport::Outcome::customer:
            out = paint(style, Tone::strong, fmt::format("{}: sealed for {}", name, names_of(trace)));
            break;
        case TraceReport::Outcome::everybody:
            out = paint(style, Tone::doubtful,
                        fmt::format("{}: sealed by this vendor for everybody, not for one customer", name));
            break;
        case TraceReport::Outcome::none:
            return paint(style, Tone::doubtful,
                         fmt::format("{}: no mark of any of {}", name,
                                     counted(trace.customers_asked, "customer"))) +
                   "\n";
    }
    out += "\n";
    for (const auto& mark : trace.marks) out += mark_text(mark, trace.marks.size() > 1, style);
    return out;
}

std::string to_json(const TraceReport& trace) {
    ordered_json out;
    out["schema"] = "modelseal-trace/1";
    out["target"] = json_text(trace.target);
    out["outcome"] = trace_word(trace.outcome);
    out["customers_asked"] = trace.customers_asked;
    out["marks"] = ordered_json::array();
    for (const auto& mark : trace.marks) out["marks"].push_back(mark_json(mark));
    return dumped(out);
}

}  // namespace modelseal::report
