
#include "jobs/check/plan.h"

#include <tuple>

#include "jobs/check/nearby.h"
#include "jobs/check/part.h"
#include "oracle/endpoint.h"
#include "util/text.h"

namespace modelseal::jobs {
namespace {

using Answerer = CheckRequest::Answerer;

Answerer answerer_of(const std::string& target, const CheckOptions& options) {
    const bool answered = options.fingerprint && options.fingerprint->responses;
    if (answered || oracle::is_endpoint(target)) return Answerer::elsewhere;
    return options.fingerprint && !options.seal ? Answerer::any_file : Answerer::sealed_file;
}

bool trusts_somebody(const SignatureCheck& check) {
    return !check.public_keys.empty() || !check.anchors.empty() || !check.trusted_root.empty();
}

void plan_seal(const CheckOptions& options, CheckRequest& request) {
    const bool reads_weights = request.answerer == Answerer::sealed_file;
    request.seal = reads_weights && options.seal;
    // Only a seal has a stamp that can be as expected.
    auto& expected = request.policy.expected.seal;
    expected = request.seal || expected || !options.policy.stamp.empty();
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
    const bool trusts = options.signature.has_value();
    const bool named = trusts && !options.signature->signature.empty();
    if (named && !on_disk) {
        return Error{ErrorKind::usage, "a signature covers files, and the target has none to read",
                     "check a file or a folder"};
    }
    auto& expected = request.policy.expected.signature;
    expected = trusts || expected;
    const auto found = named     ? std::optional(options.signature->signature)
                       : on_disk ? signature_next_to(target)
                                 : std::nullopt;
    const auto shown = found ? util::printable(found->string()) : std::string();
    if (found && trusts) {
        request.signature = options.signature;
        request.signature->signature = *found;
    } else if (expected) {
        request.missing.push_back(
            {.kind = CheckKind::signature,
             .detail = found     ? "the signature " + shown + " was not verified: no signer is trusted"
                       : on_disk ? no_signature_next_to(target)
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
    // A model that is not read can only be queried.
    const bool only_asked = !reads_weights && (options.seal || !request.signature);
    auto& expected = request.policy.expected.fingerprint;
    expected = request.fingerprint || expected || only_asked;
    if (!expected || request.fingerprint) return;
    request.missing.push_back(
        {.kind = CheckKind::fingerprint,
         .detail = reads_weights
                       ? "a fingerprint is required, and none was given"
                       : "nothing to check it against: its weights are not read, and no fingerprint was given",
         .hint = "give the fingerprint that the vendor made for you",
         .remedy = Remedy::give_fingerprint});
}

// Refuses options that allow no check of any model.
Result<void> must_ask(const CheckOptions& options) {
    const auto refuse = [](const char* what, const char* hint, Remedy remedy) {
        return Error{ErrorKind::usage, what, hint, remedy};
    };
    const auto& [seal, fingerprint, signature] = std::tie(options.seal, options.fingerprint, options.signature);
    const auto& expected = options.policy.expected;
    const bool required = expected.seal || expected.fingerprint || expected.signature;
    if (!seal && !fingerprint && !signature && !required) {
        return refuse("no key to look for a seal and no trusted signer was given",
                      "give the vendor's public key", Remedy::give_public_key);
    }
    if (seal && seal->keys.empty()) {
        return refuse("no key to look for a seal with", "give the vendor's public key",
                      Remedy::give_public_key);
    }
    if (fingerprint && fingerprint->keys.empty()) {
        return refuse("no key to open the fingerprint with",
                      "give the vendor's public key, or the customer's check key", Remedy::give_public_key);
    }
    if (signature && !trusts_somebody(*signature)) {
        return refuse("no key, certificate or trusted root to verify the signature with",
                      "give the signer's public key, or the certificate of an authority", Remedy::trust_signer);
    }
    return {};
}

}  // namespace

Result<CheckRequest> plan_check(const std::string& target, const CheckOptions& options) {
    MODELSEAL_TRY(must_ask(options));
    const bool is_name = options.fingerprint && options.fingerprint->responses;
    if (!is_name) MODELSEAL_TRY(oracle::check_target(target));
    CheckRequest request{.answerer = answerer_of(target, options), .policy = options.policy};
    MODELSEAL_TRY_ASSIGN(request.tensors, part_patterns(target, options));
    plan_seal(options, request);
    MODELSEAL_TRY(plan_signature(target, options, request));
    plan_fingerprint(options, request);
    return request;
}

}  // namespace modelseal::jobs
