#include "crypto/secret.h"

#include <stdexcept>

#include <sodium.h>

namespace modelseal::crypto {

void wipe(void* memory, std::size_t size) {
    sodium_memzero(memory, size);
}

void wipe(std::string& text) {
    text.resize(text.capacity());
    sodium_memzero(text.data(), text.size());
    text.clear();
}

void random_bytes(std::span<std::byte> out) {
    static const int started = sodium_init();
    if (started < 0) throw std::runtime_error("libsodium could not be started");
    randombytes_buf(out.data(), out.size());
}

}  // namespace modelseal::crypto
