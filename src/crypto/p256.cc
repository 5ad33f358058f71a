#include "crypto/p256.h"

#include <algorithm>
#include <array>
#include <stdexcept>

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/param_build.h>

#include "crypto/ec_handle.h"
#include <modelseal/signer.h>

namespace modelseal::crypto {
namespace {

using Integer = std::span<std::byte, 32>;  // big-endian
using EcdsaPair = std::unique_ptr<ECDSA_SIG, openssl::Deleter<ECDSA_SIG_free>>;
using Number = std::unique_ptr<BIGNUM, openssl::Deleter<BN_free>>;

constexpr std::array<unsigned char, 32> kOrder = {
    0xff, 0xff, 0xff, 0xff, 0,    0,    0,    0,    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    0xbc, 0xe6, 0xfa, 0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51};
constexpr std::array<unsigned char, 32> kHalfOrder = {
    0x7f, 0xff, 0xff, 0xff, 0x80, 0,    0,    0,    0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    0xde, 0x73, 0x7d, 0x56, 0xd3, 0x8b, 0xcf, 0x42, 0x79, 0xdc, 0xe5, 0x61, 0x7e, 0x31, 0x92, 0xa8};

const unsigned char* raw_point(std::span<const std::byte> bytes) {
    return reinterpret_cast<const unsigned char*>(bytes.data());
}
unsigned char* room(std::span<std::byte> bytes) {
    return reinterpret_cast<unsigned char*>(bytes.data());
}

bool above_half(std::span<const std::byte, 32> s) {
    return std::ranges::lexicographical_compare(std::as_bytes(std::span(kHalfOrder)), s);
}

// n - s; s is at most n.
void negate(Integer s) {
    unsigned borrow = 0;
    for (std::size_t i = s.size(); i-- > 0;) {
        const unsigned taken = std::to_integer<unsigned>(s[i]) + borrow;
        borrow = kOrder[i] < taken ? 1 : 0;
        s[i] = static_cast<std::byte>((kOrder[i] + 256u - taken) & 255u);
    }
}

class P256Signer final : public Signer {
  public:
    explicit P256Signer(EcSigningKey key) : key_(std::move(key)), open_(vendor_key_of(key_.public_key())) {}
    const PublicKey& public_key() const override { return open_; }
    Result<SignatureBytes> sign(std::span<const std::byte> message) const override {
        MODELSEAL_TRY_ASSIGN(const auto der, key_.sign(message));
        const auto signature = p1363_of_der(der);
        // A token may be broken, or lie; what it gives is looked at before anything is built on it.
        if (!signature || !open_.verify(message, *signature)) {
            return Error{ErrorKind::unreadable, key_.shown() + ": gave a signature that does not verify", ""};
        }
        return *signature;
    }
    Result<Secret32> root_secret() const override {
        return key_.agree(p256_of_point(derivation_point()).value());
    }
    Result<std::string> pem(std::string_view passphrase) const override { return key_.pem(passphrase); }

  private:
    EcSigningKey key_;
    PublicKey open_;
};

}  // namespace

std::optional<SignatureBytes> p1363_of_der(std::span<const std::byte> der) {
    if (!der_signature(Curve::p256, der)) return std::nullopt;
    const unsigned char* at = raw_point(der);
    const EcdsaPair pair(d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(der.size())));
    if (!pair) return std::nullopt;
    SignatureBytes out;
    const Integer r = std::span(out).first<32>(), s = std::span(out).last<32>();
    if (BN_bn2binpad(ECDSA_SIG_get0_r(pair.get()), room(r), 32) != 32 ||
        BN_bn2binpad(ECDSA_SIG_get0_s(pair.get()), room(s), 32) != 32) {
        return std::nullopt;
    }
    if (above_half(s)) negate(s);
    return out;
}

std::optional<std::vector<std::byte>> der_of_p1363(const SignatureBytes& signature) {
    const std::span all(signature);
    if (above_half(all.last<32>())) return std::nullopt;
    Number r(BN_bin2bn(raw_point(all), 32, nullptr)), s(BN_bin2bn(raw_point(all.last<32>()), 32, nullptr));
    const EcdsaPair pair(ECDSA_SIG_new());
    if (!r || !s || !pair || ECDSA_SIG_set0(pair.get(), r.get(), s.get()) != 1) throw std::bad_alloc();
    static_cast<void>(r.release());  // the pair owns them now
    static_cast<void>(s.release());
    unsigned char* bytes = nullptr;
    const int size = i2d_ECDSA_SIG(pair.get(), &bytes);
    if (size <= 0) throw std::bad_alloc();
    const auto* begin = reinterpret_cast<const std::byte*>(bytes);
    std::vector<std::byte> der(begin, begin + size);
    OPENSSL_free(bytes);
    if (!der_signature(Curve::p256, der)) return std::nullopt;
    return der;
}

std::optional<EcPublicKey> p256_of_point(std::span<const std::byte> point) {
    if (point.size() != PublicKey::size_of(KeyType::p256)) return std::nullopt;
    char group[] = "prime256v1";
    const OSSL_PARAM parameters[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, 0),
        // OpenSSL reads it only.
        OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, const_cast<unsigned char*>(raw_point(point)),
                                          point.size()),
        OSSL_PARAM_construct_end(),
    };
    const openssl::KeyContext context(EVP_PKEY_CTX_new_from_name(nullptr, "EC", nullptr));
    EVP_PKEY* made = nullptr;
    if (!context || EVP_PKEY_fromdata_init(context.get()) != 1 ||
        EVP_PKEY_fromdata(context.get(), &made, EVP_PKEY_PUBLIC_KEY, const_cast<OSSL_PARAM*>(parameters)) !=
            1) {
        openssl::take_notes();
        return std::nullopt;
    }
    auto key = EcPublicKey::of(make_handle(openssl::Key(made)), "point");
    if (!key.ok()) return std::nullopt;
    return std::move(*key);
}

PublicKey vendor_key_of(const EcPublicKey& key) {
    return PublicKey::of(key.compressed_point()).value();
}

bool p256_verify(std::span<const std::byte> point, std::span<const std::byte> message,
                 const SignatureBytes& signature) {
    const auto der = der_of_p1363(signature);
    if (!der) return false;
    const auto key = p256_of_point(point);
    return key && key->verify(message, *der);
}

std::shared_ptr<const Signer> p256_signer(EcSigningKey key) {
    return std::make_shared<P256Signer>(std::move(key));
}

std::span<const std::byte> derivation_point() {
    static constexpr std::array<unsigned char, 33> kPoint = {
        0x02, 0x81, 0x0e, 0x09, 0xd2, 0x12, 0x87, 0xac, 0xa1, 0xb7, 0x7a, 0xd9, 0x75, 0x0f, 0x59, 0x46, 0x7f,
        0x47, 0xad, 0xe2, 0x54, 0xc8, 0x46, 0x96, 0x09, 0xe6, 0x5c, 0xcf, 0x20, 0x19, 0x11, 0x27, 0xda};
    return std::as_bytes(std::span(kPoint));
}

}  // namespace modelseal::crypto
