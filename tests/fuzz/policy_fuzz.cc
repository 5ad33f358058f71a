// Policies: whatever the text, a mistake with a place or rules of which each can apply; and a pattern that covers another
// matches every name that the other does.
#include "policy/parse.h"
#include "tests/fuzz/fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace modelseal;
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const auto rules = policy::parse_policy(text, "fuzz");
    if (!rules.ok()) {
        test::must_be_fair(rules.error());
    } else {
        const auto& rule = policy::rule_for(*rules, text);
        if (rule.match && !rule.match->matches(text)) test::finding("a rule that does not match");
        for (const auto index : rule.vendors) {
            if (index >= rules->vendors.size()) test::finding("a vendor that is not there");
        }
    }
    // Two patterns and a name, a line each.
    const auto first = text.find('\n'), second = first == text.npos ? first : text.find('\n', first + 1);
    if (second == text.npos) return 0;
    const auto wide = policy::Glob::parse(text.substr(0, first));
    const auto narrow = policy::Glob::parse(text.substr(first + 1, second - first - 1));
    if (!wide.ok() || !narrow.ok()) return 0;
    const auto name = text.substr(second + 1);
    // Names have no empty parts.
    const bool named = !name.empty() && ("/" + std::string(name) + "/").find("//") == std::string::npos;
    if (named && wide->covers(*narrow) && narrow->matches(name) && !wide->matches(name))
        test::finding("a pattern that does not cover");
    return 0;
}
