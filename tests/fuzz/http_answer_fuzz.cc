// Fields of a hostile server's answer, a line each: the part of a file that it says it sends, how long to wait, where to go instead.
#include <cstdint>
#include <string>
#include <string_view>

#include "http/content_range.h"
#include "http/retry.h"
#include "http/url.h"
#include "tests/fuzz/fuzz.h"

namespace {

using namespace modelseal;

void look_at_range(std::string_view field) {
    const auto range = http::parse_content_range(field);
    if (!range) return;
    if (range->first > range->last) test::finding("a range that ends before it begins");
    if (range->size && range->last >= *range->size) test::finding("a range beyond its file");
    if (range->size && *range->size >= std::uint64_t{1} << 62)
        test::finding("a file that is too large to count");
}

void look_at_wait(std::string_view field) {
    const auto wait = http::retry_after(field);
    if (wait && (wait->count() < 0 || *wait > std::chrono::seconds(30))) test::finding("too long a wait");
}

void look_at_redirect(std::string_view field) {
    static const auto from = http::Url::parse("https://models.example:8443/a/b?c=d").value();
    const auto target = from.resolve(field);
    if (!target.ok()) return test::must_be_fair(target.error());
    const auto again = http::Url::parse(target->text());
    if (!again.ok() || again->text() != target->text())
        test::finding("an address that reads otherwise: " + target->text());
    if (target->host().empty() || !target->path().starts_with('/')) test::finding("an address of nothing");
    if (again->is_tls() != target->is_tls() || again->origin() != target->origin())
        test::finding("another origin");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    std::string_view text(reinterpret_cast<const char*>(data), size);
    for (const auto look : {look_at_range, look_at_wait, look_at_redirect}) {
        const auto line = text.substr(0, text.find('\n'));
        look(line);
        text.remove_prefix(std::min(text.size(), line.size() + 1));
    }
    return 0;
}
