#include "oracle/credentials.h"

#include <algorithm>

#include <fmt/format.h>

#include "http/header_file.h"
#include "oracle/endpoint.h"

namespace modelseal::oracle {
namespace {

constexpr std::string_view kTokenCharacters =
    "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-._~+/";

bool is_authorization(std::string_view name) {
    constexpr std::string_view kName = "authorization";
    return std::ranges::equal(name, kName, [](char a, char b) { return (a | 0x20) == b; });
}

Error unencrypted(const http::Url& server, std::string_view what) {
    return {ErrorKind::usage, fmt::format("{}: the {} would be sent unencrypted", server.origin(), what),
            "use an https:// address, or leave it out"};
}

}  // namespace

bool is_bearer_token(std::string_view text) {
    while (text.ends_with('=')) text.remove_suffix(1);
    return !text.empty() && text.find_first_not_of(kTokenCharacters) == std::string_view::npos;
}

Result<void> may_carry(const http::Url& server, const EndpointOptions& options) {
    if (!options.token.empty() && !is_bearer_token(options.token)) {
        return Error{ErrorKind::usage, "the token contains characters that are not allowed in a bearer token",
                     "remove spaces and line breaks around the token"};
    }
    const bool authorized =
        std::ranges::any_of(options.headers, [](const auto& field) { return is_authorization(field.first); });
    if (authorized && !options.token.empty()) {
        return Error{ErrorKind::usage, "a token and a header field Authorization are given: a request has one",
                     "leave one of them out"};
    }
    if (!options.client_cert.empty() && !server.is_tls()) {
        return Error{ErrorKind::usage,
                     fmt::format("{}: a client certificate is for https:// addresses", server.origin()),
                     {}};
    }
    if (http::may_carry_secrets(server)) return {};
    if (!options.token.empty()) return unencrypted(server, "token");
    for (const auto& [name, value] : options.headers) {
        if (!http::may_be_public(name)) return unencrypted(server, "header field " + name);
    }
    return {};
}

Result<void> may_carry_to_all(std::span<const std::string> targets, std::string_view what) {
    std::string first;
    for (const auto& target : targets) {
        if (!is_http_url(target)) continue;
        MODELSEAL_TRY_ASSIGN(const auto url, http::Url::parse(target));
        if (first.empty()) first = url.origin();
        if (url.origin() == first) continue;
        return Error{ErrorKind::usage,
                     fmt::format("the same {} not sent to two servers, {} and {}", what, first, url.origin()),
                     "check the models of each server separately, with what is for that server"};
    }
    return {};
}

}  // namespace modelseal::oracle
