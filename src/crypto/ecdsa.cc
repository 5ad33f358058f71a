
#include "crypto/ecdsa.h"

#include <array>
#include <optional>
#include <stdexcept>

#include <openssl/core_names.h>
#include <openssl/ec.h>

#include "crypto/ec_handle.h"
#include "crypto/hash.h"

namespace modelseal::crypto {
namespace {

struct CurveFacts {
    Curve curve;
    std::string_view name;
    std::string_view group;  // as OpenSSL calls it
    std::string_view hash;
    std::string_view order;  // n, big-endian, hexadecimal (SP 800-186)
};

constexpr std::array kCurves = {
    CurveFacts{Curve::p256, "P-256", "prime256v1", "SHA256",
               "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551"},
    CurveFacts{
        Curve::p384, "P-384", "secp384r1", "SHA384",
        "ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973"},
    CurveFacts{Curve::p521, "P-521", "secp521r1", "SHA512",
               "01ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
               "fa51868783bf2f966b7fcc0148f709a5d03bb5c9b8899c47aebb6fb71e91386409"},
};

const CurveFacts& facts(Curve curve) {
    return kCurves[static_cast<std::size_t>(curve)];
}

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

std::optional<Curve> curve_of(const EVP_PKEY* key) {
    if (EVP_PKEY_get_base_id(key) != EVP_PKEY_EC) return std::nullopt;
    int explicit_parameters = 0;  // a curve that is spelled out may pretend to be another
    if (EVP_PKEY_get_int_param(key, OSSL_PKEY_PARAM_EC_DECODED_FROM_EXPLICIT_PARAMS, &explicit_parameters) !=
            1 ||
        explicit_parameters != 0) {
        return std::nullopt;
    }
    char group[64] = "";
    std::size_t length = 0;
    if (EVP_PKEY_get_group_name(key, group, sizeof group, &length) != 1) return std::nullopt;
    for (const auto& each : kCurves) {
        if (each.group == group) return each.curve;
    }
    return std::nullopt;
}

std::string type_of(const EVP_PKEY* key) {
    if (EVP_PKEY_get_base_id(key) == EVP_PKEY_EC) {
        char group[64] = "";
        std::size_t length = 0;
        if (EVP_PKEY_get_group_name(key, group, sizeof group, &length) != 1)
            return "an EC key without a named curve";
        return "an EC key on the curve " + std::string(group);
    }
    const char* name = EVP_PKEY_get0_type_name(key);
    return "a key of type " + std::string(name == nullptr ? "unknown" : name);
}

using Number = std::unique_ptr<BIGNUM, openssl::Deleter<BN_free>>;
using DigestContext = std::unique_ptr<EVP_MD_CTX, openssl::Deleter<EVP_MD_CTX_free>>;

}  // namespace

std::string_view name_of(Curve curve) {
    return facts(curve).name;
}

bool der_signature(Curve curve, std::span<const std::byte> signature) {
    Der outer(signature);
    const auto sequence = outer.element(0x30);
    if (!sequence || !outer.empty()) return false;
    Der inner(*sequence);
    const auto r = inner.element(0x02), s = inner.element(0x02);
    const auto order = facts(curve).order;
    return inner.empty() && in_range(r, order) && in_range(s, order);
}

Result<EcPublicKey> EcPublicKey::of(std::shared_ptr<const EcKeyHandle> key, const std::string& shown) {
    const auto curve = curve_of(key->key.get());
    openssl::take_notes();
    if (!curve) {
        return Error{ErrorKind::unsupported,
                     shown + ": holds " + type_of(key->key.get()) +
                         ", model signatures need one on P-256, P-384 or P-521",
                     "'modelseal keygen NAME --type p256' makes one"};
    }
    return EcPublicKey(std::move(key), *curve);
}

std::vector<std::byte> EcPublicKey::compressed_point() const {
    // Whatever form the key prefers: the two coordinates, each as long as the group's order.
    const std::size_t length = facts(curve_).order.size() / 2;
    BIGNUM *x = nullptr, *y = nullptr;
    const bool done = EVP_PKEY_get_bn_param(key_->key.get(), OSSL_PKEY_PARAM_EC_PUB_X, &x) == 1 &&
                      EVP_PKEY_get_bn_param(key_->key.get(), OSSL_PKEY_PARAM_EC_PUB_Y, &y) == 1;
    const Number owned_x(x), owned_y(y);
    std::vector<std::byte> point(1 + length);
    if (!done ||
        BN_bn2binpad(x, reinterpret_cast<unsigned char*>(point.data() + 1), static_cast<int>(length)) < 0) {
        throw std::runtime_error("OpenSSL failed: " + openssl::last_error());
    }
    point[0] = BN_is_odd(y) ? std::byte{3} : std::byte{2};
    return point;
}

std::string EcPublicKey::pem() const {
    const openssl::Key copy(EVP_PKEY_dup(key_->key.get()));  // the form of the point is a property of the key
    const openssl::Bio bio(BIO_new(BIO_s_mem()));
    if (!copy || !bio ||
        EVP_PKEY_set_utf8_string_param(copy.get(), OSSL_PKEY_PARAM_EC_POINT_CONVERSION_FORMAT,
                                       OSSL_PKEY_EC_POINT_CONVERSION_FORMAT_UNCOMPRESSED) != 1 ||
        PEM_write_bio_PUBKEY(bio.get(), copy.get()) != 1) {
        throw std::runtime_error("OpenSSL failed: " + openssl::last_error());
    }
    char* data = nullptr;
    const long size = BIO_get_mem_data(bio.get(), &data);
    return {data, static_cast<std::size_t>(size)};
}

std::string EcPublicKey::hint() const {
    const auto text = pem();
    return to_hex(Sha256().update(std::as_bytes(std::span(text))).finish());
}

bool EcPublicKey::verify(std::span<const std::byte> message, std::span<const std::byte> signature,
                         HashChoice hash) const {
    if (!der_signature(curve_, signature)) return false;
    const DigestContext context(EVP_MD_CTX_new());
    const auto name = hash == HashChoice::sha256 ? std::string("SHA256") : std::string(facts(curve_).hash);
    const bool good =
        context &&
        EVP_DigestVerifyInit_ex(context.get(), nullptr, name.c_str(), nullptr, nullptr, key_->key.get(),
                                nullptr) == 1 &&
        EVP_DigestVerify(context.get(), raw(signature), signature.size(), raw(message), message.size()) == 1;
    openssl::take_notes();
    return good;
}

bool EcPublicKey::same_key(const EcPublicKey& other) const {
    return EVP_PKEY_eq(key_->key.get(), other.key_->key.get()) == 1;
}

Result<std::vector<std::byte>> ecdsa_sign(EVP_PKEY* key, Curve curve, std::span<const std::byte> message,
                                          const std::string& shown) {
    const DigestContext context(EVP_MD_CTX_new());
    const std::string name(facts(curve).hash);
    std::size_t size = 0;
    std::vector<std::byte> signature;
    openssl::take_notes();
    bool done = context && EVP_DigestSignInit_ex(context.get(), nullptr, name.c_str(), nullptr, nullptr, key,
                                                 nullptr) == 1;
    done = done && EVP_DigestSign(context.get(), nullptr, &size, raw(message), message.size()) == 1;
    signature.resize(size);
    done = done && EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(signature.data()), &size,
                                  raw(message), message.size()) == 1;
    if (!done) {
        return Error{ErrorKind::unreadable, shown + ": could not sign: " + openssl::last_error(), ""};
    }
    signature.resize(size);
    return signature;
}

Result<Secret32> ecdh_p256(EVP_PKEY* key, EVP_PKEY* other, const std::string& shown) {
    const openssl::KeyContext context(EVP_PKEY_CTX_new_from_pkey(nullptr, key, nullptr));
    Secret32 out;
    std::size_t size = out.bytes().size();
    openssl::take_notes();
    if (!context || EVP_PKEY_derive_init(context.get()) != 1 ||
        EVP_PKEY_derive_set_peer(context.get(), other) != 1 ||
        EVP_PKEY_derive(context.get(), reinterpret_cast<unsigned char*>(out.writable().data()), &size) != 1 ||
        size != out.bytes().size()) {
        return Error{ErrorKind::unsupported, shown + ": derives no secret: " + openssl::last_error(), ""};
    }
    return out;
}

}  // namespace modelseal::crypto
