#include "cli/commands/check_results.h"

#include <cerrno>
#include <fstream>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "cli/terminal/width.h"
#include "io/file.h"
#include "report/policy.h"
#include "report/report.h"
#include "report/words.h"

namespace modelseal::cli {
namespace {

// What was found goes to standard output; why something could not be checked, and what would help, to standard error.
void show_text(const CheckOutputs& outputs, const CheckReport& report, report::Source source,
               Terminal& terminal) {
    const bool failed = report.verdict == Verdict::error;
    const auto failures = failed ? report::Failures::left_out : report::Failures::listed;
    const bool plain = !report.ruling || report.ruling->outcome == Ruling::Outcome::allow;
    if (terminal.quiet() && report.verdict == Verdict::intact && plain) return;
    const auto text = report::to_text(report, {.color = terminal.color(),
                                               .all = outputs.all,
                                               .width = output_columns(),
                                               .failures = failures,
                                               .hints = report::Hints::left_out,
                                               .rest = "use --all or --json",
                                               .source = source});
    if (!text.empty()) {
        terminal.print(text);
        for (const auto& hint : report::hints_of(report, failures)) terminal.hint(hint);
    }
    if (failed) {
        for (const auto& failure : report::failures_of(report)) terminal.error(failure);
    }
    terminal.flush();
}

}  // namespace

void CheckResults::add(CheckReport report, report::Source source) {
    code_ = worst(code_, report.exit_code);
    ++verdicts_[report.verdict];
    if (report.ruling) ++rulings_[report.ruling->outcome];
    ++count_;
    if (source == report::Source::cache) ++cached_;
    if (is_text()) show_text(outputs_, report, source, context_.terminal);
    if (outputs_.json && outputs_.lines) {
        context_.terminal.print_data(report::to_json_line(report, source));
        context_.terminal.flush();
    }
    if (!outputs_.html.empty()) page_.add(report);
    if (keeps()) reports_.push_back(std::move(report));
}

void CheckResults::add(const Error& error) {
    context_.terminal.error(error);
    problems_.push_back(error.message);
    failed_ = true;
    code_ = worst(code_, exit_code(error.kind));
}

ExitCode CheckResults::finish() {
    auto& terminal = context_.terminal;
    // An empty list is more often a mistake than a success.
    if (count_ + left_out_ == 0) code_ = worst(code_, ExitCode::nothing);
    if (outputs_.json && !outputs_.lines) terminal.print_data(report::to_json(reports_, reports_.size() == 1));
    if (outputs_.sarif) terminal.print_data(report::to_sarif(reports_, MODELSEAL_VERSION, page_info()));
    if (is_text() && count_ != 1 && !terminal.quiet()) terminal.print(closing_line());
    if (outputs_.junit) terminal.print_data(report::to_junit(reports_, page_info()));
    if (!outputs_.html.empty()) {
        if (const auto written = write_page(); !written.ok()) add(written.error());
    }
    if (!outputs_.summary.empty()) {
        if (const auto written = append_summary(); !written.ok()) add(written.error());
    }
    return code_;
}

// "1,000 checked: 994 intact, 6 tampered"; with a policy "1,000 checked: 994 allowed, 6 denied".
std::string CheckResults::closing_line() const {
    std::vector<std::string> parts;
    for (const auto& [outcome, count] : rulings_)
        parts.push_back(fmt::format("{} {}", report::grouped(count), report::sentence(outcome)));
    if (rulings_.empty()) {
        for (const auto& [verdict, count] : verdicts_) {
            const auto word = verdict == Verdict::error ? "could not be checked" : report::word(verdict);
            parts.push_back(fmt::format("{} {}", report::grouped(count), word));
        }
    }
    if (cached_ > 0) parts.push_back(fmt::format("{} of them known from the cache", report::grouped(cached_)));
    if (left_out_ > 0) parts.push_back(fmt::format("{} had results before", report::grouped(left_out_)));
    if (parts.empty()) return "nothing to check";
    return fmt::format("{} checked: {}", report::grouped(count_), fmt::join(parts, ", "));
}

report::PageInfo CheckResults::page_info() const {
    report::PageInfo info{.program = "modelseal " MODELSEAL_VERSION,
                          .date = begun_,
                          .duration = std::chrono::steady_clock::now() - begin_,
                          .pairs = pairs(),
                          .exit_code = code_,
                          .problems = problems_};
    for (const auto& key : keys_) info.keys.push_back(to_hex(key.vendor.id()));
    return info;
}

Result<void> CheckResults::write_page() const {
    auto info = page_info();
    if (left_out_ > 0) {
        info.problems.push_back(fmt::format("{} had results before and {} not on this page; merge the results",
                                            report::counted(left_out_, "target"),
                                            left_out_ == 1 ? "is" : "are"));
    }
    // Pairs on a page are as secret as the fingerprint.
    return io::write_text(outputs_.html, page_.html(info), outputs_.html_pairs ? 0600 : 0644,
                          io::WriteMode::replace);
}

// To what other steps of a run wrote there.
Result<void> CheckResults::append_summary() const {
    std::ofstream file(outputs_.summary, std::ios::binary | std::ios::app);
    file << report::to_summary(reports_, page_info());
    if (file.flush()) return {};
    return io::os_error(errno, outputs_.summary, "write");
}

}  // namespace modelseal::cli
