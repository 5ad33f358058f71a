#include "crypto/evp_keys.h"

#include <array>

#include <openssl/objects.h>
#include <sodium.h>

#include "crypto/ec_handle.h"
#include "crypto/p256.h"

namespace modelseal {
namespace {

Error malformed_key(const std::string& shown, const std::string& what) {
    return {ErrorKind::malformed, shown + ": " + what, ""};
}

// "an EC (prime256v1)", "a 2048-bit RSA": what stands before "private key" in a message.
std::string type_of(const EVP_PKEY* key) {
    if (EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA) {
        return "a " + std::to_string(EVP_PKEY_get_bits(key)) + "-bit RSA";
    }
    if (EVP_PKEY_get_base_id(key) == EVP_PKEY_EC) {
        char group[64] = "unnamed curve";
        std::size_t length = 0;
        EVP_PKEY_get_group_name(key, group, sizeof group, &length);
        return "an EC (" + std::string(group) + ")";
    }
    const char* name = EVP_PKEY_get0_type_name(key);
    const std::string text = name == nullptr ? "unknown" : name;
    return (text.find_first_of("aeiouAEIOUX") == 0 ? "an " : "a ") + text;
}

bool on_p256(const EVP_PKEY* key) {
    char group[64] = "";
    std::size_t length = 0;
    return EVP_PKEY_get_base_id(key) == EVP_PKEY_EC &&
           EVP_PKEY_get_group_name(key, group, sizeof group, &length) == 1 &&
           std::string_view(group) == SN_X9_62_prime256v1;
}

Error wrong_type(const EVP_PKEY* key, const std::string& shown, const std::string& half) {
    const bool curve = EVP_PKEY_get_base_id(key) == EVP_PKEY_EC;
    return {ErrorKind::unsupported,
            shown + ": holds " + type_of(key) + " " + half + " key, an Ed25519 or P-256 one is needed",
            curve
                ? "other curves are for 'modelseal sign'; 'modelseal keygen NAME --type p256' makes a key for "
                  "both"
                : kHowToMake};
}

Result<SigningKey> ed25519_key_of(const EVP_PKEY* key, const std::string& shown) {
    Secret32 seed;
    std::size_t size = seed.writable().size();
    if (EVP_PKEY_get_raw_private_key(key, reinterpret_cast<unsigned char*>(seed.writable().data()), &size) !=
            1 ||
        size != seed.bytes().size()) {
        return malformed_key(shown, "broken private key: " + openssl::last_error());
    }
    return SigningKey(std::move(seed));
}

}  // namespace

Result<SigningKey> signing_key_of(openssl::Key key, const std::string& shown) {
    if (EVP_PKEY_get_base_id(key.get()) == EVP_PKEY_ED25519) return ed25519_key_of(key.get(), shown);
    if (!on_p256(key.get())) return wrong_type(key.get(), shown, "private");
    MODELSEAL_TRY_ASSIGN(auto signer, crypto::EcSigningKey::of(crypto::make_handle(std::move(key)), shown));
    return SigningKey(crypto::p256_signer(std::move(signer)));
}

Result<PublicKey> public_key_of(openssl::Key key, const std::string& shown) {
    if (on_p256(key.get())) {
        MODELSEAL_TRY_ASSIGN(const auto open,
                             crypto::EcPublicKey::of(crypto::make_handle(std::move(key)), shown));
        return crypto::vendor_key_of(open);
    }
    if (EVP_PKEY_get_base_id(key.get()) != EVP_PKEY_ED25519) return wrong_type(key.get(), shown, "public");
    std::array<std::byte, PublicKey::size_of(KeyType::ed25519)> point;
    std::size_t size = point.size();
    auto* bytes = reinterpret_cast<unsigned char*>(point.data());
    if (EVP_PKEY_get_raw_public_key(key.get(), bytes, &size) != 1 || size != point.size() ||
        crypto_core_ed25519_is_valid_point(bytes) != 1) {
        openssl::last_error();
        return malformed_key(shown, "broken public key: not a point of the Ed25519 group");
    }
    return PublicKey::of(point).value();
}

}  // namespace modelseal
