// Shows the reports of `check` as they come, and what is said at the end.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "cli/commands/command.h"
#include "report/report.h"
#include <modelseal/keys.h>
#include <modelseal/report.h>

namespace modelseal::cli {

struct CheckOutputs {
    bool all = false, json = false, sarif = false, junit = false, html_pairs = false;
    bool lines = false;  // JSON: an object a line, each when its target is done
    std::string html, summary;
};

// Text and lines of JSON appear as reports come; a document (JSON, SARIF, HTML) is written when they are complete. Of all
// documents only a page does not keep the reports.
class CheckResults {
  public:
    // `outputs` and `context` must outlive it.
    CheckResults(const CheckOutputs& outputs, std::span<const CheckKey> keys, Context& context)
        : outputs_(outputs), keys_(keys), context_(context), page_(pairs()) {}

    void add(CheckReport report, report::Source source = report::Source::check);
    // Something that ended the run, beside the reports.
    void add(const Error& error);

    // Prints documents and the closing line. If the page cannot be written, the verdict still decides the code, or the error
    // if it is worse.
    ExitCode finish();

    // Targets that had results before this run.
    void leave_out(std::uint64_t count) { left_out_ += count; }

    bool empty() const { return count_ == 0; }
    ExitCode code() const { return code_; }
    report::PageInfo page_info() const;      // so far
    bool failed() const { return failed_; }  // something beside the reports ended the run

  private:
    bool is_text() const { return !outputs_.json && !outputs_.sarif && !outputs_.junit; }
    bool is_document() const { return !is_text() && !(outputs_.json && outputs_.lines); }
    bool keeps() const { return is_document() || !outputs_.summary.empty(); }
    report::PageInfo::Pairs pairs() const {
        return outputs_.html_pairs ? report::PageInfo::Pairs::shown : report::PageInfo::Pairs::left_out;
    }
    std::string closing_line() const;
    Result<void> write_page() const;
    Result<void> append_summary() const;

    const CheckOutputs& outputs_;
    std::span<const CheckKey> keys_;
    Context& context_;
    const std::chrono::sys_seconds begun_ =
        std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
    const std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
    ExitCode code_ = ExitCode::done;
    std::map<Verdict, std::uint64_t> verdicts_;
    std::map<Ruling::Outcome, std::uint64_t> rulings_;
    std::uint64_t count_ = 0, left_out_ = 0, cached_ = 0;
    bool failed_ = false;
    std::vector<CheckReport> reports_;  // kept only if a document is made of them
    std::vector<std::string> problems_;
    report::Page page_;
};

}  // namespace modelseal::cli
