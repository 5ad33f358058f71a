// Keys: the vendor's pair signs seals, with Ed25519 or with ECDSA on P-256; a check key tells where the mark of
// a seal is.
//
// A seal's mark lies at positions that follow from a *check secret*. By default that secret is derived from the
// vendor's public key, so anyone who has it can check; a customer's check key holds a secret of its own, so
// nobody else can tell where the mark is or whether there is one. Holding either lets you check, never seal.
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

enum class KeyType : std::uint8_t { ed25519, p256 };
std::string_view name_of(KeyType type);  // "Ed25519", "P-256"

// Ed25519: as RFC 8032 section 5.1.6 has it. P-256: r and s, 32 bytes each, big-endian (IEEE P1363), with
// SHA-256; s is at most half the order of the group, so that there is one spelling of a signature.
using SignatureBytes = std::array<std::byte, 64>;
using KeyId = std::array<std::byte, 8>;  // first bytes of SHA-256 over the bytes of the public key

class PublicKey {
  public:
    PublicKey() = default;  // empty key; verify() always returns false
    // 32 bytes are an Ed25519 key (RFC 8032 section 5.1.5), 33 one on P-256, its point compressed (SEC 1
    // section 2.3.3). Nothing for other lengths, and for 33 bytes that are no point of the curve.
    static std::optional<PublicKey> of(std::span<const std::byte> bytes);
    static constexpr std::size_t size_of(KeyType type) { return type == KeyType::ed25519 ? 32 : 33; }

    KeyType type() const { return type_; }
    std::span<const std::byte> bytes() const { return std::span(bytes_).first(size_of(type_)); }
    KeyId id() const;
    // True only for a valid signature by this key over exactly `message`.
    bool verify(std::span<const std::byte> message, const SignatureBytes& signature) const;
    friend bool operator==(const PublicKey&, const PublicKey&) = default;

  private:
    KeyType type_ = KeyType::ed25519;
    std::array<std::byte, 33> bytes_{};
};

class Signer;  // where the secret half is, and who computes with it

class SigningKey {
  public:
    // From a 32-byte Ed25519 seed.
    explicit SigningKey(Secret32 seed);
    explicit SigningKey(std::shared_ptr<const Signer> signer) : signer_(std::move(signer)) {}
    static SigningKey generate(KeyType type = KeyType::ed25519);

    const PublicKey& public_key() const;
    // Fails where the key is in a token that does not answer; one in a file always signs.
    Result<SignatureBytes> sign(std::span<const std::byte> message) const;
    // A secret that nobody without this key can tell, each time the same for a label. Unsupported where the key
    // is in a token that lets it sign only.
    Result<Secret32> derive(std::string_view label) const;
    const Signer& signer() const { return *signer_; }

  private:
    std::shared_ptr<const Signer> signer_;
};

// What one needs to check a seal: whose signature, and where the mark is.
struct CheckKey {
    PublicKey vendor;
    std::string customer;  // name the vendor gave; empty for the public check key
    Secret32 secret;       // all positions, tags and whitening derive from it (HKDF-SHA-256)
    CheckKey clone() const { return {vendor, customer, secret.clone()}; }
};

// The check key that anyone with the vendor's public key has.
CheckKey public_check_key(const PublicKey& vendor);

// Asks for a passphrase when a key turns out to be encrypted. Called at most once a key; an empty answer is
// allowed.
using Passphrase = std::function<Result<std::string>(const std::string& file)>;

// Each names the file in its errors. A signing key may also be on a token: `path` is then a PKCS#11 URI (RFC
// 7512), and `passphrase` is asked for the PIN. Wrong passphrase: ErrorKind::mismatch. Loading refuses other
// key types by name.
Result<SigningKey> load_signing_key(const std::string& path, const Passphrase& passphrase);
Result<PublicKey> load_public_key(const std::string& path);
Result<CheckKey> load_check_key(const std::string& path);

// PEM texts. `passphrase` empty: not encrypted (PKCS#8 PrivateKeyInfo); else PBES2 with scrypt and AES-256-CBC.
// ErrorKind::usage for a key that is in a token, which does not give it away.
Result<std::string> signing_key_pem(const SigningKey& key, std::string_view passphrase);
std::string public_key_pem(const PublicKey& key);
// A fresh check key for `customer`, signed by the vendor; the text of a NAME.check file.
Result<std::string> new_check_key(const SigningKey& vendor, const std::string& customer);

std::string to_hex(std::span<const std::byte> bytes);

}  // namespace modelseal
