// Reports for CI systems: JUnit XML and a summary in Markdown.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "report/report.h"

namespace modelseal::report {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr const char* kHostileTarget = "a|b]]><script>&\"'`x`\x1b[31m\xff.onnx";

CheckReport sealed(const std::string& target, SealFinding::Outcome outcome) {
    const bool intact = outcome == SealFinding::Outcome::intact;
    CheckReport report{.target = target,
                       .verdict = intact ? Verdict::intact : Verdict::tampered,
                       .exit_code = intact ? ExitCode::done : ExitCode::mismatch,
                       .expected = {.seal = true}};
    report.seal = SealFinding{.outcome = outcome,
                              .detail = "2 tensors",
                              .scheme = "modelseal",
                              .weights_intact = intact,
                              .stamp_authentic = true};
    return report;
}

CheckReport unreadable(const std::string& target) {
    return {.target = target, .verdict = Verdict::error, .error = target + ": cannot be read"};
}

std::vector<CheckReport> three() {
    return {sealed("good.onnx", SealFinding::Outcome::intact),
            sealed(kHostileTarget, SealFinding::Outcome::tampered), unreadable("gone.onnx")};
}

TEST(Junit, HasACaseForEachCheck) {
    const auto xml =
        to_junit(three(), {.program = "modelseal 1", .duration = std::chrono::duration<double>(1.5)});
    EXPECT_THAT(xml, HasSubstr("<testsuite name=\"modelseal check\" skipped=\"0\" tests=\"3\" failures=\"1\" "
                               "errors=\"1\" time=\"1.500\">"));
    EXPECT_THAT(xml, HasSubstr("<testcase classname=\"good.onnx\" name=\"seal\"/>"));
    EXPECT_THAT(xml, HasSubstr("<failure message=\"tampered"));
    EXPECT_THAT(xml, HasSubstr("<testcase classname=\"gone.onnx\" name=\"check\">\n      <error "
                               "message=\"gone.onnx: cannot be read\">"));
    EXPECT_THAT(xml, HasSubstr("a|b]]&gt;&lt;script&gt;&amp;&quot;"));
    EXPECT_THAT(xml, Not(HasSubstr("\x1b")));
}

TEST(Junit, AProblemOfTheRunIsAnError) {
    const auto report = sealed("m", SealFinding::Outcome::intact);
    const auto xml = to_junit({&report, 1}, {.problems = {"list: ends early"}});
    EXPECT_THAT(xml, HasSubstr("tests=\"2\" failures=\"0\" errors=\"1\""));
    EXPECT_THAT(xml, HasSubstr("<error message=\"list: ends early\">"));
}

TEST(Junit, WhatAPolicyLetsThroughPasses) {
    auto report = sealed("m", SealFinding::Outcome::tampered);
    report.ruling = Ruling{.outcome = Ruling::Outcome::warn, .policy = "p.toml", .name = "m"};
    EXPECT_THAT(to_junit({&report, 1}), HasSubstr("failures=\"0\""));
    report.ruling->outcome = Ruling::Outcome::quarantine;
    report.ruling->requirements = {{.what = "seal", .found = "changed"}};
    const auto xml = to_junit({&report, 1});
    EXPECT_THAT(xml, HasSubstr("name=\"policy\""));
    EXPECT_THAT(xml, HasSubstr("quarantined by"));
    EXPECT_THAT(xml, HasSubstr("seal: changed"));
}

TEST(Sarif, FindingsAreTheSameInAnotherRun) {
    auto report = sealed("m", SealFinding::Outcome::tampered);
    report.seal->tensors = {{.name = "a", .outcome = TensorFinding::Outcome::changed},
                            {.name = "b", .outcome = TensorFinding::Outcome::changed}};
    const auto identities = [](const CheckReport& one) {
        std::vector<std::string> out;
        const auto log = nlohmann::json::parse(to_sarif({&one, 1}, "1"));
        for (const auto& result : log["runs"][0]["results"])
            out.push_back(result["partialFingerprints"]["modelseal/1"]);
        return out;
    };
    const auto first = identities(report);
    ASSERT_EQ(first.size(), 2u);
    EXPECT_NE(first[0], first[1]);
    report.seal->detail = "in other words";
    EXPECT_EQ(identities(report), first);
    report.target = "n";
    EXPECT_NE(identities(report), first);
}

TEST(Summary, HasTheWorstFirst) {
    const auto text = to_summary(three(), {.program = "modelseal 1"});
    EXPECT_THAT(text, HasSubstr("### Model check: 3 targets"));
    const auto bad = text.find("Tampered"), none = text.find("gone"), good = text.find("good");
    EXPECT_LT(bad, none);
    EXPECT_LT(none, good);
    // Nothing of a name acts on the page.
    EXPECT_THAT(text, HasSubstr("a\\|b\\]\\]\\>&lt;script\\>&amp;"));
    EXPECT_THAT(text, Not(HasSubstr("<script")));
}

TEST(Summary, CountsByOutcomeAndSortsByName) {
    auto reports = three();
    reports.push_back(sealed("a.onnx", SealFinding::Outcome::intact));
    reports[0].ruling = Ruling{.outcome = Ruling::Outcome::deny, .policy = "p.toml", .name = "good.onnx"};
    const auto text = to_summary(reports, {.problems = {"share 1/2: no results"}});
    EXPECT_THAT(text,
                HasSubstr("- **1** Denied by the policy\n- **1** Does not match\n- **1** Could not be checked\n"
                          "- **1** Intact\n- **problem:** share 1/2\\: no results\n"));
    EXPECT_LT(text.find("good"), text.find("gone"));
    EXPECT_LT(text.find("gone"), text.find("a\\.onnx"));
}

TEST(Summary, IsCut) {
    const std::vector<CheckReport> many(150, sealed("m", SealFinding::Outcome::intact));
    const auto text = to_summary(many);
    EXPECT_THAT(text, HasSubstr("and 50 more"));
    EXPECT_EQ(std::ranges::count(text, '\n'), 100 + 8);
}

}  // namespace
}  // namespace modelseal::report
