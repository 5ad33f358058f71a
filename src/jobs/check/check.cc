// A check as a story: plan it, look at the seal and the signature, ask about the fingerprint, decide.
#include "jobs/check/check.h"

#include <algorithm>
#include <new>

#include <fmt/format.h>

#include "hash/cards.h"
#include "jobs/check/files.h"
#include "jobs/check/fingerprint.h"
#include "jobs/check/other_target.h"
#include "jobs/check/part.h"
#include "jobs/check/plan.h"
#include "policy/decide.h"

namespace modelseal {
namespace {

using jobs::CheckRequest;
using Opened = std::optional<Result<model::Model>>;  // the model, where it is read or run here
using policy::Findings;

// What the target explains is explained; see other_target.h.
Result<SealFinding> explained(Result<SealFinding> finding, const model::Model& model,
                              const jobs::SealSearch& search) {
    if (!finding.ok()) return finding;
    return jobs::explained_by_target(model, search, std::move(finding).value());
}

// A finding counts only if the files did not change meanwhile.
template <class Finding>
Result<Finding> if_unchanged(Result<Finding> finding, const model::Model& model) {
    if (!finding.ok()) return finding;
    MODELSEAL_TRY(model.unchanged());
    return finding;
}

void check_files(const std::string& target, const CheckRequest& request, const CheckOptions& options,
                 const hash::BlockHasher* hasher, Opened& opened, Findings& found) {
    jobs::SealSearch search{.pass = {.jobs = options.jobs, .hasher = hasher}, .progress = options.progress};
    if (request.seal) {
        search.keys = options.seal->keys;
        search.all = options.seal->all;
    }
    const bool readable = opened && opened->ok();
    if (!request.tensors.empty() && readable) {
        return jobs::check_part(**opened, request.seal ? &search : nullptr,
                                request.signature ? &*request.signature : nullptr, request.tensors, found);
    }
    if (request.seal && request.signature && readable) {
        auto both = jobs::check_both(target, **opened, search, *request.signature);
        found.seal = if_unchanged(explained(std::move(both.seal), **opened, search), **opened);
        found.signature = std::move(both.signature);
        return;
    }
    if (request.seal) {
        found.seal =
            readable ? if_unchanged(explained(jobs::check_seal(**opened, search), **opened, search), **opened)
                     : Result<SealFinding>(opened->error());
    }
    if (request.signature && !request.tensors.empty()) {
        found.signature = opened->error();
    } else if (request.signature) {
        const VerifyOptions reading{
            .jobs = options.jobs, .progress = options.progress, .limits = options.limits};
        found.signature = jobs::check_signature(target, *request.signature, reading);
    }
}

// The reason not to run a model here; empty if it may run. A seal that does not cover the code is no reason
// to trust what runs.
std::string reason_not_to_run(const CheckRequest& request, const Findings& found) {
    using Seal = SealFinding::Outcome;
    const bool forged = found.signature && found.signature->ok() &&
                        (*found.signature)->outcome == SignatureFinding::Outcome::invalid;
    if (request.answerer == CheckRequest::Answerer::elsewhere) return {};
    if (forged) return "the model was not run: its signature is not valid";
    if (request.answerer == CheckRequest::Answerer::any_file) return {};
    const bool intact = found.seal && found.seal->ok() && (*found.seal)->outcome == Seal::intact &&
                        (*found.seal)->scheme == "modelseal";
    return intact ? "" : "the model was not run: an intact seal is needed";
}

// The fingerprint is of the model that the seal is in, unless it was made before there was a seal.
Result<void> same_model(const Findings& found, const blackbox::Fingerprint& print) {
    if (!found.seal || !found.seal->ok()) return {};
    const auto& root = (*found.seal)->root;
    if (root.empty() || !print.sealed || root == print.root) return {};
    return Error{ErrorKind::mismatch,
                 fmt::format("the fingerprint is for another model: it is bound to root {}, the seal has {}",
                             print.root, root),
                 "use the fingerprint that came with this model"};
}

Result<FingerprintFinding> ask(const std::string& target, const CheckOptions& options, const Opened& opened,
                               const jobs::OpenedFingerprint& print, const Findings& found) {
    if (!opened) return jobs::check_fingerprint(target, nullptr, print, options);
    if (!opened->ok()) return opened->error();
    MODELSEAL_TRY(same_model(found, print.print));
    const auto& model = **opened;
    return if_unchanged(jobs::check_fingerprint(target, &model, print, options), model);
}

// A fingerprint that cannot be opened, or is not for one of the keys, is refused before anything is sent.
void check_fingerprint(const std::string& target, const CheckRequest& request, const CheckOptions& options,
                       const Opened& opened, Findings& found) {
    const auto print = jobs::open_fingerprint(*options.fingerprint);
    auto reason = reason_not_to_run(request, found);
    if (!print.ok()) {
        found.fingerprint = print.error();
    } else if (reason.empty()) {
        found.fingerprint = ask(target, options, opened, *print, found);
    } else {
        found.missing.push_back({.kind = CheckKind::fingerprint,
                                 .outcome = MissingCheck::Outcome::not_run,
                                 .detail = std::move(reason)});
    }
}

// Null for the processor.
Result<std::unique_ptr<hash::BlockHasher>> hasher_for(const CheckRequest& request, const CheckOptions& options,
                                                      const Opened& opened) {
    if (!request.seal || !opened || !opened->ok()) return std::unique_ptr<hash::BlockHasher>();
    return hash::hasher_on(options.device, (*opened)->bytes());
}

Result<CheckReport> check(const std::string& target, const CheckOptions& options, jobs::FilesRead* read) {
    MODELSEAL_TRY_ASSIGN(const auto request, jobs::plan_check(target, options));
    Findings found{.missing = request.missing};
    Opened opened;
    if (request.opens_model()) opened = model::open_model(target, options.limits);
    MODELSEAL_TRY_ASSIGN(const auto hasher, hasher_for(request, options, opened));
    check_files(target, request, options, hasher.get(), opened, found);
    if (request.fingerprint) check_fingerprint(target, request, options, opened, found);
    auto report = policy::report_of(target, found, request.policy, policy::decide(found, request.policy));
    report.warnings = request.warnings;
    if (hasher && !hasher->trouble().empty()) report.warnings.push_back(hasher->trouble());
    if (opened && opened->ok()) std::ranges::copy((*opened)->warnings, std::back_inserter(report.warnings));
    if (report.fingerprint)
        std::ranges::copy(report.fingerprint->warnings, std::back_inserter(report.warnings));
    if (read != nullptr && opened && opened->ok()) *read = (*opened)->states();
    return report;
}

}  // namespace

Result<CheckReport> check_model(const std::filesystem::path& model, const CheckOptions& options) {
    return jobs::check_model(model, options, nullptr);
}

Result<CheckReport> jobs::check_model(const std::filesystem::path& model, const CheckOptions& options,
                                      FilesRead* read) {
    const auto target = model.string();
    try {
        return check(target, options, read);
    } catch (const std::bad_alloc&) {
        return Error{ErrorKind::unreadable, target + ": not enough memory to check it", {}};
    }
}

}  // namespace modelseal
