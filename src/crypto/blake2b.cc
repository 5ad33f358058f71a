#include "crypto/blake2b.h"

#include <new>

#include <openssl/evp.h>

namespace modelseal::crypto {

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
