#include "crypto/ec_handle.h"
#include "crypto/evp_keys.h"
#include "crypto/openssl.h"
#include "crypto/pem.h"
#include "crypto/pem_block.h"
#include "crypto/pkcs8.h"
#include "util/text.h"

namespace modelseal {
namespace {

Error malformed_pem(const std::string& shown, const std::string& what) {
    return {ErrorKind::malformed, shown + ": " + what, ""};
}

// What to say about a PEM block that is no such key at all.
Error wrong_label(const std::string& label, const std::string& shown, const std::string& half) {
    Error error{ErrorKind::unsupported,
                shown + ": holds a PEM block '" + util::printable(label) + "', an Ed25519 or P-256 " + half +
                    " key is needed",
                kHowToMake};
    if (label.ends_with("PRIVATE KEY") && half == "public") {
        error.message = shown + ": is a private key; a public key is needed";
        error.hint = "keygen wrote it beside, with the ending .pub";
    } else if (label == "PUBLIC KEY") {
        error.message = shown + ": holds a public key, the private one is needed";
        error.hint = "keygen wrote it beside, with the ending .key";
    } else if (label == "MODELSEAL CHECK KEY") {
        error.message =
            shown + ": holds a customer's check key, an Ed25519 or P-256 " + half + " key is needed";
        error.hint = half == "public" ? "check keys are given with --key" : "";
    } else if (label == "RSA PRIVATE KEY" || label == "DSA PRIVATE KEY") {
        const std::string type = label.substr(0, label.find(' '));
        error.message = shown + ": holds " + (type == "RSA" ? "an " : "a ") + type +
                        " private key, an Ed25519 or P-256 one is needed";
    } else if (label == "OPENSSH PRIVATE KEY") {
        error.message = shown + ": holds an OpenSSH private key, an Ed25519 or P-256 one in PKCS#8 is needed";
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
    if (block.label() == "EC PRIVATE KEY") {
        MODELSEAL_TRY_ASSIGN(openssl::Key key, crypto::sec1_key(block, shown));
        return signing_key_of(std::move(key), shown);
    }
    MODELSEAL_TRY_ASSIGN(const openssl::PrivateInfo info, private_info(block, shown, passphrase));
    openssl::Key key(EVP_PKCS82PKEY(info.get()));
    if (!key) return malformed_pem(shown, "broken private key: " + openssl::last_error());
    return signing_key_of(std::move(key), shown);
}

Result<PublicKey> parse_public_key(std::string_view text, const std::string& shown) {
    MODELSEAL_TRY_ASSIGN(const PemBlock block, PemBlock::parse(text, shown));
    if (block.label() != "PUBLIC KEY") return wrong_label(block.label(), shown, "public");
    const unsigned char* at = block.body().data();
    openssl::Key key(d2i_PUBKEY(nullptr, &at, static_cast<long>(block.body().size())));
    if (!key || at != block.body().data() + block.body().size()) {
        return malformed_pem(shown, "broken public key: " + openssl::last_error());
    }
    return public_key_of(std::move(key), shown);
}

}  // namespace modelseal
