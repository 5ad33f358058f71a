// JUnit XML, as CI systems read it: https://github.com/testmoapp/junitxml. A suite a run, a case for each check of a target.
#include <fmt/chrono.h>
#include <fmt/format.h>

#include "report/check/document.h"
#include "report/check/html_parts.h"
#include "report/policy.h"
#include "report/report.h"

namespace modelseal::report {
namespace {

struct Cases {
    std::string text;
    std::size_t tests = 0, failures = 0, errors = 0;

    // `kind`: "failure", "error", or null for what passes.
    void add(const std::string& target, std::string_view name, const char* kind, std::string_view message,
             std::string_view more = {}) {
        ++tests;
        text += fmt::format("    <testcase classname=\"{}\" name=\"{}\"", escaped(target), escaped(name));
        if (kind == nullptr) {
            text += "/>\n";
            return;
        }
        ++(kind == std::string_view("error") ? errors : failures);
        text += fmt::format(">\n      <{0} message=\"{1}\">{2}</{0}>\n    </testcase>\n", kind,
                            escaped(message), escaped(more));
    }
};

std::string rows_of(const Section& section) {
    std::string out;
    for (const auto& row : section.rows) {
        if (row.shown == Row::Shown::always)
            out += fmt::format("{}{}{}\n", row.label, row.label.empty() ? "" : ": ", row.value);
    }
    return out;
}

void add_report(const CheckReport& report, Cases& cases) {
    const auto document = document_of(report);
    for (const auto& section : document.sections) {
        // What a policy does not deny is no failure of the run.
        const bool let_through = report.ruling && report.ruling->outcome <= Ruling::Outcome::warn;
        const bool passes = section.failure.empty() && section.tone == Tone::good;
        const char* kind = passes || let_through ? nullptr : section.failure.empty() ? "failure" : "error";
        const bool about_target = section.kind == CheckKind::seal && !report.seal && report.missing.empty();
        cases.add(report.target, about_target ? "check" : word(section.kind), kind,
                  section.failure.empty() ? section.verdict : section.failure, rows_of(section));
    }
    if (report.ruling) {
        const bool denied = report.ruling->outcome > Ruling::Outcome::warn;
        cases.add(report.target, "policy", denied ? "failure" : nullptr, document.policy.verdict,
                  rows_of(document.policy));
    }
}

}  // namespace

std::string to_junit(std::span<const CheckReport> reports, const PageInfo& info) {
    Cases cases;
    for (const auto& report : reports) add_report(report, cases);
    for (const auto& problem : info.problems) cases.add("modelseal", "run", "error", problem);
    const auto head = fmt::format("tests=\"{}\" failures=\"{}\" errors=\"{}\" time=\"{:.3f}\"", cases.tests,
                                  cases.failures, cases.errors, info.duration ? info.duration->count() : 0.0);
    const auto date = info.date ? fmt::format(" timestamp=\"{:%Y-%m-%dT%H:%M:%S}\"", *info.date) : "";
    return fmt::format(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"{0}\" {1}>\n  <testsuite "
        "name=\"modelseal "
        "check\" skipped=\"0\" {1}{2}>\n{3}  </testsuite>\n</testsuites>\n",
        escaped(info.program), head, date, cases.text);
}

}  // namespace modelseal::report
