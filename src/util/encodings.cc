#include "util/encodings.h"

#include <algorithm>

#include <fmt/format.h>
#include <sodium.h>

namespace modelseal::util {
namespace {

constexpr int kVariant = sodium_base64_VARIANT_ORIGINAL;

unsigned char* bytes_of(std::vector<std::byte>& bytes) {
    return reinterpret_cast<unsigned char*>(bytes.data());
}

bool is_alphanumeric(char c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

}  // namespace

std::string base64(std::span<const std::byte> bytes) {
    std::string text(sodium_base64_encoded_len(bytes.size(), kVariant), '\0');
    sodium_bin2base64(text.data(), text.size(), reinterpret_cast<const unsigned char*>(bytes.data()),
                      bytes.size(), kVariant);
    text.pop_back();  // the terminating zero
    return text;
}

std::optional<std::vector<std::byte>> from_base64(std::string_view text) {
    std::vector<std::byte> bytes(text.size() / 4 * 3 + 3);
    std::size_t size = 0;
    const char* end = nullptr;
    const bool decoded = sodium_base642bin(bytes_of(bytes), bytes.size(), text.data(), text.size(), nullptr,
                                           &size, &end, kVariant) == 0;
    if (!decoded || end != text.data() + text.size()) return std::nullopt;
    bytes.resize(size);
    return bytes;
}

std::optional<std::vector<std::byte>> from_hex(std::string_view text) {
    // libsodium takes capitals as well, and two spellings of the same bytes are one too many.
    if (text.size() % 2 != 0 || std::ranges::any_of(text, [](char c) { return c >= 'A' && c <= 'F'; })) {
        return std::nullopt;
    }
    std::vector<std::byte> bytes(text.size() / 2);
    if (bytes.empty()) return bytes;  // libsodium takes no null pointer, not even for zero bytes
    std::size_t size = 0;
    const char* end = nullptr;
    const bool decoded =
        sodium_hex2bin(bytes_of(bytes), bytes.size(), text.data(), text.size(), nullptr, &size, &end) == 0;
    if (!decoded || size != bytes.size() || end != text.data() + text.size()) return std::nullopt;
    return bytes;
}

std::string percent_encoded(std::string_view text, std::string_view allowed) {
    std::string out;
    for (const char c : text) {
        if (is_alphanumeric(c) || allowed.find(c) != allowed.npos) {
            out += c;
        } else {
            out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
        }
    }
    return out;
}

}  // namespace modelseal::util
