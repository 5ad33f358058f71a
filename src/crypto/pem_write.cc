#include <climits>
#include <new>
#include <stdexcept>

#include <openssl/objects.h>

#include "crypto/openssl.h"
#include "crypto/p256.h"
#include "crypto/pem.h"
#include "crypto/pkcs8.h"
#include "crypto/secret.h"
#include <modelseal/signer.h>

namespace modelseal {
namespace {

// scrypt's cost: 16 MiB, five passes, a few tenths of a second. More memory would exceed OpenSSL's own limit,
// and `openssl pkey` could not read the key.
constexpr std::uint64_t kScryptN = 16384, kScryptR = 8, kScryptP = 5;

// What cannot happen short of lack of memory or a broken OpenSSL, in functions that have no Result.
void must(bool done) {
    if (!done) throw std::runtime_error("OpenSSL failed: " + openssl::last_error());
}

const unsigned char* raw_pem(std::span<const std::byte> bytes) {
    return reinterpret_cast<const unsigned char*>(bytes.data());
}

std::string text_of(BIO* bio) {
    char* data = nullptr;
    const long size = BIO_get_mem_data(bio, &data);
    return size > 0 ? std::string(data, static_cast<std::size_t>(size)) : std::string();
}

std::string open_pem(const EVP_PKEY* key) {
    const openssl::Bio bio(BIO_new(BIO_s_mem()));
    must(bio && PEM_write_bio_PUBKEY(bio.get(), key) == 1);
    return text_of(bio.get());
}

openssl::EncryptedInfo encrypt(PKCS8_PRIV_KEY_INFO* info, std::string_view passphrase) {
    X509_ALGOR* algorithm =
        PKCS5_pbe2_set_scrypt(EVP_aes_256_cbc(), nullptr, 16, nullptr, kScryptN, kScryptR, kScryptP);
    if (algorithm == nullptr) return nullptr;
    // On success the algorithm belongs to what is returned.
    openssl::EncryptedInfo encrypted(
        PKCS8_set0_pbe(passphrase.data(), static_cast<int>(passphrase.size()), info, algorithm));
    if (!encrypted) X509_ALGOR_free(algorithm);
    return encrypted;
}

}  // namespace

Result<std::string> pkcs8_pem(const EVP_PKEY* key, std::string_view passphrase) {
    if (passphrase.size() > INT_MAX) return Error{ErrorKind::usage, "passphrase is too long", ""};
    const openssl::PrivateInfo info(EVP_PKEY2PKCS8(key));
    const openssl::Bio bio(BIO_new(BIO_s_secmem()));  // wiped when it is freed
    bool done = info && bio;
    if (done && passphrase.empty()) {
        done = PEM_write_bio_PKCS8_PRIV_KEY_INFO(bio.get(), info.get()) == 1;
    } else if (done) {
        const openssl::EncryptedInfo encrypted = encrypt(info.get(), passphrase);
        done = encrypted && PEM_write_bio_PKCS8(bio.get(), encrypted.get()) == 1;
    }
    if (!done)
        return Error{ErrorKind::internal, "OpenSSL could not write the key: " + openssl::last_error(), ""};
    return text_of(bio.get());
}

Result<std::string> signing_key_pem(const SigningKey& key, std::string_view passphrase) {
    return key.signer().pem(passphrase);
}

std::string public_key_pem(const PublicKey& key) {
    if (key.type() == KeyType::p256) return crypto::p256_of_point(key.bytes()).value().pem();
    const openssl::Key evp(
        EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, raw_pem(key.bytes()), key.bytes().size()));
    must(evp != nullptr);
    return open_pem(evp.get());
}

Result<PemPair> generate_ec_pair(std::string_view curve, std::string_view passphrase) {
    const openssl::Key evp(EVP_EC_gen(std::string(curve).c_str()));
    if (!evp) {
        openssl::last_error();
        return Error{ErrorKind::usage, "unknown curve '" + std::string(curve) + "'", "P-256, P-384 or P-521"};
    }
    MODELSEAL_TRY_ASSIGN(std::string secret, pkcs8_pem(evp.get(), passphrase));
    return PemPair{std::move(secret), open_pem(evp.get())};
}

}  // namespace modelseal
