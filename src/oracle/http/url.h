// Addresses of served models.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include <modelseal/result.h>

namespace modelseal::oracle {

struct Url {
    bool tls = false;
    std::string host;  // lower case; an IPv6 address without its brackets
    std::uint16_t port = 0;
    std::string path;  // starts with '/', has no '/' at its end; percent-encoded wherever RFC 3986 wants it

    bool is_address() const;          // the host is an IP address, not a name
    bool is_loopback() const;         // 127.0.0.0/8, ::1 or localhost
    std::string host_header() const;  // "host", "[::1]:8000": the port only if it is not the scheme's own
    std::string origin() const;       // "https://host:8443"
};

bool is_http_url(std::string_view text);

// Refuses user information, queries and fragments, control characters and broken escapes; error kind `usage`,
// which does not show a password.
Result<Url> parse_url(std::string_view text);

// Decides what a bearer token is, and which servers may receive it.

// RFC 6750, section 2.1: letters, digits and "-._~+/", then any number of '='. So it cannot end a header
// line.
bool is_bearer_token(std::string_view text);

// Checks that a request to `server` may carry `token`. Errors, all `usage`: not a bearer token; neither TLS
// nor this machine, so that others on the way could read it.
Result<void> may_carry(const Url& server, std::string_view token);

// A token belongs to one server: `usage` if `targets` name several, by scheme, host and port. Targets that are
// no URLs get no token.
Result<void> may_carry_to_all(std::span<const std::string> targets);

}  // namespace modelseal::oracle
