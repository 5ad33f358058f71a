// Secrets leave memory when they are no longer needed: passphrases, PEM texts, seeds.
//
// Best effort, as everywhere: copies that the kernel or the C library made are out of reach.
#pragma once

#include <cstddef>
#include <span>
#include <string>

namespace modelseal::crypto {

// Zeroes memory in a way that the compiler may not leave out.
void wipe(void* memory, std::size_t size);
// Zeroes the whole capacity and leaves the text empty.
void wipe(std::string& text);

// Wipes `text` when the scope ends, on whatever path.
class WipeAtEnd {
  public:
    explicit WipeAtEnd(std::string& text) : text_(text) {}
    WipeAtEnd(const WipeAtEnd&) = delete;
    WipeAtEnd& operator=(const WipeAtEnd&) = delete;
    ~WipeAtEnd() { wipe(text_); }

  private:
    std::string& text_;
};

// Randomness from the operating system.

void random_bytes(std::span<std::byte> out);

}  // namespace modelseal::crypto
