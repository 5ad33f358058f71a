// Answers, as people and machines read them: text, JSON (schema modelseal-check/1), SARIF 2.1.0 and HTML.
//
// Names in a report come out of files and may be hostile: in every output here they are escaped, so that they
// can neither drive a terminal nor leave their place in a document. All functions are pure and thread-safe.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <modelseal/report.h>
#include <modelseal/result.h>

namespace modelseal::report {

// Checks that could not be made: among the findings, or left to failures_of().
enum class Failures { listed, left_out };
// What would help: below the findings, or left to hints_of().
enum class Hints { listed, left_out };

// Where a report comes from: a check that was just made, or a cache of earlier ones.
enum class Source { check, cache };

struct TextStyle {
    bool color = false;   // ANSI colors
    bool all = false;     // list everything; otherwise long lists are cut, and say so
    unsigned width = 80;  // columns to keep to where names allow; 0: no limit
    Failures failures = Failures::listed;
    Hints hints = Hints::listed;
    // How the reader gets at the rest of a list that was cut, in the caller's words: "use --all".
    std::string_view rest = {};
    Source source = Source::check;
};

// One line for what is intact; for anything else a few more: what changed, where and how much. Ends with a
// newline; empty if nothing is left to show.
std::string to_text(const CheckReport& report, const TextStyle& style);

// Why checks could not be made or allow no verdict, each with its hint; messages name the file.
std::vector<Error> failures_of(const CheckReport& report);

// What would help, each once; those of failures_of() are not among them if `failures` are left out.
std::vector<std::string> hints_of(const CheckReport& report, Failures failures);

// `single`: one object, of the only report; otherwise a list. Pure ASCII. Ends with a newline.
std::string to_json(std::span<const CheckReport> reports, bool single);

// The same object on a single line; of a cache, with "cached": true.
std::string to_json_line(const CheckReport& report, Source source = Source::check);

// What a document states about the run that it reports; what is empty is left out.
struct PageInfo {
    // Inputs and recorded margins of a fingerprint's pairs. Whoever knows them can keep the answers to them
    // right in a changed model, so a page that shows them is as secret as the fingerprint.
    enum class Pairs { left_out, shown };
    std::string program;  // "modelseal 0.1.0"
    std::optional<std::chrono::sys_seconds> date;
    std::optional<std::chrono::duration<double>> duration;  // of all checks together
    std::vector<std::string> keys;                          // hex ids of the vendors' keys that were given
    Pairs pairs = Pairs::left_out;
    std::optional<ExitCode> exit_code;  // of the whole run
    std::vector<std::string> problems;  // of the run, beside those of its targets: what is missing from it
};

// A SARIF log of one run: one rule per kind of finding and of failure, one result per finding; what is intact gives
// none. `version` is that of the program, for the tool component.
std::string to_sarif(std::span<const CheckReport> reports, std::string_view version, const PageInfo& info = {});

// JUnit XML: a case for each check of each target, and for what a policy makes of it; what a policy lets through passes.
std::string to_junit(std::span<const CheckReport> reports, const PageInfo& info = {});

// Markdown: counts, and a table with the worst first, cut to 100 rows.
std::string to_summary(std::span<const CheckReport> reports, const PageInfo& info = {});

// A page that stands alone: nothing is loaded from elsewhere, and it is light or dark as the reader prefers. The worst comes
// first, then by name; many cards are folded. Its script only filters and folds: without it all is there.
//
// Reports are added one by one and need not be kept; their order does not matter. Memory and size of the page are bounded, for
// any number of reports and whatever is in them: of long lists the page states how much was left out, of targets those that
// are best. Not thread-safe.
class Page {
  public:
    explicit Page(PageInfo::Pairs pairs = PageInfo::Pairs::left_out);
    Page(Page&&) noexcept;
    Page& operator=(Page&&) noexcept;
    ~Page();

    void add(const CheckReport& report);
    // Precondition: info.pairs is as given before.
    std::string html(const PageInfo& info) const;

  private:
    struct Content;
    std::unique_ptr<Content> content_;
};

std::string to_html(std::span<const CheckReport> reports, const PageInfo& info = {});

}  // namespace modelseal::report
