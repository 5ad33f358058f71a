#include "report/check/sarif_rules.h"

namespace modelseal::report {

// Ids are a contract; new ones come last.
constinit const std::array<SarifRule, partially_checked + 1> kSarifRules = {{
    {"tensor-changed", "TensorChanged", "The values of a tensor are not those that were sealed.", "error"},
    {"tensor-missing", "TensorMissing", "A sealed tensor is missing.", "error"},
    {"tensor-added", "TensorAdded", "A tensor was added that was not sealed.", "error"},
    {"frame-changed", "FrameChanged",
     "The frame around the tensors (names, shapes, graph, code) is not the sealed one.", "error"},
    {"seal-broken", "SealBroken", "A seal was found, and it does not hold.", "error"},
    {"seal-not-found", "SealNotFound", "No seal was found under the given key.", "warning"},
    {"fingerprint-mismatch", "FingerprintMismatch",
     "The model that answers is not the one that the fingerprint was made of.", "error"},
    {"fingerprint-other-runtime", "FingerprintOtherRuntime",
     "Another runtime answers than the one that the fingerprint was made on.", "note"},
    {"signature-invalid", "SignatureInvalid", "The signature is forged, by another key, or of other files.",
     "error"},
    {"file-not-as-signed", "FileNotAsSigned",
     "A file was changed, removed or added since the model was signed.", "error"},
    {"stamp-unexpected", "StampUnexpected", "The stamp of the seal is not the expected one.", "error"},
    {"policy-failed", "PolicyFailed", "The policy requires something of this model that does not hold.",
     "error"},
    {"seal-forged", "SealForged", "The statement in the seal is not signed by the vendor.", "error"},
    {"fingerprint-not-found", "FingerprintNotFound",
     "A fingerprint was expected, and there is none, or the model was not queried.", "warning"},
    {"fingerprint-inconclusive", "FingerprintInconclusive",
     "The answers are too coarse or too unsteady for a verdict.", "error"},
    {"signature-not-found", "SignatureNotFound", "A signature was expected, and there is none.", "warning"},
    {"evidence-mismatch", "EvidenceMismatch",
     "A key, fingerprint or signature belongs to another vendor, customer or model.", "error"},
    {"target-unreadable", "TargetUnreadable", "Something that the check needs cannot be read or reached.",
     "error"},
    {"target-malformed", "TargetMalformed", "A file or an answer breaks the rules of its format.", "error"},
    {"target-unsupported", "TargetUnsupported", "A file has something that modelseal does not handle.",
     "error"},
    {"check-failed", "CheckFailed", "The check could not be made.", "error"},
    {"partially-checked", "PartiallyChecked", "Some tensors were checked; nothing is known of the rest.",
     "warning"},
}};

RuleIndex sarif_rule_of(ErrorKind kind) {
    switch (kind) {
        case ErrorKind::unreadable:
            return target_unreadable;
        case ErrorKind::malformed:
            return target_malformed;
        case ErrorKind::unsupported:
            return target_unsupported;
        case ErrorKind::mismatch:
            return evidence_mismatch;
        case ErrorKind::usage:
        case ErrorKind::internal:
            break;
    }
    return check_failed;
}

}  // namespace modelseal::report
