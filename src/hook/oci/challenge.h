// How a registry asks for authentication: the header WWW-Authenticate (RFC 9110, section 11.6.1), and the answers of token
// servers (https://distribution.github.io/distribution/spec/auth/token/).
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include <modelseal/result.h>

namespace modelseal::hook {

struct Challenge {
    enum class Scheme { basic, bearer };
    Scheme scheme = Scheme::basic;
    std::string realm, service, scope;  // of a bearer challenge
};

// The first challenge that is understood; nothing for other schemes and for headers that are none.
std::optional<Challenge> parse_challenge(std::string_view header);

struct Token {
    std::string text;  // fit for a header
    std::chrono::seconds lifetime{60};
};

// ErrorKind::malformed for an answer without a token, and for a token with characters that none has (RFC 6750).
Result<Token> parse_token(std::string_view body);

}  // namespace modelseal::hook
