#include "crypto/check_key.h"
#include "crypto/pem.h"
#include "crypto/wipe.h"
#include "formats/reader.h"
#include "io/file.h"
#include <modelseal/keys.h>

namespace modelseal {
namespace {

// No key comes near it; an RSA key of 16,384 bits, loaded by mistake, must still be named.
constexpr std::uint64_t kMaximalKeyFile = 64u << 10;

}  // namespace

Result<SigningKey> load_signing_key(const std::string& path, const Passphrase& passphrase) {
    MODELSEAL_TRY_ASSIGN(std::string text, io::read_text(path, kMaximalKeyFile));
    const WipeAtEnd wiped(text);
    return parse_signing_key(text, formats::printable(path), passphrase);
}

Result<PublicKey> load_public_key(const std::string& path) {
    MODELSEAL_TRY_ASSIGN(std::string text, io::read_text(path, kMaximalKeyFile));
    const WipeAtEnd wiped(text);  // a private key may have been given by mistake
    return parse_public_key(text, formats::printable(path));
}

Result<CheckKey> load_check_key(const std::string& path) {
    MODELSEAL_TRY_ASSIGN(std::string text, io::read_text(path, kMaximalKeyFile));
    const WipeAtEnd wiped(text);
    return parse_check_key(text, formats::printable(path));
}

}  // namespace modelseal
