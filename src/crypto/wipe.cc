#include "crypto/wipe.h"

#include <sodium.h>

namespace modelseal {

void wipe(void* memory, std::size_t size) {
    sodium_memzero(memory, size);
}

void wipe(std::string& text) {
    text.resize(text.capacity());
    sodium_memzero(text.data(), text.size());
    text.clear();
}

}  // namespace modelseal
