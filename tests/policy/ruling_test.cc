// What a rule makes of a report.
#include "policy/ruling.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "policy/decide.h"

namespace modelseal::policy {
namespace {

using testing::HasSubstr;
using Outcome = Ruling::Outcome;

const std::vector<Vendor> kVendors = {{.name = "acme"}, {.name = "beta"}};

Rule rule() {
    Rule out;
    out.match = Glob::parse("acme/*").value();
    out.vendors = {0};
    out.place.line = 7;
    return out;
}

SealFinding intact_seal() {
    return {.outcome = SealFinding::Outcome::intact,
            .detail = "2 tensors intact",
            .scheme = "modelseal",
            .stamp = {{"name", "net"}, {"version", "2.0"}},
            .stamp_authentic = true};
}

CheckReport report_on(const SealFinding& seal, const Rule& by) {
    Findings found;
    found.seal = seal;
    const auto expected = expectations_of(by);
    return report_of("net.onnx", found, expected, decide(found, expected));
}

const Ruling::Requirement& requirement(const Ruling& ruling, std::string_view what) {
    const auto found = std::ranges::find(ruling.requirements, what, &Ruling::Requirement::what);
    if (found == ruling.requirements.end()) throw std::runtime_error("no requirement " + std::string(what));
    return *found;
}

TEST(RuleOn, AllowsWhatHolds) {
    const auto ruling = rule_on(rule(), kVendors, report_on(intact_seal(), rule()), {});
    EXPECT_EQ(ruling.outcome, Outcome::allow);
    EXPECT_EQ(ruling.match, "acme/*");
    EXPECT_EQ(ruling.line, 7u);
    EXPECT_EQ(requirement(ruling, "seal").required, "a seal of acme");
    EXPECT_EQ(requirement(ruling, "closure").found, "it pulls in nothing");
    EXPECT_EQ(exit_code(ruling), ExitCode::done);
}

TEST(RuleOn, DoesWhatTheActionSaysWithWhatFails) {
    auto changed = intact_seal();
    changed.outcome = SealFinding::Outcome::tampered;
    changed.weights_intact = false;
    for (const auto action : {Outcome::deny, Outcome::quarantine, Outcome::warn}) {
        auto by = rule();
        by.terms.action = action;
        const auto ruling = rule_on(by, kVendors, report_on(changed, by), {});
        EXPECT_EQ(ruling.outcome, action);
        EXPECT_EQ(exit_code(ruling), action == Outcome::warn ? ExitCode::done : ExitCode::mismatch);
        by.audit = true;
        EXPECT_EQ(rule_on(by, kVendors, report_on(changed, by), {}).outcome, Outcome::warn);
    }
}

TEST(RuleOn, RefusesAReleaseThatWasRolledBack) {
    auto by = rule();
    by.minimum = {{"version", "2.1"}};
    const auto report = report_on(intact_seal(), by);
    EXPECT_EQ(report.verdict, Verdict::unexpected);
    const auto ruling = rule_on(by, kVendors, report, {});
    EXPECT_EQ(ruling.outcome, Outcome::deny);
    EXPECT_TRUE(requirement(ruling, "seal").holds) << "the seal itself is intact";
    EXPECT_THAT(requirement(ruling, "minimum.version").found, HasSubstr("an earlier release was put back"));
    by.minimum = {{"version", "1.10"}};
    EXPECT_EQ(rule_on(by, kVendors, report_on(intact_seal(), by), {}).outcome, Outcome::allow);
}

TEST(RuleOn, ExpectsEntriesOfAnAuthenticStamp) {
    auto by = rule();
    by.expect = {{"name", "net"}};
    EXPECT_EQ(rule_on(by, kVendors, report_on(intact_seal(), by), {}).outcome, Outcome::allow);
    auto forged = intact_seal();
    forged.stamp_authentic = false;
    EXPECT_EQ(rule_on(by, kVendors, report_on(forged, by), {}).outcome, Outcome::deny);
    by.expect = {{"name", "other"}};
    const auto ruling = rule_on(by, kVendors, report_on(intact_seal(), by), {});
    EXPECT_FALSE(requirement(ruling, "expect.name").holds);
}

TEST(RuleOn, WhatCouldNotBeFoundOutIsNotAMismatch) {
    const auto by = rule();
    Findings found;
    found.seal = Error{ErrorKind::unreadable, "net.onnx: cannot be read", {}};
    const auto report = report_of("net.onnx", found, expectations_of(by), decide(found, expectations_of(by)));
    const auto ruling =
        rule_on(by, kVendors, report, {.unknown = Error{ErrorKind::unreadable, "cannot be read", {}}});
    EXPECT_EQ(ruling.outcome, Outcome::deny);
    EXPECT_EQ(exit_code(ruling), ExitCode::failed);
    // No seal at all is one.
    SealFinding none{.outcome = SealFinding::Outcome::not_found, .detail = "no seal under this key"};
    EXPECT_EQ(exit_code(rule_on(by, kVendors, report_on(none, by), {})), ExitCode::mismatch);
}

TEST(RuleOn, WhatTheConfigurationPullsInIsInsideAndCovered) {
    auto by = rule();
    const Reference inside{
        .what = "remote code", .name = "m.C", .named_by = "config.json: auto_map.AutoModel", .inside = true};
    const Reference outside{
        .what = "base model", .name = "org/base", .named_by = "adapter_config.json: base", .inside = false};
    const auto on = [&](const SealFinding& seal, std::vector<Reference> references) {
        return rule_on(by, kVendors, report_on(seal, by), {.references = std::move(references)});
    };
    EXPECT_EQ(on(intact_seal(), {inside}).outcome, Outcome::allow);
    const auto denied = on(intact_seal(), {inside, outside});
    EXPECT_EQ(denied.outcome, Outcome::deny);
    EXPECT_EQ(requirement(denied, "closure").found,
              "base model 'org/base' (adapter_config.json: base) is not inside");
    // Intact weights say nothing about the files around them.
    by.terms.weights_only = true;
    auto converted = intact_seal();
    converted.outcome = SealFinding::Outcome::tampered;
    converted.frame_intact = false;
    EXPECT_EQ(on(converted, {}).outcome, Outcome::allow);
    EXPECT_THAT(requirement(on(converted, {inside}), "closure").found, HasSubstr("is not covered"));
    by.terms.closure = Closure::warn;
    EXPECT_EQ(on(converted, {inside}).outcome, Outcome::warn);
    by.terms.closure = Closure::ignore;
    EXPECT_EQ(on(converted, {inside}).outcome, Outcome::allow);
}

TEST(RuleOn, AdaptersFallUnderTheSameRule) {
    auto by = rule();
    const auto on = [&](std::vector<Adapter> adapters) {
        return rule_on(by, kVendors, report_on(intact_seal(), by), {.adapters = std::move(adapters)});
    };
    const Adapter good{.file = "a", .verdict = Verdict::intact};
    const Adapter bad{.file = "b", .verdict = Verdict::unsealed, .detail = "no seal"};
    EXPECT_EQ(on({good}).outcome, Outcome::allow);
    EXPECT_EQ(on({good, bad}).outcome, Outcome::deny);
    EXPECT_EQ(requirement(on({good, bad}), "adapters").found, "b: no seal");
    by.terms.adapters = Adapters::refuse;
    EXPECT_EQ(on({good}).outcome, Outcome::deny);
    EXPECT_EQ(on({}).outcome, Outcome::allow);
    by.terms.adapters = Adapters::ignore;
    EXPECT_EQ(on({bad}).outcome, Outcome::allow);
}

TEST(RuleOn, HasLimits) {
    auto by = rule();
    by.terms.max_bytes = 100;
    by.terms.max_seconds = 5;
    const auto report = report_on(intact_seal(), by);
    EXPECT_EQ(rule_on(by, kVendors, report, {.bytes = 100}).outcome, Outcome::allow);
    EXPECT_FALSE(requirement(rule_on(by, kVendors, report, {.bytes = 101}), "size").holds);
    EXPECT_FALSE(requirement(rule_on(by, kVendors, report, {.too_late = true}), "time").holds);
}

TEST(RuleOnUnknown, DoesWhatThePolicySaysAboutFilesThatAreNoModels) {
    auto by = rule();
    EXPECT_EQ(rule_on_unknown(by, "text").outcome, Outcome::deny);
    by.terms.unknown_files = UnknownFiles::warn;
    EXPECT_EQ(rule_on_unknown(by, "text").outcome, Outcome::warn);
    by.terms.unknown_files = UnknownFiles::ignore;
    EXPECT_EQ(rule_on_unknown(by, "text").outcome, Outcome::allow);
}

}  // namespace
}  // namespace modelseal::policy
