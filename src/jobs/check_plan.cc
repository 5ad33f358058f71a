
#include "jobs/check_plan.h"

#include "jobs/check_files.h"
#include "oracle/endpoint.h"
#include "util/text.h"

namespace modelseal::jobs {
namespace {

using Answerer = CheckRequest::Answerer;

Answerer answerer_of(const std::string& target, const CheckOptions& options) {
    if (options.responses || oracle::is_endpoint(target)) return Answerer::elsewhere;
    return options.black_box ? Answerer::any_file : Answerer::sealed_file;
}

bool trusts_somebody(const SignatureCheck& options) {
    return !options.public_keys.empty() || !options.anchors.empty() || !options.trusted_root.empty();
}

void plan_seal(const CheckOptions& options, CheckRequest& request) {
    const bool reads_weights = request.answerer == Answerer::sealed_file;
    request.seal = reads_weights && !options.keys.empty();
    // Only a seal has a stamp that can be as expected.
    auto& expected = request.policy.expected.seal;
    expected = request.seal || options.require_seal || !options.expect.empty();
    if (!expected || request.seal) return;
    request.missing.push_back({.kind = CheckKind::seal,
                               .detail = reads_weights
                                             ? "a seal is required, and no key to look for one was given"
                                             : "a seal is required, and the weights are not read",
                               .hint = reads_weights ? "give the vendor's public key" : "",
                               .remedy = reads_weights ? Remedy::give_public_key : Remedy::none});
}

Result<void> plan_signature(const std::string& target, const CheckOptions& options, CheckRequest& request) {
    const bool on_disk = request.answerer != Answerer::elsewhere;
    const bool trusts = options.signature && trusts_somebody(*options.signature);
    const bool named = options.signature && !options.signature->signature.empty();
    if (named && !on_disk) {
        return Error{ErrorKind::usage, "a signature covers files, and the target has none to read",
                     "check a file or a folder"};
    }
    request.policy.expected.signature = trusts || named || options.require_signature;
    const auto found = named     ? std::optional(options.signature->signature)
                       : on_disk ? signature_next_to(target)
                                 : std::nullopt;
    const auto shown = found ? util::printable(found->string()) : std::string();
    if (found && (trusts || named)) {
        request.signature = options.signature;
        request.signature->signature = *found;
    } else if (request.policy.expected.signature) {
        request.missing.push_back(
            {.kind = CheckKind::signature,
             .detail = found     ? "the signature " + shown + " was not verified: no signer is trusted"
                       : on_disk ? "no signature found next to it"
                                 : "a signature covers files, and the target has none to read",
             .hint = found     ? "give the signer's public key, or the certificate of an authority"
                     : on_disk ? "give the signature's file"
                               : "",
             .remedy = found     ? Remedy::trust_signer
                       : on_disk ? Remedy::give_signature
                                 : Remedy::none});
    } else if (found) {
        request.warnings.push_back("the signature " + shown +
                                   " was not verified: no signer and no authority is trusted");
    }
    return {};
}

void plan_fingerprint(const CheckOptions& options, CheckRequest& request) {
    request.fingerprint = options.fingerprint.has_value();
    const bool reads_weights = request.answerer == Answerer::sealed_file;
    // A model that is not read can only be queried; the given keys open its fingerprint.
    const bool only_asked = !reads_weights && (!options.keys.empty() || !request.signature);
    auto& expected = request.policy.expected.fingerprint;
    expected = request.fingerprint || options.require_fingerprint || only_asked;
    if (!expected || request.fingerprint) return;
    request.missing.push_back(
        {.kind = CheckKind::fingerprint,
         .detail = reads_weights
                       ? "a fingerprint is required, and none was given"
                       : "nothing to check it against: its weights are not read, and no fingerprint was given",
         .hint = "give the fingerprint that the vendor made for you",
         .remedy = Remedy::give_fingerprint});
}

}  // namespace

Result<CheckRequest> plan_check(const std::string& target, const CheckOptions& options) {
    CheckRequest request{.answerer = answerer_of(target, options)};
    request.policy.stamp = options.expect;
    request.policy.weights_only = options.weights_only;
    request.policy.scheme = options.scheme;
    plan_seal(options, request);
    MODELSEAL_TRY(plan_signature(target, options, request));
    plan_fingerprint(options, request);
    auto& expected = request.policy.expected;
    if (!expected.seal && !expected.signature && !expected.fingerprint) {
        expected.seal = true;
        request.missing.push_back({.kind = CheckKind::seal,
                                   .detail = "no key to look for a seal and no trusted signer was given",
                                   .hint = "give the vendor's public key",
                                   .remedy = Remedy::give_public_key});
    }
    return request;
}

}  // namespace modelseal::jobs
