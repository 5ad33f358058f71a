#include "crypto/ecdsa.h"

#include <algorithm>
#include <array>

#include <openssl/ec.h>

#include "crypto/keys/evp_keys.h"

namespace modelseal::crypto {
namespace {

struct Curve {
    KeyType type;
    const char* hash;
    std::string_view order;  // n, big-endian, hexadecimal (SP 800-186)
};

constexpr std::array kCurves = {
    Curve{KeyType::p256, "SHA256", "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551"},
    Curve{KeyType::p384, "SHA384",
          "ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973"},
    Curve{KeyType::p521, "SHA512",
          "01ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
          "fa51868783bf2f966b7fcc0148f709a5d03bb5c9b8899c47aebb6fb71e91386409"},
};

const Curve& curve(KeyType type) {
    return *std::ranges::find(kCurves, type, &Curve::type);
}

using EcdsaPair = std::unique_ptr<ECDSA_SIG, openssl::Deleter<ECDSA_SIG_free>>;
using Integer = std::unique_ptr<BIGNUM, openssl::Deleter<BN_free>>;
using DigestContext = std::unique_ptr<EVP_MD_CTX, openssl::Deleter<EVP_MD_CTX_free>>;

const unsigned char* raw(std::span<const std::byte> bytes) {
    return reinterpret_cast<const unsigned char*>(bytes.data());
}

// What is left of a DER text, front to back.
class Der {
  public:
    explicit Der(std::span<const std::byte> bytes) : bytes_(bytes) {}
    bool empty() const { return bytes_.empty(); }

    // The content of an element of this tag, whose length is spelled as briefly as it can be.
    std::optional<std::span<const std::byte>> element(unsigned tag) {
        if (bytes_.size() < 2 || std::to_integer<unsigned>(bytes_[0]) != tag) return std::nullopt;
        auto length = std::to_integer<std::size_t>(bytes_[1]);
        std::size_t header = 2;
        if (length == 0x81) {
            if (bytes_.size() < 3) return std::nullopt;
            length = std::to_integer<std::size_t>(bytes_[2]);
            header = 3;
            if (length < 0x80) return std::nullopt;
        } else if (length >= 0x80) {
            return std::nullopt;  // no signature of these curves is that long
        }
        if (length > bytes_.size() - header) return std::nullopt;
        const auto content = bytes_.subspan(header, length);
        bytes_ = bytes_.subspan(header + length);
        return content;
    }

  private:
    std::span<const std::byte> bytes_;
};

// A positive INTEGER in [1, n-1] without a byte too many.
bool in_range(const std::optional<std::span<const std::byte>>& integer, std::string_view order) {
    if (!integer || integer->empty()) return false;
    auto bytes = *integer;
    if ((bytes[0] & std::byte{0x80}) != std::byte{0}) return false;  // negative
    if (bytes[0] == std::byte{0}) {
        if (bytes.size() == 1 || (bytes[1] & std::byte{0x80}) == std::byte{0}) return false;  // zero, or padded
        bytes = bytes.subspan(1);
    }
    const auto digits = to_hex(bytes);
    // The order of P-521 begins with a zero digit, which to_hex() gives an integer as long as it, too.
    return digits.size() < order.size() || (digits.size() == order.size() && digits < order);
}

Integer integer_of(std::span<const std::byte, 32> bytes) {
    Integer out(BN_bin2bn(raw(bytes), static_cast<int>(bytes.size()), nullptr));
    if (!out) throw std::bad_alloc();
    return out;
}

// n - s on P-256.
Integer negated(const BIGNUM* s) {
    BIGNUM* order = nullptr;
    const bool parsed = BN_hex2bn(&order, std::string(curve(KeyType::p256).order).c_str()) != 0;
    Integer out(order);
    if (!parsed || BN_sub(order, order, s) != 1) throw std::bad_alloc();
    return out;
}

}  // namespace

std::string hash_of(KeyType type) {
    return curve(type).hash;
}

bool der_signature(KeyType type, std::span<const std::byte> signature) {
    Der outer(signature);
    const auto sequence = outer.element(0x30);
    if (!sequence || !outer.empty()) return false;
    Der inner(*sequence);
    const auto r = inner.element(0x02), s = inner.element(0x02);
    const auto order = curve(type).order;
    return inner.empty() && in_range(r, order) && in_range(s, order);
}

bool ecdsa_verify(const PublicKey& key, std::span<const std::byte> message,
                  std::span<const std::byte> signature, HashChoice hash) {
    if (!key.serves(KeyUse::file_signatures) || !der_signature(key.type(), signature)) return false;
    const auto evp = evp_key_of(key);
    const DigestContext context(EVP_MD_CTX_new());
    const auto name = hash == HashChoice::sha256 ? "SHA256" : hash_of(key.type());
    const bool good =
        evp && context &&
        EVP_DigestVerifyInit_ex(context.get(), nullptr, name.c_str(), nullptr, nullptr, evp.get(), nullptr) ==
            1 &&
        EVP_DigestVerify(context.get(), raw(signature), signature.size(), raw(message), message.size()) == 1;
    openssl::take_notes();
    return good;
}

std::optional<SignatureBytes> p1363_of_der(std::span<const std::byte> der) {
    if (!der_signature(KeyType::p256, der)) return std::nullopt;
    const unsigned char* at = raw(der);
    const EcdsaPair pair(d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(der.size())));
    if (!pair) return std::nullopt;
    const auto* s = ECDSA_SIG_get0_s(pair.get());
    const auto other = negated(s);
    if (BN_cmp(other.get(), s) < 0) s = other.get();
    SignatureBytes out;
    auto* bytes = reinterpret_cast<unsigned char*>(out.data());
    if (BN_bn2binpad(ECDSA_SIG_get0_r(pair.get()), bytes, 32) != 32 || BN_bn2binpad(s, bytes + 32, 32) != 32) {
        return std::nullopt;
    }
    return out;
}

std::optional<std::vector<std::byte>> der_of_p1363(const SignatureBytes& signature) {
    const std::span all(signature);
    auto r = integer_of(all.first<32>()), s = integer_of(all.last<32>());
    if (BN_cmp(s.get(), negated(s.get()).get()) > 0) return std::nullopt;
    const EcdsaPair pair(ECDSA_SIG_new());
    if (!pair || ECDSA_SIG_set0(pair.get(), r.get(), s.get()) != 1) throw std::bad_alloc();
    static_cast<void>(r.release());  // the pair owns them now
    static_cast<void>(s.release());
    unsigned char* bytes = nullptr;
    const int size = i2d_ECDSA_SIG(pair.get(), &bytes);
    if (size <= 0) throw std::bad_alloc();
    const auto* begin = reinterpret_cast<const std::byte*>(bytes);
    std::vector<std::byte> der(begin, begin + size);
    OPENSSL_free(bytes);
    if (!der_signature(KeyType::p256, der)) return std::nullopt;
    return der;
}

}  // namespace modelseal::crypto
