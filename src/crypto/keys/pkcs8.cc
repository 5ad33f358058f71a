
#include "crypto/keys/pkcs8.h"

#include <climits>
#include <vector>

#include <openssl/evperr.h>
#include <openssl/objects.h>
#include <openssl/pkcs12err.h>
#include <openssl/proverr.h>

#include "crypto/secret.h"
#include "util/error.h"

namespace modelseal::crypto {
namespace {

// scrypt's cost: 16 MiB, five passes, a few tenths of a second. More memory would exceed OpenSSL's own limit,
// and `openssl pkey` could not read the key.
constexpr std::uint64_t kScryptN = 16384, kScryptR = 8, kScryptP = 5;

constexpr const char* kHowToEncrypt = "'openssl pkcs8 -topk8 -v2 aes256 -scrypt' encrypts a key again";

// Why the decryption failed, from OpenSSL's notes. A wrong passphrase shows as bad padding or, once in 256
// times, as plain bytes that are no key. Anything else is not the user's mistake: an algorithm that this
// OpenSSL does not have, or costs above its limits.
Error decryption_error(const std::string& shown) {
    const std::vector<openssl::Note> notes = openssl::take_notes();
    for (const auto& [library, reason, text] : notes) {
        const bool bad_padding = (library == ERR_LIB_EVP && reason == EVP_R_BAD_DECRYPT) ||
                                 (library == ERR_LIB_PROV && reason == PROV_R_BAD_DECRYPT);
        if (bad_padding || (library == ERR_LIB_PKCS12 && reason == PKCS12_R_DECODE_ERROR)) {
            return {ErrorKind::mismatch, shown + ": wrong passphrase", ""};
        }
    }
    return {ErrorKind::unsupported,
            shown + ": encrypted in a way that OpenSSL cannot undo here: " +
                (notes.empty() ? "unknown" : notes.front().text),
            kHowToEncrypt};
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

Result<openssl::PrivateInfo> plain_pkcs8(std::span<const unsigned char> body, const std::string& shown) {
    const unsigned char* at = body.data();
    openssl::PrivateInfo info(d2i_PKCS8_PRIV_KEY_INFO(nullptr, &at, static_cast<long>(body.size())));
    if (!info || at != body.data() + body.size()) {
        return util::malformed(shown, "broken private key: " + openssl::last_error());
    }
    return info;
}

Result<openssl::PrivateInfo> decrypt_pkcs8(std::span<const unsigned char> body, const std::string& shown,
                                           const Passphrase& passphrase) {
    const unsigned char* at = body.data();
    const openssl::EncryptedInfo encrypted(d2i_X509_SIG(nullptr, &at, static_cast<long>(body.size())));
    if (!encrypted || at != body.data() + body.size()) {
        return util::malformed(shown, "broken encrypted private key: " + openssl::last_error());
    }
    const X509_ALGOR* algorithm = nullptr;
    X509_SIG_get0(encrypted.get(), &algorithm, nullptr);
    if (OBJ_obj2nid(algorithm->algorithm) != NID_pbes2) {
        return Error{ErrorKind::unsupported,
                     shown + ": encrypted by an older scheme than PBES2, which protects it badly",
                     kHowToEncrypt};
    }
    if (!passphrase) return Error{ErrorKind::usage, shown + ": encrypted, and no passphrase was given", ""};
    MODELSEAL_TRY_ASSIGN(std::string word, passphrase(shown));
    const WipeAtEnd wiped(word);
    if (word.size() > INT_MAX) return Error{ErrorKind::usage, shown + ": passphrase is too long", ""};
    ERR_clear_error();
    openssl::PrivateInfo info(PKCS8_decrypt(encrypted.get(), word.data(), static_cast<int>(word.size())));
    if (!info) return decryption_error(shown);
    return info;
}

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
    char* data = nullptr;
    const long size = BIO_get_mem_data(bio.get(), &data);
    return std::string(data, static_cast<std::size_t>(size));
}

}  // namespace modelseal::crypto
