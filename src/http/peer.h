// Who the other side of a connection is: what is required beyond what libcurl verifies, before a request is sent.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "http/client.h"
#include "http/libcurl.h"

namespace modelseal::http {

// Whether an address, as the system writes it, is one of this machine alone.
bool is_loopback_address(std::string_view address);

// Names of a server are those of its certificate's subjectAltName (RFC 9525, section 2), which libcurl does not insist on:
// it falls back to the subject's. True where libcurl works with another TLS library than OpenSSL, too.
bool certificate_names(CURL* curl, const Url& url);

}  // namespace modelseal::http
