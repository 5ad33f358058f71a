// Key files: what OpenSSL 3.0 wrote is read, what we write OpenSSL reads, and anything else is refused by name.
#include "crypto/keys/pem.h"

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/bio.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include "crypto/secret.h"
#include "tests/support/scratch.h"

namespace modelseal {
namespace {

using crypto::parse_public_key;
using crypto::parse_signing_key;
using testing::HasSubstr;

// openssl genpkey -algorithm ed25519
constexpr const char* kPlain = R"(-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEIIpjuSSaj9S/PQdy4S15dt6WwfkLcUmZbQWi6qorQJv9
-----END PRIVATE KEY-----
)";
// openssl pkey -pubout of it
constexpr const char* kPublic = R"(-----BEGIN PUBLIC KEY-----
MCowBQYDK2VwAyEALpfTWh/sZqzD1P66L1zf3eo90Sj4uqTXku7MQVEGRbE=
-----END PUBLIC KEY-----
)";
// openssl genpkey -algorithm ed25519 -aes256 -pass pass:opensesame
constexpr const char* kEncrypted = R"(-----BEGIN ENCRYPTED PRIVATE KEY-----
MIGbMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAgO/415ILATrwICCAAw
DAYIKoZIhvcNAgkFADAdBglghkgBZQMEASoEEJPTBMkkLkZRBc6b4Ztn7H0EQEJ5
YpvDhVeqMymh1xiisZyRURUeLRwzRSY5doYLnZHPOoj/XExGVWlL28gxKukPyNTx
ex/bLNE1mtvYn94QT/k=
-----END ENCRYPTED PRIVATE KEY-----
)";
constexpr const char* kEncryptedPublic = R"(-----BEGIN PUBLIC KEY-----
MCowBQYDK2VwAyEATllLBUOVIbq3Jw2v/qGz6LjJ1ZUrIv07ag6QHMRYyT4=
-----END PUBLIC KEY-----
)";
// openssl pkcs8 -topk8 -v2 aes-256-cbc -scrypt -scrypt_N 1024 -passout pass:opensesame of kPlain
constexpr const char* kScrypt = R"(-----BEGIN ENCRYPTED PRIVATE KEY-----
MIGTME8GCSqGSIb3DQEFDTBCMCEGCSsGAQQB2kcECzAUBAh/RsN3r5VEpAICBAAC
AQgCAQEwHQYJYIZIAWUDBAEqBBCRnZns4DB4EjZonOevQfIeBEAWrI57MVqSwcGH
oGMOPJJr/YEEK7iHp6Y3ap5hz5cJV6P8DnW6+UFnZBGxMDJigonFe641NmJGOQ5A
nZ7Qz7QH
-----END ENCRYPTED PRIVATE KEY-----
)";
// openssl pkcs8 -topk8 -v1 PBE-SHA1-3DES
constexpr const char* kTripleDes = R"(-----BEGIN ENCRYPTED PRIVATE KEY-----
MFgwHAYKKoZIhvcNAQwBAzAOBAiAPUYudWy94AICCAAEOEN9EbJnrIpnca5ofAZc
79tEac+9ReRsVgkkIgkxcQROeI20k7wCPtz+J5uh0N0DfSLHymf9941+
-----END ENCRYPTED PRIVATE KEY-----
)";
// kScrypt, whose costs were raised to N 16384, r 127: 266 MB
constexpr const char* kCostly = R"(-----BEGIN ENCRYPTED PRIVATE KEY-----
MIGTME8GCSqGSIb3DQEFDTBCMCEGCSsGAQQB2kcECzAUBAh/RsN3r5VEpAICQAAC
AX8CAQEwHQYJYIZIAWUDBAEqBBCRnZns4DB4EjZonOevQfIeBEAWrI57MVqSwcGH
oGMOPJJr/YEEK7iHp6Y3ap5hz5cJV6P8DnW6+UFnZBGxMDJigonFe641NmJGOQ5A
nZ7Qz7QH
-----END ENCRYPTED PRIVATE KEY-----
)";
// openssl pkcs8 -topk8 -v2 rc2 -provider legacy -provider default
constexpr const char* kRc2 = R"(-----BEGIN ENCRYPTED PRIVATE KEY-----
MIGSMFYGCSqGSIb3DQEFDTBJMCwGCSqGSIb3DQEFDDAfBAhTlxXDPvIsCQICCAAC
ARAwDAYIKoZIhvcNAgkFADAZBggqhkiG9w0DAjANAgE6BAjUERKvMD03BwQ4qXQi
eh1VLh4Lfwzg7RBDzL+2jIldKwXjln9jN/IYtRxCB74O6tnkLkYjBVl9JkBx8JwD
6/BhWsA=
-----END ENCRYPTED PRIVATE KEY-----
)";
// openssl ecparam -name prime256v1 -genkey
constexpr const char* kTraditionalEc = R"(-----BEGIN EC PARAMETERS-----
BggqhkjOPQMBBw==
-----END EC PARAMETERS-----
-----BEGIN EC PRIVATE KEY-----
MHcCAQEEIErE3O1hElUTXxx8eQ7KB78jKOMOOmdDo8Lx89EJe9+ZoAoGCCqGSM49
AwEHoUQDQgAEeadyTmZC8iOLtK08xwp9vgxSbLlAMZuuwtS+cVzazvA9syJiqat/
q0h0Td7s3A2tp617uRHs/RM1VLUosEv7xg==
-----END EC PRIVATE KEY-----
)";
// openssl genpkey -algorithm x25519
constexpr const char* kX25519 = R"(-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VuBCIEICCHV5q/JtiwqpBegXBNm4QLowq5OFaFHOWvuDvJtvtT
-----END PRIVATE KEY-----
)";

