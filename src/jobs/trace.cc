#include <algorithm>

#include "mark/checking/evidence.h"
#include "mark/checking/find_marks.h"
#include "mark/checking/verdict.h"
#include "model/model.h"
#include <modelseal/progress.h>
#include <modelseal/trace.h>

namespace modelseal {
namespace {

constexpr std::size_t kMostMarks = 16;  // looked at closely; more than one is rare

// Counts the cells of the seal, and checks the seal itself as far as it can still be read.
Result<void> look_closer(const model::Model& model, const CheckKey& key, const mark::FoundMarks& found,
                         const mark::CellHead& head, unsigned jobs, TracedMark& traced) {
    auto block_map = std::make_unique<mark::BlockMap>(model.tensors, found.block_elements);
    MODELSEAL_TRY_ASSIGN(const auto evidence,
                         mark::gather_at(model, key, std::move(block_map), {found.version, head.density},
                                         {.jobs = jobs}, no_progress()));
    const auto& readings = evidence.scan.weights.readings;
    for (std::size_t cell = 0; cell < readings.size(); ++cell) {
        const auto reading = readings[cell];
        traced.places += reading.capacity != 0;
        traced.places_whole += reading.valid;
    }
    if (evidence.matches.signature) traced.seal = mark::judge(model, evidence, false);
    return {};
}

void match_entries(const std::vector<LedgerEntry>& entries, const mark::CellHead& head, TracedMark& mark) {
    const auto head_bytes = mark::head_bytes(head);
    const auto seal_of_theirs = [&](const LedgerEntry& entry) {
        return entry.kind == LedgerEntry::Kind::seal && entry.customer == mark.customer;
    };
    mark.entry_certain = mark.seal.has_value();
    for (const auto& entry : entries) {
        if (!seal_of_theirs(entry)) continue;
        if (mark.seal ? entry.root == mark.seal->root : entry.cell_head == head_bytes)
            mark.entries.push_back(entry);
    }
}

}  // namespace

Result<TraceReport> trace_model(const std::filesystem::path& path, const Ledger& ledger,
                                const TraceOptions& options) {
    auto& progress = options.progress != nullptr ? *options.progress : no_progress();
    MODELSEAL_TRY_ASSIGN(auto records, ledger.records());
    auto& keys = records.check_keys;
    const auto& customers = records.customers;
    keys.push_back(public_check_key(ledger.vendor()));
    MODELSEAL_TRY_ASSIGN(const auto model, model::open_model(path, options.limits));
    std::vector<const Secret32*> secrets;
    for (const auto& key : keys) secrets.push_back(&key.secret);
    MODELSEAL_TRY_ASSIGN(const auto found, mark::find_marks(model, secrets, options.jobs, progress));

    TraceReport report{.target = path.string(), .customers_asked = customers.size(), .bytes = model.bytes()};
    for (const auto& each : found.marks) {
        if (report.marks.size() == kMostMarks) break;
        const auto& key = keys[each.secret];
        TracedMark mark{.customer = key.customer, .chance = each.chance};
        const auto customer = std::ranges::find(customers, key.customer, &Customer::name);
        if (customer != customers.end()) mark.revoked = customer->revoked;
        MODELSEAL_TRY(look_closer(model, key, found, each.head, options.jobs, mark));
        match_entries(records.entries, each.head, mark);
        report.marks.push_back(std::move(mark));
    }
    MODELSEAL_TRY(model.unchanged());
    std::ranges::stable_sort(report.marks, {}, [](const TracedMark& mark) { return mark.customer.empty(); });
    if (!report.marks.empty()) {
        report.outcome = report.marks.front().customer.empty() ? TraceReport::Outcome::everybody
                                                               : TraceReport::Outcome::customer;
    }
    return report;
}

}  // namespace modelseal
