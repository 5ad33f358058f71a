#include "crypto/hash.h"

#include <new>

#include <openssl/evp.h>
#include <openssl/sha.h>
#include <sodium.h>

namespace modelseal::crypto {

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

// By the functions that OpenSSL calls low-level and deprecated: they run the same instructions as the others, but do not make it
// load its configuration and set up its providers, which takes longer than all the rest of a check of a small model.
struct Sha256::Context {
    SHA256_CTX state;
};

Sha256::Sha256() : context_(std::make_unique<Context>()) {
    SHA256_Init(&context_->state);
}
Sha256::~Sha256() = default;

Sha256& Sha256::update(std::span<const std::byte> bytes) {
    SHA256_Update(&context_->state, bytes.data(), bytes.size());
    return *this;
}

Sha256& Sha256::update_number(std::uint64_t number) {
    std::byte raw[8];
    for (int i = 0; i < 8; ++i) raw[i] = static_cast<std::byte>(number >> (8 * i));
    return update(raw);
}

Sha256& Sha256::update_text(std::string_view text) {
    return update_number(text.size()).update(std::as_bytes(std::span(text)));
}

Digest Sha256::finish() {
    Digest digest;
    SHA256_Final(reinterpret_cast<unsigned char*>(digest.data()), &context_->state);
    SHA256_Init(&context_->state);
    return digest;
}

#pragma GCC diagnostic pop

std::array<std::byte, 8> hmac_tag(std::span<const std::byte, 32> key,
                                  std::initializer_list<std::span<const std::byte>> parts) {
    crypto_auth_hmacsha256_state state;
    crypto_auth_hmacsha256_init(&state, reinterpret_cast<const unsigned char*>(key.data()), key.size());
    for (const auto part : parts) {
        crypto_auth_hmacsha256_update(&state, reinterpret_cast<const unsigned char*>(part.data()), part.size());
    }
    unsigned char full[crypto_auth_hmacsha256_BYTES];
    crypto_auth_hmacsha256_final(&state, full);
    std::array<std::byte, 8> tag;
    for (std::size_t i = 0; i < tag.size(); ++i) tag[i] = static_cast<std::byte>(full[i]);
    sodium_memzero(&state, sizeof state);
    return tag;
}

struct Blake2b::Context {
    EVP_MD_CTX* handle = EVP_MD_CTX_new();
    ~Context() { EVP_MD_CTX_free(handle); }
};

namespace {

void begin(EVP_MD_CTX* handle) {
    if (handle == nullptr || EVP_DigestInit_ex2(handle, EVP_blake2b512(), nullptr) != 1) throw std::bad_alloc();
}

}  // namespace

Blake2b::Blake2b() : context_(std::make_unique<Context>()) {
    begin(context_->handle);
}
Blake2b::~Blake2b() = default;

Blake2b& Blake2b::update(std::span<const std::byte> bytes) {
    EVP_DigestUpdate(context_->handle, bytes.data(), bytes.size());
    return *this;
}

std::array<std::byte, 64> Blake2b::finish() {
    std::array<std::byte, 64> digest;
    EVP_DigestFinal_ex(context_->handle, reinterpret_cast<unsigned char*>(digest.data()), nullptr);
    begin(context_->handle);
    return digest;
}

}  // namespace modelseal::crypto