Passphrase always(std::string word) {
    return [word](const std::string&) -> Result<std::string> { return word; };
}

Result<std::string> nobody(const std::string&) {
    ADD_FAILURE() << "asked for the passphrase of a key that is not encrypted";
    return std::string();
}

using Key = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;

Key openssl_reads(const std::string& text, const std::string& passphrase) {
    BIO* bio = BIO_new_mem_buf(text.data(), static_cast<int>(text.size()));
    Key key(PEM_read_bio_PrivateKey(bio, nullptr, nullptr, const_cast<char*>(passphrase.c_str())),
            EVP_PKEY_free);
    BIO_free(bio);
    return key;
}

std::string openssl_writes(EVP_PKEY* key, bool secret) {
    BIO* bio = BIO_new(BIO_s_mem());
    secret ? PEM_write_bio_PKCS8PrivateKey(bio, key, nullptr, nullptr, 0, nullptr, nullptr)
           : PEM_write_bio_PUBKEY(bio, key);
    char* data = nullptr;
    const long size = BIO_get_mem_data(bio, &data);
    std::string text(data, static_cast<std::size_t>(size));
    BIO_free(bio);
    return text;
}

TEST(SigningKeyPem, ReadsKeysThatOpensslWrote) {
    const auto plain = parse_signing_key(kPlain, "v.key", nobody);
    ASSERT_TRUE(plain.ok()) << plain.error().message;
    EXPECT_EQ(public_key_pem(plain->public_key()), kPublic);
    const auto encrypted = parse_signing_key(kEncrypted, "v.key", always("opensesame"));
    ASSERT_TRUE(encrypted.ok()) << encrypted.error().message;
    EXPECT_EQ(public_key_pem(encrypted->public_key()), kEncryptedPublic);
    const auto scrypt = parse_signing_key(kScrypt, "v.key", always("opensesame"));
    ASSERT_TRUE(scrypt.ok()) << scrypt.error().message;
    EXPECT_EQ(public_key_pem(scrypt->public_key()), kPublic);
}

TEST(SigningKeyPem, IsTheFormThatOpensslWrites) {
    const auto key = parse_signing_key(kPlain, "v.key", nobody);
    ASSERT_TRUE(key.ok());
    const auto text = signing_key_pem(*key, "");
    ASSERT_TRUE(text.ok());
    EXPECT_EQ(*text, kPlain);
}

TEST(SigningKeyPem, EncryptedIsReadByOpensslWithTheRightPassphraseOnly) {
    const SigningKey key = SigningKey::generate();
    const auto text = signing_key_pem(key, "correct horse");
    ASSERT_TRUE(text.ok()) << text.error().message;
    EXPECT_TRUE(text->starts_with("-----BEGIN ENCRYPTED PRIVATE KEY-----\n"));
    const Key theirs = openssl_reads(*text, "correct horse");
    ASSERT_NE(theirs, nullptr);
    EXPECT_EQ(openssl_writes(theirs.get(), false), public_key_pem(key.public_key()));
    EXPECT_EQ(openssl_reads(*text, "battery staple"), nullptr);
}

