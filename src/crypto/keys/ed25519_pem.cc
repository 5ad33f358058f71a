#include "crypto/keys/ed25519_pem.h"

#include <algorithm>
#include <array>
#include <span>

#include <sodium.h>

#include "util/encodings.h"

namespace modelseal::crypto {
namespace {

constexpr std::string_view kBegin = "-----BEGIN PUBLIC KEY-----\n", kEnd = "\n-----END PUBLIC KEY-----\n";

// In DER, before the key: a sequence of the algorithm, 1.3.101.112, and a bit string of 32 bytes.
constexpr std::array<unsigned char, 12> kBeforeKey = {0x30, 0x2a, 0x30, 0x05, 0x06, 0x03,
                                                      0x2b, 0x65, 0x70, 0x03, 0x21, 0x00};
constexpr std::size_t kKey = PublicKey::size_of(KeyType::ed25519);

}  // namespace

std::string ed25519_pem(const PublicKey& key) {
    std::array<std::byte, kBeforeKey.size() + kKey> der;
    std::ranges::copy(std::as_bytes(std::span(kBeforeKey)), der.begin());
    std::ranges::copy(key.bytes(), der.begin() + kBeforeKey.size());
    return std::string(kBegin) + util::base64(der) + std::string(kEnd);
}

std::optional<PublicKey> ed25519_key_of_pem(std::string_view text) {
    if (!text.starts_with(kBegin) || !text.ends_with(kEnd) || text.size() < kBegin.size() + kEnd.size())
        return std::nullopt;
    text.remove_prefix(kBegin.size());
    text.remove_suffix(kEnd.size());
    const auto der = util::from_base64(text);
    if (!der || der->size() != kBeforeKey.size() + kKey) return std::nullopt;
    const auto before = std::span(*der).first(kBeforeKey.size()), key = std::span(*der).last(kKey);
    if (!std::ranges::equal(before, std::as_bytes(std::span(kBeforeKey)))) return std::nullopt;
    // Of what is not a point of the group OpenSSL's path reports why.
    if (crypto_core_ed25519_is_valid_point(reinterpret_cast<const unsigned char*>(key.data())) != 1)
        return std::nullopt;
    return PublicKey::of(key);
}

}  // namespace modelseal::crypto
