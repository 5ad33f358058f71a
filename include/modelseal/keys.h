// Keys. A vendor's pair signs seals, with Ed25519 or with ECDSA on P-256; a signer's pair signs files in the
// form of OpenSSF model signatures, with ECDSA on P-256, P-384 or P-521; a check key states where the mark of a
// seal is.
//
// A seal's mark lies at positions that follow from a *check secret*. By default that secret is derived from the
// vendor's public key, so a holder of the public key can check; a customer's check key has a secret of its own,
// so nobody else can find the mark or learn whether there is one. Either kind lets you check, never seal.
//
// Files: NAME.key is PKCS#8 PEM (RFC 8410, RFC 5915), encrypted by default (PBES2), mode 0600; NAME.pub is
// SubjectPublicKeyInfo PEM; NAME.check is described in modelseal-seal(5). Secrets are wiped from memory when
// their object goes. Thread safety: const calls are safe together.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include <modelseal/result.h>

namespace modelseal {

// Fixed-size secret that is wiped on destruction and on move-from. Not copyable by accident: clone() says so.
class Secret32 {
  public:
    Secret32() = default;
    explicit Secret32(std::span<const std::byte, 32> bytes);
    Secret32(Secret32&& other) noexcept;
    Secret32& operator=(Secret32&& other) noexcept;
    Secret32(const Secret32&) = delete;
    Secret32& operator=(const Secret32&) = delete;
    ~Secret32();
    Secret32 clone() const { return Secret32(bytes()); }
    std::span<const std::byte, 32> bytes() const { return bytes_; }
    std::span<std::byte, 32> writable() { return bytes_; }

  private:
    std::array<std::byte, 32> bytes_{};
};

enum class KeyType : std::uint8_t { ed25519, p256, p384, p521 };
std::string_view name_of(KeyType type);  // "Ed25519", "P-256", "P-384", "P-521"

// What keys are used for. Seals take Ed25519 and P-256, whose signatures have 64 bytes; OpenSSF signatures of
// files take P-256, P-384 and P-521. A P-256 key serves both.
enum class KeyUse : std::uint8_t { seals, file_signatures };
constexpr bool serves(KeyType type, KeyUse use) {
    return type == KeyType::p256 || (type == KeyType::ed25519) == (use == KeyUse::seals);
}

// Ed25519: as RFC 8032 section 5.1.6 defines it. P-256: r and s, 32 bytes each, big-endian (IEEE P1363), with
// SHA-256; s is at most half the order of the group, so that there is one spelling of a signature.
using SignatureBytes = std::array<std::byte, 64>;

// What people and reports call a key by, as 16 hexadecimal digits: the first 8 bytes of SHA-256 over the text
// that public_key_pem() writes, whatever the type of the key. 'openssl pkey -pubin -in KEY.pub | sha256sum'
// begins with it ('-ec_conv_form uncompressed' is needed besides if the file has a compressed point), and so
// does 'sha256sum NAME.pub' for a file of modelseal's. An OpenSSF signature names its key by the complete
// digest. An id is a label, never a proof.
using KeyId = std::array<std::byte, 8>;

class PublicKey {
  public:
    PublicKey() = default;  // empty key; verify() always returns false
    // 32 bytes are an Ed25519 key (RFC 8032 section 5.1.5); 33, 49 and 67 bytes are a point on P-256, P-384 and
    // P-521, compressed (SEC 1 section 2.3.3). Nothing for other lengths, and for bytes that are not a point on
    // the curve.
    static std::optional<PublicKey> of(std::span<const std::byte> bytes);
    static constexpr std::size_t size_of(KeyType type) {
        constexpr std::size_t kSizes[] = {32, 33, 49, 67};
        return kSizes[static_cast<std::size_t>(type)];
    }

    KeyType type() const { return type_; }
    bool serves(KeyUse use) const { return modelseal::serves(type_, use); }
    std::span<const std::byte> bytes() const { return std::span(bytes_).first(size_of(type_)); }
    KeyId id() const;
    // True only for a valid signature of a seal's kind by this key over exactly `message`.
    bool verify(std::span<const std::byte> message, const SignatureBytes& signature) const;
    friend bool operator==(const PublicKey&, const PublicKey&) = default;

