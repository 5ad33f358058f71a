#include "oms/verify_part.h"

#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "oms/tensors.h"
#include "oms/verify.h"
#include "util/text.h"

namespace modelseal::oms {
namespace {

using Chosen = std::function<bool(std::string_view name)>;
using SignedTensors = std::map<std::string, TensorDigests>;  // by file, as digest_tensors()

// Those of the statement that are chosen.
SignedTensors signed_tensors(const model::Model& model, const Statement& statement, const Chosen& chosen) {
    SignedTensors out;
    for (const auto& resource : statement.resources) {
        // The one file of a model that is a file goes by two names.
        const auto& file = model.folder ? resource.name : std::string();
        for (const auto& [name, digest] : resource.tensors) {
            if (chosen(name)) out[file][name] = digest;
        }
    }
    return out;
}

bool knows_tensors(const Statement& statement) {
    return std::ranges::any_of(statement.resources,
                               [](const Resource& resource) { return !resource.tensors.empty(); });
}

std::uint64_t bytes_of(const model::Model& model, const Chosen& chosen) {
    std::uint64_t sum = 0;
    for (const auto& tensor : model.tensors) {
        std::uint64_t bytes = 0;
        if (chosen(tensor.name) && storage_bytes(tensor.dtype, tensor.elements, bytes)) sum += bytes;
    }
    return sum;
}

// Adds a file for each in which some of the chosen tensors differ; returns how many of them are as signed.
std::uint64_t compare_files(const model::Model& model, const SignedTensors& before, const SignedTensors& now,
                            SignatureFinding& finding) {
    std::map<std::string, std::pair<TensorDigests, TensorDigests>> files;
    for (const auto& [file, tensors] : before) files[file].first = tensors;
    for (const auto& [file, tensors] : now) files[file].second = tensors;
    std::uint64_t same = 0;
    for (auto& [file, sides] : files) {
        auto differing = compare_tensors(sides.first, sides.second);
        const auto missing = static_cast<std::uint64_t>(
            std::ranges::count(differing, TensorFinding::Outcome::missing, &TensorFinding::outcome));
        same += sides.second.size() + missing - differing.size();
        if (differing.empty()) continue;
        finding.findings.push_back({.name = model.folder ? file : model.path.filename().string(),
                                    .outcome = FileFinding::Outcome::changed,
                                    .tensors = std::move(differing)});
    }
    return same;
}

Result<void> examine_part(const model::Model& model, const SignatureCheck& check, const Chosen& chosen,
                          const VerifyOptions& options, SignatureFinding& finding) {
    MODELSEAL_TRY_ASSIGN(const auto statement, signed_statement(check, finding));
    if (!knows_tensors(statement)) {
        return Error{ErrorKind::unsupported,
                     util::printable(check.signature.string()) + ": lists no digests of tensors",
                     "check the complete model"};
    }
    auto& progress = options.progress != nullptr ? *options.progress : no_progress();
    auto& part = finding.part.emplace();
    part.tensors_total = model.tensors.size();
    part.bytes_total = model.bytes();
    part.bytes = bytes_of(model, chosen);
    part.bits = 256;
    part.is_signed = true;
    progress.total(part.bytes);
    const auto before = signed_tensors(model, statement, chosen);
    MODELSEAL_TRY_ASSIGN(
        const auto now,
        digest_tensors(
            model, options.jobs, [&](const Tensor& tensor) { return chosen(tensor.name); }, progress));
    for (const auto& [file, tensors] : now) part.tensors += tensors.size();
    const auto same = compare_files(model, before, now, finding);
    const bool holds = finding.findings.empty();
    finding.outcome = holds ? SignatureFinding::Outcome::partial : SignatureFinding::Outcome::invalid;
    finding.detail = holds ? fmt::format("{} of {} as signed, the rest was not looked at", same,
                                         util::counted(part.tensors_total, "tensor"))
                           : fmt::format("only {} of {} as signed, the rest was not looked at", same,
                                         util::counted(part.tensors, "tensor"));
    return {};
}

}  // namespace

Result<SignatureFinding> verify_part(const model::Model& model, const SignatureCheck& check,
                                     const Chosen& chosen, const VerifyOptions& options) {
    SignatureFinding finding;
    const auto examined = examine_part(model, check, chosen, options, finding);
    return judged(examined, std::move(finding));
}

}  // namespace modelseal::oms
