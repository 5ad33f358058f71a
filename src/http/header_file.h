// Header fields from a file, which a gateway asks for: a key, a login, another Host. Their values may be secret, so that no
// message shows one.
//
//     X-API-Key: 0123456789
//     Host: net.models.example
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "http/client.h"

namespace modelseal::http {

// One field a line, "NAME: VALUE" (RFC 9110, section 5), of any end of line; empty lines count for nothing. `source` begins
// each message. ErrorKind::usage for anything else, for fields that the client itself decides about (Content-Length,
// Connection and others), and for a second Host or Authorization.
Result<Fields> parse_header_fields(std::string_view text, const std::string& source);

Result<Fields> read_header_file(const std::filesystem::path& file);

// Whether a field of that name may go unencrypted to another machine: Host alone says nothing about who is asking.
bool may_be_public(std::string_view name);

}  // namespace modelseal::http
