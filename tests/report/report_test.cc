#include "report/report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "report/check/seal_section.h"
#include "report/words.h"

namespace modelseal::report {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::Not;
using TensorOutcome = TensorFinding::Outcome;

constexpr const char* kHostileName = "w\x1b[31m<script>alert('1')</script>&\"\xff\xc2\x9b";

CheckReport intact_seal() {
    CheckReport check{.target = "m.safetensors", .verdict = Verdict::intact};
    check.seal = SealFinding{.outcome = SealFinding::Outcome::intact,
                             .detail = "as sealed",
                             .scheme = "modelseal",
                             .stamp = {{"name", "resnet20"}, {"version", "3.1"}, {"customer", "acme"}},
                             .stamp_authentic = true,
                             .vendor_key = "1a2b3c4d5e6f7081",
                             .root = "00ff",
                             .tensors_total = 65,
                             .bytes_total = 1'089'832};
    return check;
}

CheckReport tampered_seal() {
    auto check = intact_seal();
    check.verdict = Verdict::tampered;
    auto& seal = *check.seal;
    seal.outcome = SealFinding::Outcome::tampered;
    seal.bit_error_rate = 0.25;
    seal.tensors = {
        {"conv",
         "f32",
         {64, 64, 3, 3},
         TensorOutcome::changed,
         0.483,
         {{0, 8192}, {8192, 8192}, {24576, 8192}}},
        {"bias", "", {}, TensorOutcome::missing, std::nullopt, {}},
        {"extra", "f16", {2}, TensorOutcome::added, std::nullopt, {}},
        {"tiny", "f32", {4}, TensorOutcome::changed, std::nullopt, {}},
    };
    return check;
}

CheckReport hostile() {
    auto check = tampered_seal();
    check.target = kHostileName;
    check.hint = kHostileName;
    auto& seal = *check.seal;
    seal.detail = seal.frame_detail = seal.scheme = seal.vendor_key = seal.root = kHostileName;
    seal.frame_intact = false;
    seal.stamp = {{"name", kHostileName}, {kHostileName, kHostileName}};
    for (auto& tensor : seal.tensors) tensor.name = tensor.dtype = kHostileName;
    return check;
}

std::string json_text_of(const CheckReport& check) {
    return to_json({&check, 1}, true);
}

TEST(TextReport, IntactIsOneLineWithWhatWasChecked) {
    EXPECT_EQ(to_text(intact_seal(), {}),
              "m.safetensors: intact, 65 tensors (1.1 MB), sealed as resnet20 3.1 for acme by key "
              "1a2b3c4d5e6f7081\n");
    EXPECT_TRUE(to_text(intact_seal(), {.color = true}).starts_with("\x1b[32m"));
}

TEST(TextReport, TamperedNamesTensorsAndJoinedRanges) {
    const auto text = to_text(tampered_seal(), {.width = 100});
    EXPECT_THAT(text, HasSubstr("tampered, 2 of 65 tensors changed, 1 missing, 1 added\n"));
    EXPECT_THAT(text, HasSubstr("48.3 %  0-16383, 24576-32767\n"));
    EXPECT_THAT(text, HasSubstr("somewhere in it"));
    EXPECT_THAT(text, Not(HasSubstr("frame")));
}

TEST(TextReport, AChangedFrameIsReportedEvenIfTheWeightsHold) {
    auto check = intact_seal();
    check.seal->frame_intact = false;
    check.seal->frame_detail = "header of m.safetensors";
    EXPECT_THAT(to_text(check, {}), HasSubstr("weights intact, frame changed"));
    EXPECT_THAT(to_text(check, {}), HasSubstr("frame: header of m.safetensors"));
    check.seal->outcome = SealFinding::Outcome::tampered;
    EXPECT_THAT(to_text(check, {}), HasSubstr("tampered, weights intact, frame changed"));
    check.seal->weights_intact = false;
    EXPECT_THAT(to_text(check, {}), HasSubstr("tampered, frame changed"));
}

TEST(TextReport, AStampWithoutAValidSignatureIsCalledSo) {
    auto check = tampered_seal();
    EXPECT_THAT(to_text(check, {}), HasSubstr("\n  sealed as resnet20 3.1"));
    check.seal->stamp_authentic = false;
    EXPECT_THAT(to_text(check, {}),
                HasSubstr("claims, without a valid signature, to be sealed as resnet20 3.1"));
    EXPECT_THAT(to_html({&check, 1}), HasSubstr("not signed by the vendor"));
    EXPECT_EQ(json::parse(json_text_of(check))["checks"][0]["stamp_authentic"], false);
}

TEST(EveryReport, DoesNotCallAnUncoveredFrameIntact) {
    auto check = intact_seal();
    check.seal->scheme = "deepisign";
    EXPECT_THAT(to_text(check, {}), HasSubstr("the frame is not covered"));
    EXPECT_THAT(to_html({&check, 1}), HasSubstr("not covered"));
    EXPECT_EQ(json::parse(json_text_of(check))["checks"][0]["frame"], "not-covered");
}

TEST(TextReport, TheHeadlineIsNotRepeated) {
    auto check = tampered_seal();
    check.seal->tensors.resize(1);
    check.seal->cause = SealFinding::Cause::weights;
    check.seal->detail = "1 of 65 tensors changed";
    const auto text = to_text(check, {});
    EXPECT_EQ(text.find("1 of 65"), text.rfind("1 of 65"));
}

TEST(TextReport, ListsFilesWhoseFrameChanged) {
    auto check = intact_seal();
    auto& seal = *check.seal;
    seal.outcome = SealFinding::Outcome::tampered;
    seal.frame_intact = false;
    seal.files = {{.name = "a.json", .outcome = FileFinding::Outcome::added},
                  {.name = "c.json"},
                  {.name = "f.json", .outcome = FileFinding::Outcome::missing}};
    EXPECT_THAT(to_text(check, {}),
                HasSubstr("    added      a.json\n    changed    c.json\n    missing    f.json\n"));
    EXPECT_EQ(frame_text(seal), "a.json (added), c.json (changed), f.json (missing)");
    seal.files_missing = 1;
    EXPECT_THAT(to_text(check, {}), HasSubstr("frame: 1 more sealed file missing, names unknown\n"));
}

TEST(TextReport, OfASingleFileStatesWhatItsFrameIs) {
    auto check = intact_seal();
    check.seal->outcome = SealFinding::Outcome::tampered;
    check.seal->frame_intact = false;
    check.seal->files = {{.name = ""}};
    EXPECT_THAT(to_text(check, {}), HasSubstr("  frame: names, shapes, metadata or graph are not as sealed\n"));
}

TEST(EveryReport, ASealOfAnotherModelIsNotCalledBroken) {
    auto check = intact_seal();
    check.verdict = Verdict::unexpected;
    check.seal->outcome = SealFinding::Outcome::unexpected;
    check.seal->cause = SealFinding::Cause::stamp;
    check.seal->unexpected = {"version is '3.1', '4' is expected", "site is 'a', 'b' is expected"};
    check.seal->detail = "version is '3.1', '4' is expected; site is 'a', 'b' is expected";
    EXPECT_THAT(to_text(check, {}), HasSubstr("m.safetensors: not the expected model, version is '3.1'"));
    EXPECT_THAT(to_html({&check, 1}), HasSubstr(">Not the expected model<"));
    EXPECT_THAT(to_junit({&check, 1}), HasSubstr("<failure message=\"not the expected model, version"));
    const auto results = json::parse(to_sarif({&check, 1}, ""))["runs"][0]["results"];
    ASSERT_EQ(results.size(), 1u);
    EXPECT_EQ(results[0]["ruleId"], "stamp-unexpected");
    EXPECT_EQ(results[0]["message"]["text"], check.seal->detail);
    const auto parsed = json::parse(to_json({&check, 1}, true));
    EXPECT_EQ(parsed["verdict"], "unexpected");
    EXPECT_EQ(parsed["checks"][0]["outcome"], "unexpected");
    EXPECT_EQ(parsed["checks"][0]["weights"], "intact");
    EXPECT_EQ(parsed["checks"][0]["unexpected"].size(), 2u);
}

TEST(EveryReport, AChangedModelThatIsNotTheExpectedOneIsCalledTampered) {
    auto check = intact_seal();
    check.verdict = Verdict::tampered;
    check.seal->outcome = SealFinding::Outcome::tampered;
    check.seal->cause = SealFinding::Cause::lost_manifest;
    check.seal->weights_intact = false;
    check.seal->detail = "the weights changed";
    check.seal->unexpected = {"version is '3.1', '4' is expected"};
    EXPECT_THAT(to_text(check, {}), AllOf(HasSubstr("m.safetensors: tampered\n  the weights changed\n"),
                                          HasSubstr("\n  version is '3.1', '4' is expected\n")));
    const auto results = json::parse(to_sarif({&check, 1}, ""))["runs"][0]["results"];
    ASSERT_EQ(results.size(), 2u);
    EXPECT_EQ(results[0]["ruleId"], "seal-broken");
    EXPECT_EQ(results[1]["ruleId"], "stamp-unexpected");
}

TEST(TextReport, StatesBlocksOfWhichNothingIsKnown) {
    auto check = tampered_seal();
    check.seal->cause = SealFinding::Cause::weights;
    check.seal->unknown_blocks = 1;
    EXPECT_THAT(to_text(check, {}), HasSubstr("no check value survived of 1 block\n"));
}

TEST(TextReport, LongListsAreCutWithANote) {
    auto check = tampered_seal();
    check.seal->tensors.assign(25, check.seal->tensors[0]);
    const auto lines = [](const std::string& text) { return std::ranges::count(text, '\n'); };
    EXPECT_THAT(to_text(check, {}), HasSubstr("... and 15 more\n"));
    EXPECT_THAT(to_text(check, {.rest = "use --all"}), HasSubstr("... and 15 more (use --all)\n"));
    EXPECT_LT(lines(to_text(check, {})), 18);
    EXPECT_THAT(to_text(check, {.all = true}), Not(HasSubstr("more")));
    EXPECT_GT(lines(to_text(check, {.all = true})), 25);
}

TEST(TextReport, OnlyAllListsIntactTensors) {
    auto check = intact_seal();
    check.seal->tensors = {{"calm", "f32", {4}, TensorOutcome::intact, 0.0, {}}};
    EXPECT_THAT(to_text(check, {}), Not(HasSubstr("calm")));
    EXPECT_THAT(to_text(check, {.all = true}), HasSubstr("calm"));
}

TEST(TextReport, RangesKeepToTheWidth) {
    auto check = tampered_seal();
    auto& changed = check.seal->tensors[0].changed;
    changed.clear();
    for (std::uint64_t i = 0; i < 100; ++i) changed.push_back({i * 20'000, 8192});
    const auto text = to_text(check, {.width = 90});
    std::size_t longest = 0;
    for (std::size_t begin = 0, end = 0; (end = text.find('\n', begin)) != std::string::npos; begin = end + 1) {
        longest = std::max(longest, end - begin);
    }
    EXPECT_LE(longest, 90u);
    EXPECT_THAT(text, HasSubstr(" more"));
    EXPECT_THAT(to_text(check, {.width = 0}), Not(HasSubstr(" more")));
}

TEST(TextReport, ErrorsAndMissingSealsHaveTheirHint) {
    const CheckReport error{
        .target = "m.pt", .verdict = Verdict::error, .error = "m.pt: cut short", .hint = "copy it again"};
    EXPECT_EQ(to_text(error, {}), "m.pt: not checked\n  m.pt: cut short\n  hint: copy it again\n");
    CheckReport unsealed{.target = "m.pt", .verdict = Verdict::unsealed};
    unsealed.seal = SealFinding{.detail = "no seal found under this key"};
    EXPECT_EQ(to_text(unsealed, {}), "m.pt: unsealed, no seal found under this key\n");
    CheckReport unread{.target = "m.pt", .verdict = Verdict::error};
    unread.seal = SealFinding{.outcome = SealFinding::Outcome::error, .detail = "m.pt: cut short"};
    EXPECT_EQ(to_text(unread, {}), "m.pt: not checked\n  m.pt: cut short\n");
}

TEST(JsonReport, KeysAreThoseOfTheContractInItsOrder) {
    const auto check = tampered_seal();
    const auto parsed = nlohmann::ordered_json::parse(json_text_of(check));
    const auto keys = [](const nlohmann::ordered_json& object) {
        std::vector<std::string> names;
        for (const auto& [key, value] : object.items()) names.push_back(key);
        return names;
    };
    EXPECT_THAT(keys(parsed),
                testing::ElementsAre("schema", "target", "verdict", "exit_code", "checks", "warnings"));
    EXPECT_THAT(keys(parsed["checks"][0]),
                testing::ElementsAre("kind", "expected", "outcome", "detail", "frame", "bit_error_rate",
                                     "stamp", "vendor_key", "stamp_authentic", "weights", "scheme", "root",
                                     "tensors_total", "bytes_total", "tensors"));
    EXPECT_THAT(keys(parsed["checks"][0]["tensors"][0]),
                testing::ElementsAre("name", "dtype", "shape", "outcome", "bit_error_rate", "changed"));
}

TEST(JsonReport, ValuesAreThoseOfTheFindings) {
    const auto parsed = json::parse(json_text_of(tampered_seal()));
    EXPECT_EQ(parsed["schema"], "modelseal-check/1");
    EXPECT_EQ(parsed["verdict"], "tampered");
    const auto& seal = parsed["checks"][0];
    EXPECT_EQ(seal["kind"], "seal");
    EXPECT_EQ(seal["frame"], "intact");
    EXPECT_EQ(seal["bit_error_rate"], 0.25);
    EXPECT_EQ(seal["stamp"]["version"], "3.1");
    EXPECT_EQ(seal["tensors"][0]["changed"][1], json({{"first", 8192}, {"count", 8192}}));
    EXPECT_EQ(seal["tensors"][1]["outcome"], "missing");
    EXPECT_TRUE(seal["tensors"][1]["bit_error_rate"].is_null());
}

TEST(JsonReport, IsAListForSeveralTargetsAndAnObjectForOne) {
    const std::vector checks = {intact_seal(), tampered_seal()};
    EXPECT_EQ(json::parse(to_json(checks, false)).size(), 2u);
    EXPECT_TRUE(json::parse(to_json({checks.data(), 1}, false)).is_array());
    EXPECT_TRUE(json::parse(to_json({checks.data(), 1}, true)).is_object());
}

TEST(JsonReport, AMissingSealClaimsNothingAboutTheFrame) {
    CheckReport check{.target = "m", .verdict = Verdict::unsealed};
    check.seal = SealFinding{.detail = "no seal found under this key"};
    const auto seal = json::parse(json_text_of(check))["checks"][0];
    EXPECT_EQ(seal["outcome"], "not-found");
    EXPECT_FALSE(seal.contains("frame"));
    EXPECT_FALSE(seal.contains("bit_error_rate"));
}

TEST(SarifReport, HasOneRulePerKindAndOneResultPerFinding) {
    auto check = tampered_seal();
    check.seal->frame_intact = false;
    const auto log = json::parse(to_sarif({&check, 1}, "0.1.0"));
    EXPECT_EQ(log["version"], "2.1.0");
    const auto& run = log["runs"][0];
    const auto& rules = run["tool"]["driver"]["rules"];
    std::vector<std::string> ids;
    for (const auto& result : run["results"]) {
        ids.push_back(result["ruleId"]);
        EXPECT_EQ(rules[result["ruleIndex"].get<std::size_t>()]["id"], result["ruleId"]);
        EXPECT_EQ(result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"], "m.safetensors");
    }
    EXPECT_THAT(ids, testing::ElementsAre("tensor-changed", "tensor-missing", "tensor-added", "tensor-changed",
                                          "frame-changed"));
    EXPECT_EQ(run["results"][0]["locations"][0]["logicalLocations"][0]["fullyQualifiedName"], "conv");
    EXPECT_EQ(run["invocations"][0]["executionSuccessful"], true);
}

TEST(SarifReport, IntactTargetsGiveNoResult) {
    const auto check = intact_seal();
    const auto run = json::parse(to_sarif({&check, 1}, "1"))["runs"][0];
    EXPECT_TRUE(run["results"].empty());
    EXPECT_EQ(run["artifacts"].size(), 1u);
}

TEST(SarifReport, TamperedAlwaysGivesAResultAndAnErrorANotification) {
    auto check = tampered_seal();
    check.seal->tensors.clear();
    check.seal->detail = "the stamp says version 3.0";
    auto run = json::parse(to_sarif({&check, 1}, ""))["runs"][0];
    EXPECT_EQ(run["results"][0]["ruleId"], "seal-broken");
    EXPECT_EQ(run["results"][0]["message"]["text"], "the stamp says version 3.0");
    check.seal.reset();
    check.verdict = Verdict::error;
    check.error = "no such file";
    run = json::parse(to_sarif({&check, 1}, ""))["runs"][0];
    EXPECT_EQ(run["invocations"][0]["executionSuccessful"], false);
    EXPECT_EQ(run["invocations"][0]["toolExecutionNotifications"][0]["message"]["text"], "no such file");
    EXPECT_EQ(run["results"][0]["ruleId"], "target-unreadable") << "readers of code scanning see results alone";
}

TEST(SarifReport, EachKindOfFailureHasARuleOfItsOwn) {
    const std::pair<ErrorKind, const char*> rows[] = {{ErrorKind::unreadable, "target-unreadable"},
                                                      {ErrorKind::malformed, "target-malformed"},
                                                      {ErrorKind::unsupported, "target-unsupported"},
                                                      {ErrorKind::mismatch, "evidence-mismatch"},
                                                      {ErrorKind::usage, "check-failed"},
                                                      {ErrorKind::internal, "check-failed"}};
    for (const auto& [kind, rule] : rows) {
        CheckReport check{.target = "m", .verdict = Verdict::error, .error = "m: no", .error_kind = kind};
        // Both checks fail for the same reason: one result.
        check.seal = SealFinding{.outcome = SealFinding::Outcome::error, .detail = "m: no"};
        check.signature = SignatureFinding{.detail = "m: no"};
        const auto run = json::parse(to_sarif({&check, 1}, ""))["runs"][0];
        ASSERT_EQ(run["results"].size(), 1u);
        EXPECT_EQ(run["results"][0]["ruleId"], rule);
        EXPECT_EQ(run["results"][0]["level"], "error");
    }
    CheckReport missing{.target = "m", .verdict = Verdict::unsealed};
    for (const auto kind : {CheckKind::seal, CheckKind::fingerprint, CheckKind::signature})
        missing.missing.push_back({.kind = kind, .detail = "none"});
    std::vector<std::string> ids;
    const auto run = json::parse(to_sarif({&missing, 1}, ""))["runs"][0];
    for (const auto& result : run["results"]) ids.push_back(result["ruleId"]);
    EXPECT_THAT(ids, testing::ElementsAre("seal-not-found", "fingerprint-not-found", "signature-not-found"));
    auto forged = tampered_seal();
    forged.seal->cause = SealFinding::Cause::signature;
    const auto results = json::parse(to_sarif({&forged, 1}, ""))["runs"][0]["results"];
    EXPECT_EQ(results.back()["ruleId"], "seal-forged");
}

TEST(SarifReport, StatesWhenTheRunWasAndHowItEnded) {
    const auto check = intact_seal();
    const PageInfo info{.date = std::chrono::sys_seconds(std::chrono::seconds(1'795'889'469)),
                        .duration = std::chrono::milliseconds(61'340),
                        .exit_code = ExitCode::mismatch,
                        .problems = {"list.txt: ends early"}};
    const auto run = json::parse(to_sarif({&check, 1}, "1", info))["runs"][0];
    const auto& invocation = run["invocations"][0];
    EXPECT_EQ(invocation["startTimeUtc"], "2026-11-28T18:11:09.000Z");
    EXPECT_EQ(invocation["endTimeUtc"], "2026-11-28T18:12:10.340Z");
    EXPECT_EQ(invocation["exitCode"], 1);
    EXPECT_EQ(invocation["executionSuccessful"], false);
    EXPECT_EQ(invocation["toolExecutionNotifications"][0]["message"]["text"], "list.txt: ends early");
    for (const auto& rule : run["tool"]["driver"]["rules"])
        EXPECT_EQ(rule["helpUri"], "man:modelseal-check(1)");
}

TEST(SarifReport, TargetsBecomeUris) {
    const std::pair<const char*, const char*> rows[] = {
        {"a b/m%1.onnx", "a%20b/m%251.onnx"},
        {"/srv/m.onnx", "file:///srv/m.onnx"},
        {"c:m.onnx", "c%3Am.onnx"},
        {"https://host:8000/v2/models/m", "https://host:8000/v2/models/m"},
        {"exec:./run me", "exec:./run%20me"},
        {"exec+binary:./run me", "exec+binary:./run%20me"},
        {"caf\xc3\xa9", "caf%C3%A9"},
    };
    for (const auto& [target, uri] : rows) {
        auto check = intact_seal();
        check.target = target;
        EXPECT_EQ(json::parse(to_sarif({&check, 1}, ""))["runs"][0]["artifacts"][0]["location"]["uri"], uri);
    }
}

TEST(EveryReport, KeepsHostileNamesInTheirPlace) {
    const auto check = hostile();
    const auto text = to_text(check, {.all = true});
    const auto page = to_html({&check, 1});
    const auto data = json_text_of(check);
    const auto sarif = to_sarif({&check, 1}, "1");
    for (const auto& output : {text, page, data, sarif}) {
        const auto wild = std::ranges::find_if(output, [](char c) {
            const auto byte = static_cast<unsigned char>(c);
            return (byte < 0x20 && c != '\n') || byte == 0x7f || byte == 0xff;
        });
        EXPECT_EQ(wild, output.end()) << output;
        EXPECT_THAT(output, Not(HasSubstr("\xc2\x9b")));
    }
    EXPECT_THAT(page, HasSubstr("w\\x1b[31m&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;&amp;&quot;\\xff"));
    EXPECT_TRUE(json::accept(data));
    EXPECT_TRUE(json::accept(sarif));
}

TEST(EveryReport, RoundTripsNamesInUtf8ThroughJson) {
    auto check = tampered_seal();
    check.seal->tensors[0].name = "caf\xc3\xa9\x1b\xe2\x80\xae";
    EXPECT_EQ(json::parse(json_text_of(check))["checks"][0]["tensors"][0]["name"],
              "caf\xc3\xa9\x1b\xe2\x80\xae");
}

TEST(Words, RangesAreJoinedInAnyOrder) {
    using Range = TensorFinding::Range;
    const auto text = [](std::vector<Range> ranges) { return ranges_text(joined(std::move(ranges)), 0); };
    EXPECT_EQ(text({{8, 8}, {0, 8}}), "0-15");
    EXPECT_EQ(text({{0, 8}, {4, 2}}), "0-7");
    EXPECT_EQ(text({{0, 8}, {9, 1}}), "0-7, 9");
    EXPECT_EQ(text({{~std::uint64_t{0} - 1, 8}}), "18446744073709551614");
    EXPECT_EQ(text({}), "");
}

TEST(Words, NumbersHaveSeparatorsAndUnits) {
    EXPECT_EQ(grouped(0), "0");
    EXPECT_EQ(grouped(999), "999");
    EXPECT_EQ(grouped(1'234'567), "1,234,567");
    EXPECT_EQ(byte_size(999), "999 B");
    EXPECT_EQ(byte_size(999'999), "1.0 MB");
    EXPECT_EQ(byte_size(~std::uint64_t{0}), "18.4 EB");
    EXPECT_EQ(percent(0), "0.0 %");
    EXPECT_EQ(percent(0.0001), "<0.1 %");
    EXPECT_EQ(counted(1, "tensor"), "1 tensor");
}

TEST(Words, ChancesAreRoundedUpAndReadWell) {
    EXPECT_EQ(chance_text(1e-6), "at most 1 in 1 million");
    EXPECT_EQ(chance_text(4e-12), "at most 1 in 250 billion");
    EXPECT_EQ(chance_text(3e-7), "at most 1 in 3.3 million");
    EXPECT_EQ(chance_text(1e-4), "at most 1 in 10,000");
    EXPECT_EQ(chance_text(3.1e-18), "at most 1 in 10^17");
    EXPECT_EQ(chance_text(0.042), "at most 4.2 %");
    EXPECT_EQ(chance_text(1), "at most 100.0 %");
}

TEST(Words, TonesAreColorsThatATerminalLetsPass) {
    EXPECT_EQ(paint({.color = true}, Tone::bad, "x"), "\x1b[31mx\x1b[0m");
    EXPECT_EQ(paint({.color = true}, Tone::good, "x"), "\x1b[32mx\x1b[0m");
    EXPECT_EQ(paint({.color = true}, Tone::plain, "x"), "x");
    EXPECT_EQ(paint({}, Tone::bad, "x"), "x");
}

}  // namespace
}  // namespace modelseal::report
