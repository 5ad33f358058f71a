#include "report/customers.h"

#include <fmt/format.h>

#include "report/customers_json.h"
#include "report/words.h"
#include "util/text.h"

namespace modelseal {
namespace {

using nlohmann::ordered_json;
using report::json_text;
using enum report::Table::Align;

std::string revoked_text(const Customer& customer) {
    if (customer.revoked.empty()) return {};
    return fmt::format("revoked {}{}{}", customer.revoked, customer.reason.empty() ? "" : ": ",
                       util::printable(customer.reason));
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

std::string dumped(const ordered_json& json) {
    return json.dump(2, ' ', true) + "\n";
}

}  // namespace

std::string report::model_text(const LedgerEntry& entry) {
    std::string name, version;
    for (const auto& [key, value] : entry.stamp) {
        if (key == "name") name = value;
        if (key == "version") version = " " + value;
    }
    return util::printable(name.empty() ? entry.model : name + version);
}

ordered_json report::entry_json(const LedgerEntry& entry) {
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

std::string to_text(const LedgerView& view, std::span<const Customer> customers, const TextStyle& style) {
    auto out = fmt::format("{}: {} of vendor key {}\n", util::printable(view.ledger),
                           report::counted(customers.size(), "customer"), view.vendor_key);
    if (customers.empty()) return out;
    report::Table table({left, left, right, right, left});
    table.add({"customer", "added", "seals", "fingerprints", ""});
    for (const auto& customer : customers) {
        table.add({util::printable(customer.name), customer.added, report::grouped(customer.seals),
                   report::grouped(customer.fingerprints), revoked_text(customer)});
    }
    return out + table.text("    ", style);
}

std::string to_text(const LedgerView& view, const Customer& customer, std::span<const LedgerEntry> entries,
                    const TextStyle& style) {
    auto out = fmt::format("{}: a customer of vendor key {} since {}\n", util::printable(customer.name),
                           view.vendor_key, customer.added);
    if (!customer.revoked.empty()) {
        out += report::paint(style, report::Ink::yellow, "  " + revoked_text(customer)) + "\n";
    }
    if (entries.empty()) return out + "  nothing was made for them yet\n";
    report::Table table({right, left, left, left, left, left});
    table.add({"", "made", "what", "of", "root", "output"});
    for (const auto& entry : entries) {
        table.add(
            {std::to_string(entry.number), entry.made, std::string(kind_of(entry.kind)),
             report::model_text(entry), entry.root.substr(0, 16),
             util::printable(entry.output) + (entry.finished ? "" : "  (begun; not known to be finished)")});
    }
    return out + table.text("    ", style);
}

std::string to_json(const LedgerView& view, std::span<const Customer> customers) {
    auto out = view_json("modelseal-customers/1", view);
    out["customers"] = ordered_json::array();
    for (const auto& customer : customers) out["customers"].push_back(customer_json(customer));
    return dumped(out);
}

std::string to_json(const LedgerView& view, const Customer& customer, std::span<const LedgerEntry> entries) {
    auto out = view_json("modelseal-customer/1", view);
    out["customer"] = customer_json(customer);
    out["entries"] = ordered_json::array();
    for (const auto& entry : entries) out["entries"].push_back(report::entry_json(entry));
    return dumped(out);
}

}  // namespace modelseal