TEST(SigningKeyPem, RoundTrips) {
    for (const auto type : {KeyType::ed25519, KeyType::p256, KeyType::p384, KeyType::p521}) {
        for (const char* passphrase : {"", "x", "Passwörter mit Ümläuten", "  spaces  "}) {
            const SigningKey key = SigningKey::generate(type);
            const auto text = signing_key_pem(key, passphrase);
            ASSERT_TRUE(text.ok());
            const auto again = parse_signing_key(*text, "v.key", always(passphrase));
            ASSERT_TRUE(again.ok()) << again.error().message;
            EXPECT_EQ(again->public_key(), key.public_key());
        }
    }
}

TEST(SigningKeyPem, IsEncryptedDifferentlyEachTime) {
    const SigningKey key = SigningKey::generate();
    EXPECT_NE(*signing_key_pem(key, "same"), *signing_key_pem(key, "same"));
}

// Of these, "wrong101" and "wrong596" happen to give good padding, and bytes that are no key: once in 256
// times. That must not look like a broken file.
TEST(SigningKeyPem, CallsEveryWrongPassphraseAMismatch) {
    for (const char* word : {"", "opensesam", "opensesame ", "wrong100", "wrong101", "wrong596"}) {
        const auto key = parse_signing_key(kScrypt, "v.key", always(word));
        ASSERT_FALSE(key.ok()) << word;
        EXPECT_EQ(key.error().kind, ErrorKind::mismatch) << word << ": " << key.error().message;
        EXPECT_EQ(key.error().message, "v.key: wrong passphrase");
    }
}

TEST(SigningKeyPem, AsksOnceAndReportsAMissingAnswer) {
    int asked = 0;
    const auto key = parse_signing_key(kScrypt, "v.key", [&](const std::string& file) -> Result<std::string> {
        ++asked;
        EXPECT_EQ(file, "v.key");
        return Error{ErrorKind::usage, "nobody there", ""};
    });
    ASSERT_FALSE(key.ok());
    EXPECT_EQ(key.error().message, "nobody there");
    EXPECT_EQ(asked, 1);
}

struct Refused {
    const char* name;
    std::function<std::string()> text;
    bool secret;  // read as a signing key, else as a public key
    ErrorKind kind;
    const char* says;
};

std::string rsa(bool secret) {
    static const Key key(EVP_RSA_gen(1024), EVP_PKEY_free);
    return openssl_writes(key.get(), secret);
}

std::string ec(bool secret) {
    static const Key key(EVP_EC_gen("secp256k1"), EVP_PKEY_free);
    return openssl_writes(key.get(), secret);
}

std::string without(std::string text, const std::string& part) {
    return text.erase(text.find(part), part.size());
}

std::string with(std::string text, const std::string& part, const std::string& other) {
    return text.replace(text.find(part), part.size(), other);
}

std::string check_key() {
    return *new_check_key(SigningKey::generate(), "acme");
}

std::string pem(const std::string& label, const std::string& body) {
    return "-----BEGIN " + label + "-----\n" + body + "\n-----END " + label + "-----\n";
}

// The point is the last of the body: y = 0 has order 4; y = p + 1 is the neutral element in a second spelling.
std::string small_order() {
    return pem("PUBLIC KEY", "MCowBQYDK2VwAyEAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=");
}
std::string not_canonical() {
    return pem("PUBLIC KEY", "MCowBQYDK2VwAyEA7v///////////////////////////////////////38=");
}
std::string short_seed() {
    return pem("PRIVATE KEY", "MC0CAQAwBQYDK2VwBCEEH4pjuSSaj9S/PQdy4S15dt6WwfkLcUmZbQWi6qorQJs=");
}

// As 'openssl ec -aes256' writes it.
std::string encrypted_traditionally() {
    const Key key(EVP_EC_gen("P-256"), EVP_PKEY_free);
    const std::unique_ptr<BIO, decltype(&BIO_free)> bio(BIO_new(BIO_s_mem()), BIO_free);
    unsigned char word[] = "opensesame";
    PEM_write_bio_PrivateKey_traditional(bio.get(), key.get(), EVP_aes_256_cbc(), word, 10, nullptr, nullptr);
    char* text = nullptr;
    const auto size = BIO_get_mem_data(bio.get(), &text);
    return {text, static_cast<std::size_t>(size)};
}

