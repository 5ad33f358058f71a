// Patterns for names with '/' between their parts, as in a policy:
//
//     ?       one character but '/'
//     *       any number of characters but '/'
//     **      any number of characters; "**/" any number of folders, none included
//     [a-z]   one of these, [!a-z] none of these but '/'
//     \x      x itself
//
// A pattern matches a whole name. Matching takes time in proportion to the product of both lengths, and ends with the first
// character that nothing in the pattern goes on with.
#pragma once

#include <array>
#include <bitset>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include <modelseal/result.h>

namespace modelseal::policy {

inline constexpr std::size_t kMostPattern = 4096;  // no path is longer

class Glob {
  public:
    // ErrorKind::usage for an empty pattern, one of more than kMostPattern bytes, a class or escape that does not end, and a path part that no name has
    // ("", ".", "..").
    static Result<Glob> parse(std::string_view pattern);

    bool matches(std::string_view name) const;
    // Whether it matches every name that `other` matches. False if in doubt.
    bool covers(const Glob& other) const;

    const std::string& pattern() const { return pattern_; }

  private:
    void find_fixed_ends();

    using Bytes = std::bitset<256>;
    struct Step {
        enum class Kind { one, run, any, folders };  // one of `bytes`, "*", "**", "**/"
        Kind kind = Kind::one;
        Bytes bytes = {};
    };
    class States;

    std::string pattern_;
    std::vector<Step> steps_;
    // How every name begins and ends, up to the first step that may be several characters; of a pattern that is a name, all of it.
    // Most names and patterns are told apart by these.
    std::string begin_, end_;
};

}  // namespace modelseal::policy
