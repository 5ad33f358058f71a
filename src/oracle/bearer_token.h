// The one place that decides what a bearer token is, and who may be sent it.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "oracle/url.h"

namespace modelseal::oracle {

// RFC 6750, section 2.1: letters, digits and "-._~+/", then any number of '='. Nothing in it can end a header.
bool is_bearer_token(std::string_view text);

// Whether a request to `server` may carry `token`. Errors, all `usage`: not a bearer token; neither TLS nor
// this machine, so that anybody on the way could read it.
Result<void> may_carry(const Url& server, std::string_view token);

// A token belongs to one server: `usage` if `targets` name several, by scheme, host and port. Targets that are
// no URLs get no token.
Result<void> may_carry_to_all(std::span<const std::string> targets);

}  // namespace modelseal::oracle
