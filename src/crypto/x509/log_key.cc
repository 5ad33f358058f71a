
#include "crypto/x509/log_key.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "util/text.h"

namespace modelseal::crypto {
namespace {

constexpr std::string_view kEd25519 = "PKIX_ED25519";

struct EcKind {
    std::string_view name;
    Curve curve;
};
constexpr std::array kEcKinds = {EcKind{"PKIX_ECDSA_P256_SHA_256", Curve::p256},
                                 EcKind{"PKIX_ECDSA_P384_SHA_384", Curve::p384},
                                 EcKind{"PKIX_ECDSA_P521_SHA_512", Curve::p521}};

// What stands before the 32 bytes of the key in SubjectPublicKeyInfo (RFC 8410, section 4), always the same.
constexpr std::array<unsigned char, 12> kEd25519Header = {0x30, 0x2a, 0x30, 0x05, 0x06, 0x03,
                                                          0x2b, 0x65, 0x70, 0x03, 0x21, 0x00};

Result<PublicKey> ed25519(std::span<const std::byte> der, const std::string& shown) {
    const auto header = std::as_bytes(std::span(kEd25519Header));
    if (der.size() != header.size() + PublicKey::size_of(KeyType::ed25519) ||
        !std::ranges::equal(der.first(header.size()), header)) {
        return Error{ErrorKind::malformed, shown + ": invalid public key: not an Ed25519 key", {}};
    }
    return PublicKey::of(der.subspan(header.size())).value();
}

}  // namespace

Result<LogKey> LogKey::of(std::string_view kind, std::span<const std::byte> der, const std::string& shown) {
    if (kind == kEd25519) {
        MODELSEAL_TRY_ASSIGN(const auto key, ed25519(der, shown));
        return LogKey(key);
    }
    const auto* known = std::ranges::find(kEcKinds, kind, &EcKind::name);
    if (known == kEcKinds.end()) {
        return Error{
            ErrorKind::unsupported,
            fmt::format(
                "{}: keys of the kind '{}' are not supported; ECDSA on P-256, P-384 and P-521, and Ed25519 are",
                shown, util::printable(kind)),
            {}};
    }
    MODELSEAL_TRY_ASSIGN(auto key, EcPublicKey::of_der(der, shown));
    if (key.curve() != known->curve) {
        return Error{
            ErrorKind::malformed,
            fmt::format("{}: the key is on {}, but is described as {}", shown, name_of(key.curve()), kind),
            {}};
    }
    return LogKey(std::move(key));
}

bool LogKey::verify(std::span<const std::byte> message, std::span<const std::byte> signature) const {
    if (const auto* ec = std::get_if<EcPublicKey>(&key_)) return ec->verify(message, signature);
    SignatureBytes bytes;
    if (signature.size() != bytes.size()) return false;
    std::ranges::copy(signature, bytes.begin());
    return std::get<PublicKey>(key_).verify(message, bytes);
}

}  // namespace modelseal::crypto