  private:
    KeyType type_ = KeyType::ed25519;
    std::array<std::byte, 67> bytes_{};
};

class Signer;  // where the secret half is, and who computes with it

class SigningKey {
  public:
    // From a 32-byte Ed25519 seed.
    explicit SigningKey(Secret32 seed);
    explicit SigningKey(std::shared_ptr<const Signer> signer) : signer_(std::move(signer)) {}
    static SigningKey generate(KeyType type = KeyType::ed25519);

    const PublicKey& public_key() const;
    bool serves(KeyUse use) const { return public_key().serves(use); }
    // A signature of a seal's kind. `unsupported` for a key that does not serve seals; fails also where the key
    // is in a token that does not answer. sign_model() makes signatures of files.
    Result<SignatureBytes> sign(std::span<const std::byte> message) const;
    // A secret that only a holder of this key can compute, the same each time for a label. `unsupported` for a
    // key that does not serve seals, and for one in a token that may only sign.
    Result<Secret32> derive(std::string_view label) const;
    const Signer& signer() const { return *signer_; }

  private:
    std::shared_ptr<const Signer> signer_;
};

// What a check of a seal needs: the vendor who signed it, and where the mark is. The vendor's key serves seals.
// A copy has a secret of its own, which is wiped with it.
struct CheckKey {
    CheckKey() = default;
    CheckKey(const PublicKey& of, std::string name, Secret32 positions)
        : vendor(of), customer(std::move(name)), secret(std::move(positions)) {}
    CheckKey(const CheckKey& other) : CheckKey(other.vendor, other.customer, other.secret.clone()) {}
    CheckKey(CheckKey&&) noexcept = default;
    CheckKey& operator=(const CheckKey& other) { return *this = CheckKey(other); }
    CheckKey& operator=(CheckKey&&) noexcept = default;
    ~CheckKey() = default;

    PublicKey vendor;
    std::string customer;  // name the vendor gave; empty for the public check key
    Secret32 secret;       // all positions, tags and whitening derive from it (HKDF-SHA-256)
};

// The check key that every holder of the vendor's public key has.
CheckKey public_check_key(const PublicKey& vendor);

// Asks for a passphrase when a key turns out to be encrypted. Called at most once a key; an empty answer is
// allowed.
using Passphrase = std::function<Result<std::string>(const std::string& file)>;

// Each reads its file once and names it in errors. A signing key may also be on a token: `path` is then a
// PKCS#11 URI (RFC 7512), and `passphrase` is asked for the PIN. Wrong passphrase: ErrorKind::mismatch. Keys of
// other types, and keys that do not serve `use`, are `unsupported` and named; without `use`, all four types
// pass.
Result<SigningKey> load_signing_key(const std::string& path, const Passphrase& passphrase,
                                    std::optional<KeyUse> use = {});
Result<PublicKey> load_public_key(const std::string& path, std::optional<KeyUse> use = {});
Result<CheckKey> load_check_key(const std::string& path);

// `unsupported` unless `key` serves `use`; `shown` names the key in the message.
Result<void> must_serve(const PublicKey& key, KeyUse use, const std::string& shown);

// PEM texts. `passphrase` empty: not encrypted (PKCS#8 PrivateKeyInfo); else PBES2 with scrypt and AES-256-CBC.
// ErrorKind::usage for a key in a token, which does not give it away. The caller wipes the text.
Result<std::string> signing_key_pem(const SigningKey& key, std::string_view passphrase);
// SubjectPublicKeyInfo as OpenSSL prints it: named curve, uncompressed point, lines of 64 characters.
std::string public_key_pem(const PublicKey& key);
// A fresh check key for `customer`, signed by the vendor, whose key serves seals; the text of a NAME.check
// file.
Result<std::string> new_check_key(const SigningKey& vendor, const std::string& customer);

std::string to_hex(std::span<const std::byte> bytes);

}  // namespace modelseal
