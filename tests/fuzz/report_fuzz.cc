// Results of checks from files of other machines: whatever the text, a mistake, or a report that every renderer shows, and whose
// JSON is read as the same report.
#include "report/check/read.h"
#include "report/report.h"
#include "tests/fuzz/fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace modelseal;
    const auto read = report::read_report({reinterpret_cast<const char*>(data), size});
    if (!read.ok()) {
        test::must_be_fair(read.error());
        return 0;
    }
    const auto line = report::to_json_line(*read);
    const auto again = report::read_report(line);
    if (!again.ok()) test::finding("our own JSON is refused: " + again.error().message);
    if (report::to_json_line(*again) != line) test::finding("another report after a round trip");
    const auto page = report::to_html({&*read, 1});
    if (page.size() > (16u << 20)) test::finding("a page that is too large");
    // One of the page's own, and none of a name.
    if (page.find("<script") != page.rfind("<script")) test::finding("a script");
    for (const auto& text : {page, report::to_text(*read, {.all = true}), report::to_junit({&*read, 1}),
                             report::to_summary({&*read, 1}), report::to_sarif({&*read, 1}, "1")}) {
        if (!util::is_utf8(text)) test::finding("a report that cannot be shown");
    }
    return 0;
}
