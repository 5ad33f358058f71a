
#include "crypto/ed25519.h"

#include <sodium.h>

#include "crypto/pkcs8.h"
#include "crypto/secret.h"
#include <modelseal/signer.h>

namespace modelseal::crypto {
namespace {

const unsigned char* raw_bytes(std::span<const std::byte> bytes) {
    return reinterpret_cast<const unsigned char*>(bytes.data());
}

// The expanded pair, as libsodium signs with it; wiped when it goes.
struct Pair {
    explicit Pair(const Secret32& seed) { crypto_sign_seed_keypair(open, secret, raw_bytes(seed.bytes())); }
    Pair(const Pair&) = delete;
    Pair& operator=(const Pair&) = delete;
    ~Pair() { wipe(secret, sizeof secret); }
    unsigned char open[crypto_sign_PUBLICKEYBYTES];
    unsigned char secret[crypto_sign_SECRETKEYBYTES];
};

class Ed25519Signer final : public Signer {
  public:
    explicit Ed25519Signer(Secret32 seed) : seed_(std::move(seed)) {
        const Pair pair(seed_);
        open_ = PublicKey::of(std::as_bytes(std::span(pair.open))).value();
    }
    const PublicKey& public_key() const override { return open_; }
    Result<SignatureBytes> sign(std::span<const std::byte> message) const override {
        const Pair pair(seed_);
        SignatureBytes signature;
        crypto_sign_detached(reinterpret_cast<unsigned char*>(signature.data()), nullptr, raw_bytes(message),
                             message.size(), pair.secret);
        return signature;
    }
    Result<Secret32> root_secret() const override { return seed_.clone(); }
    Result<std::string> pem(std::string_view passphrase) const override {
        const openssl::Key key(EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, raw_bytes(seed_.bytes()),
                                                            seed_.bytes().size()));
        if (!key) throw std::bad_alloc();
        return pkcs8_pem(key.get(), passphrase);
    }

  private:
    Secret32 seed_;
    PublicKey open_;
};

}  // namespace

bool ed25519_verify(std::span<const std::byte, 32> key, std::span<const std::byte> message,
                    const SignatureBytes& signature) {
    return crypto_sign_verify_detached(raw_bytes(signature), raw_bytes(message), message.size(),
                                       raw_bytes(key)) == 0;
}

std::shared_ptr<const Signer> ed25519_signer(Secret32 seed) {
    return std::make_shared<Ed25519Signer>(std::move(seed));
}

}  // namespace modelseal::crypto
