#include "oracle/bearer_token.h"

#include <fmt/format.h>

namespace modelseal::oracle {
namespace {

constexpr std::string_view kTokenCharacters =
    "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-._~+/";

}  // namespace

bool is_bearer_token(std::string_view text) {
    while (text.ends_with('=')) text.remove_suffix(1);
    return !text.empty() && text.find_first_not_of(kTokenCharacters) == std::string_view::npos;
}

Result<void> may_carry(const Url& server, std::string_view token) {
    if (!is_bearer_token(token)) {
        return Error{ErrorKind::usage, "the token has characters that no bearer token has",
                     "is there a space or a line break around it?"};
    }
    if (server.tls || server.is_loopback()) return {};
    return Error{ErrorKind::usage,
                 fmt::format("{}: the token would cross the network readable for everybody", server.origin()),
                 "use an https:// address, or leave the token out"};
}

Result<void> may_carry_to_all(std::span<const std::string> targets) {
    std::string first;
    for (const auto& target : targets) {
        if (!is_http_url(target)) continue;
        MODELSEAL_TRY_ASSIGN(const auto url, parse_url(target));
        if (first.empty()) first = url.origin();
        if (url.origin() == first) continue;
        return Error{ErrorKind::usage,
                     fmt::format("one token is not sent to two servers, {} and {}", first, url.origin()),
                     "check the models of each server in a call of their own, with its token"};
    }
    return {};
}

}  // namespace modelseal::oracle
