// The result of a check: plain data, shown as text, JSON (schema modelseal-check/1), SARIF or HTML by
// src/report.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <modelseal/result.h>
#include <modelseal/tensor.h>

namespace modelseal {

// `unexpected`: as sealed, but the seal is of another model or version than the one that was expected.
// `partial`: the tensors that were asked for hold, and the rest was not looked at. Never a success: the exit code is `failed`.
enum class Verdict { intact, tampered, unexpected, unsealed, error, partial };

// The numbers are a contract with scripts, registries and hooks.
enum class ExitCode : int {
    done = 0,      // everything that was expected was checked and holds, or the command did its work
    mismatch = 1,  // tampered, forged, wrong key, unexpected stamp
    usage = 2,
    failed = 3,   // could not check or do it
    nothing = 4,  // nothing to check against
};

enum class CheckKind { seal, fingerprint, signature };

// One entry for each tensor that is not intact (for every tensor, if requested).
struct TensorFinding {
    enum class Outcome { intact, changed, missing, added };
    std::string name;
    std::string dtype;  // name as in DTypeInfo; empty if unknown (missing)
    std::vector<std::uint64_t> shape;
    Outcome outcome = Outcome::intact;
    // Share of wrong bits among the mark bits about this tensor, 0..1; absent if none could be read.
    std::optional<double> bit_error_rate;
    struct Range {
        std::uint64_t first = 0;  // element index, 0-based, row-major
        std::uint64_t count = 0;  // at most 8,192 for the modelseal scheme, neighbors joined in text only
    };
    std::vector<Range> changed;  // ascending; empty for a changed tensor: somewhere in it
};

// What a check of some tensors looked at (CheckOptions::tensors). Nothing is known of the rest of the model.
struct PartFinding {
    std::vector<std::string> patterns;  // for names of tensors, as they were given
    std::uint64_t tensors = 0, tensors_total = 0;
    std::uint64_t bytes = 0, bytes_total = 0;  // of these tensors; of all files
    // What each tensor (of a signature) or block (of a seal) was compared with: so many bits of a SHA-256, and whether they are
    // signed. What is not signed can be rewritten by every holder of the check key.
    unsigned bits = 0;
    bool is_signed = false;
};

// One entry a file that is not as sealed, or not as signed.
struct FileFinding {
    enum class Outcome { changed, missing, added };
    std::string name;  // relative to the model; of a seal: empty if the model is a single file
    Outcome outcome = Outcome::changed;
    std::string detail;                  // what else is wrong with it, say a link; may be empty
    std::vector<TensorFinding> tensors;  // in it that are not as signed, if the signature knows them
};

struct SealFinding {
    enum class Outcome { intact, tampered, unexpected, not_found, error, partial };
    // What is not as sealed: the first of these that applies.
    enum class Cause {
        none,
        lost_manifest,  // the signed part of the seal did not survive
        signature,      // not by the vendor
        added_files,
        tensor_list,  // tensors were added, removed, renamed or reshaped
        weights,
        names,  // of tensors, and perhaps more of the frame
        frame,  // and nothing else
        stamp,  // nothing, but the stamp is not the expected one: decided by the policy
    };
    Outcome outcome = Outcome::not_found;
    Cause cause = Cause::none;
    std::string detail;            // one sentence for a person
    std::string hint;              // possible remedy, or empty
    Remedy remedy = Remedy::none;  // the same as a code
    std::string scheme;            // "modelseal", "deepisign"; empty if not found
    bool weights_intact = true;    // all tensors are as sealed; with a changed frame: a converted container
    bool frame_intact = true;      // names, shapes, graph, code: whatever is not a tensor
    // Files whose frame is not as sealed, by name; a seal of an earlier version has room for names of files
    // that are still there only.
    std::vector<FileFinding> files;
    std::uint64_t files_missing = 0;  // sealed files that are gone and whose names are not known
    std::string names_detail;         // how the tensors' names changed since; empty if they did not, or unknown
    std::string frame_detail;         // what else is to be known about the frame: why nothing is known, say
    double bit_error_rate = 0;        // over all mark bits that could be compared
    // Signed facts in order: name, version, customer, time, ...
    std::vector<std::pair<std::string, std::string>> stamp;
    bool stamp_authentic = false;  // the vendor's signature over the stamp holds, even if the model changed
    std::vector<std::string> unexpected;  // each entry of the stamp that is not as expected, in a phrase
    std::string parent;      // hex root of the sealed model that this one was derived from, if it says so
    std::string vendor_key;  // key id, hex
    std::string root;        // hex SHA-256 of the signed statement; empty if not found
    std::uint64_t tensors_total = 0;
    std::uint64_t bytes_total = 0;
    std::vector<TensorFinding> tensors;
    std::uint64_t unknown_blocks = 0;  // of tensors without other damage: no check value of them survived
    std::optional<PartFinding> part;   // if only some tensors were looked at
};

// The result of comparing answers with a fingerprint.
struct FingerprintFinding {
    enum class Outcome {
        intact,
        other_runtime,  // no change beyond what runtimes may differ by, but not the runtime of the
                        // fingerprint either
        tampered,
        inconclusive,  // neither: answers too coarse, or too unsteady, for the rung that has to agree
        error,         // was not queried: see detail
    };
    struct RungFinding {
        std::string name;            // exact, fp32, mixed
        std::uint64_t compared = 0;  // pairs or triggers that were sent and could be decided
        std::uint64_t mismatched = 0;
        std::uint64_t untold = 0;  // answers too coarse or noisy for this one; in neither of the two
        // On record, in units of the margin: the largest noise of the honest runtimes that were tried, the mean noise of the
        // noisiest of them, and the least margin.
        double noise = 0, scale = 0, floor = 0;
    };
    // What "tampered" rests on.
    enum class Decision {
        none,
        flips,  // margins that moved across the boundary, or as far away from it
        shifts,  // margins that moved further than honest runtimes move them, while fewer pairs differ than `threshold`
        drift,  // the same of the mean of all margins: of fingerprints that do not record how far each moves
        exact,  // bits that differ from what the same runtime answered when the fingerprint was made
    };
    // A pair mismatches if a member moved across the boundary, or as far away; on `exact` if it differs in any
    // bit.
    struct Pairs {
        struct OnRung {
            std::uint64_t flipped = 0;  // of the mismatched, with a member that moved so
            // Margins of both members of each pair, recorded and answered; empty if the answers are labels.
            std::vector<std::array<double, 2>> recorded, answered;
            // Which of these members make their pair a mismatch.
            std::vector<std::array<bool, 2>> moved;
        };
        std::vector<OnRung> rungs;  // as those of the finding
    };
    // A trigger mismatches if it is answered with another class than its label.
    struct Triggers {
        std::uint64_t count = 0, matched = 0;  // on all rungs; AccTri is matched / count
        // Margins of the label over the next class, recorded and answered; empty if the answers are labels.
        std::vector<double> recorded, answered;
    };
    Outcome outcome = Outcome::error;
    std::string detail;                          // one sentence for a person
    std::string hint;                            // possible remedy, or empty
    Remedy remedy = Remedy::none;                // the same as a code
    std::string access;                          // logits, probabilities, label
    std::string rung;                            // the rung that decides the verdict
    std::uint64_t compared = 0, mismatched = 0;  // pairs or triggers, on that rung
    std::uint64_t threshold = 1;                 // this many mismatches make "tampered"
    // Of that, per check, for an honest runtime of this arithmetic, by a model of rounding; never less than 1e-6, as nothing
    // smaller can be measured. Empty where the verdict rests on the drift or the exact rung, which the model does not cover.
    std::optional<double> false_alarm_bound = 0;
    std::string arithmetic;  // that it supposes of who answers: float32 or mixed
    // The least margin on that rung in units of its largest noise: so much more coarsely than the coarsest that was tried a
    // runtime has to round for an alarm. 0: not known.
    double headroom = 0;
    // How many runtimes that is the largest noise of, and of how many evaluations of one input by them. 0: not known.
    std::uint64_t runtimes_tried = 0, evaluations_tried = 0;
    Decision decided_by = Decision::none;
    // Arithmetic narrower than float32 explains the alarm as well: a service answered, and the rung mixed agrees, or is not
    // in the fingerprint.
    bool reduced_precision_possible = false;
    // Pairs whose margins moved by more than `factor` times the noise of the noisiest honest runtime, of the factors that are
    // tried the one that says most; so many as `threshold` are an alarm. Empty if the fingerprint does not record the noise.
    struct Shifts {
        std::uint64_t compared;
        double factor;
        std::uint64_t moved, threshold;
    };
    std::optional<Shifts> shifts;
    // Of the fingerprint: of so many weights a change by `change` of one of them is noticed on the rung fp32. Empty if it does not
    // record that.
    struct Coverage {
        double change;
        std::uint64_t weights, noticed;
    };
    std::optional<Coverage> coverage;
    std::optional<double> shift;  // median |answered - recorded| margin
    std::optional<double> drift;  // mean of answered - recorded
    double most_drift = 0;        // further than this, the model was changed; 0: not held against it
    std::vector<RungFinding> rungs;
    std::variant<Pairs, Triggers> details;  // by the method of the fingerprint
    std::string id, root, vendor_key, customer, created, expires, model;
    double rounding = 0, jitter = 0;    // of the answers: of a value; of a margin, from one time to the next
    std::uint64_t queries = 0;          // inputs that were sent
    std::vector<std::string> warnings;  // of how a local model was run
    std::vector<std::byte> preview;     // PNG: some queries as images; empty if the inputs are no images
};

// The result of verifying a detached signature (OpenSSF Model Signing).
struct SignatureFinding {
    enum class Outcome {
        valid,    // by whom it should be, and the files are as they were signed
        invalid,  // forged, by another key, or the files are not as they were signed
        error,    // could not be verified: see detail
        partial,  // by whom it should be, and some tensors are as they were signed; nothing else was looked at
    };
    using FileFinding = modelseal::FileFinding;
    Outcome outcome = Outcome::error;
    std::string detail;                  // one sentence for a person
    std::string hint;                    // possible remedy, or empty
    Remedy remedy = Remedy::none;        // the same as a code
    std::string method;                  // "key", "certificate"; empty as long as it is not known
    std::string signer;                  // id of the key, subject of the certificate, or identity
    std::string timestamp;               // RFC 3339, of an authority that was trusted; empty if none was needed
    std::string model;                   // the signer's name for it
    std::string root;                    // hex SHA-256 over the digests of all files; empty for release 0.2.0
    std::string serialization;           // "files", "shards"
    std::string hash;                    // "sha256", "blake2b"
    std::string seal_root;               // of the seal in the model when it was signed; empty if not noted
    std::string fingerprint;             // id of the fingerprint that was made of it; empty if not noted
    std::uint64_t files = 0, bytes = 0;  // that were compared
    std::uint64_t unsigned_files = 0;    // not signed, and accepted as ignored
    std::vector<FileFinding> findings;   // files that are not as signed, by name
    std::optional<PartFinding> part;     // if only some tensors were looked at
};

// A check that was expected but not made.
struct MissingCheck {
    enum class Outcome {
        not_found,  // no seal can be looked for, no signature, no fingerprint
        not_run,    // the model was not asked about its fingerprint, because of what another check found
    };
    CheckKind kind = CheckKind::seal;
    Outcome outcome = Outcome::not_found;
    std::string detail;  // one sentence for a person
    std::string hint;
    Remedy remedy = Remedy::none;
};

// What a policy makes of a report (modelseal-policy(5)).
struct Ruling {
    enum class Outcome { allow, warn, quarantine, deny };  // in ascending order
    struct Requirement {
        std::string
            what;  // "seal", "signature", "fingerprint", "expect.NAME", "minimum.NAME", "frame", "size",
                   // "time", "closure", "adapters", "format"
        std::string required;  // one phrase for a person
        std::string found;
        bool holds = false;
        bool only_warns = false;  // whatever the rule does with what fails
        bool failed = false;      // could not be found out
    };
    Outcome outcome = Outcome::deny;
    std::string policy;      // its file
    std::string name;        // of the model, that was looked up
    std::string match;       // the pattern of the rule; empty: no rule matched, and [defaults] counts
    std::uint32_t line = 0;  // of the rule in the policy; 0: there is none
    bool audit = false;      // the rule is tried, without force
    std::vector<Requirement> requirements;
};

// The report of a decision: outcome and detail of each finding are those under the expectations.
struct CheckReport {
    std::string target;
    Verdict verdict = Verdict::error;  // the worst of what was expected
    ExitCode exit_code = ExitCode::failed;
    // The reason why the verdict is not "intact", if that is not a finding: a check that could not be made,
    // or something missing.
    std::string error;
    std::string hint;
    Remedy remedy = Remedy::none;
    ErrorKind error_kind = ErrorKind::unreadable;  // mismatch: forged, another key's or another model's
    struct Expected {
        bool seal = false, fingerprint = false, signature = false;
    } expected;
    std::optional<SealFinding> seal;  // what was checked, or could not be (Outcome::error)
    std::optional<FingerprintFinding> fingerprint;
    std::optional<SignatureFinding> signature;
    std::vector<MissingCheck> missing;
    std::vector<std::string> warnings;  // of the model, and of what lies next to it
    std::optional<Ruling> ruling;       // of a policy; its outcome decides the exit code
};

}  // namespace modelseal
