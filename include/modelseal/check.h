// Check that a model is as its vendor sealed it: by the seal in its weights, by its answers, by a signature of its files.
//
//     PublicKey vendor = load_public_key("vendor.pub").value();
//     auto report = check_model("net.onnx", {.seal = SealCheck{.keys = {public_check_key(vendor)}}});
//     bool intact = report.ok() && report->verdict == Verdict::intact;
//
// Each kind of check that is asked for is expected to hold; the worst finding is the verdict. Options own what
// they are given, apart from `progress`.
//
// Thread safety: calls may run at the same time; each uses up to `jobs` threads.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <modelseal/fingerprint.h>
#include <modelseal/format.h>
#include <modelseal/keys.h>
#include <modelseal/oms.h>
#include <modelseal/progress.h>
#include <modelseal/report.h>
#include <modelseal/result.h>
#include <modelseal/seal.h>

namespace modelseal {

// Looks for a seal in the weights of a file or folder. An endpoint shows none, nor do answers made elsewhere.
struct SealCheck {
    // The one counts under which a seal is found; of several, an intact one, then the first.
    std::vector<CheckKey> keys;
    bool all = false;  // list intact tensors as well
};

// Compares the answers of a model with its fingerprint. A file is run here, in the worker: if its seal is checked as
// well, only after it was found intact; without a SealCheck, whatever it is.
struct FingerprintCheck {
    std::filesystem::path file;
    std::vector<CheckKey> keys;  // one of them opens it
    std::optional<std::filesystem::path> responses =
        {};                         // folder of answers to a challenge; no model is queried
    std::optional<Rung> rung = {};  // that the verdict rests on; default fp32
    EndpointOptions endpoint = {};
    std::string device = "auto";  // on which a file is run
};

// What a model must be, beyond holding in each check that is asked for.
struct CheckPolicy {
    // Kinds that are expected even if they are not asked for, or nothing can be checked.
    CheckReport::Expected expected = {};
    std::vector<std::pair<std::string, std::string>> stamp = {};  // entries that the seal's stamp must have
    // Entries that must be there, as versions that are not before these: "2.10" is not before "2.9".
    std::vector<std::pair<std::string, std::string>> minimum = {};
    bool weights_only = false;          // a changed frame around intact weights passes
    Scheme scheme = Scheme::modelseal;  // deepisign: a mark of that scheme passes as well
};

struct CheckOptions {
    std::optional<SealCheck> seal = {};
    std::optional<FingerprintCheck> fingerprint = {};
    // Without a path the signature is found next to the model. It is verified while the seal is checked.
    std::optional<SignatureCheck> signature = {};
    CheckPolicy policy = {};
    // Patterns (as in a policy file) for names of tensors. With any, nothing but these tensors is looked at, and the best verdict is
    // `partial`. Not with a fingerprint.
    std::vector<std::string> tensors = {};
    // Affects performance only.
    unsigned jobs = 0;             // threads; 0: all
    std::string device = "auto";   // that hashes the weights: auto, cpu, cuda, cuda:N
    Progress* progress = nullptr;  // not owned: must outlive the call
    Limits limits = {};
};

// `model`: a file or folder; with a fingerprint also an endpoint, and with responses any name (modelseal-check(1)).
// What is wrong with the model, its signature or its fingerprint is in the report, also if they cannot be read. An Error
// is about the call: ErrorKind::usage for options that ask for nothing or contradict each other, and unreadable if
// memory runs out.
Result<CheckReport> check_model(const std::filesystem::path& model, const CheckOptions& options);

}  // namespace modelseal
