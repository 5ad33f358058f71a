#include "jobs/check/part.h"

#include <algorithm>
#include <new>

#include <fmt/format.h>

#include "mark/checking/part.h"
#include "oms/verify_part.h"
#include "oracle/endpoint.h"
#include "util/text.h"

namespace modelseal::jobs {
namespace {

using policy::Glob;

constexpr const char* kNoSealHere =
    "no seal under this key in the model: never sealed, sealed with another key, or all marks were overwritten";

Result<void> all_match(const model::Model& model, const std::vector<Glob>& patterns) {
    for (const auto& pattern : patterns) {
        const bool any = std::ranges::any_of(
            model.tensors, [&](const Tensor& tensor) { return pattern.matches(tensor.name); });
        if (any) continue;
        return Error{ErrorKind::unsupported,
                     fmt::format("{}: no tensor matches '{}'", util::printable(model.path.string()),
                                 util::printable(pattern.pattern())),
                     "list the tensors of the model; '*' matches any characters but '/'"};
    }
    return {};
}

// The first seal that is found, of several keys; an intact part comes before one that is not.
Result<SealFinding> part_of_seal(const model::Model& model, const SealSearch& search,
                                 const mark::ChosenTensor& chosen) {
    auto& progress = search.progress != nullptr ? *search.progress : no_progress();
    std::optional<SealFinding> first;
    for (const auto& key : search.keys) {
        MODELSEAL_TRY_ASSIGN(auto found,
                             mark::check_part(model, key, chosen, search.all, search.pass.jobs, progress));
        if (!found) continue;
        if (found->stamp_authentic) found->vendor_key = to_hex(key.vendor.id());
        if (found->outcome == SealFinding::Outcome::partial) return std::move(*found);
        if (!first) first = std::move(found);
    }
    if (first) return std::move(*first);
    return SealFinding{.detail = kNoSealHere,
                       .hint = "check the complete model, which finds more kinds of seals",
                       .tensors_total = model.tensors.size(),
                       .bytes_total = model.bytes()};
}

template <class Finding>
Result<Finding> with_patterns(Result<Finding> finding, const std::vector<Glob>& patterns,
                              const model::Model& model) {
    if (!finding.ok()) return finding;
    MODELSEAL_TRY(model.unchanged());
    if (finding->part) {
        for (const auto& pattern : patterns) finding->part->patterns.push_back(pattern.pattern());
    }
    return finding;
}

}  // namespace

Result<std::vector<Glob>> part_patterns(const std::string& target, const CheckOptions& options) {
    std::vector<Glob> patterns;
    if (options.tensors.empty()) return patterns;
    const auto& expected = options.policy.expected;
    if (options.fingerprint || expected.fingerprint || oracle::is_endpoint(target)) {
        return Error{ErrorKind::usage, "the answers of a model say nothing of single tensors",
                     "check tensors by the seal in a file, or by its signature"};
    }
    if (options.policy.scheme == Scheme::deepisign)
        return Error{ErrorKind::usage, "marks of the deepisign scheme cannot be checked in part", {}};
    for (const auto& pattern : options.tensors) {
        MODELSEAL_TRY_ASSIGN(auto parsed, Glob::parse(pattern));
        patterns.push_back(std::move(parsed));
    }
    return patterns;
}

void check_part(const model::Model& model, const SealSearch* seal, const SignatureCheck* signature,
                const std::vector<Glob>& patterns, policy::Findings& found) {
    const auto chosen = [&](std::string_view name) {
        return std::ranges::any_of(patterns, [&](const Glob& pattern) { return pattern.matches(name); });
    };
    const auto match = all_match(model, patterns);
    if (seal != nullptr) {
        found.seal = match.ok() ? with_patterns(part_of_seal(model, *seal, chosen), patterns, model)
                                : Result<SealFinding>(match.error());
    }
    if (signature != nullptr) {
        const VerifyOptions how{.jobs = seal != nullptr ? seal->pass.jobs : 0, .limits = model.limits};
        found.signature = match.ok()
                              ? with_patterns(oms::verify_part(model, *signature, chosen, how), patterns, model)
                              : Result<SignatureFinding>(match.error());
    }
}

}  // namespace modelseal::jobs
