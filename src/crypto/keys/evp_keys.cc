#include "crypto/keys/evp_keys.h"

#include <algorithm>
#include <array>
#include <stdexcept>
#include <vector>

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/param_build.h>
#include <sodium.h>

#include "crypto/keys/signers.h"

namespace modelseal::crypto {
namespace {

struct Group {
    KeyType type;
    const char* name;  // as OpenSSL calls it
};
constexpr std::array kGroups = {Group{KeyType::p256, "prime256v1"}, Group{KeyType::p384, "secp384r1"},
                                Group{KeyType::p521, "secp521r1"}};

using Number = std::unique_ptr<BIGNUM, openssl::Deleter<BN_free>>;

Error broken_key(const std::string& shown, const char* half) {
    return {ErrorKind::malformed, shown + ": broken " + half + " key: " + openssl::last_error(), ""};
}

std::string hint_for(const EVP_PKEY* key);

Error unsupported_type(const EVP_PKEY* key, const std::string& shown) {
    return {ErrorKind::unsupported,
            shown + ": a key of type " + algorithm_of(key) +
                " is not supported; Ed25519, P-256, P-384 and P-521 are",
            hint_for(key)};
}

// Empty for a curve without a name.
std::string group_of(const EVP_PKEY* key) {
    char group[64] = "";
    std::size_t length = 0;
    if (EVP_PKEY_get_group_name(key, group, sizeof group, &length) != 1) return {};
    return group;
}

// The curve is written as numbers, not as a name. Such numbers may describe a weak one, so nobody takes them.
bool has_explicit_parameters(const EVP_PKEY* key) {
    int spelled_out = 0;
    return EVP_PKEY_get_int_param(key, OSSL_PKEY_PARAM_EC_DECODED_FROM_EXPLICIT_PARAMS, &spelled_out) != 1 ||
           spelled_out != 0;
}

std::string hint_for(const EVP_PKEY* key) {
    const bool spelled_out = EVP_PKEY_get_base_id(key) == EVP_PKEY_EC && has_explicit_parameters(key);
    openssl::take_notes();
    return spelled_out ? "'openssl ec -param_enc named_curve' names the curve instead" : "";
}

std::optional<KeyType> curve_of(const EVP_PKEY* key) {
    if (has_explicit_parameters(key)) return std::nullopt;
    const auto name = group_of(key);
    const auto* group = std::ranges::find_if(kGroups, [&](const Group& each) { return each.name == name; });
    return group == kGroups.end() ? std::nullopt : std::optional(group->type);
}

// The point of a key on `type`, compressed, whatever form the key prefers.
std::vector<std::byte> compressed_point(const EVP_PKEY* key, KeyType type) {
    BIGNUM *x = nullptr, *y = nullptr;
    const bool done = EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_EC_PUB_X, &x) == 1 &&
                      EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_EC_PUB_Y, &y) == 1;
    const Number owned_x(x), owned_y(y);
    std::vector<std::byte> point(PublicKey::size_of(type));
    const auto length = static_cast<int>(point.size() - 1);
    if (!done || BN_bn2binpad(x, reinterpret_cast<unsigned char*>(point.data() + 1), length) < 0) {
        throw std::runtime_error("OpenSSL failed: " + openssl::last_error());
    }
    point[0] = BN_is_odd(y) ? std::byte{3} : std::byte{2};
    return point;
}

Result<PublicKey> ed25519_public_key(const EVP_PKEY* key, const std::string& shown) {
    std::array<std::byte, PublicKey::size_of(KeyType::ed25519)> point;
    std::size_t size = point.size();
    auto* bytes = reinterpret_cast<unsigned char*>(point.data());
    if (EVP_PKEY_get_raw_public_key(key, bytes, &size) != 1 || size != point.size() ||
        crypto_core_ed25519_is_valid_point(bytes) != 1) {
        openssl::take_notes();
        return Error{ErrorKind::malformed, shown + ": broken public key: not a point of the Ed25519 group", ""};
    }
    return PublicKey::of(point).value();
}

