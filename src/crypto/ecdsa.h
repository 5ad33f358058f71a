// ECDSA keys (FIPS 186-5) on the curves that OpenSSF model signatures use, each with its hash: P-256 with
// SHA-256, P-384 with SHA-384, P-521 with SHA-512. Other curves, RSA and Ed25519 are refused by name.
//
// Signatures are ASN.1 DER, of which exactly one spelling passes: see der_signature().
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <modelseal/keys.h>
#include <modelseal/result.h>

namespace modelseal::crypto {

enum class Curve { p256, p384, p521 };
std::string_view name_of(Curve curve);  // "P-256"

// Which hash: the curve's own, or SHA-256 whatever the curve, as release 0.2.0 of the reference signed.
enum class HashChoice { of_curve, sha256 };

// Whether `signature` is SEQUENCE { INTEGER r, INTEGER s } in DER (X.690) without anything behind it, both
// integers of as few bytes as they need and within [1, n-1]. OpenSSL alone is laxer.
bool der_signature(Curve curve, std::span<const std::byte> signature);

struct EcKeyHandle;  // an EVP_PKEY, or an X509's

// Thread safety: const calls are safe together.
class EcPublicKey {
  public:
    // PEM SubjectPublicKeyInfo; `shown` names the file in errors.
    static Result<EcPublicKey> parse(std::string_view text, const std::string& shown);
    // DER SubjectPublicKeyInfo.
    static Result<EcPublicKey> of_der(std::span<const std::byte> der, const std::string& shown);
    // Takes shared ownership. ErrorKind::unsupported for other keys than those of the three curves.
    static Result<EcPublicKey> of(std::shared_ptr<const EcKeyHandle> key, const std::string& shown);

    Curve curve() const { return curve_; }
    // The point, compressed (SEC 1 section 2.3.3).
    std::vector<std::byte> compressed_point() const;
    // As 'openssl ec -pubout' prints it: named curve, uncompressed point, lines of 64 characters.
    std::string pem() const;
    // Lower-case hexadecimal SHA-256 of pem().
    std::string hint() const;
    // True only for a strict DER signature by this key over exactly `message`.
    bool verify(std::span<const std::byte> message, std::span<const std::byte> signature,
                HashChoice hash = HashChoice::of_curve) const;
    bool same_key(const EcPublicKey& other) const;
    const EcKeyHandle& handle() const { return *key_; }

  private:
    EcPublicKey(std::shared_ptr<const EcKeyHandle> key, Curve curve) : key_(std::move(key)), curve_(curve) {}
    std::shared_ptr<const EcKeyHandle> key_;
    Curve curve_;
};

// Where the secret half of a key is, and who computes with it. Thread safety: calls are safe together.
class EcSecret {
  public:
    virtual ~EcSecret() = default;
    virtual Result<std::vector<std::byte>> sign(std::span<const std::byte> message) const = 0;
    // P-256 only: the x-coordinate of the point that the two keys agree on (ECDH, SP 800-56A).
    virtual Result<Secret32> agree(const EcPublicKey& other) const = 0;
    // PKCS#8, encrypted unless `passphrase` is empty.
    virtual Result<std::string> pem(std::string_view passphrase) const = 0;
};

// Thread safety: const calls are safe together.
class EcSigningKey {
  public:
    // PEM: PKCS#8, plain or encrypted with PBES2, or the older SEC 1 form "EC PRIVATE KEY", not encrypted.
    static Result<EcSigningKey> parse(std::string_view text, const std::string& shown,
                                      const Passphrase& passphrase);
    // `path`: a PEM file, or a PKCS#11 URI.
    static Result<EcSigningKey> load(const std::string& path, const Passphrase& passphrase);
    // Takes shared ownership. Refuses what EcPublicKey::of() refuses, and halves that do not belong together.
    static Result<EcSigningKey> of(std::shared_ptr<const EcKeyHandle> key, const std::string& shown);
    static EcSigningKey generate(Curve curve);
    EcSigningKey(std::shared_ptr<const EcSecret> secret, EcPublicKey open, std::string shown)
        : secret_(std::move(secret)), open_(std::move(open)), shown_(std::move(shown)) {}

    const EcPublicKey& public_key() const { return open_; }
    const std::string& shown() const { return shown_; }
    // Strict DER. Fails where the key is in a token that does not answer.
    Result<std::vector<std::byte>> sign(std::span<const std::byte> message) const {
        return secret_->sign(message);
    }
    Result<Secret32> agree(const EcPublicKey& other) const { return secret_->agree(other); }
    Result<std::string> pem(std::string_view passphrase) const { return secret_->pem(passphrase); }

  private:
    std::shared_ptr<const EcSecret> secret_;
    EcPublicKey open_;
    std::string shown_;
};

Result<EcPublicKey> load_ec_public_key(const std::string& path);

}  // namespace modelseal::crypto
