#include "jobs/check_seal.h"

#include "io/progress.h"
#include "jobs/deepisign.h"
#include "mark/evidence.h"
#include "mark/verdict.h"

namespace modelseal::jobs {
namespace {

Result<SealFinding> find_seal(const Model& model, const SealSearch& search, io::Progress& progress) {
    for (const auto& key : search.keys) {
        MODELSEAL_TRY_ASSIGN(const auto evidence, mark::gather(model, key, search.pass, progress));
        if (evidence) return mark::judge(model, *evidence, search.all);
    }
    // Whether such a mark is accepted is for the policy: here it is found, so that it can be named.
    for (const auto& key : search.keys) {
        MODELSEAL_TRY_ASSIGN(auto finding, check_deepisign(model, key, search.all));
        if (finding.outcome != SealFinding::Outcome::not_found) return finding;
    }
    SealFinding finding;
    finding.detail =
        "no seal under this key: never sealed, sealed under another key, or every place that could carry a "
        "mark was overwritten";
    return finding;
}

}  // namespace

Result<SealFinding> check_seal(const Model& model, const SealSearch& search) {
    auto& progress = search.progress != nullptr ? *search.progress : io::no_progress();
    progress.total(model.bytes());
    MODELSEAL_TRY_ASSIGN(auto finding, find_seal(model, search, progress));
    finding.tensors_total = model.tensors.size();
    finding.bytes_total = model.bytes();
    return finding;
}

}  // namespace modelseal::jobs
