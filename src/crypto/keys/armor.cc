
#include "crypto/keys/armor.h"

#include <algorithm>

#include <sodium.h>

#include "crypto/secret.h"
#include "util/byte_order_mark.h"
#include "util/encodings.h"

namespace modelseal::crypto {
namespace {

constexpr std::size_t kLine = 64;
constexpr int kVariant = sodium_base64_VARIANT_ORIGINAL;

std::string frame(std::string_view word, std::string_view label) {
    return std::string("-----").append(word).append(" ").append(label).append("-----\n");
}

}  // namespace

std::string armor(std::string_view label, std::span<const std::byte> body) {
    auto base64 = util::base64(body);
    const WipeAtEnd wiped(base64);
    std::string text;
    text.reserve(base64.size() + base64.size() / kLine + 2 * label.size() + 64);
    text += frame("BEGIN", label);
    for (std::size_t at = 0; at < base64.size(); at += kLine) {
        text.append(std::string_view(base64).substr(at, kLine)).append("\n");
    }
    return text += frame("END", label);
}

std::optional<std::vector<std::byte>> strip_armor(std::string_view label, std::string_view text,
                                                  std::size_t cap) {
    const std::string begin = frame("BEGIN", label), end = frame("END", label);
    if (text.size() < begin.size() + end.size() || text.size() > 2 * cap + begin.size() + end.size() + 64 ||
        !text.starts_with(begin) || !text.ends_with(end)) {
        return std::nullopt;
    }
    const std::string_view base64 = text.substr(begin.size(), text.size() - begin.size() - end.size());
    if (base64.empty()) return std::vector<std::byte>{};  // libsodium refuses an empty output
    std::vector<std::byte> body(base64.size());
    std::size_t size = 0;
    if (sodium_base642bin(reinterpret_cast<unsigned char*>(body.data()), body.size(), base64.data(),
                          base64.size(), "\n", &size, nullptr, kVariant) != 0 ||
        size > cap) {
        return std::nullopt;
    }
    body.resize(size);
    // Refuses other spellings of the same bytes: line breaks in other places, or one too many.
    std::string again = armor(label, body);
    const WipeAtEnd wiped(again);
    if (again != text) return std::nullopt;
    return body;
}

std::string tidy_armor(std::string_view text) {
    std::string tidy;
    tidy.reserve(text.size() + 1);  // so that growing leaves no copies of a secret
    for (text = util::without_mark(text); !text.empty();) {
        const auto end = std::min(text.find('\n'), text.size());
        auto line = text.substr(0, end);
        text.remove_prefix(std::min(end + 1, text.size()));
        const auto last = line.find_last_not_of(" \t\r");
        if (last == line.npos) continue;
        tidy.append(line.substr(0, last + 1)).append("\n");
    }
    return tidy;
}

}  // namespace modelseal::crypto
