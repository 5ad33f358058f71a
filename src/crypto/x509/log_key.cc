
#include "crypto/x509/log_key.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "crypto/ecdsa.h"
#include "crypto/keys/evp_keys.h"
#include "util/text.h"

namespace modelseal::crypto {
namespace {

struct LogKeyKind {
    std::string_view name;
    KeyType type;
};
constexpr std::array kKinds = {
    LogKeyKind{"PKIX_ED25519", KeyType::ed25519}, LogKeyKind{"PKIX_ECDSA_P256_SHA_256", KeyType::p256},
    LogKeyKind{"PKIX_ECDSA_P384_SHA_384", KeyType::p384}, LogKeyKind{"PKIX_ECDSA_P521_SHA_512", KeyType::p521}};

}  // namespace

Result<LogKey> LogKey::of(std::string_view kind, std::span<const std::byte> der, const std::string& shown) {
    const auto* known = std::ranges::find(kKinds, kind, &LogKeyKind::name);
    if (known == kKinds.end()) {
        return Error{
            ErrorKind::unsupported,
            fmt::format(
                "{}: keys of the kind '{}' are not supported; ECDSA on P-256, P-384 and P-521, and Ed25519 are",
                shown, util::printable(kind)),
            {}};
    }
    MODELSEAL_TRY_ASSIGN(const auto key, public_key_of_der(der, shown));
    if (key.type() != known->type) {
        return Error{
            ErrorKind::malformed,
            fmt::format("{}: the key is on {}, but is described as {}", shown, name_of(key.type()), kind),
            {}};
    }
    return LogKey(key);
}

bool LogKey::verify(std::span<const std::byte> message, std::span<const std::byte> signature) const {
    if (key_.type() != KeyType::ed25519) return ecdsa_verify(key_, message, signature);
    SignatureBytes bytes;
    if (signature.size() != bytes.size()) return false;
    std::ranges::copy(signature, bytes.begin());
    return key_.verify(message, bytes);
}

}  // namespace modelseal::crypto
