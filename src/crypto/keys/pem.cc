
#include "crypto/keys/pem.h"

#include <climits>
#include <optional>
#include <stdexcept>
#include <utility>

#include <openssl/core_names.h>
#include <openssl/ec.h>

#include "crypto/hash.h"
#include "crypto/keys/ed25519_pem.h"
#include "crypto/keys/evp_keys.h"
#include "crypto/keys/pkcs8.h"
#include "crypto/openssl.h"
#include "io/file_kind.h"
#include "util/text.h"
#include <modelseal/signer.h>

namespace modelseal::crypto {
namespace {

// Large enough for an RSA key of 16,384 bits, so that the error names its type.
constexpr std::uint64_t kMaxKeyFile = 64u << 10;

// What a PEM block is that is not a key of this half.
std::string described_label(const std::string& label) {
    if (label == "PUBLIC KEY") return "a public key";
    if (label == "MODELSEAL CHECK KEY") return "a check key";
    if (label == "CERTIFICATE") return "a certificate";
    if (label == "RSA PRIVATE KEY") return "an RSA private key";
    if (label == "DSA PRIVATE KEY") return "a DSA private key";
    if (label == "OPENSSH PRIVATE KEY") return "an OpenSSH private key";
    if (label.ends_with("PRIVATE KEY")) return "a private key";
    return "a PEM block '" + util::printable(label) + "'";
}

Error wrong_label(const PemBlock& block, const std::string& shown, const std::string& needed) {
    return {ErrorKind::unsupported,
            shown + ": is " + described_label(block.label()) + "; " + needed + " is needed", ""};
}

Error broken_private_key(const std::string& shown) {
    return {ErrorKind::malformed, shown + ": broken private key: " + openssl::last_error(), ""};
}

Error encrypted_traditionally(const std::string& shown) {
    return {
        ErrorKind::unsupported,
        shown +
            ": is encrypted in the traditional form of OpenSSL (Proc-Type, DEK-Info), which is not supported",
        "'openssl pkcs8 -topk8 -v2 aes256 -scrypt' converts it to PKCS#8"};
}

// A block "EC PRIVATE KEY" (SEC 1, RFC 5915), on any curve.
Result<openssl::Key> sec1_key(const PemBlock& block, const std::string& shown) {
    if (block.encrypted()) return encrypted_traditionally(shown);
    const unsigned char* at = block.body().data();
    openssl::Key key(d2i_PrivateKey(EVP_PKEY_EC, nullptr, &at, static_cast<long>(block.body().size())));
    if (key && at == block.body().data() + block.body().size()) return key;
    return broken_private_key(shown);
}

Result<openssl::Key> private_key(const PemBlock& block, const std::string& shown,
                                 const Passphrase& passphrase) {
    if (block.label() == "EC PRIVATE KEY") return sec1_key(block, shown);
    openssl::PrivateInfo info;
    if (block.label() == "ENCRYPTED PRIVATE KEY") {
        MODELSEAL_TRY_ASSIGN(info, decrypt_pkcs8(block.body(), shown, passphrase));
    } else if (block.label() == "PRIVATE KEY") {
        MODELSEAL_TRY_ASSIGN(info, plain_pkcs8(block.body(), shown));
    } else {
        return wrong_label(block, shown, "a private key in PKCS#8");
    }
    openssl::Key key(EVP_PKCS82PKEY(info.get()));
    if (!key) return broken_private_key(shown);
    return key;
}

}  // namespace

PemBlock::PemBlock(PemBlock&& other) noexcept
    : label_(std::move(other.label_)),
      encrypted_(other.encrypted_),
      body_(std::exchange(other.body_, nullptr)),
      size_(std::exchange(other.size_, 0)) {}

PemBlock::~PemBlock() {
    OPENSSL_clear_free(body_, size_);
}

Result<PemBlock> PemBlock::parse(std::string_view text, const std::string& shown) {
    if (text.size() > INT_MAX) return Error{ErrorKind::malformed, shown + ": too large for a key", ""};
    const openssl::Bio bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
    std::optional<PemBlock> found;
    char* label = nullptr;
    char* header = nullptr;
    unsigned char* body = nullptr;
    long size = 0;
    while (PEM_read_bio(bio.get(), &label, &header, &body, &size) == 1) {
        PemBlock block;
        block.label_ = label;
        block.encrypted_ = std::string_view(header).find("ENCRYPTED") != std::string_view::npos;
        block.body_ = body;
        block.size_ = static_cast<std::size_t>(size);
        OPENSSL_free(label);
        OPENSSL_free(header);
        if (block.label_ == "EC PARAMETERS") continue;
        if (found) {
            return Error{ErrorKind::malformed, shown + ": contains several PEM blocks; one key is needed", ""};
        }
        found.emplace(std::move(block));
    }
    const bool clean_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
    const std::string reason = openssl::last_error();
    if (!clean_end) return Error{ErrorKind::malformed, shown + ": broken PEM: " + reason, ""};
    if (!found) return io::mistaken("key", shown, text, text.size());
    return std::move(*found);
}

Result<SigningKey> parse_signing_key(std::string_view text, const std::string& shown,
                                     const Passphrase& passphrase) {
    MODELSEAL_TRY_ASSIGN(const PemBlock block, PemBlock::parse(text, shown));
    MODELSEAL_TRY_ASSIGN(openssl::Key key, private_key(block, shown, passphrase));
    return signing_key_of(std::move(key), shown);
}

Result<PublicKey> parse_public_key(std::string_view text, const std::string& shown) {
    if (auto key = ed25519_key_of_pem(text)) return *key;
    MODELSEAL_TRY_ASSIGN(const PemBlock block, PemBlock::parse(text, shown));
    if (block.label() != "PUBLIC KEY") return wrong_label(block, shown, "a public key");
    return public_key_of_der(std::as_bytes(block.body()), shown);
}

Result<std::string> read_key_file(const std::string& path) {
    return io::read_text(path, kMaxKeyFile, "key");
}

std::string pem_digest(const PublicKey& key) {
    const auto text = public_key_pem(key);
    return to_hex(Sha256().update(std::as_bytes(std::span(text))).finish());
}

}  // namespace modelseal::crypto

namespace modelseal {

Result<std::string> signing_key_pem(const SigningKey& key, std::string_view passphrase) {
    return key.signer().pem(passphrase);
}

std::string public_key_pem(const PublicKey& key) {
    if (key.type() == KeyType::ed25519) return crypto::ed25519_pem(key);
    const auto evp = crypto::evp_key_of(key);
    const crypto::openssl::Bio bio(BIO_new(BIO_s_mem()));
    // Fails only for lack of memory: PublicKey::of() has checked the point.
    if (!evp || !bio ||
        EVP_PKEY_set_utf8_string_param(evp.get(), OSSL_PKEY_PARAM_EC_POINT_CONVERSION_FORMAT,
                                       OSSL_PKEY_EC_POINT_CONVERSION_FORMAT_UNCOMPRESSED) != 1 ||
        PEM_write_bio_PUBKEY(bio.get(), evp.get()) != 1) {
        throw std::runtime_error("OpenSSL failed: " + crypto::openssl::last_error());
    }
    char* data = nullptr;
    const long size = BIO_get_mem_data(bio.get(), &data);
    return {data, static_cast<std::size_t>(size)};
}

}  // namespace modelseal
