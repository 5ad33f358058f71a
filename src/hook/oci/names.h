// Names and digests as registries write them. Whatever passes here can stand in a path of an address, in a header and in the
// name of a file.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace modelseal::hook {

// OCI distribution specification 1.1, "Pulling manifests": at most 255 bytes. Where there are several components, the first one
// may be the name of a host, with a port, since CNCF distribution stores such.
bool is_repository(std::string_view name);
bool is_tag(std::string_view tag);
// Of SHA-256 or SHA-512, the algorithms that are registered (crypto/content_digest.h).
bool is_digest(std::string_view text);
// Precondition: is_digest(digest).
bool has_digest(std::string_view text, std::string_view digest);

// "sha256:...", of what this hook makes.
std::string digest_of(std::span<const std::byte> bytes);
std::string digest_of(std::string_view text);

// Of JSON: an empty object, in two bytes; its digest is in the specification.
inline constexpr std::string_view kEmptyObject = "{}";

}  // namespace modelseal::hook
