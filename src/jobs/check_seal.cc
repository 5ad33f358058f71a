#include "jobs/check_seal.h"

#include <algorithm>

#include <fmt/format.h>

#include "io/progress.h"
#include "jobs/deepisign.h"
#include "mark/evidence.h"
#include "mark/verdict.h"

namespace modelseal::jobs {
namespace {

// The stamp must be the vendor's word and say what is expected.
void apply_expectations(const CheckOptions& options, SealFinding& finding) {
    for (const auto& [name, value] : options.expect) {
        const auto found =
            std::ranges::find(finding.stamp, name, [](const auto& entry) { return entry.first; });
        if (found != finding.stamp.end() && found->second == value && finding.stamp_authentic) continue;
        finding.outcome = SealFinding::Outcome::tampered;
        finding.detail =
            found == finding.stamp.end()
                ? fmt::format("the stamp has no '{}', expected '{}'", name, value)
                : fmt::format("the stamp says {} is '{}', expected '{}'", name, found->second, value);
        return;
    }
}

Result<SealFinding> find_seal(const Model& model, const CheckOptions& options, const mark::Pass& pass,
                              io::Progress& progress) {
    for (const auto& key : options.keys) {
        MODELSEAL_TRY_ASSIGN(const auto evidence, mark::gather(model, key, pass, progress));
        if (!evidence) continue;
        auto finding = mark::judge(model, *evidence, options.all);
        const bool passes = options.weights_only && finding.weights_intact;
        if (passes) finding.outcome = SealFinding::Outcome::intact;
        apply_expectations(options, finding);
        return finding;
    }
    for (const auto& key : options.keys) {
        MODELSEAL_TRY_ASSIGN(auto finding, check_deepisign(model, key, options.all));
        if (finding.outcome == SealFinding::Outcome::not_found) continue;
        apply_expectations(options, finding);
        return finding;
    }
    SealFinding finding;
    finding.detail =
        "no seal under this key: never sealed, sealed under another key, or every place that could carry a "
        "mark was overwritten";
    return finding;
}

}  // namespace

Result<SealFinding> check_seal(const Model& model, const CheckOptions& options, const mark::Pass& pass) {
    auto& progress = options.progress != nullptr ? *options.progress : io::no_progress();
    progress.total(model.bytes());
    MODELSEAL_TRY_ASSIGN(auto finding, find_seal(model, options, pass, progress));
    finding.tensors_total = model.tensors.size();
    finding.bytes_total = model.bytes();
    return finding;
}

}  // namespace modelseal::jobs
