
#include "crypto/sealed_box.h"

#include <sodium.h>

#include "crypto/keystream.h"
#include "crypto/secret.h"

namespace modelseal::crypto {
namespace {

constexpr std::size_t kKey = crypto_aead_xchacha20poly1305_ietf_KEYBYTES;
constexpr std::size_t kNonce = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES;
static_assert(kKey == 32 && kNonce == 24 && crypto_aead_xchacha20poly1305_ietf_ABYTES == kBoxOverhead);

struct Derived {
    Derived(const Secret32& secret, const Salt& salt, std::string_view label) {
        hkdf_sha256(secret.bytes(), salt, label, bytes);
    }
    Derived(const Derived&) = delete;
    Derived& operator=(const Derived&) = delete;
    ~Derived() { wipe(bytes.data(), bytes.size()); }
    const unsigned char* key() const { return reinterpret_cast<const unsigned char*>(bytes.data()); }
    const unsigned char* nonce() const { return key() + kKey; }
    std::array<std::byte, kKey + kNonce> bytes;
};

const unsigned char* raw_box(std::span<const std::byte> bytes) {
    return reinterpret_cast<const unsigned char*>(bytes.data());
}

}  // namespace

Salt random_salt() {
    Salt salt;
    randombytes_buf(salt.data(), salt.size());
    return salt;
}

std::vector<std::byte> seal_box(const Secret32& secret, const Salt& salt, std::string_view label,
                                std::span<const std::byte> open, std::span<const std::byte> plain) {
    const Derived derived(secret, salt, label);
    std::vector<std::byte> box(plain.size() + kBoxOverhead);
    crypto_aead_xchacha20poly1305_ietf_encrypt(reinterpret_cast<unsigned char*>(box.data()), nullptr,
                                               raw_box(plain), plain.size(), raw_box(open), open.size(),
                                               nullptr, derived.nonce(), derived.key());
    return box;
}

std::optional<std::vector<std::byte>> open_box(const Secret32& secret, const Salt& salt, std::string_view label,
                                               std::span<const std::byte> open,
                                               std::span<const std::byte> box) {
    if (box.size() < kBoxOverhead) return std::nullopt;
    const Derived derived(secret, salt, label);
    std::vector<std::byte> plain(box.size() - kBoxOverhead + 1);  // one more: never a null pointer
    if (crypto_aead_xchacha20poly1305_ietf_decrypt(reinterpret_cast<unsigned char*>(plain.data()), nullptr,
                                                   nullptr, raw_box(box), box.size(), raw_box(open),
                                                   open.size(), derived.nonce(), derived.key()) != 0) {
        return std::nullopt;
    }
    plain.pop_back();
    return plain;
}

}  // namespace modelseal::crypto