// As 'openssl ec -param_enc explicit' writes it.
std::string with_explicit_parameters() {
    const Key key(EVP_EC_gen("P-256"), EVP_PKEY_free);
    EVP_PKEY_set_utf8_string_param(key.get(), OSSL_PKEY_PARAM_EC_ENCODING, OSSL_PKEY_EC_ENCODING_EXPLICIT);
    return openssl_writes(key.get(), true);
}

using enum ErrorKind;
const Refused kRefused[] = {
    {"Empty", [] { return std::string(); }, true, malformed, "the file is empty; a key is needed"},
    {"NoPem", [] { return std::string(1000, '\xFE'); }, true, malformed, "not a key"},
    {"Utf16", [] { return std::string("\xFF\xFE-\0-\0", 6); }, true, malformed,
     "is a text in UTF-16; a key is needed"},
    {"Html", [] { return std::string("<!DOCTYPE html><title>404"); }, true, malformed,
     "is an HTML page; a key is"},
    {"EncryptedTraditionally", [] { return encrypted_traditionally(); }, true, unsupported,
     "is encrypted in the traditional form of OpenSSL"},
    {"ExplicitParameters", [] { return with_explicit_parameters(); }, true, unsupported,
     "a key of type EC with explicit parameters (prime256v1) is not supported"},
    {"NoEnd", [] { return without(kPlain, "-----END PRIVATE KEY-----\n"); }, true, malformed, "broken PEM"},
    {"BadBase64", [] { return with(kPlain, "MC4C", "M*4C"); }, true, malformed, "broken PEM"},
    {"BadDer", [] { return with(kPlain, "MC4C", "MD4C"); }, true, malformed, "broken private key"},
    {"SeedTooShort", short_seed, true, malformed, "broken private key"},
    {"TwoKeys", [] { return std::string(kPlain) + kPlain; }, true, malformed, "several PEM blocks"},
    {"BrokenEncrypted", [] { return with(kEncrypted, "MIGb", "MIGc"); }, true, malformed,
     "broken encrypted private key"},
    {"TripleDes", [] { return std::string(kTripleDes); }, true, unsupported, "older scheme"},
    {"Rc2", [] { return std::string(kRc2); }, true, unsupported, "cannot undo here: unsupported"},
    {"CostlyScrypt", [] { return std::string(kCostly); }, true, unsupported, "memory limit exceeded"},
    {"Rsa", [] { return rsa(true); }, true, unsupported,
     "a key of type RSA 1024 is not supported; Ed25519, P-256, P-384 and P-521 are"},
    {"Ec", [] { return ec(true); }, true, unsupported, "a key of type EC secp256k1 is not supported"},
    {"TraditionalRsa", [] { return pem("RSA PRIVATE KEY", "AAAA"); }, true, unsupported,
     "is an RSA private key; a private key in PKCS#8"},
    {"X25519", [] { return std::string(kX25519); }, true, unsupported, "a key of type X25519 is"},
    {"PublicForSecret", [] { return std::string(kPublic); }, true, unsupported,
     "is a public key; a private key in PKCS#8 is needed"},
    {"CheckKeyForSecret", check_key, true, unsupported, "is a check key; a private key"},
    {"OtherLabel", [] { return pem("X509 CRL", "AAAA"); }, true, unsupported, "'X509 CRL'"},
    {"EmptyPublic", [] { return std::string(); }, false, malformed, "the file is empty"},
    {"RsaPublic", [] { return rsa(false); }, false, unsupported, "a key of type RSA 1024 is"},
    {"EcPublic", [] { return ec(false); }, false, unsupported, "a key of type EC secp256k1 is"},
    {"SecretForPublic", [] { return std::string(kPlain); }, false, unsupported,
     "is a private key; a public key is needed"},
    {"EncryptedForPublic", [] { return std::string(kEncrypted); }, false, unsupported, "a private key"},
    {"CheckKeyForPublic", check_key, false, unsupported, "is a check key; a public key"},
    {"BadPublicDer", [] { return with(kPublic, "MCow", "MCsw"); }, false, malformed, "broken public key"},
    {"SmallOrder", small_order, false, malformed, "not a point"},
    {"NotCanonical", not_canonical, false, malformed, "not a point"},
};

class RefusedKey : public testing::TestWithParam<Refused> {};

