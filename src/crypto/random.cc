#include "crypto/random.h"

#include <stdexcept>

#include <sodium.h>

namespace modelseal::crypto {

void random_bytes(std::span<std::byte> out) {
    static const int started = sodium_init();
    if (started < 0) throw std::runtime_error("libsodium could not be started");
    randombytes_buf(out.data(), out.size());
}

}  // namespace modelseal::crypto
