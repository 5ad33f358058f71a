// Randomness from the operating system.
#pragma once

#include <cstddef>
#include <span>

namespace modelseal::crypto {

void random_bytes(std::span<std::byte> out);

}  // namespace modelseal::crypto
