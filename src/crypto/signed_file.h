// What the files that a vendor signs have in common: a magic, a digit for the type of the vendor's key, and
// what the signature covers.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include <modelseal/format.h>
#include <modelseal/keys.h>

namespace modelseal::crypto {

// The bytes to sign: `domain`, 0x00, `body`. A domain is of one kind of file, so that no signature of one kind
// holds for another.
std::vector<std::byte> message_to_sign(std::string_view domain, std::span<const std::byte> body);

// The digit after the magic: '1' for Ed25519, '2' for P-256.
std::uint8_t version_digit(KeyType type);
std::optional<KeyType> type_of_digit(std::uint8_t digit);

// Whether the file begins with `magic` and one more byte, which may be a digit of a later version.
bool has_magic(const Source& source, std::string_view magic);

}  // namespace modelseal::crypto
