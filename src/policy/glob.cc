#include "policy/glob.h"

#include <algorithm>
#include <optional>

#include <fmt/format.h>

#include "util/text.h"

namespace modelseal::policy {
namespace {

Error refused(std::string_view pattern, std::string_view why) {
    return {ErrorKind::usage, fmt::format("the pattern '{}' {}", util::printable(pattern), why), {}};
}

std::size_t index_of(char byte) {
    return static_cast<unsigned char>(byte);
}

// No name has an empty part, "." or "..".
bool has_idle_part(std::string_view pattern) {
    if (pattern.starts_with('/')) pattern.remove_prefix(1);
    for (std::size_t begin = 0; begin <= pattern.size();) {
        const auto end = std::min(pattern.find('/', begin), pattern.size());
        const auto part = pattern.substr(begin, end - begin);
        if (part.empty() || part == "." || part == "..") return true;
        begin = end + 1;
    }
    return false;
}

// The class that begins at `at`, after "["; moves `at` behind its "]". Nothing if it does not end.
std::optional<std::bitset<256>> class_at(std::string_view pattern, std::size_t& at) {
    std::bitset<256> bytes;
    const bool negated = at < pattern.size() && (pattern[at] == '!' || pattern[at] == '^');
    if (negated) ++at;
    for (bool first = true; at < pattern.size(); first = false) {
        if (pattern[at] == ']' && !first) {
            ++at;
            if (negated) bytes.flip();
            return bytes.reset(index_of('/'));
        }
        const auto low = index_of(pattern[at++]);
        auto high = low;
        if (at + 1 < pattern.size() && pattern[at] == '-' && pattern[at + 1] != ']') {
            high = index_of(pattern[at + 1]);
            at += 2;
        }
        for (auto byte = low; byte <= high; ++byte) bytes.set(byte);
    }
    return std::nullopt;
}

}  // namespace

Result<Glob> Glob::parse(std::string_view pattern) {
    Glob glob;
    glob.pattern_ = pattern;
    if (pattern.empty()) return Error{ErrorKind::usage, "an empty pattern matches nothing", {}};
    if (pattern.size() > kMostPattern) {
        return Error{
            ErrorKind::usage,
            fmt::format("a pattern of {}, more than any name has", util::counted(pattern.size(), "byte")),
            {}};
    }
    if (has_idle_part(pattern))
        return refused(pattern, "has a part that no name has: an empty one, \".\" or \"..\"");
    auto& steps = glob.steps_;
    for (std::size_t at = 0; at < pattern.size();) {
        const char byte = pattern[at++];
        Step step;
        if (byte == '*' && pattern.substr(at).starts_with('*')) {
            ++at;
            if (pattern.substr(at).starts_with('*')) return refused(pattern, "has three stars in a row");
            const bool begins_part = at == 2 || pattern[at - 3] == '/';
            step.kind = Step::Kind::any;
            if (begins_part && pattern.substr(at).starts_with('/')) {
                step.kind = Step::Kind::folders;
                ++at;
            }
        } else if (byte == '*') {
            step.kind = Step::Kind::run;
        } else if (byte == '?') {
            step.bytes.set().reset(index_of('/'));
        } else if (byte == '[') {
            const auto bytes = class_at(pattern, at);
            if (!bytes) return refused(pattern, "has a '[' without its ']'");
            if (bytes->none()) return refused(pattern, "has a class that no character is in");
            step.bytes = *bytes;
        } else if (byte == '\\') {
            if (at == pattern.size()) return refused(pattern, "ends with a backslash");
            step.bytes.set(index_of(pattern[at++]));
        } else {
            step.bytes.set(index_of(byte));
        }
        steps.push_back(step);
    }
    glob.find_fixed_ends();
    return glob;
}

void Glob::find_fixed_ends() {
    const auto fixed = [](const Step& step) -> std::optional<char> {
        if (step.kind != Step::Kind::one || step.bytes.count() != 1) return std::nullopt;
        std::size_t byte = 0;
        while (!step.bytes.test(byte)) ++byte;
        return static_cast<char>(byte);
    };
    for (std::size_t i = 0; i < steps_.size(); ++i) {
        const auto byte = fixed(steps_[i]);
        if (!byte) break;
        begin_.push_back(*byte);
    }
    for (std::size_t i = steps_.size(); i > 0; --i) {
        const auto byte = fixed(steps_[i - 1]);
        if (!byte) break;
        end_.push_back(*byte);
    }
    std::ranges::reverse(end_);
}

// Which steps may be next, all at once. A step "**/" has two states: between folders, and inside the name of one.
class Glob::States {
  public:
    explicit States(const std::vector<Step>& steps)
        : steps_(steps),
          next_(steps.size() + 1),
          inside_(steps.size() + 1),
          then_(steps.size() + 1),
          then_inside_(steps.size() + 1) {
        next_[0] = true;
        skip();
    }

