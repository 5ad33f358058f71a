#include "crypto/random.h"

#include <sodium.h>

namespace modelseal::crypto {

void random_bytes(std::span<std::byte> out) {
    randombytes_buf(out.data(), out.size());
}

}  // namespace modelseal::crypto