Result<SigningKey> ed25519_signing_key(const EVP_PKEY* key, const std::string& shown) {
    Secret32 seed;
    std::size_t size = seed.bytes().size();
    auto* bytes = reinterpret_cast<unsigned char*>(seed.writable().data());
    if (EVP_PKEY_get_raw_private_key(key, bytes, &size) != 1 || size != seed.bytes().size()) {
        return broken_key(shown, "private");
    }
    return SigningKey(std::move(seed));
}

openssl::Key evp_key_of_point(std::span<const std::byte> point, const char* name) {
    std::string group = name;
    // OpenSSL only reads it.
    auto* bytes = const_cast<unsigned char*>(reinterpret_cast<const unsigned char*>(point.data()));
    OSSL_PARAM parameters[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group.data(), 0),
        OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, bytes, point.size()),
        OSSL_PARAM_construct_end(),
    };
    const openssl::KeyContext context(EVP_PKEY_CTX_new_from_name(nullptr, "EC", nullptr));
    EVP_PKEY* made = nullptr;
    if (!context || EVP_PKEY_fromdata_init(context.get()) != 1 ||
        EVP_PKEY_fromdata(context.get(), &made, EVP_PKEY_PUBLIC_KEY, parameters) != 1) {
        openssl::take_notes();
        return nullptr;
    }
    return openssl::Key(made);
}

}  // namespace

std::optional<KeyType> type_of(const EVP_PKEY* key) {
    if (EVP_PKEY_get_base_id(key) == EVP_PKEY_ED25519) return KeyType::ed25519;
    const auto curve = EVP_PKEY_get_base_id(key) == EVP_PKEY_EC ? curve_of(key) : std::nullopt;
    openssl::take_notes();
    return curve;
}

std::string algorithm_of(const EVP_PKEY* key) {
    if (const auto type = type_of(key)) return std::string(name_of(*type));
    if (EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA) return "RSA " + std::to_string(EVP_PKEY_get_bits(key));
    if (EVP_PKEY_get_base_id(key) == EVP_PKEY_EC) {
        const auto group = group_of(key);
        const bool spelled_out = has_explicit_parameters(key);
        openssl::take_notes();
        if (spelled_out) return "EC with explicit parameters" + (group.empty() ? "" : " (" + group + ")");
        return "EC " + (group.empty() ? "without a named curve" : group);
    }
    const char* name = EVP_PKEY_get0_type_name(key);
    return name == nullptr ? "unknown" : name;
}

Result<PublicKey> public_key_of(const EVP_PKEY* key, const std::string& shown) {
    const auto type = type_of(key);
    if (!type) return unsupported_type(key, shown);
    if (*type == KeyType::ed25519) return ed25519_public_key(key, shown);
    const auto open = PublicKey::of(compressed_point(key, *type));
    if (!open) return broken_key(shown, "public");
    return *open;
}

Result<SigningKey> signing_key_of(openssl::Key key, const std::string& shown) {
    const auto type = type_of(key.get());
    if (!type) return unsupported_type(key.get(), shown);
    if (*type == KeyType::ed25519) return ed25519_signing_key(key.get(), shown);
    // The secret number is in range, and the public half in the file is that of the secret one.
    const openssl::KeyContext context(EVP_PKEY_CTX_new_from_pkey(nullptr, key.get(), nullptr));
    if (!context || EVP_PKEY_check(context.get()) != 1) return broken_key(shown, "private");
    MODELSEAL_TRY_ASSIGN(const auto open, public_key_of(key.get(), shown));
    return SigningKey(ec_signer({.key = std::move(key), .open = open, .shown = shown}));
}

Result<PublicKey> public_key_of_der(std::span<const std::byte> der, const std::string& shown) {
    const auto* const begin = reinterpret_cast<const unsigned char*>(der.data());
    const auto* at = begin;
    const openssl::Key key(d2i_PUBKEY(nullptr, &at, static_cast<long>(der.size())));
    if (!key || at != begin + der.size()) return broken_key(shown, "public");
    return public_key_of(key.get(), shown);
}

openssl::Key evp_key_of(const PublicKey& key) {
    const auto bytes = key.bytes();
    const auto* group = std::ranges::find(kGroups, key.type(), &Group::type);
    if (group != kGroups.end()) return evp_key_of_point(bytes, group->name);
    return openssl::Key(EVP_PKEY_new_raw_public_key(
        EVP_PKEY_ED25519, nullptr, reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size()));
}

}  // namespace modelseal::crypto
