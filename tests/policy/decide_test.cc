// The decision on findings of each kind under each policy, as tables: more evidence never weakens a verdict.
#include "policy/decide.h"

#include <array>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace modelseal::policy {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// Possible results of one kind of check.
enum class Came { intact, tampered, error, mismatch, not_found, not_made };
constexpr std::array kAll = {Came::intact,   Came::tampered,  Came::error,
                             Came::mismatch, Came::not_found, Came::not_made};

template <class Finding>
std::optional<Result<Finding>> came(Came what, Finding intact, Finding tampered) {
    switch (what) {
        case Came::intact:
            return intact;
        case Came::tampered:
            return tampered;
        case Came::error:
            return Error{ErrorKind::unreadable, "cannot be read", {}};
        case Came::mismatch:
            return Error{ErrorKind::mismatch, "of another key", {}};
        case Came::not_found:
        case Came::not_made:
            break;
    }
    return std::nullopt;
}

SealFinding seal_of(SealFinding::Outcome outcome) {
    return {.outcome = outcome, .detail = "seal", .scheme = "modelseal", .stamp_authentic = true};
}

Findings findings(Came seal, Came fingerprint, Came signature) {
    using Print = FingerprintFinding::Outcome;
    using Sign = SignatureFinding::Outcome;
    Findings found;
    found.seal = came(seal, seal_of(SealFinding::Outcome::intact), seal_of(SealFinding::Outcome::tampered));
    if (seal == Came::not_found) found.seal = seal_of(SealFinding::Outcome::not_found);
    found.fingerprint = came(fingerprint, FingerprintFinding{.outcome = Print::intact},
                             FingerprintFinding{.outcome = Print::tampered});
    found.signature =
        came(signature, SignatureFinding{.outcome = Sign::valid}, SignatureFinding{.outcome = Sign::invalid});
    return found;
}

// Exit codes from best to worst: 0, 4, 3, 1.
int weight(ExitCode code) {
    constexpr std::array kFromBest = {ExitCode::done, ExitCode::nothing, ExitCode::failed, ExitCode::mismatch};
    return static_cast<int>(std::ranges::find(kFromBest, code) - kFromBest.begin());
}

ExitCode code_of(Came what) {
    constexpr std::array kCodes = {ExitCode::done,     ExitCode::mismatch, ExitCode::failed,
                                   ExitCode::mismatch, ExitCode::nothing,  ExitCode::nothing};
    return kCodes[static_cast<std::size_t>(what)];
}

TEST(Decide, WorstOfWhatIsExpectedCounts) {
    const CheckPolicy all{.expected = {true, true, true}};
    for (const auto seal : kAll) {
        for (const auto print : kAll) {
            for (const auto signature : kAll) {
                const auto decision = decide(findings(seal, print, signature), all);
                const auto worst =
                    std::max({weight(code_of(seal)), weight(code_of(print)), weight(code_of(signature))});
                EXPECT_EQ(weight(decision.exit_code), worst);
                EXPECT_EQ(decision.verdict == Verdict::intact, decision.exit_code == ExitCode::done);
                EXPECT_EQ(decision.checks.size(), 3u);
            }
        }
    }
}

TEST(Decide, MoreEvidenceNeverWeakensAVerdict) {
    for (const auto seal : kAll) {
        const auto alone = decide(findings(seal, Came::not_made, Came::not_made), {.expected = {.seal = true}});
        EXPECT_EQ(alone.exit_code, code_of(seal));
        for (const auto more : {Came::intact, Came::tampered}) {
            const auto with_print =
                decide(findings(seal, more, Came::not_made), {.expected = {true, true, false}});
            const auto with_both = decide(findings(seal, more, more), {.expected = {true, true, true}});
            EXPECT_GE(weight(with_print.exit_code), weight(alone.exit_code));
            EXPECT_GE(weight(with_both.exit_code), weight(with_print.exit_code));
        }
    }
}

TEST(Decide, NothingExpectedProvesNothing) {
    const auto decision = decide({}, {});
    EXPECT_EQ(decision.verdict, Verdict::unsealed);
    EXPECT_EQ(decision.exit_code, ExitCode::nothing);
    const auto unasked = decide(findings(Came::intact, Came::not_made, Came::not_made), {});
    EXPECT_EQ(unasked.exit_code, ExitCode::nothing);
    EXPECT_THAT(report_of("m", {}, {}, decision).error, HasSubstr("no key, signer or fingerprint"));
}

