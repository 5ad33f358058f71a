// The one PEM block of a key file, before anyone asks what it holds.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include <modelseal/result.h>

namespace modelseal {

// Wiped when it goes.
class PemBlock {
  public:
    // Malformed unless `text` holds exactly one block. Text around it is skipped, and so are the EC PARAMETERS
    // that older OpenSSL commands put before an EC key.
    static Result<PemBlock> parse(std::string_view text, const std::string& shown);
    PemBlock(PemBlock&& other) noexcept;
    PemBlock& operator=(PemBlock&&) = delete;
    ~PemBlock();

    const std::string& label() const { return label_; }
    std::span<const unsigned char> body() const { return {body_, size_}; }

  private:
    PemBlock() = default;
    std::string label_;
    unsigned char* body_ = nullptr;
    std::size_t size_ = 0;
};

}  // namespace modelseal
