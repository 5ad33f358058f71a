#include "crypto/signed_file.h"

#include <algorithm>
#include <string>

namespace modelseal::crypto {

std::vector<std::byte> message_to_sign(std::string_view domain, std::span<const std::byte> body) {
    std::vector<std::byte> message;
    message.reserve(domain.size() + 1 + body.size());
    std::ranges::copy(std::as_bytes(std::span(domain)), std::back_inserter(message));
    message.push_back(std::byte{0});
    message.insert(message.end(), body.begin(), body.end());
    return message;
}

std::uint8_t version_digit(KeyType type) {
    return type == KeyType::ed25519 ? '1' : '2';
}

std::optional<KeyType> type_of_digit(std::uint8_t digit) {
    for (const auto type : {KeyType::ed25519, KeyType::p256}) {
        if (version_digit(type) == digit) return type;
    }
    return std::nullopt;
}

bool has_magic(const Source& source, std::string_view magic) {
    std::string head(magic.size(), '\0');
    return source.size() > magic.size() && source.read(0, std::as_writable_bytes(std::span(head))).ok() &&
           head == magic;
}

}  // namespace modelseal::crypto
