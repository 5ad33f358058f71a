// What proves to a server who is asking, and which servers may receive it.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "http/url.h"
#include <modelseal/fingerprint.h>

namespace modelseal::oracle {

// RFC 6750, section 2.1: letters, digits and "-._~+/", then any number of '='. So it cannot end a header
// line.
bool is_bearer_token(std::string_view text);

// Checks that requests to `server` may carry the token, the header fields and the client certificate. Errors, all
// `usage`: not a bearer token; a token and a field Authorization; a client certificate without TLS; neither TLS nor this
// machine, so that others on the way could read what is sent. A field Host may go anywhere.
Result<void> may_carry(const http::Url& server, const EndpointOptions& options);

// A token, and header fields, belong to one server: `usage` if `targets` name several, by scheme, host and port. Targets
// that are no URLs get neither. `what`: "token is", for the message.
Result<void> may_carry_to_all(std::span<const std::string> targets, std::string_view what);

}  // namespace modelseal::oracle
