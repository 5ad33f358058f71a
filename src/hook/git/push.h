// A push, as git describes it to a hook: which refs go from where to where (githooks(5)).
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <modelseal/result.h>

namespace modelseal::hook {

// Ids of objects are lower-case hexadecimal: 40 digits, or 64 in a repository of SHA-256.
bool is_object_id(std::string_view text);

struct RefUpdate {
    std::string ref;          // on the side that is pushed to: "refs/heads/main"
    std::string old_id = {};  // what it was; empty: it is new
    std::string new_id = {};  // what it becomes; empty: it is deleted
};

struct Push {
    // Where the hook runs. The first two in the repository that is pushed to: for the push as a whole, and for each of its refs;
    // the third in the repository that is pushed from.
    enum class Hook { pre_receive, update, pre_push };
    Hook hook = Hook::pre_receive;
    std::vector<RefUpdate> updates;
    std::string remote = {};  // of pre_push: its name, or its URL if it has none
};

// Git's arguments tell the hooks apart: none (pre-receive), REF OLD NEW (update), REMOTE URL (pre-push). `input` is what
// standard input held, for the first and the last. ErrorKind::usage for whatever git does not give to one of the three.
Result<Push> parse_push(std::span<const std::string> arguments, std::string_view input);

// Whether a hook with these arguments reads standard input.
bool reads_input(std::span<const std::string> arguments);

}  // namespace modelseal::hook
