// Body of a check key:
//
//     1    version: 1, or 2 where the vendor's key is on P-256
//     32   the vendor's public key; 33 in version 2
//     1    n, length of the customer's name, 1 to 255
//     n    the customer's name, UTF-8 without control characters
//     32   check secret
//     64   the vendor's signature over the domain string below and everything before it

#include "crypto/keys/check_key.h"

#include <algorithm>
#include <vector>

#include "crypto/keys/armor.h"
#include "crypto/secret.h"
#include "io/file_kind.h"
#include "util/error.h"
#include "util/text.h"

namespace modelseal::crypto {
namespace {

constexpr std::string_view kDomain = "modelseal/1 check key";
constexpr std::size_t kMaximalName = 255;

constexpr std::byte version_of(KeyType type) {
    return type == KeyType::ed25519 ? std::byte{1} : std::byte{2};
}

constexpr std::size_t body_without_name(KeyType type) {
    return 1 + PublicKey::size_of(type) + 1 + 32 + 64;
}

using Bytes = std::vector<std::byte>;

void append(Bytes& to, std::span<const std::byte> bytes) {
    to.insert(to.end(), bytes.begin(), bytes.end());
}

Bytes signed_message(std::span<const std::byte> body) {
    Bytes message;
    message.reserve(kDomain.size() + body.size());
    append(message, std::as_bytes(std::span(kDomain)));
    append(message, body);
    return message;
}

// Empty if `name` may stand in a check key, else what is wrong with it.
std::string complaint(std::string_view name) {
    if (name.empty()) return "the customer's name is empty";
    if (name.size() > kMaximalName) {
        return "the customer's name has " + std::to_string(name.size()) + " bytes, at most 255 fit";
    }
    if (util::printable(name) != name) {
        return "the customer's name '" + util::printable(name) + "' holds control characters or is not UTF-8";
    }
    return "";
}

template <std::size_t N>
std::array<std::byte, N> take(std::span<const std::byte>& body) {
    std::array<std::byte, N> out;
    std::copy_n(body.begin(), N, out.begin());
    body = body.subspan(N);
    return out;
}

Result<CheckKey> parse_body(std::span<const std::byte> whole, const std::string& shown) {
    std::span<const std::byte> body = whole;
    if (body.size() <= body_without_name(KeyType::ed25519)) {
        return util::malformed(shown, "check key of " + std::to_string(body.size()) + " bytes is too short");
    }
    const auto version = take<1>(body)[0];
    const auto type = version == version_of(KeyType::p256) ? KeyType::p256 : KeyType::ed25519;
    if (version != version_of(type)) {
        return Error{ErrorKind::unsupported,
                     shown + ": check key of version " + std::to_string(std::to_integer<int>(version)) +
                         ", this program knows versions 1 and 2",
                     "a newer modelseal may read it"};
    }
    const auto vendor = PublicKey::of(body.first(PublicKey::size_of(type)));
    if (!vendor) return util::malformed(shown, "contains a vendor key that is not a point on P-256");
    body = body.subspan(PublicKey::size_of(type));
    CheckKey key;
    key.vendor = *vendor;
    const auto length = std::to_integer<std::size_t>(take<1>(body)[0]);
    if (whole.size() != body_without_name(type) + length) {
        return util::malformed(shown, "check key of " + std::to_string(whole.size()) +
                                          " bytes, its fields need " +
                                          std::to_string(body_without_name(type) + length));
    }
    key.customer.assign(reinterpret_cast<const char*>(body.data()), length);
    body = body.subspan(length);
    if (const std::string wrong = complaint(key.customer); !wrong.empty()) return util::malformed(shown, wrong);
    std::ranges::copy(body.first<32>(), key.secret.writable().begin());
    body = body.subspan(32);
    Bytes message = signed_message(whole.first(whole.size() - 64));
    const bool valid = key.vendor.verify(message, take<64>(body));
    wipe(message.data(), message.size());
    if (!valid) {
        return Error{ErrorKind::mismatch, shown + ": not signed by the vendor that it names: changed or forged",
                     "ask the vendor for the check key again"};
    }
    return key;
}

}  // namespace

Result<CheckKey> parse_check_key(std::string_view text, const std::string& shown) {
    auto tidy = tidy_armor(text);
    const WipeAtEnd wiped(tidy);
    auto body = strip_armor(kCheckKeyLabel, tidy, body_without_name(KeyType::p256) + kMaximalName);
    if (!body && tidy.find("-----BEGIN " + std::string(kCheckKeyLabel) + "-----") == tidy.npos)
        return io::mistaken("check key", shown, text, text.size());
    if (!body) {
        return Error{ErrorKind::malformed,
                     shown + ": the check key is damaged: its text is not as it was written",
                     "ask the vendor for the check key again"};
    }
    auto key = parse_body(*body, shown);
    wipe(body->data(), body->size());
    return key;
}

Result<std::string> make_check_key(const SigningKey& vendor, const std::string& customer) {
    if (const std::string wrong = complaint(customer); !wrong.empty()) {
        return Error{ErrorKind::usage, wrong, ""};
    }
    const auto& open = vendor.public_key();
    MODELSEAL_TRY(must_serve(open, KeyUse::seals, "the vendor's key"));
    Bytes body;
    // Growing would leave a copy of the secret on the heap.
    body.reserve(body_without_name(open.type()) + customer.size());
    body.push_back(version_of(open.type()));
    append(body, open.bytes());
    body.push_back(static_cast<std::byte>(customer.size()));
    append(body, std::as_bytes(std::span(customer)));
    Secret32 secret;
    random_bytes(secret.writable());
    append(body, secret.bytes());
    Bytes message = signed_message(body);
    const auto signature = vendor.sign(message);
    wipe(message.data(), message.size());
    if (!signature.ok()) {
        wipe(body.data(), body.size());
        return signature.error();
    }
    append(body, *signature);
    std::string text = armor(kCheckKeyLabel, body);
    wipe(body.data(), body.size());
    return text;
}

}  // namespace modelseal::crypto