TEST(Decide, ComparesTheStampWithTheExpectations) {
    struct Row {
        std::pair<std::string, std::string> expected;
        bool authentic;
        Verdict verdict;
        const char* detail;
    };
    for (const auto& row :
         {Row{{"version", "1"}, true, Verdict::intact, "seal"},
          Row{{"version", "2"}, true, Verdict::unexpected, "version in the stamp is '1', '2' is expected"},
          Row{{"name", "net"}, true, Verdict::unexpected, "has no 'name', 'net' is expected"},
          Row{{"version", "1"}, false, Verdict::tampered, "has no valid signature"}}) {
        auto seal = seal_of(SealFinding::Outcome::intact);
        seal.stamp = {{"version", "1"}};
        seal.stamp_authentic = row.authentic;
        const Findings found{.seal = seal};
        const CheckPolicy policy{.expected = {.seal = true}, .stamp = {row.expected}};
        const auto decision = decide(found, policy);
        EXPECT_EQ(decision.verdict, row.verdict);
        EXPECT_THAT(decision.checks.at(0).detail, HasSubstr(row.detail));
        const auto report = report_of("m", found, policy, decision);
        EXPECT_EQ(verdict_of(*report.seal), row.verdict);
        EXPECT_EQ(report.seal->cause == SealFinding::Cause::stamp, row.verdict != Verdict::intact);
        EXPECT_EQ(report.exit_code, row.verdict == Verdict::intact ? ExitCode::done : ExitCode::mismatch);
        EXPECT_EQ((*found.seal)->outcome, SealFinding::Outcome::intact) << "the finding itself stays";
    }
}

TEST(Decide, NamesEveryEntryOfTheStampThatIsNotExpected) {
    auto seal = seal_of(SealFinding::Outcome::intact);
    seal.stamp = {{"name", "net"}, {"version", "1"}};
    seal.stamp_authentic = true;
    const CheckPolicy policy{.expected = {.seal = true},
                             .stamp = {{"version", "3"}, {"name", "net"}, {"site", "a"}},
                             .minimum = {{"version", "2"}}};
    Findings found{.seal = seal};
    const auto report = report_of("m", found, policy, decide(found, policy));
    EXPECT_EQ(report.seal->outcome, SealFinding::Outcome::unexpected);
    EXPECT_THAT(report.seal->unexpected,
                ElementsAre("version in the stamp is '1', '3' is expected",
                            "the stamp has no 'site', 'a' is expected", HasSubstr("at least '2' is expected")));
    EXPECT_THAT(report.seal->detail, HasSubstr("'3' is expected; the stamp has no 'site'"));
    // A changed model is tampered, whatever its stamp is.
    (*found.seal)->outcome = SealFinding::Outcome::tampered;
    (*found.seal)->cause = SealFinding::Cause::weights;
    const auto changed = report_of("m", found, policy, decide(found, policy));
    EXPECT_EQ(changed.verdict, Verdict::tampered);
    EXPECT_EQ(changed.seal->cause, SealFinding::Cause::weights);
    EXPECT_EQ(changed.seal->unexpected.size(), 3u);
}

// A model that is not the expected one must not hide a forged signature, nor a failure this.
TEST(Decide, RanksUnexpectedBetweenTamperedAndNotChecked) {
    EXPECT_EQ(worst(Verdict::unexpected, Verdict::tampered), Verdict::tampered);
    EXPECT_EQ(worst(Verdict::error, Verdict::unexpected), Verdict::unexpected);
    EXPECT_EQ(worst(Verdict::unexpected, Verdict::unsealed), Verdict::unexpected);
    EXPECT_EQ(worst(Verdict::intact, Verdict::unexpected), Verdict::unexpected);
}

TEST(Decide, AcceptsAChangedFrameOnlyIfAsked) {
    auto seal = seal_of(SealFinding::Outcome::tampered);
    seal.weights_intact = true;
    seal.frame_intact = false;
    EXPECT_EQ(decide({.seal = seal}, {.expected = {.seal = true}}).verdict, Verdict::tampered);
    CheckPolicy lenient{.expected = {.seal = true}, .weights_only = true};
    EXPECT_EQ(decide({.seal = seal}, lenient).verdict, Verdict::intact);
    seal.weights_intact = false;
    EXPECT_EQ(decide({.seal = seal}, lenient).verdict, Verdict::tampered);
}