TEST_P(RefusedKey, IsRefusedAndNamed) {
    const auto& [name, text, secret, kind, says] = GetParam();
    const Error error = secret ? parse_signing_key(text(), "some.pem", always("opensesame")).error()
                               : parse_public_key(text(), "some.pem").error();
    EXPECT_EQ(error.kind, kind) << error.message;
    EXPECT_THAT(error.message, HasSubstr("some.pem: "));
    EXPECT_THAT(error.message, HasSubstr(says));
}

INSTANTIATE_TEST_SUITE_P(Table, RefusedKey, testing::ValuesIn(kRefused),
                         [](const auto& each) { return std::string(each.param.name); });

TEST(PublicKeyPem, RoundTrips) {
    for (const auto type : {KeyType::ed25519, KeyType::p256, KeyType::p384, KeyType::p521}) {
        const PublicKey key = SigningKey::generate(type).public_key();
        const auto again = parse_public_key(public_key_pem(key), "v.pub");
        ASSERT_TRUE(again.ok()) << again.error().message;
        EXPECT_EQ(*again, key);
    }
}

TEST(SigningKeyPem, OnP256IsReadInTheOlderFormToo) {
    const auto key = parse_signing_key(kTraditionalEc, "v.key", nobody);
    ASSERT_TRUE(key.ok()) << key.error().message;
    EXPECT_EQ(key->public_key().type(), KeyType::p256);
}

TEST(SigningKeyPem, OnACurveIsReadByOpensslAsThatCurve) {
    const std::pair<KeyType, int> curves[] = {{KeyType::p256, 256}, {KeyType::p384, 384}, {KeyType::p521, 521}};
    for (const auto& [type, bits] : curves) {
        const auto made = SigningKey::generate(type);
        const Key key = openssl_reads(signing_key_pem(made, "secret").value(), "secret");
        ASSERT_NE(key, nullptr) << name_of(type);
        EXPECT_EQ(EVP_PKEY_get_bits(key.get()), bits);
        EXPECT_EQ(openssl_writes(key.get(), false), public_key_pem(made.public_key()));
    }
}

TEST(PublicKeyPem, IsWhatTheIdBegins) {
    // sha256sum of kPublic
    EXPECT_EQ(to_hex(parse_public_key(kPublic, "v.pub")->id()), "02a4051c3cb11814");
    for (const auto type : {KeyType::ed25519, KeyType::p256, KeyType::p384, KeyType::p521}) {
        const auto key = SigningKey::generate(type).public_key();
        const auto digest = crypto::pem_digest(key);
        EXPECT_EQ(digest.size(), 64u);
        EXPECT_EQ(to_hex(key.id()), digest.substr(0, 16));
    }
}

TEST(LoadKeys, NamesTheFile) {
    const test::Scratch scratch;
    const std::string plain = scratch.write("v.key", kPlain), open = scratch.write("v.pub", kPublic);
    EXPECT_TRUE(load_signing_key(plain, nobody).ok());
    EXPECT_TRUE(load_public_key(open).ok());
    EXPECT_THAT(load_public_key(plain).error().message, HasSubstr(plain + ": "));
    EXPECT_TRUE(load_public_key(open, KeyUse::seals).ok());
    EXPECT_THAT(load_public_key(open, KeyUse::file_signatures).error().message,
                HasSubstr(open + ": is an Ed25519 key, which is for seals"));
    EXPECT_THAT(load_signing_key(plain, nobody, KeyUse::file_signatures).error().message,
                HasSubstr(plain + ": is an Ed25519 key, which is for seals"));
    EXPECT_THAT(load_check_key(open).error().message, HasSubstr(open + ": "));
    const std::string missing = scratch / "no.key";
    for (const Error& error : {load_signing_key(missing, nobody).error(), load_public_key(missing).error(),
                               load_check_key(missing).error()}) {
        EXPECT_EQ(error.kind, ErrorKind::unreadable);
        EXPECT_THAT(error.message, HasSubstr(missing));
    }
    const std::string huge = scratch.write("huge.key", std::string(1 << 20, 'x'));
    EXPECT_EQ(load_signing_key(huge, nobody).error().kind, ErrorKind::malformed);
}

TEST(Wipe, ZeroesTheText) {
    std::string text(100, 'x');
    const char* memory = text.data();
    { const crypto::WipeAtEnd wiped(text); }
    EXPECT_TRUE(text.empty());
    ASSERT_EQ(text.data(), memory);
    for (int i = 0; i < 100; ++i) ASSERT_EQ(memory[i], '\0');
}

}  // namespace
}  // namespace modelseal
