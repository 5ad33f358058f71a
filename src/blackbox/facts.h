// The facts of a fingerprint as texts, each taken once; a fact that remains at the end belongs to a later
// version.
#pragma once

#include <charconv>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace modelseal::blackbox {

// After a failed read every read returns an empty value; check problem() at the end.
class Facts {
  public:
    explicit Facts(std::map<std::string, std::string> texts) : texts_(std::move(texts)) {}

    std::string text(const std::string& key) {
        const auto found = texts_.extract(key);
        if (found.empty()) fail("has no fact '" + key + "'");
        return found.empty() ? std::string() : std::move(found.mapped());
    }

    // The complete text must be one number, as std::from_chars reads it.
    template <class Number>
    Number number(const std::string& key) {
        const auto given = text(key);
        Number value{};
        if (!parse(given, value)) fail("fact '" + key + "' is not a number");
        return value;
    }

    // Numbers separated by commas; none for an empty text.
    template <class Number>
    std::vector<Number> numbers(const std::string& key, std::size_t most) {
        const auto given = text(key);
        std::vector<Number> values;
        for (std::size_t at = 0; !given.empty() && at <= given.size();) {
            const auto comma = std::min(given.find(',', at), given.size());
            if (values.size() == most || !parse(given.substr(at, comma - at), values.emplace_back())) {
                fail("fact '" + key + "' is not a list of numbers");
                return {};
            }
            at = comma + 1;
        }
        return values;
    }

    // One of the words that `find` knows.
    template <class Find>
    auto word(const std::string& key, Find find) -> typename decltype(find(""))::value_type {
        const auto found = find(text(key));
        if (!found) fail("fact '" + key + "' has an unknown value");
        return found ? *found : typename decltype(find(""))::value_type{};
    }

    bool has(const std::string& key) const { return texts_.count(key) != 0; }
    const std::map<std::string, std::string>& left() const { return texts_; }
    const std::string& problem() const { return problem_; }

    void fail(std::string what) {
        if (problem_.empty()) problem_ = std::move(what);
    }

  private:
    template <class Number>
    static bool parse(const std::string& text, Number& value) {
        const char* end = text.data() + text.size();
        const auto [stopped, code] = std::from_chars(text.data(), end, value);
        return code == std::errc() && stopped == end && !text.empty();
    }
    std::map<std::string, std::string> texts_;
    std::string problem_;
};

}  // namespace modelseal::blackbox