TEST(Decide, AcceptsADeepisignMarkOnlyIfAsked) {
    for (const auto outcome : {SealFinding::Outcome::intact, SealFinding::Outcome::tampered}) {
        auto seal = seal_of(outcome);
        seal.scheme = "deepisign";
        const Findings found{.seal = seal};
        const CheckPolicy strict{.expected = {.seal = true}};
        const auto decision = decide(found, strict);
        EXPECT_EQ(decision.exit_code, ExitCode::nothing);
        const auto report = report_of("m", found, strict, decision);
        EXPECT_THAT(report.hint, HasSubstr("deepisign scheme"));
        EXPECT_EQ(report.seal->remedy, report.remedy);
        EXPECT_EQ(report.seal->outcome, SealFinding::Outcome::not_found);
        const CheckPolicy lax{.expected = {.seal = true}, .scheme = Scheme::deepisign};
        EXPECT_EQ(decide(found, lax).verdict, verdict_of(seal));
    }
}

TEST(Decide, ReportsWhyAnExpectedCheckWasNotMade) {
    Findings found = findings(Came::not_found, Came::not_made, Came::intact);
    found.missing = {{.kind = CheckKind::fingerprint,
                      .outcome = MissingCheck::Outcome::not_run,
                      .detail = "the model was not run"}};
    const CheckPolicy policy{.expected = {true, true, true}};
    const auto report = report_of("m", found, policy, decide(found, policy));
    ASSERT_EQ(report.missing.size(), 1u);
    EXPECT_EQ(report.missing[0].outcome, MissingCheck::Outcome::not_run);
    EXPECT_EQ(report.exit_code, ExitCode::nothing) << "that of the seal";
    EXPECT_EQ(report.error, "") << "the finding of the seal states itself";
}

// A part that holds is no success, and hides nothing that is worse.
TEST(Decide, APartThatHoldsIsBetterThanNothingFoundAndNoSuccess) {
    const CheckPolicy both{.expected = {.seal = true, .signature = true}};
    const auto with = [&](Came signature) {
        auto found = findings(Came::intact, Came::not_made, signature);
        found.seal = seal_of(SealFinding::Outcome::partial);
        return report_of("m", found, both, decide(found, both));
    };
    EXPECT_EQ(with(Came::intact).verdict, Verdict::partial);
    EXPECT_EQ(with(Came::intact).exit_code, ExitCode::failed);
    EXPECT_EQ(with(Came::not_made).verdict, Verdict::unsealed);
    EXPECT_EQ(with(Came::not_made).exit_code, ExitCode::nothing);
    EXPECT_EQ(with(Came::error).verdict, Verdict::error);
    EXPECT_EQ(with(Came::error).error, "cannot be read");
    EXPECT_EQ(with(Came::tampered).verdict, Verdict::tampered);
    EXPECT_EQ(with(Came::tampered).exit_code, ExitCode::mismatch);
    auto found = findings(Came::not_made, Came::not_made, Came::not_made);
    found.seal = seal_of(SealFinding::Outcome::partial);
    const CheckPolicy weights{.expected = {.seal = true}, .weights_only = true};
    EXPECT_EQ(decide(found, weights).verdict, Verdict::partial);
}

// A fingerprint of another vendor proves no tampering, and must not pass either.
TEST(Decide, GivesAnErrorThatIsAMismatchExitCode1) {
    const auto found = findings(Came::not_made, Came::mismatch, Came::not_made);
    const CheckPolicy policy{.expected = {.fingerprint = true}};
    const auto report = report_of("m", found, policy, decide(found, policy));
    EXPECT_EQ(report.verdict, Verdict::error);
    EXPECT_EQ(report.exit_code, ExitCode::mismatch);
    EXPECT_EQ(report.error_kind, ErrorKind::mismatch);
    EXPECT_EQ(report.error, "of another key");
    EXPECT_EQ(report.fingerprint->outcome, FingerprintFinding::Outcome::error);
}

}  // namespace
}  // namespace modelseal::policy
