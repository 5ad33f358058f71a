#include <sodium.h>

#include "crypto/openssl.h"
#include "crypto/pem.h"
#include "crypto/pem_block.h"
#include "crypto/pkcs8.h"
#include "formats/reader.h"

namespace modelseal {
namespace {

constexpr const char* kHowToMake =
    "'modelseal keygen' makes one, and so does 'openssl genpkey -algorithm ed25519'";

Error malformed(const std::string& shown, const std::string& what) {
    return {ErrorKind::malformed, shown + ": " + what, ""};
}

// "an EC (prime256v1)", "a 2048-bit RSA": what stands before "private key" in a message.
std::string type_of(const EVP_PKEY* key) {
    if (EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA) {
        return "a " + std::to_string(EVP_PKEY_get_bits(key)) + "-bit RSA";
    }
    if (EVP_PKEY_get_base_id(key) == EVP_PKEY_EC) {
        char group[64] = "unnamed curve";
        std::size_t length = 0;
        EVP_PKEY_get_group_name(key, group, sizeof group, &length);
        return "an EC (" + std::string(group) + ")";
    }
    const char* name = EVP_PKEY_get0_type_name(key);
    const std::string text = name == nullptr ? "unknown" : name;
    return (text.find_first_of("aeiouAEIOUX") == 0 ? "an " : "a ") + text;
}

Error wrong_type(const EVP_PKEY* key, const std::string& shown, const std::string& half) {
    return {ErrorKind::unsupported,
            shown + ": holds " + type_of(key) + " " + half + " key, an Ed25519 one is needed", kHowToMake};
}

// What to say about a PEM block that is no such key at all.
Error wrong_label(const std::string& label, const std::string& shown, const std::string& half) {
    Error error{ErrorKind::unsupported,
                shown + ": holds a PEM block '" + formats::printable(label) + "', an Ed25519 " + half +
                    " key is needed",
                kHowToMake};
    if (label.ends_with("PRIVATE KEY") && half == "public") {
        error.message = shown + ": holds a private key, the public one is needed";
        error.hint = "keygen wrote it beside, with the ending .pub";
    } else if (label == "PUBLIC KEY") {
        error.message = shown + ": holds a public key, the private one is needed";
        error.hint = "keygen wrote it beside, with the ending .key";
    } else if (label == "MODELSEAL CHECK KEY") {
        error.message = shown + ": holds a customer's check key, an Ed25519 " + half + " key is needed";
        error.hint = half == "public" ? "check keys are given with --key" : "";
    } else if (label == "EC PRIVATE KEY" || label == "RSA PRIVATE KEY" || label == "DSA PRIVATE KEY") {
        const std::string type = label.substr(0, label.find(' '));
        error.message = shown + ": holds " +
                        (type == "EC"    ? "an "
                         : type == "RSA" ? "an "
                                         : "a ") +
                        type + " private key, an Ed25519 one is needed";
    } else if (label == "OPENSSH PRIVATE KEY") {
        error.message = shown + ": holds an OpenSSH private key, an Ed25519 one in PKCS#8 is needed";
    } else if (label == "CERTIFICATE") {
        error.hint = "'openssl x509 -pubkey -noout' takes the public key out of a certificate";
    }
    return error;
}

Result<openssl::PrivateInfo> private_info(const PemBlock& block, const std::string& shown,
                                          const Passphrase& passphrase) {
    if (block.label() == "ENCRYPTED PRIVATE KEY") return decrypt_pkcs8(block.body(), shown, passphrase);
    if (block.label() != "PRIVATE KEY") return wrong_label(block.label(), shown, "private");
    return plain_pkcs8(block.body(), shown);
}

}  // namespace

Result<SigningKey> parse_signing_key(std::string_view text, const std::string& shown,
                                     const Passphrase& passphrase) {
    MODELSEAL_TRY_ASSIGN(const PemBlock block, PemBlock::parse(text, shown));
    MODELSEAL_TRY_ASSIGN(const openssl::PrivateInfo info, private_info(block, shown, passphrase));
    const openssl::Key key(EVP_PKCS82PKEY(info.get()));
    if (!key) return malformed(shown, "broken private key: " + openssl::last_error());
    if (EVP_PKEY_get_base_id(key.get()) != EVP_PKEY_ED25519) return wrong_type(key.get(), shown, "private");
    Secret32 seed;
    std::size_t size = seed.writable().size();
    if (EVP_PKEY_get_raw_private_key(key.get(), reinterpret_cast<unsigned char*>(seed.writable().data()),
                                     &size) != 1 ||
        size != seed.bytes().size()) {
        return malformed(shown, "broken private key: " + openssl::last_error());
    }
    return SigningKey(std::move(seed));
}

Result<PublicKey> parse_public_key(std::string_view text, const std::string& shown) {
    MODELSEAL_TRY_ASSIGN(const PemBlock block, PemBlock::parse(text, shown));
    if (block.label() != "PUBLIC KEY") return wrong_label(block.label(), shown, "public");
    const unsigned char* at = block.body().data();
    const openssl::Key key(d2i_PUBKEY(nullptr, &at, static_cast<long>(block.body().size())));
    if (!key || at != block.body().data() + block.body().size()) {
        return malformed(shown, "broken public key: " + openssl::last_error());
    }
    if (EVP_PKEY_get_base_id(key.get()) != EVP_PKEY_ED25519) return wrong_type(key.get(), shown, "public");
    PublicKey out;
    std::size_t size = out.bytes.size();
    auto* bytes = reinterpret_cast<unsigned char*>(out.bytes.data());
    if (EVP_PKEY_get_raw_public_key(key.get(), bytes, &size) != 1 || size != out.bytes.size() ||
        crypto_core_ed25519_is_valid_point(bytes) != 1) {
        openssl::last_error();
        return malformed(shown, "broken public key: not a point of the Ed25519 group");
    }
    return out;
}

}  // namespace modelseal
