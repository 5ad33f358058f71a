// The finding of a fingerprint check, in every form of report.
#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "report/report.h"

namespace modelseal::report {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::Not;
using Outcome = FingerprintFinding::Outcome;

constexpr const char* kHostile = "w\x1b[31m<script>alert('1')</script>&\"\xff\xc2\x9b";

CheckReport intact() {
    CheckReport check{.target = "http://host/v2/models/net", .verdict = Verdict::intact};
    check.fingerprint = FingerprintFinding{
        .outcome = Outcome::intact,
        .detail = {},
        .access = "logits",
        .rung = "fp32",
        .compared = 150,
        .mismatched = 0,
        .threshold = 2,
        .false_alarm_bound = 1e-6,
        .arithmetic = "float32",
        .headroom = 7.5,
        .runtimes_tried = 17,
        .evaluations_tried = 2213,
        .shift = 1e-5,
        .rungs = {{.name = "exact", .compared = 150, .mismatched = 40, .noise = 0, .floor = 0},
                  {.name = "fp32", .compared = 150, .noise = 4e-5, .floor = 3e-4}},
        .details = FingerprintFinding::Pairs{{{},
                                              {.recorded = {{-4e-4, 5e-4}, {-3e-4, 3e-4}},
                                               .answered = {{-4.1e-4, 5.1e-4},
                                                            {2e-4, std::numeric_limits<double>::quiet_NaN()}},
                                               .moved = {{false, false}, {true, true}}}}},
        .id = "1234",
        .root = "00ff",
        .vendor_key = "1a2b3c4d5e6f7081",
        .customer = "acme",
        .created = "2026-11-21T00:00:00Z",
        .expires = {},
        .model = "resnet20",
        .queries = 600,
        .preview = {std::byte{'M'}, std::byte{'a'}, std::byte{'n'}, std::byte{'y'}}};
    return check;
}

CheckReport with(Outcome outcome, Verdict verdict) {
    auto check = intact();
    check.verdict = verdict;
    check.fingerprint->outcome = outcome;
    if (outcome == Outcome::tampered) {
        check.fingerprint->mismatched = check.fingerprint->rungs[1].mismatched = 148;
        check.fingerprint->shift = 7e-4;
    }
    return check;
}

CheckReport tampered() {
    return with(Outcome::tampered, Verdict::tampered);
}

json json_of(const CheckReport& check) {
    return json::parse(to_json({&check, 1}, true));
}

TEST(FingerprintText, IntactStatesWhatAnAlarmWouldNeed) {
    EXPECT_EQ(
        to_text(intact(), {}),
        "http://host/v2/models/net: intact, none of 150 pairs on rung fp32 differs, fingerprint of resnet20 "
        "for acme by "
        "key 1a2b3c4d5e6f7081\n"
        "  an alarm needs a float32 runtime that rounds 7 times as coarsely as the coarsest of 17 that were "
        "tried\n");
    EXPECT_TRUE(to_text(intact(), {.color = true}).starts_with("\x1b[32m"));
    auto check = intact();
    check.fingerprint->headroom = 0;
    EXPECT_THAT(to_text(check, {}), Not(HasSubstr("an alarm needs")));
    check.fingerprint->mismatched = 1;
    EXPECT_THAT(to_text(check, {}), HasSubstr("1 of 150 pairs on rung fp32 differs (alarm at 2), fingerprint"));
}

TEST(FingerprintText, TamperedStatesHowManyPairsAndHowFar) {
    const auto text = to_text(tampered(), {});
    EXPECT_THAT(text, HasSubstr("tampered, 148 of 150 pairs on rung fp32 differ (alarm at 2)\n"));
    EXPECT_THAT(text, HasSubstr("margins moved by 7.0e-04 (median), 18 times the largest noise on record\n"));
    auto further = tampered();
    further.fingerprint->shift = 0.0272;
    EXPECT_THAT(to_text(further, {}), HasSubstr("2.7e-02 (median), 680 times the"));
    EXPECT_THAT(text, HasSubstr("differing pairs: exact 40 of 150, fp32 148 of 150\n"));
    EXPECT_THAT(text, HasSubstr("fingerprint of resnet20 for acme"));
}

TEST(FingerprintText, NarrowArithmeticIsNamedBesideTheAlarm) {
    auto check = tampered();
    EXPECT_THAT(to_text(check, {}), Not(HasSubstr("TF32")));
    check.fingerprint->reduced_precision_possible = true;
    EXPECT_THAT(
        to_text(check, {}),
        HasSubstr("or computed in less than float32: TF32, bfloat16 and half precision look like this; the "
                  "fingerprint has no rung mixed, which would tell\n"));
    check.fingerprint->rungs.push_back({.name = "mixed", .compared = 150});
    EXPECT_THAT(to_text(check, {}), HasSubstr("look like this; all pairs on rung mixed agree\n"));
    EXPECT_EQ(json_of(check)["checks"][0]["reduced_precision_possible"], true);
}

TEST(FingerprintText, MarginsThatMovedTooFarAreTheHeadline) {
    auto check = tampered();
    auto& finding = *check.fingerprint;
    finding.mismatched = finding.rungs[1].mismatched = 0;
    finding.shifts = {.compared = 165, .factor = 6, .moved = 44, .threshold = 13};
    finding.coverage = {.change = 0.01, .weights = 200, .noticed = 150};
    finding.decided_by = FingerprintFinding::Decision::shifts;
    const auto found = json_of(check)["checks"][0];
    EXPECT_EQ(found["decided_by"], "shifts");
    EXPECT_EQ(found["shifts"]["moved"], 44);
    EXPECT_EQ(found["shifts"]["threshold"], 13);
    EXPECT_EQ(found["coverage"]["noticed"], 150);
    for (const auto& text : {to_text(check, {}), to_html({&check, 1}), to_sarif({&check, 1}, "1")}) {
        EXPECT_THAT(text,
                    HasSubstr("the margins of 44 of 165 pairs moved by more than 6 times the noise of honest "
                              "runtimes (alarm at 13)"));
    }
    EXPECT_THAT(to_html({&check, 1}), HasSubstr("a change of 1 % in 75.0 % of 200 weights, one at a time"));
}

TEST(FingerprintText, MarginsThatMovedTogetherAreTheHeadline) {
    auto check = tampered();
    auto& finding = *check.fingerprint;
    finding.mismatched = finding.rungs[1].mismatched = 0;
    finding.drift = -7e-4;
    finding.most_drift = 2e-5;
    finding.decided_by = FingerprintFinding::Decision::drift;
    finding.false_alarm_bound.reset();
    EXPECT_TRUE(json_of(check)["checks"][0]["false_alarm_bound"].is_null());
    EXPECT_EQ(json_of(check)["checks"][0]["decided_by"], "drift");
    EXPECT_THAT(to_text(check, {}),
                HasSubstr("no pair differs: another algorithm for convolutions may do this"));
    for (const auto& text : {to_text(check, {}), to_html({&check, 1}), to_sarif({&check, 1}, "1")}) {
        EXPECT_THAT(text, HasSubstr("the margins of 150 pairs on rung fp32 moved together by 7.0e-04, 35.0 "
                                    "times the limit"));
        EXPECT_THAT(text, Not(HasSubstr("alarm at")));
    }
}

TEST(FingerprintText, TheSameRuntimeIsComparedBitByBit) {
    auto check = tampered();
    check.fingerprint->rung = "exact";
    EXPECT_THAT(to_text(check, {}), HasSubstr("to the last bit\n"));
    EXPECT_THAT(to_text(tampered(), {}), Not(HasSubstr("to the last bit")));
}

TEST(FingerprintText, AnotherRuntimeIsExplainedAndNoAlarm) {
    const auto text = to_text(with(Outcome::other_runtime, Verdict::intact), {});
    EXPECT_THAT(text, HasSubstr(": intact, none of 150"));
    EXPECT_THAT(text, HasSubstr("another runtime answered"));
    EXPECT_THAT(text, Not(HasSubstr("tampered")));
}

TEST(FingerprintText, AnErrorStatesItsReason) {
    auto check = with(Outcome::error, Verdict::error);
    check.fingerprint->detail = "http://host/v2/models/net: answers are NaN";
    check.error = check.fingerprint->detail;
    EXPECT_EQ(
        to_text(check, {}),
        "http://host/v2/models/net: fingerprint not checked\n  http://host/v2/models/net: answers are NaN\n");
}

TEST(EveryForm, OfAnInconclusiveResultStatesWhyAndIsNotIntact) {
    auto check = with(Outcome::inconclusive, Verdict::error);
    check.fingerprint->detail = "the rung fp32 cannot find the model intact: 9 of 150 pairs cannot be told";
    check.error = check.target + ": inconclusive, " + check.fingerprint->detail;
    check.hint = "let it answer with all digits";
    const auto text = to_text(check, {});
    EXPECT_THAT(text, HasSubstr(check.error + "\n"));
    EXPECT_THAT(text, HasSubstr("hint: let it answer"));
    EXPECT_THAT(text, Not(HasSubstr("not checked")));
    EXPECT_EQ(json_of(check)["verdict"], "error");
    EXPECT_EQ(json_of(check)["checks"][0]["outcome"], "inconclusive");
    const auto page = to_html({&check, 1});
    EXPECT_THAT(page, HasSubstr(">Inconclusive<"));
    EXPECT_THAT(page, HasSubstr("9 of 150 pairs cannot be told"));
    const auto run = json::parse(to_sarif({&check, 1}, "1"))["runs"][0];
    ASSERT_EQ(run["results"].size(), 1u);
    EXPECT_EQ(run["results"][0]["ruleId"], "fingerprint-inconclusive");
    EXPECT_EQ(run["invocations"][0]["executionSuccessful"], false);
    const auto& notes = run["invocations"][0]["toolExecutionNotifications"];
    ASSERT_EQ(notes.size(), 1u);
    EXPECT_EQ(notes[0]["message"]["text"], check.error);
}

TEST(FingerprintJson, CountsThePairsSentAndThoseDecided) {
    auto check = intact();
    check.fingerprint->rungs[1].compared = 140;
    check.fingerprint->rungs[1].untold = 10;
    check.fingerprint->rounding = 5e-5;
    check.fingerprint->jitter = std::numeric_limits<double>::infinity();
    const auto finding = json_of(check)["checks"][0];
    EXPECT_EQ(finding["rungs"][1]["pairs"], 150);
    EXPECT_EQ(finding["rungs"][1]["told"], 140);
    EXPECT_EQ(finding["rounding"], 5e-5);
    EXPECT_FALSE(finding.contains("jitter")) << "JSON has no infinity";
}

TEST(EveryForm, ShowsBothASealAndAFingerprint) {
    auto check = tampered();
    check.seal = SealFinding{.outcome = SealFinding::Outcome::intact, .scheme = "modelseal", .stamp = {}};
    check.seal->tensors_total = 65;
    const auto text = to_text(check, {});
    EXPECT_THAT(text, HasSubstr(": intact, 65 tensors"));
    EXPECT_THAT(text, HasSubstr(": tampered, 148 of 150 pairs"));
    const auto checks = json_of(check)["checks"];
    ASSERT_EQ(checks.size(), 2u);
    EXPECT_EQ(checks[0]["kind"], "seal");
    EXPECT_EQ(checks[1]["kind"], "fingerprint");
    const auto results = json::parse(to_sarif({&check, 1}, "1"))["runs"][0]["results"];
    ASSERT_EQ(results.size(), 1u);
    EXPECT_EQ(results[0]["ruleId"], "fingerprint-mismatch");
    EXPECT_THAT(to_html({&check, 1}), HasSubstr("<dt>tensors</dt><dd class=\"plain\">65</dd>"));
    EXPECT_THAT(to_html({&check, 1}), HasSubstr("tampered, 148 of 150 pairs"));
}

TEST(EveryForm, ShowsAnErrorNextToAFinding) {
    auto check = intact();
    check.verdict = Verdict::error;
    check.seal = SealFinding{.outcome = SealFinding::Outcome::error, .detail = "the seal cannot be read"};
    EXPECT_THAT(to_text(check, {}), HasSubstr("not checked\n  the seal cannot be read\n"));
    const auto run = json::parse(to_sarif({&check, 1}, "1"))["runs"][0];
    EXPECT_EQ(run["invocations"][0]["executionSuccessful"], false);
}

TEST(EveryForm, NamesAMissingRequiredCheckNextToAnIntactSeal) {
    CheckReport check{.target = "net", .verdict = Verdict::unsealed};
    check.missing = {{.kind = CheckKind::fingerprint, .detail = "a fingerprint is required"}};
    check.seal = SealFinding{.outcome = SealFinding::Outcome::intact, .scheme = "modelseal", .stamp = {}};
    EXPECT_THAT(to_text(check, {}), HasSubstr("net: intact, 0 tensors"));
    EXPECT_THAT(to_text(check, {}), HasSubstr("net: fingerprint not checked, a fingerprint is required\n"));
    const auto run = json::parse(to_sarif({&check, 1}, "1"))["runs"][0];
    EXPECT_EQ(run["results"].size(), 1u);
    EXPECT_EQ(run["invocations"][0]["executionSuccessful"], true);
    EXPECT_THAT(to_html({&check, 1}), HasSubstr("a fingerprint is required"));
}

TEST(EveryForm, StatesThatThereIsNothingToCheckAgainst) {
    CheckReport check{.target = "http://host/v2/models/net", .verdict = Verdict::unsealed, .hint = "give one"};
    check.missing = {{.kind = CheckKind::fingerprint, .detail = "there is no fingerprint"}};
    EXPECT_EQ(
        to_text(check, {}),
        "http://host/v2/models/net: fingerprint not checked, there is no fingerprint\n  hint: give one\n");
    EXPECT_THAT(to_html({&check, 1}), HasSubstr("Nothing to check against"));
    EXPECT_THAT(to_html({&check, 1}), HasSubstr("there is no fingerprint"));
    const auto results = json::parse(to_sarif({&check, 1}, "1"))["runs"][0]["results"];
    ASSERT_EQ(results.size(), 1u);
    EXPECT_EQ(results[0]["message"]["text"], "fingerprint not checked, there is no fingerprint");
}

TEST(FingerprintJson, HasTheKeysOfTheContractInOrder) {
    const auto parsed = nlohmann::ordered_json::parse(to_json(std::vector{tampered()}, true))["checks"][0];
    std::vector<std::string> keys;
    for (const auto& [key, value] : parsed.items()) keys.push_back(key);
    keys.resize(10);
    EXPECT_THAT(keys, testing::ElementsAre("kind", "expected", "outcome", "method", "access", "pairs",
                                           "mismatched", "threshold", "false_alarm_bound", "rungs"));
    EXPECT_EQ(parsed["outcome"], "tampered");
    EXPECT_EQ(parsed["false_alarm_bound"], 1e-6);
    EXPECT_EQ(parsed["rungs"][1]["name"], "fp32");
    EXPECT_EQ(parsed["rungs"][1]["pairs"], 150);
    EXPECT_EQ(parsed["rungs"][1]["mismatched"], 148);
    EXPECT_EQ(parsed["customer"], "acme");
    EXPECT_FALSE(parsed.contains("expires"));
    EXPECT_EQ(json_of(with(Outcome::other_runtime, Verdict::intact))["checks"][0]["outcome"], "other-runtime");
}

TEST(FingerprintSarif, GivesOneResultForWhatIsNotIntact) {
    const auto results = [](const CheckReport& check) {
        return json::parse(to_sarif({&check, 1}, "1"))["runs"][0]["results"];
    };
    EXPECT_EQ(results(intact()).size(), 0u);
    EXPECT_EQ(results(tampered())[0]["level"], "error");
    EXPECT_EQ(results(with(Outcome::other_runtime, Verdict::intact))[0]["level"], "note");
    auto failed = with(Outcome::error, Verdict::error);
    failed.error = failed.fingerprint->detail = "http://host/v2/models/net: connection refused";
    EXPECT_EQ(results(failed)[0]["ruleId"], "target-unreadable");
}

TEST(FingerprintHtml, KeepsThePairsSecretUnlessAskedForThem) {
    const auto check = tampered();
    const auto page = to_html({&check, 1});
    EXPECT_THAT(page, HasSubstr("margins of the pairs are secret, and left out"));
    EXPECT_THAT(page, Not(HasSubstr("<img")));
    EXPECT_THAT(page, Not(HasSubstr("<figure")));
}

TEST(FingerprintHtml, ShowsPicturesAndAPlotOfEachRung) {
    const auto check = tampered();
    const auto page = to_html({&check, 1}, {.pairs = PageInfo::Pairs::shown});
    EXPECT_THAT(page, HasSubstr("keep it as safe as the fingerprint"));
    EXPECT_THAT(page, HasSubstr("src=\"data:image/png;base64,TWFueQ==\""));
    EXPECT_THAT(page, HasSubstr("img-src data:"));
    EXPECT_THAT(page, HasSubstr("aria-label=\"margins on rung fp32\""));
    EXPECT_THAT(page, Not(HasSubstr("aria-label=\"margins on rung exact\"")));  // no margins are known
    const auto count = [&](const std::string& part) {
        std::size_t found = 0;
        for (auto at = page.find(part); at != page.npos; at = page.find(part, at + 1)) ++found;
        return found;
    };
    EXPECT_EQ(count("<circle class=\"dot\""), 2u);
    EXPECT_EQ(count("<circle class=\"hit\""), 2u);
    EXPECT_THAT(page, Not(HasSubstr("nan")));
}

CheckReport of_triggers() {
    auto check = tampered();
    auto& finding = *check.fingerprint;
    finding.compared = 98;
    finding.mismatched = 7;
    finding.rungs = {{.name = "fp32", .compared = 98, .mismatched = 7, .noise = 4e-5, .floor = 3e-4}};
    finding.details = FingerprintFinding::Triggers{
        .count = 98, .matched = 91, .recorded = {0.2, 0.5, 0.25}, .answered = {0.19, -0.1, 0.26}};
    return check;
}

TEST(FingerprintOfTriggers, IsWordedByItsMethod) {
    const auto check = of_triggers();
    EXPECT_THAT(to_text(check, {}), HasSubstr("tampered, 7 of 98 triggers on rung fp32 differ (alarm at 2)\n"));
    const auto finding = json_of(check)["checks"][0];
    EXPECT_EQ(finding["method"], "generator");
    EXPECT_EQ(finding["triggers"], 98);
    EXPECT_EQ(finding["acc_tri"], json({{"count", 98}, {"matched", 91}}));
    EXPECT_FALSE(finding.contains("pairs"));
    EXPECT_EQ(finding["rungs"][0]["triggers"], 98);
    const auto result = json::parse(to_sarif({&check, 1}, "1"))["runs"][0]["results"][0];
    EXPECT_EQ(result["properties"]["method"], "generator");
    EXPECT_EQ(result["properties"]["triggers"], 98);
    const auto page = to_html({&check, 1}, {.pairs = PageInfo::Pairs::shown});
    EXPECT_THAT(page, HasSubstr("92.9 % (91 of 98)"));
    EXPECT_THAT(page, HasSubstr("<h4>Triggers</h4>"));
    EXPECT_THAT(page, HasSubstr("a trigger gets another class"));
    const auto hits = page.find("<circle class=\"hit\"");
    ASSERT_NE(hits, page.npos);
    EXPECT_EQ(page.find("<circle class=\"hit\"", hits + 1), page.npos) << "one of three gets another class";
    EXPECT_THAT(to_html({&check, 1}, {}), Not(HasSubstr("<h4>Triggers</h4>"))) << "on request only";
}

TEST(FingerprintHtml, WithoutPicturesOrMarginsHasNoEmptyPlaces) {
    auto check = intact();
    check.fingerprint->preview.clear();
    check.fingerprint->rungs.clear();
    const auto page = to_html({&check, 1}, {.pairs = PageInfo::Pairs::shown});
    EXPECT_THAT(page, Not(HasSubstr("<img")));
    EXPECT_THAT(page, Not(HasSubstr("<figure")));
}

TEST(Failures, AreTheChecksThatCouldNotBeMadeWithTheirHints) {
    auto check = with(Outcome::inconclusive, Verdict::error);
    check.fingerprint->detail = "the answers are rounded";
    check.fingerprint->hint = check.hint = "let it answer with all digits";
    check.seal = SealFinding{.outcome = SealFinding::Outcome::error, .detail = "net.pt: cut short"};
    check.signature =
        SignatureFinding{.outcome = SignatureFinding::Outcome::valid, .detail = "1 file is as signed"};
    const auto failures = failures_of(check);
    ASSERT_EQ(failures.size(), 2u);
    EXPECT_EQ(failures[0].message, "net.pt: cut short");
    EXPECT_EQ(failures[0].hint, "");
    EXPECT_EQ(failures[1].message, check.target + ": inconclusive, the answers are rounded");
    EXPECT_EQ(failures[1].hint, "let it answer with all digits");
    EXPECT_EQ(to_text(check, {.failures = Failures::left_out}),
              check.target + ": signature valid, 1 file is as signed\n");
    check.signature.reset();
    check.warnings = {"a warning"};
    EXPECT_EQ(to_text(check, {.failures = Failures::left_out}), "");
    EXPECT_TRUE(failures_of(tampered()).empty());
}

TEST(EveryForm, OfAFingerprintIsSafeFromHostileNames) {
    auto check = tampered();
    auto& finding = *check.fingerprint;
    check.target = finding.detail = finding.access = finding.rung = finding.id = finding.root = finding.model =
        finding.customer = finding.created = finding.expires = finding.vendor_key = kHostile;
    for (auto& rung : finding.rungs) rung.name = kHostile;
    for (const auto outcome :
         {Outcome::tampered, Outcome::other_runtime, Outcome::error, Outcome::inconclusive, Outcome::intact}) {
        finding.outcome = outcome;
        EXPECT_THAT(to_text(check, {.all = true}), Not(HasSubstr("\x1b")));
        const auto page = to_html({&check, 1}, {.pairs = PageInfo::Pairs::shown});
        EXPECT_THAT(page, Not(HasSubstr("<script>alert")));
        EXPECT_THAT(page, Not(HasSubstr("\x1b")));
        EXPECT_TRUE(json::accept(to_json({&check, 1}, true)));
        EXPECT_TRUE(json::accept(to_sarif({&check, 1}, "1")));
    }
}

}  // namespace
}  // namespace modelseal::report
