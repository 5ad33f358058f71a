// Reports as a page.
#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "crypto/hash.h"
#include "report/report.h"
#include "util/encodings.h"

namespace modelseal::report {
namespace {

using testing::HasSubstr;
using testing::Not;
using TensorOutcome = TensorFinding::Outcome;

CheckReport intact_model(const std::string& target) {
    CheckReport check{.target = target, .verdict = Verdict::intact, .exit_code = ExitCode::done};
    check.seal = SealFinding{.outcome = SealFinding::Outcome::intact,
                             .scheme = "modelseal",
                             .stamp = {{"name", "net"}},
                             .stamp_authentic = true,
                             .tensors_total = 2};
    return check;
}

CheckReport changed_model(const std::string& target, std::size_t tensors = 1) {
    auto check = intact_model(target);
    check.verdict = Verdict::tampered;
    check.exit_code = ExitCode::mismatch;
    check.seal->outcome = SealFinding::Outcome::tampered;
    check.seal->weights_intact = false;
    const TensorFinding tensor{
        "conv", "f32", {64, 64, 3, 3}, TensorOutcome::changed, 0.483, {{0, 8192}, {8192, 8192}, {24576, 8192}}};
    check.seal->tensors.assign(tensors, tensor);
    return check;
}

CheckReport unreadable_model(const std::string& target) {
    return {.target = target, .verdict = Verdict::error, .error = target + ": ends early"};
}

CheckReport ruled(CheckReport check, Ruling::Outcome outcome) {
    check.ruling = Ruling{.outcome = outcome,
                          .policy = "p.toml",
                          .name = check.target,
                          .match = "*",
                          .line = 3,
                          .requirements = {{.what = "minimum.version",
                                            .required = "at least 2",
                                            .found = "1 <b>",
                                            .holds = outcome == Ruling::Outcome::allow}}};
    return check;
}

std::size_t occurrences(const std::string& text, std::string_view part) {
    std::size_t found = 0;
    for (auto at = text.find(part); at != text.npos; at = text.find(part, at + 1)) ++found;
    return found;
}

// The text between the first `begin` and what follows it.
std::string text_between(const std::string& text, std::string_view begin, std::string_view end) {
    const auto at = text.find(begin);
    if (at == text.npos) return {};
    const auto first = at + begin.size();
    return text.substr(first, text.find(end, first) - first);
}

// Whether the page has these in this order.
void expect_in_order(const std::string& page, const std::vector<std::string>& parts) {
    std::size_t last = 0;
    for (const auto& part : parts) {
        const auto at = page.find(part, last);
        ASSERT_NE(at, page.npos) << part;
        last = at + 1;
    }
}

TEST(Page, ShowsWhereTheChangedBlocksLie) {
    const auto check = changed_model("m");
    const auto page = to_html({&check, 1});
    EXPECT_THAT(page, HasSubstr(">Tampered<"));
    // 64*64*3*3 = 36,864 elements in 400 cells: 0-16383 touches cells 0-177, 24576-32767 cells 266-355.
    EXPECT_THAT(page, HasSubstr(R"(<path class="hit" d="M0 .5h178M266 .5h90"/>)"));
    // And in 5 blocks, of which those at 0, 1 and 3 changed.
    EXPECT_THAT(
        page,
        HasSubstr(R"(<path class="rest" d="M.07 0.5h5"/><path class="hit" d="M0.07 0.5h2M3.07 0.5h1"/>)"));
    EXPECT_THAT(page,
                HasSubstr("<p>3 of 5 blocks changed, each of 8,192 elements; from element [0, 0, 0, 0] to "
                          "[56, 56, 2, 1].</p><p class=\"mono\">0-16383, 24576-32767</p>"));
}

TEST(Page, MapsLargeTensorsBySeveralBlocks) {
    auto check = changed_model("m");
    auto& tensor = check.seal->tensors[0];
    tensor.shape = {1'000'000'000};
    tensor.changed = {{8192, 8192}, {999'999'999, 1}};
    const auto page = to_html({&check, 1});
    EXPECT_THAT(page, HasSubstr(R"(<path class="hit" d="M0 .5h1M399 .5h1"/>)"));
    // 8,192 * 2^7 = 1,048,576 elements are a square: 954 of them, 58 in the last row.
    EXPECT_THAT(
        page,
        HasSubstr("2 of 954 squares changed, each of 1,048,576 elements (128 blocks); from element [8192] "
                  "to [999999999]."));
    EXPECT_THAT(page, HasSubstr("M.07 14.5h58\"/><path class=\"hit\" d=\"M0.07 0.5h1M57.07 14.5h1\"/>"));
}

TEST(Page, OfASmallTensorIsABlock) {
    auto check = changed_model("m");
    check.seal->tensors[0].shape = {10};
    check.seal->tensors[0].changed = {{0, 10}};
    const auto page = to_html({&check, 1});
    EXPECT_THAT(page, HasSubstr(R"(<path class="hit" d="M0 .5h400"/>)"));
    EXPECT_THAT(page, HasSubstr("1 of 1 block changed, each of 10 elements; from element [0] to [9]."));
}

TEST(Page, OnlyTensorsWithAKnownPlaceFold) {
    auto check = changed_model("m", 3);
    check.seal->tensors[1].changed.clear();
    check.seal->tensors[2].outcome = TensorOutcome::missing;
    check.seal->tensors[2].changed.clear();
    const auto page = to_html({&check, 1});
    EXPECT_EQ(occurrences(page, "<details class=\"tensor\">"), 1u);
    EXPECT_EQ(occurrences(page, "<div class=\"tensor\">"), 2u);
    EXPECT_THAT(page, HasSubstr("somewhere in it"));
    EXPECT_THAT(page, HasSubstr("<path class=\"gone\""));
}

TEST(Page, LoadsNothingAndRunsItsOwnScriptAlone) {
    auto check = changed_model("</script><script>alert(1)</script>");
    check.seal->tensors[0].name = check.hint = "<img src=x onerror=alert(1)>\xe2\x80\xae";
    const auto page = to_html({&check, 1});
    for (const auto* forbidden :
         {"<link", "<img", "href=\"h", "url(", "@import", "http://", "https://", "style=\"", " onclick"}) {
        EXPECT_THAT(page, Not(HasSubstr(forbidden)));
    }
    ASSERT_EQ(occurrences(page, "<script"), 1u);
    ASSERT_EQ(occurrences(page, "</script"), 1u);
    const auto digest_of = [](const std::string& text) {
        crypto::Sha256 digest;
        digest.update(std::as_bytes(std::span(text)));
        return "'sha256-" + util::base64(digest.finish()) + "'";
    };
    EXPECT_EQ(text_between(page, "http-equiv=\"Content-Security-Policy\" content=\"", "\""),
              "default-src 'none'; style-src " + digest_of(text_between(page, "<style>", "</style>")) +
                  "; script-src " + digest_of(text_between(page, "<script>", "</script>")) +
                  "; img-src data:; base-uri 'none'; form-action 'none'");
}

TEST(Page, CountsByVerdictWithTheWorstFirst) {
    std::vector checks = {intact_model("z"), intact_model("a"), changed_model("bent.pt"),
                          unreadable_model("cut.pt")};
    checks.push_back({.target = "plain.pt", .verdict = Verdict::unsealed});
    checks.back().seal = SealFinding{.detail = "no seal under this key"};
    expect_in_order(to_html(checks),
                    {"<title>Model check: 3 of 5 targets do not pass<", ">3 of 5 targets do not pass<",
                     "5 targets:", "href=\"#mismatch\">Does not match <b>1</b>",
                     "href=\"#not-checked\">Could not be checked <b>1</b>",
                     "href=\"#nothing-found\">Nothing found to check <b>1</b>",
                     "href=\"#intact\">Intact <b>2</b>", "id=\"mismatch\"", ">bent.pt<", "id=\"not-checked\"",
                     ">cut.pt<", "id=\"nothing-found\"", ">plain.pt<", "id=\"intact\"", ">a<", ">z<"});
    EXPECT_THAT(to_html({checks.data(), 2}), HasSubstr(">All 2 targets pass<"));
    EXPECT_THAT(to_html({}), HasSubstr("<p class=\"overall bad\">Nothing was checked<"));
}

TEST(Page, UnderAPolicyItsOutcomeCounts) {
    using enum Ruling::Outcome;
    const std::vector checks = {ruled(intact_model("ok"), allow), ruled(changed_model("tried"), warn),
                                ruled(changed_model("held"), quarantine), ruled(intact_model("old"), deny),
                                unreadable_model("cut")};
    const auto page = to_html(checks);
    expect_in_order(page, {">3 of 5 targets do not pass<", "id=\"denied\"", ">old<", ">Denied<",
                           "<td class=\"mono\">minimum.version</td><td>at least 2</td><td><span class=\"state "
                           "bad\">fails</span></td><td>1 &lt;b&gt;</td>",
                           "id=\"not-checked\"", ">cut<", "id=\"quarantined\"", ">held<", "id=\"warned\"",
                           ">tried<", "id=\"allowed\"", ">ok<", "\"state good\">holds<"});
}

TEST(Page, FoldsManyCards) {
    std::vector<CheckReport> checks;
    for (const auto* name : {"a", "b", "c", "d", "e", "f"}) checks.push_back(intact_model(name));
    EXPECT_THAT(to_html(checks), Not(HasSubstr("<details class=\"card\" open>")));
    EXPECT_THAT(to_html(checks), HasSubstr("<main class=\"many\">"));
    EXPECT_THAT(to_html({checks.data(), 2}), HasSubstr("<details class=\"card\" open>"));
}

TEST(Page, HasAFilterForSeveralTargets) {
    const std::vector checks = {intact_model("a"), changed_model("b")};
    EXPECT_THAT(to_html(checks), HasSubstr("<option value=\"mismatch\">Does not match</option><option "
                                           "value=\"intact\">Intact</option></select>"));
    EXPECT_THAT(to_html({checks.data(), 1}), Not(HasSubstr("<form")));
}

TEST(Page, StatesWhenAndWithWhatItWasChecked) {
    const auto check = intact_model("m");
    const auto page =
        to_html({&check, 1}, {.program = "modelseal 1.0",
                              .date = std::chrono::sys_seconds(std::chrono::seconds(1'795'889'469)),
                              .duration = std::chrono::milliseconds(1340),
                              .keys = {"1a2b"},
                              .exit_code = ExitCode::done});
    for (const auto* fact :
         {"<dt>Date</dt><dd>2026-11-28 18:11:09 UTC</dd>", "<dt>Duration</dt><dd>1.3 s</dd>",
          "<dt>Program</dt><dd>modelseal 1.0</dd>", "<dt>Key</dt><dd><span class=\"mono\">1a2b</span></dd>",
          "<dt>Exit status</dt><dd>0, all that was expected holds</dd>"})
        EXPECT_THAT(page, HasSubstr(fact));
    const auto bare = to_html({&check, 1});
    for (const auto* fact : {"Date", "Duration", "Program", "Key", "Exit status"})
        EXPECT_THAT(bare, Not(HasSubstr(std::string("<dt>") + fact + "</dt>")));
    const auto many = to_html({&check, 1}, {.keys = std::vector<std::string>(51, "ff")});
    EXPECT_THAT(many, HasSubstr(" and 43 more</dd>"));
}

TEST(Page, OfAnIncompleteRunIsNotGood) {
    const auto check = intact_model("m");
    const auto page = to_html({&check, 1}, {.problems = {"gap: share 1/3: no <results>"}});
    EXPECT_THAT(page,
                HasSubstr("<p class=\"overall bad\">Passes, and the run is not complete</p>\n<p class=\"bad "
                          "note\">gap: share 1/3: no &lt;results&gt;</p>"));
}

TEST(Page, IsTheSameInWhateverOrderReportsCome) {
    std::vector<CheckReport> checks;
    for (int i = 0; i < 30; ++i) {
        const auto name = "m" + std::to_string(i);
        checks.push_back(i % 3 == 0   ? changed_model(name, 40)
                         : i % 3 == 1 ? intact_model(name)
                                      : unreadable_model(name));
    }
    const auto page = to_html(checks);
    std::ranges::reverse(checks);
    EXPECT_EQ(to_html(checks), page);
    std::rotate(checks.begin(), checks.begin() + 11, checks.end());
    EXPECT_EQ(to_html(checks), page);
}

TEST(Page, HasABoundedSizeForAnyNumberOfFindings) {
    const auto one = changed_model("m", 5000);
    EXPECT_THAT(to_html({&one, 1}), HasSubstr("more; the JSON lists them all"));
    EXPECT_LT(to_html({&one, 1}).size(), 2u << 20);
    // 20 of these have more rows than a page: the first ones have theirs, whatever the order.
    std::vector<CheckReport> checks;
    for (char name = 'a'; name < 'u'; ++name) checks.push_back(changed_model(std::string(1, name), 5000));
    const auto page = to_html(checks);
    EXPECT_LT(page.size(), 10u << 20);
    EXPECT_GT(page.size(), 6u << 20);
    EXPECT_THAT(page, HasSubstr("… and 5,000 more"));
    EXPECT_LT(page.find("<details class=\"tensor\">"), page.find("… and 5,000 more"));
    std::ranges::reverse(checks);
    EXPECT_EQ(to_html(checks), page);
    // Names and sentences of any length.
    auto wordy = changed_model(std::string(1 << 20, 'n'));
    wordy.warnings.assign(10'000, std::string(5'000, '&'));
    wordy.seal->tensors[0].name = std::string(1 << 20, '<');
    EXPECT_LT(to_html({&wordy, 1}).size(), 1u << 20);
}

TEST(Page, OfMoreTargetsThanItHoldsHasTheWorst) {
    std::vector<CheckReport> checks;
    for (int i = 0; i < 12'000; ++i) checks.push_back(intact_model("m" + std::to_string(100'000 + i)));
    checks.push_back(unreadable_model("zzz"));
    checks.push_back(changed_model("zzzz"));
    const auto page = to_html(checks);
    EXPECT_THAT(page, HasSubstr("12,002 targets:"));
    EXPECT_THAT(page, HasSubstr("<main class=\"many vast\">"));
    EXPECT_THAT(page, HasSubstr("Intact <b>12,000</b>"));
    EXPECT_EQ(occurrences(page, "<details class=\"card\""), 10'000u);
    for (const auto* name : {">zzz<", ">zzzz<", ">m100000<", ">m109997<"}) EXPECT_THAT(page, HasSubstr(name));
    EXPECT_THAT(page, Not(HasSubstr(">m109998<")));
    EXPECT_THAT(page, HasSubstr("… and 2,002 more; the JSON lists them all"));
}

}  // namespace
}  // namespace modelseal::report
