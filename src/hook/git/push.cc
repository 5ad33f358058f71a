#include "hook/git/push.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "util/text.h"

namespace modelseal::hook {
namespace {

Error not_a_hook(std::string_view what) {
    return {ErrorKind::usage, std::string(what),
            "install it as a hook of a repository: pre-receive, update or pre-push"};
}

// "0000...", which stands for nothing.
Result<std::string> id_or_none(std::string_view text, std::string_view where) {
    if (!is_object_id(text)) {
        return not_a_hook(
            fmt::format("{}: '{}' is not the id of an object", where, util::printable(text.substr(0, 100))));
    }
    return text.find_first_not_of('0') == text.npos ? std::string() : std::string(text);
}

Result<RefUpdate> update_of(std::string_view ref, std::string_view old_id, std::string_view new_id,
                            std::string_view where) {
    RefUpdate update{.ref = std::string(ref)};
    if (ref.empty()) return not_a_hook(fmt::format("{}: a ref without a name", where));
    MODELSEAL_TRY_ASSIGN(update.old_id, id_or_none(old_id, where));
    MODELSEAL_TRY_ASSIGN(update.new_id, id_or_none(new_id, where));
    return update;
}

// Splits at single blanks; the last part has the rest. Names of refs have no blanks (git-check-ref-format(1)).
template <std::size_t kParts>
bool split_line(std::string_view line, std::array<std::string_view, kParts>& parts) {
    for (std::size_t i = 0; i + 1 < kParts; ++i) {
        const auto blank = line.find(' ');
        if (blank == line.npos) return false;
        parts[i] = line.substr(0, blank);
        line.remove_prefix(blank + 1);
    }
    parts[kParts - 1] = line;
    return line.find(' ') == line.npos;
}

// OLD NEW REF
Result<RefUpdate> received(std::string_view line, std::string_view where) {
    std::array<std::string_view, 3> parts;
    if (!split_line(line, parts)) return not_a_hook(fmt::format("{}: not two ids and a ref", where));
    return update_of(parts[2], parts[0], parts[1], where);
}

// LOCAL-REF LOCAL-ID REMOTE-REF REMOTE-ID. The local ref may be an expression with blanks ("HEAD@{2 days ago}"), the last
// three parts have none.
Result<RefUpdate> pushed(std::string_view line, std::string_view where) {
    std::array<std::string_view, 3> last;
    for (auto part = last.rbegin(); part != last.rend(); ++part) {
        const auto blank = line.rfind(' ');
        if (blank == line.npos) return not_a_hook(fmt::format("{}: not two refs with their ids", where));
        *part = line.substr(blank + 1);
        line = line.substr(0, blank);
    }
    return update_of(last[1], last[2], last[0], where);
}

}  // namespace

bool is_object_id(std::string_view text) {
    return (text.size() == 40 || text.size() == 64) &&
           std::ranges::all_of(text, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

bool reads_input(std::span<const std::string> arguments) {
    return arguments.size() != 3;
}

Result<Push> parse_push(std::span<const std::string> arguments, std::string_view input) {
    Push push;
    if (arguments.size() == 3) {
        push.hook = Push::Hook::update;
        MODELSEAL_TRY_ASSIGN(auto update, update_of(arguments[0], arguments[1], arguments[2], "arguments"));
        push.updates.push_back(std::move(update));
        return push;
    }
    if (!arguments.empty() && arguments.size() != 2)
        return not_a_hook(
            fmt::format("no hook of git has {} here", util::counted(arguments.size(), "argument")));
    if (arguments.size() == 2) {
        push.hook = Push::Hook::pre_push;
        push.remote = arguments[0];
    }
    // Git runs no pre-receive hook without a line: this is the update hook, which did not hand its arguments on.
    if (arguments.empty() && input.empty())
        return not_a_hook("no arguments, and nothing on standard input: does the hook pass \"$@\"?");
    for (std::size_t number = 1; !input.empty(); ++number) {
        const auto where = fmt::format("line {} of standard input", number);
        const auto end = input.find('\n');
        if (end == input.npos) return not_a_hook(where + ": does not end");
        const auto line = input.substr(0, end);
        input.remove_prefix(end + 1);
        MODELSEAL_TRY_ASSIGN(auto update,
                             push.hook == Push::Hook::pre_push ? pushed(line, where) : received(line, where));
        push.updates.push_back(std::move(update));
    }
    return push;
}

}  // namespace modelseal::hook