    // All names go on with one of `bytes`, which is unknown to us.
    void read(const Bytes& bytes) {
        auto &next = then_, &inside = then_inside_;
        std::ranges::fill(next, false);
        std::ranges::fill(inside, false);
        const bool slash = bytes.test('/'), only_slash = slash && bytes.count() == 1;
        for (std::size_t i = 0; i < steps_.size(); ++i) {
            const auto& step = steps_[i];
            const bool here = next_[i];
            if (here && step.kind == Step::Kind::one && (bytes & ~step.bytes).none()) next[i + 1] = true;
            if (here && step.kind == Step::Kind::run && !slash) next[i] = true;
            if (here && step.kind == Step::Kind::any) next[i] = true;
            if (step.kind != Step::Kind::folders || !(here || inside_[i])) continue;
            if (only_slash) next[i] = true;
            if (!slash) inside[i] = true;
        }
        std::swap(next_, then_);
        std::swap(inside_, then_inside_);
        skip();
    }

    // All names go on with anything that `step` stands for.
    void read(const Step& step) {
        using enum Step::Kind;
        if (step.kind == one) return read(step.bytes);
        for (std::size_t i = 0; i < steps_.size(); ++i) {
            const auto kind = steps_[i].kind;
            const bool stays =
                kind == any || (kind == run && step.kind == run) || (kind == folders && step.kind == folders);
            // Inside is what holds in any case: a name that is not begun can go on as one that is.
            inside_[i] = kind == folders && (next_[i] || inside_[i]);
            next_[i] = next_[i] && stays;
        }
        next_.back() = false;
        skip();
    }

    bool at_end() const { return next_.back(); }
    // Whether nothing that goes on can match any more.
    bool is_over() const {
        return std::ranges::count(next_, true) == 0 && std::ranges::count(inside_, true) == 0;
    }

  private:
    // Steps that may stand for nothing.
    void skip() {
        for (std::size_t i = 0; i < steps_.size(); ++i) {
            if (next_[i] && steps_[i].kind != Step::Kind::one) next_[i + 1] = true;
        }
    }

    const std::vector<Step>& steps_;
    // Of each step, and of the end. Those of the next character are kept: a policy has many rules, and a name many characters.
    std::vector<char> next_, inside_, then_, then_inside_;
};

bool Glob::matches(std::string_view name) const {
    if (!name.starts_with(begin_) || !name.ends_with(end_)) return false;
    States states(steps_);
    for (const char byte : name) {
        states.read(Bytes().set(index_of(byte)));
        if (states.is_over()) return false;
    }
    return states.at_end();
}

bool Glob::covers(const Glob& other) const {
    if (!other.begin_.starts_with(begin_) || !other.end_.ends_with(end_)) return false;
    States states(steps_);
    for (const auto& step : other.steps_) {
        states.read(step);
        if (states.is_over()) return false;
    }
    return states.at_end();
}

}  // namespace modelseal::policy
