// Key files for model signatures.
#include <stdexcept>

#include "crypto/ec_handle.h"
#include "crypto/ecdsa.h"
#include "crypto/pem_block.h"
#include "crypto/pkcs8.h"
#include "crypto/secret.h"
#include "crypto/token/pkcs11_uri.h"
#include "crypto/token/token.h"
#include "io/file.h"
#include "util/text.h"

namespace modelseal::crypto {
namespace {

constexpr std::uint64_t kMaxKeyFile = 64u << 10;

Error wrong_block(const PemBlock& block, const std::string& shown, const std::string& half) {
    Error error{ErrorKind::unsupported,
                shown + ": holds a PEM block '" + util::printable(block.label()) + "', an EC " + half +
                    " key is needed",
                "'modelseal keygen NAME --type p256' makes a pair"};
    if (half == "public" && block.label().ends_with("PRIVATE KEY")) {
        error.message = shown + ": is a private key; a public key is needed";
        error.hint = "keygen wrote it beside, with the ending .pub";
    } else if (half == "public" && block.label() == "CERTIFICATE") {
        error.message = shown + ": holds a certificate, a public key is needed";
        error.hint = "signatures made with a certificate are verified with --cert-chain";
    } else if (half == "private" && block.label() == "PUBLIC KEY") {
        error.message = shown + ": holds a public key, the private one is needed";
        error.hint = "keygen wrote it beside, with the ending .key";
    }
    return error;
}

Error broken(const std::string& shown, const std::string& half) {
    return {ErrorKind::malformed, shown + ": broken " + half + " key: " + openssl::last_error(), ""};
}

Result<openssl::Key> secret_of(const PemBlock& block, const std::string& shown, const Passphrase& passphrase) {
    if (block.label() == "EC PRIVATE KEY") return sec1_key(block, shown);
    openssl::PrivateInfo info;
    if (block.label() == "ENCRYPTED PRIVATE KEY") {
        MODELSEAL_TRY_ASSIGN(info, decrypt_pkcs8(block.body(), shown, passphrase));
    } else if (block.label() == "PRIVATE KEY") {
        MODELSEAL_TRY_ASSIGN(info, plain_pkcs8(block.body(), shown));
    } else {
        return wrong_block(block, shown, "private");
    }
    openssl::Key key(EVP_PKCS82PKEY(info.get()));
    if (!key) return broken(shown, "private");
    return key;
}

// Whether the public half that the file holds belongs to the secret one, and the secret one is in range.
bool consistent(EVP_PKEY* key) {
    const openssl::KeyContext context(EVP_PKEY_CTX_new_from_pkey(nullptr, key, nullptr));
    return context && EVP_PKEY_check(context.get()) == 1;
}

class SecretInMemory final : public EcSecret {
  public:
    SecretInMemory(std::shared_ptr<const EcKeyHandle> key, Curve curve, std::string shown)
        : key_(std::move(key)), curve_(curve), shown_(std::move(shown)) {}
    Result<std::vector<std::byte>> sign(std::span<const std::byte> message) const override {
        return ecdsa_sign(key_->key.get(), curve_, message, shown_);
    }
    Result<Secret32> agree(const EcPublicKey& other) const override {
        return ecdh_p256(key_->key.get(), other.handle().key.get(), shown_);
    }
    Result<std::string> pem(std::string_view passphrase) const override {
        return pkcs8_pem(key_->key.get(), passphrase);
    }

  private:
    std::shared_ptr<const EcKeyHandle> key_;
    Curve curve_;
    std::string shown_;
};

}  // namespace

Result<openssl::Key> sec1_key(const PemBlock& block, const std::string& shown) {
    const unsigned char* at = block.body().data();
    openssl::Key key(d2i_PrivateKey(EVP_PKEY_EC, nullptr, &at, static_cast<long>(block.body().size())));
    if (key && at == block.body().data() + block.body().size()) return key;
    auto error = broken(shown, "private");
    error.hint = "if it is encrypted, 'openssl pkcs8 -topk8 -v2 aes256 -scrypt' brings it into PKCS#8";
    return error;
}

Result<EcPublicKey> EcPublicKey::parse(std::string_view text, const std::string& shown) {
    MODELSEAL_TRY_ASSIGN(const PemBlock block, PemBlock::parse(text, shown));
    if (block.label() != "PUBLIC KEY") return wrong_block(block, shown, "public");
    return of_der(std::as_bytes(block.body()), shown);
}

Result<EcPublicKey> EcPublicKey::of_der(std::span<const std::byte> der, const std::string& shown) {
    const auto* begin = reinterpret_cast<const unsigned char*>(der.data());
    const auto* at = begin;
    openssl::Key key(d2i_PUBKEY(nullptr, &at, static_cast<long>(der.size())));
    if (!key || at != begin + der.size()) return broken(shown, "public");
    return of(make_handle(std::move(key)), shown);
}

Result<EcSigningKey> EcSigningKey::parse(std::string_view text, const std::string& shown,
                                         const Passphrase& passphrase) {
    MODELSEAL_TRY_ASSIGN(const PemBlock block, PemBlock::parse(text, shown));
    MODELSEAL_TRY_ASSIGN(openssl::Key key, secret_of(block, shown, passphrase));
    return of(make_handle(std::move(key)), shown);
}

Result<EcSigningKey> EcSigningKey::of(std::shared_ptr<const EcKeyHandle> key, const std::string& shown) {
    MODELSEAL_TRY_ASSIGN(auto open, EcPublicKey::of(key, shown));
    if (!consistent(key->key.get())) return broken(shown, "private");
    auto secret = std::make_shared<SecretInMemory>(std::move(key), open.curve(), shown);
    return EcSigningKey(std::move(secret), std::move(open), shown);
}

EcSigningKey EcSigningKey::generate(Curve curve) {
    openssl::Key key(EVP_EC_gen(std::string(name_of(curve)).c_str()));
    if (!key) throw std::runtime_error("OpenSSL failed: " + openssl::last_error());
    return of(make_handle(std::move(key)), "new key").value();
}

Result<EcSigningKey> EcSigningKey::load(const std::string& path, const Passphrase& passphrase) {
    if (is_pkcs11_uri(path)) return load_token_key(path, passphrase);
    MODELSEAL_TRY_ASSIGN(std::string text, io::read_text(path, kMaxKeyFile));
    const WipeAtEnd wiped(text);
    return parse(text, util::printable(path), passphrase);
}

Result<EcPublicKey> load_ec_public_key(const std::string& path) {
    MODELSEAL_TRY(must_be_file(path));
    MODELSEAL_TRY_ASSIGN(std::string text, io::read_text(path, kMaxKeyFile));
    const WipeAtEnd wiped(text);  // a private key may have been given by mistake
    return EcPublicKey::parse(text, util::printable(path));
}

}  // namespace modelseal::crypto
