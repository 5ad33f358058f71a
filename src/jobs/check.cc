#include <algorithm>
#include <new>

#include <fmt/format.h>

#include "formats/reader.h"
#include "jobs/check_files.h"
#include "jobs/check_fingerprint.h"
#include "jobs/signature_beside.h"
#include "oracle/connect.h"
#include "report/fingerprint_words.h"
#include "report/signature_words.h"

namespace modelseal {
namespace {

// Of several kinds of check on one model.
Verdict worst(Verdict a, Verdict b) {
    constexpr Verdict kOrder[] = {Verdict::tampered, Verdict::error, Verdict::unsealed, Verdict::intact};
    return *std::ranges::find_if(kOrder, [=](Verdict each) { return each == a || each == b; });
}

// The fingerprint is of the model that the seal is in, unless it was made before there was a seal.
Result<void> same_model(const CheckReport& report, const jobs::OpenedFingerprint& opened) {
    if (!report.seal || report.seal->root.empty() || !opened.print.sealed ||
        report.seal->root == opened.print.root) {
        return {};
    }
    return Error{
        ErrorKind::mismatch,
        fmt::format("the fingerprint is of another model: it is bound to root {}, the seal here has {}",
                    opened.print.root, report.seal->root),
        "use the fingerprint that came with this model"};
}

// Runs what was asked for, and leaves what it found in the report.
class Examination {
  public:
    Examination(const std::string& target, const CheckOptions& options, CheckReport& report)
        : target_(target), options_(options), report_(report) {}

    Result<void> run() {
        MODELSEAL_TRY(find_signature());
        std::optional<jobs::OpenedFingerprint> opened;
        if (options_.fingerprint) {
            MODELSEAL_TRY_ASSIGN(opened, jobs::open_fingerprint(options_));
        }
        // What stands in the way of one check does not keep the others from being made.
        auto told = check_files();
        if (opened) {
            if (auto asked = ask(*opened); told.ok()) told = std::move(asked);
        }
        judge();
        return told;
    }

  private:
    bool on_disk() const { return !oracle::is_endpoint(target_) && !options_.responses; }
    bool reads_weights() const { return on_disk() && !options_.black_box; }
    // Only a seal has a stamp that can say what is expected.
    bool needs_seal() const { return options_.require_seal || !options_.expect.empty(); }

    Result<void> find_signature() {
        if (!options_.signature) return {};
        signature_ = options_.signature;
        const bool named = !signature_->signature.empty();
        if (named && !on_disk()) {
            return Error{ErrorKind::usage, "a signature is of files, and there are none to read",
                         "check a file or a folder with --signature"};
        }
        if (named) return {};
        const auto beside = reads_weights() ? jobs::signature_beside(target_) : std::nullopt;
        if (beside && !options_.require_signature) {
            signature_->public_keys = jobs::signers_among(signature_->public_keys, options_.keys, *beside);
        }
        const bool trusts = !signature_->public_keys.empty() || !signature_->anchors.empty() ||
                            !signature_->trusted_root.empty();
        if (beside && trusts) {
            signature_->signature = *beside;
            return {};
        }
        signature_.reset();
        if (beside) {
            report_.hint = formats::printable(beside->string()) +
                           " lies beside it and was not verified: give its signer's key with --pub, or the "
                           "authority's certificate with --cert-chain";
        }
        return {};
    }

    Result<void> check_files() {
        const bool seal = reads_weights() && !(options_.keys.empty() && options_.signature);
        if (!seal && !signature_) return {};
        auto options = options_;
        if (!seal) options.keys = {};
        auto found = jobs::check_files(target_, options, signature_);
        report_.seal = std::move(found.seal);
        report_.signature = std::move(found.signature);
        if (found.signature_told.ok()) return std::move(found.seal_told);
        const auto& error = found.signature_told.error();
        report_.signature = SignatureFinding{.detail = error.message, .hint = error.hint};
        return found.seal_told.ok() ? std::move(found.signature_told) : std::move(found.seal_told);
    }

    Result<void> ask(const jobs::OpenedFingerprint& opened) {
        MODELSEAL_TRY(same_model(report_, opened));
        MODELSEAL_TRY_ASSIGN(report_.fingerprint, jobs::check_fingerprint(target_, opened, options_));
        return {};
    }

    void judge() {
        std::optional<Verdict> verdict;
        const auto count = [&](Verdict one) { verdict = verdict ? worst(*verdict, one) : one; };
        if (report_.signature) count(report::verdict_of(*report_.signature));
        if (report_.fingerprint) {
            count(report::verdict_of(*report_.fingerprint));
            if (report::verdict_of(*report_.fingerprint) == Verdict::error) {
                report_.error =
                    fmt::format("{}: {}, {}", formats::printable(target_),
                                report::word(report_.fingerprint->outcome), report_.fingerprint->detail);
                report_.hint = report_.fingerprint->hint;
            }
        }
        // A seal that is not there counts only if nothing else was checked.
        const bool no_seal = report_.seal && report_.seal->outcome == SealFinding::Outcome::not_found;
        if (report_.seal && (!no_seal || !verdict || needs_seal())) count(report::verdict_of(*report_.seal));
        report_.verdict = verdict.value_or(Verdict::unsealed);
        say_what_is_missing(verdict.has_value());
    }

    void say_what_is_missing(bool checked) {
        const auto missing = [&](const char* what) {
            report_.verdict = worst(report_.verdict, Verdict::unsealed);
            if (report_.error.empty()) report_.error = what;
        };
        if (needs_seal() && !report_.seal) {
            missing(reads_weights() ? "a seal is required, and there is no key to look for one with"
                                    : "its weights are not read: no seal can be checked, and one is required");
        }
        if (options_.require_fingerprint && !report_.fingerprint) {
            missing("a fingerprint is required, and there is none");
        }
        if (options_.require_signature && !report_.signature) {
            missing("a signature is required, and there is none beside it");
        }
        if (checked || !report_.error.empty()) return;
        if (!reads_weights()) {
            missing("its weights are not read, and there is no fingerprint to ask it about");
            report_.hint = "give the fingerprint that the vendor made for you with --fingerprint FP";
        } else if (!report_.seal) {
            missing("there is no signature beside it, and no key to look for a seal with");
            report_.hint = "name the signature with --signature SIG, or the vendor's key with --pub NAME.pub";
        }
    }

    const std::string& target_;
    const CheckOptions& options_;
    CheckReport& report_;
    std::optional<VerifyOptions> signature_;  // that is there to be verified
};

}  // namespace

CheckReport check_model(const std::filesystem::path& target, const CheckOptions& options) {
    CheckReport report{.target = target.string()};
    const auto guarded = [&]() -> Result<void> {
        try {
            return Examination(report.target, options, report).run();
        } catch (const std::bad_alloc&) {
            return Error{ErrorKind::unreadable, target.string() + ": not enough memory to check it", {}};
        }
    };
    if (const auto done = guarded(); !done) {
        report.verdict = worst(report.verdict, Verdict::error);
        report.error = done.error().message;
        report.hint = done.error().hint;
        report.error_kind = done.error().kind;
    }
    return report;
}

}  // namespace modelseal
