// Built instead of the other files of tokens where libp11 is missing.
#include "crypto/token/token.h"

namespace modelseal::crypto {
namespace {

Error without_libp11() {
    return {ErrorKind::unsupported, "PKCS#11 URI: this build has no support for tokens (libp11)",
            "build modelseal with libp11 installed (Debian: libp11-dev)"};
}

}  // namespace

Result<SigningKey> load_token_key(const std::string&, const Passphrase&, std::optional<KeyUse>) {
    return without_libp11();
}

Result<PublicKey> load_token_public_key(const std::string&, const Passphrase&) {
    return without_libp11();
}

}  // namespace modelseal::crypto
