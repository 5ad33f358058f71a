// Reports that are read back from their JSON are shown as they were.
#include "report/check/read.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "report/report.h"

namespace modelseal::report {
namespace {

using testing::HasSubstr;

constexpr const char* kWild = "w\x1b[31m<script>&\"\xff\xe2\x80\xae caf\xc3\xa9";

CheckReport full_report() {
    // Of a path that is not UTF-8, the URI in SARIF has the bytes: what is read back has their names.
    CheckReport report{.target = "w\x1b[31m<script>&\"\xe2\x80\xae caf\xc3\xa9",
                       .verdict = Verdict::tampered,
                       .exit_code = ExitCode::mismatch,
                       .error = "2 of 65 tensors changed",
                       .hint = "ask the vendor",
                       .error_kind = ErrorKind::mismatch,
                       .expected = {.seal = true, .signature = true}};
    report.seal = SealFinding{
        .outcome = SealFinding::Outcome::tampered,
        .cause = SealFinding::Cause::tensor_list,
        .detail = "the list differs",
        .hint = "look at it",
        .scheme = "modelseal",
        .weights_intact = false,
        .frame_intact = false,
        .files = {{.name = "a.json", .outcome = FileFinding::Outcome::added, .detail = "a link"},
                  {.name = kWild}},
        .files_missing = 2,
        .names_detail = "names differ",
        .bit_error_rate = 0.1,
        .stamp = {{"name", kWild}, {"version", "3.1"}},
        .stamp_authentic = true,
        .parent = "00aa",
        .vendor_key = "1a2b3c4d5e6f7081",
        .root = "00ff",
        .tensors_total = 65,
        .bytes_total = 1'089'832,
        .tensors = {{kWild, "f32", {64, 64}, TensorFinding::Outcome::changed, 1.0 / 3, {{0, 8}, {16, 8}}},
                    {"gone", "", {}, TensorFinding::Outcome::missing, std::nullopt, {}}},
        .unknown_blocks = 3};
    report.signature =
        SignatureFinding{.outcome = SignatureFinding::Outcome::invalid,
                         .detail = "1 file changed",
                         .hint = "sign it again",
                         .method = "key",
                         .signer = "ab12",
                         .timestamp = "2026-11-21T00:00:00Z",
                         .model = "net",
                         .root = "11",
                         .serialization = "files",
                         .hash = "sha256",
                         .seal_root = "22",
                         .fingerprint = "33",
                         .files = 4,
                         .bytes = 5,
                         .unsigned_files = 6,
                         .findings = {{.name = "x.bin",
                                       .outcome = FileFinding::Outcome::changed,
                                       .tensors = {{.name = "w", .outcome = TensorFinding::Outcome::added}}}}};
    report.missing = {{.kind = CheckKind::fingerprint,
                       .outcome = MissingCheck::Outcome::not_run,
                       .detail = "the seal is broken",
                       .hint = "none"}};
    report.warnings = {"two hard links", kWild};
    return report;
}

CheckReport queried_report(FingerprintFinding::Outcome outcome) {
    CheckReport report{
        .target = "http://host/v2/models/net", .verdict = Verdict::tampered, .exit_code = ExitCode::mismatch};
    report.expected.fingerprint = true;
    report.fingerprint = FingerprintFinding{
        .outcome = outcome,
        .detail = "answers are coarse",
        .hint = "more digits",
        .access = "logits",
        .rung = "fp32",
        .compared = 150,
        .mismatched = 148,
        .threshold = 2,
        .false_alarm_bound = 1e-6,
        .arithmetic = "mixed",
        .headroom = 7.5,
        .runtimes_tried = 17,
        .evaluations_tried = 2213,
        .reduced_precision_possible = true,
        .shifts = FingerprintFinding::Shifts{.compared = 165, .factor = 4, .moved = 33, .threshold = 31},
        .coverage = FingerprintFinding::Coverage{.change = 0.01, .weights = 1000, .noticed = 751},
        .shift = 7e-4,
        .drift = -1e-5,
        .most_drift = 2e-5,
        .rungs = {{.name = "exact", .compared = 150, .mismatched = 40, .untold = 3},
                  {.name = "fp32", .compared = 150, .mismatched = 148, .noise = 4e-5, .floor = 3e-4}},
        .details = FingerprintFinding::Pairs{{{.flipped = 7}, {.flipped = 9}}},
        .id = "1234",
        .root = "00ff",
        .vendor_key = "1a2b",
        .customer = "acme",
        .created = "2026-11-21",
        .expires = "2027-11-21",
        .model = kWild,
        .rounding = 1e-6,
        .jitter = 2e-6,
        .queries = 600};
    return report;
}

CheckReport ruled_report() {
    auto report = full_report();
    report.ruling =
        Ruling{.outcome = Ruling::Outcome::quarantine,
               .policy = "p.toml",
               .name = "acme/net",
               .match = "acme/*",
               .line = 12,
               .audit = true,
               .requirements = {{.what = "seal", .required = "by acme", .found = kWild, .failed = true},
                                {.what = "frame", .required = "intact", .found = "intact", .holds = true},
                                {.what = "size", .found = "large", .only_warns = true}}};
    return report;
}

std::vector<CheckReport> samples() {
    using enum FingerprintFinding::Outcome;
    std::vector<CheckReport> reports = {full_report(), ruled_report()};
    for (const auto outcome : {intact, other_runtime, tampered, inconclusive, error})
        reports.push_back(queried_report(outcome));
    auto drifted = queried_report(tampered);
    drifted.fingerprint->mismatched = 0;
    drifted.fingerprint->decided_by = FingerprintFinding::Decision::drift;
    drifted.fingerprint->false_alarm_bound.reset();
    reports.push_back(drifted);
    auto triggers = queried_report(tampered);
    triggers.fingerprint->details = FingerprintFinding::Triggers{.count = 100, .matched = 40};
    reports.push_back(triggers);
    CheckReport broken{
        .target = "m", .verdict = Verdict::error, .error = "m: cut short", .error_kind = ErrorKind::malformed};
    reports.push_back(broken);
    broken.seal = SealFinding{.outcome = SealFinding::Outcome::error, .detail = "m: cut short"};
    reports.push_back(broken);
    CheckReport unsealed{.target = "m", .verdict = Verdict::unsealed, .exit_code = ExitCode::nothing};
    unsealed.seal = SealFinding{.detail = "no seal", .hint = "another key?"};
    reports.push_back(unsealed);
    auto marked = full_report();
    marked.seal->scheme = "deepisign";
    marked.seal->frame_intact = true;
    marked.seal->files.clear();
    reports.push_back(marked);
    auto unexpected = full_report();
    unexpected.verdict = Verdict::unexpected;
    unexpected.seal->outcome = SealFinding::Outcome::unexpected;
    unexpected.seal->unexpected = {"version is '1', '2' is expected"};
    unexpected.seal->cause = SealFinding::Cause::stamp;
    unexpected.seal->weights_intact = unexpected.seal->frame_intact = true;
    reports.push_back(unexpected);
    return reports;
}

TEST(ReadReport, IsShownAsItWas) {
    for (const auto& report : samples()) {
        const auto line = to_json_line(report);
        const auto read = read_report(line);
        ASSERT_TRUE(read.ok()) << read.error().message << line;
        EXPECT_EQ(to_json_line(*read), line);
        EXPECT_EQ(to_text(*read, {.all = true}), to_text(report, {.all = true}));
        EXPECT_EQ(to_html({&*read, 1}), to_html({&report, 1}));
        EXPECT_EQ(to_sarif({&*read, 1}, "1"), to_sarif({&report, 1}, "1"));
        EXPECT_EQ(to_junit({&*read, 1}), to_junit({&report, 1}));
        EXPECT_EQ(to_summary({&*read, 1}), to_summary({&report, 1}));
    }
}

TEST(ReadReport, MembersThatAreNotKnownAreNoneOfIt) {
    const auto read = read_report(
        R"({"target": "m", "verdict": "intact", "exit_code": 0, "later": {"a": [1]}, "checks": [], "hint": null})");
    ASSERT_TRUE(read.ok()) << read.error().message;
    EXPECT_EQ(read->target, "m");
    EXPECT_EQ(read->verdict, Verdict::intact);
}

TEST(ReadReport, AnythingElseIsRefused) {
    const auto with = [](const std::string& members) {
        return R"({"target": "m", "verdict": "tampered", "exit_code": 1, )" + members + "}";
    };
    const auto check = [&](const std::string& members) { return with(R"("checks": [{)" + members + "}]"); };
    const auto crowd = [](int members) {
        std::string text = R"("checks": [], "x": {"a": {"b": 1})";
        for (int i = 1; i < members; ++i) text += ", \"" + std::to_string(i) + "\": {}";
        return text + "}";
    };
    EXPECT_TRUE(read_report(with(crowd(1400))).ok());
    std::string dimensions;
    for (int i = 0; i < 64; ++i) dimensions += "1,";
    const std::pair<std::string, const char*> rows[] = {
        {"", "not an object"},
        {"[]", "not an object"},
        {"{\"target\": \"m\"", "not an object"},
        {R"({"verdict": "intact", "exit_code": 0})", "'target' is missing"},
        {R"({"target": "m", "exit_code": 0})", "'verdict' is missing"},
        {R"({"target": 1, "verdict": "intact", "exit_code": 0})", "'target'"},
        {R"({"target": "m", "verdict": "fine", "exit_code": 0})", "'verdict'"},
        {R"({"target": "m", "verdict": "intact", "exit_code": 5})", "'exit_code'"},
        {R"({"target": "m", "verdict": "intact", "exit_code": -1})", "'exit_code'"},
        // Both would pass in one half of a page, and not in the other.
        {R"({"target": "m", "verdict": "intact", "exit_code": 1, "checks": []})", "'exit_code'"},
        {R"({"target": "m", "verdict": "tampered", "exit_code": 0, "checks": []})", "'exit_code'"},
        {with(R"("checks": {})"), "'checks'"},
        {with(R"("checks": [1])"), "an entry of a list is not as it should be"},
        {with(crowd(1401)), "the number of members"},
        {with(R"("warnings": [1])"), "'warnings'"},
        {with(R"("policy": {"outcome": "maybe"})"), "'outcome'"},
        {with(R"("policy": {})"), "'outcome'"},
        {check(R"("outcome": "intact")"), "'kind'"},
        {check(R"("kind": "hope")"), "'kind'"},
        {check(R"("kind": "seal", "tensors": [{"shape": [-1]}])"), "'shape'"},
        {check(R"("kind": "seal", "tensors": [{"shape": [)" + dimensions + "1]}]"), "'shape'"},
        {check(R"("kind": "seal", "tensors": [{"changed": [{"first": 1.5}]}])"), "'first'"},
        {check(R"("kind": "seal", "tensors": [], "stamp": {"name": []})"), "'stamp'"},
        {check(R"("kind": "seal", "tensors": [], "cause": "weather")"), "'cause'"},
        {check(R"("kind": "fingerprint", "method": "magic")"), "'method'"},
        {check(R"("kind": "fingerprint", "method": "pairs", "rungs": [{}])"), "'pairs'"},
        {check(R"("kind": "signature", "files": 3)"), "'files'"},
    };
    for (const auto& [text, what] : rows) {
        const auto read = read_report(text);
        ASSERT_FALSE(read.ok()) << text;
        EXPECT_EQ(read.error().kind, ErrorKind::malformed);
        EXPECT_THAT(read.error().message, HasSubstr(what)) << text;
    }
}

}  // namespace
}  // namespace modelseal::report
