// ECDSA keys and signatures: what OpenSSL makes is read, and of each signature only one spelling passes.
#include "crypto/ecdsa.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/bn.h>
#include <openssl/ec.h>

#include "crypto/openssl.h"
#include "crypto/pem.h"
#include "tests/support/hex.h"

namespace modelseal::crypto {
namespace {

using testing::HasSubstr;
using Bytes = std::vector<std::byte>;

Result<std::string> nobody(const std::string&) {
    return Error{ErrorKind::usage, "nobody to ask", ""};
}

struct Pair {
    EcSigningKey secret;
    EcPublicKey open;
};

Pair make(const char* curve) {
    const auto pem = generate_ec_pair(curve, "").value();
    return {EcSigningKey::parse(pem.secret, "k.key", nobody).value(),
            EcPublicKey::parse(pem.open, "k.pub").value()};
}

// DER in hexadecimal digits.
std::string element(const std::string& tag, const std::string& content) {
    const auto size = content.size() / 2;
    return tag + (size >= 0x80 ? "81" : "") + fmt::format("{:02x}", size) + content;
}

std::string der_integer(const std::string& content) {
    return element("02", content);
}

Bytes der_sequence(const std::string& a, const std::string& b) {
    return test::from_hex(element("30", a + b));
}

// A positive integer as DER has it.
std::string positive(const std::string& hex) {
    return (std::stoi(hex.substr(0, 1), nullptr, 16) >= 8 ? "00" : "") + hex;
}

std::string order_of(Curve curve, int more) {
    const int nid = curve == Curve::p256   ? NID_X9_62_prime256v1
                    : curve == Curve::p384 ? NID_secp384r1
                                           : NID_secp521r1;
    EC_GROUP* group = EC_GROUP_new_by_curve_name(nid);
    BIGNUM* order = BN_dup(EC_GROUP_get0_order(group));
    BN_add_word(order, static_cast<unsigned long>(more + 1));
    BN_sub_word(order, 1);
    char* hex = BN_bn2hex(order);
    const std::string text = hex;
    OPENSSL_free(hex);
    BN_free(order);
    EC_GROUP_free(group);
    return text;
}

class Ecdsa : public testing::TestWithParam<const char*> {};
INSTANTIATE_TEST_SUITE_P(Curves, Ecdsa, testing::Values("P-256", "P-384", "P-521"),
                         [](const auto& row) { return std::string(row.param).erase(1, 1); });

TEST_P(Ecdsa, SignatureIsByThisKeyOverThisMessage) {
    const auto key = make(GetParam()), other = make(GetParam());
    EXPECT_EQ(name_of(key.open.curve()), GetParam());
    EXPECT_TRUE(key.open.same_key(key.secret.public_key()));
    EXPECT_FALSE(key.open.same_key(other.open));
    const auto message = test::as_bytes("a message");
    for (int i = 0; i < 20; ++i) {
        const auto signature = key.secret.sign(message).value();
        EXPECT_TRUE(key.open.verify(message, signature));
        EXPECT_FALSE(key.open.verify(test::as_bytes("a massage"), signature));
        EXPECT_FALSE(other.open.verify(message, signature));
    }
}

TEST_P(Ecdsa, SignatureWithOneBitFlippedIsRefused) {
    const auto key = make(GetParam());
    const auto message = test::as_bytes("a message");
    const auto signature = key.secret.sign(message).value();
    for (std::size_t bit = 0; bit < signature.size() * 8; ++bit) {
        auto spoiled = signature;
        spoiled[bit / 8] ^= static_cast<std::byte>(1 << bit % 8);
        ASSERT_FALSE(key.open.verify(message, spoiled)) << bit;
    }
    for (std::size_t size = 0; size < signature.size(); ++size) {
        ASSERT_FALSE(key.open.verify(message, std::span(signature).first(size))) << size;
    }
}

TEST_P(Ecdsa, IntegersAreInRange) {
    const auto key = make(GetParam());
    const auto curve = key.open.curve();
    const auto n = order_of(curve, 0), below = order_of(curve, -1), above = order_of(curve, 1);
    const std::string zero = "00", one = "01";
    EXPECT_TRUE(der_signature(curve, der_sequence(der_integer(one), der_integer(one))));
    EXPECT_TRUE(der_signature(curve, der_sequence(der_integer(positive(below)), der_integer(positive(below)))));
    const std::vector<std::string> out_of_range = {zero, positive(n), positive(above), positive("ff" + n), "ff",
                                                   "80", ""};
    for (const auto& bad : out_of_range) {
        for (const auto& signature : {der_sequence(der_integer(bad), der_integer(one)),
                                      der_sequence(der_integer(one), der_integer(bad)),
                                      der_sequence(der_integer(bad), der_integer(bad))}) {
            EXPECT_FALSE(der_signature(curve, signature)) << to_hex(signature);
            EXPECT_FALSE(key.open.verify(test::as_bytes("a message"), signature)) << to_hex(signature);
        }
    }
}

// The same two integers in every spelling that a lax reader would take, and some that none would.
TEST_P(Ecdsa, SignatureHasOneSpelling) {
    const auto key = make(GetParam());
    const auto curve = key.open.curve();
    const auto good = der_sequence(der_integer(positive("7f")), der_integer(positive("80")));
    ASSERT_EQ(to_hex(good), "300702017f02020080");
    ASSERT_TRUE(der_signature(curve, good));
    for (const char* bad : {"",
                            "30",
                            "3000",
                            "300302017f",
                            "300702017f0202008000",
                            "300802017f0202008000",
                            "30080202007f02020080",
                            "300802017f0203000080",
                            "300602017f020180",
                            "308007020 17f020200800000",
                            "308107 02017f02020080",
                            "30820007 02017f02020080",
                            "310702017f02020080",
                            "300703017f02020080",
                            "300702017f03020080",
                            "30080281017f02020080",
                            "300702017f020200",
                            "300a02017f02020080020101",
                            "300902017f020200800500",
                            "3009050002017f02020080",
                            "300c300702017f020200800500",
                            "3007020 27f02020080",
                            "300702017f02030080",
                            "308002017f020200800000",
                            "30ff02017f02020080",
                            "300702 ff7f02020080",
                            "0207300702017f02020080",
                            "a00702017f02020080",
                            "300709017f02020080",
                            "00300702017f02020080"}) {
        std::string hex;
        for (const char c : std::string(bad)) {
            if (c != ' ') hex += c;
        }
        if (hex.size() % 2 != 0) hex += '0';
        EXPECT_FALSE(der_signature(curve, test::from_hex(hex))) << hex;
    }
}

TEST_P(Ecdsa, RawIntegersAreNotASignature) {
    const auto key = make(GetParam());
    const std::size_t width = key.open.curve() == Curve::p256 ? 32 : key.open.curve() == Curve::p384 ? 48 : 66;
    EXPECT_FALSE(der_signature(key.open.curve(), Bytes(2 * width, std::byte{1})));
}

TEST_P(Ecdsa, HintIsTheDigestOfThePemText) {
    const auto pem = generate_ec_pair(GetParam(), "").value();
    const auto open = EcPublicKey::parse(pem.open, "k.pub").value();
    EXPECT_EQ(open.pem(), pem.open);
    EXPECT_EQ(open.hint().size(), 64u);
    // The same key with its point compressed has the same hint.
    const openssl::Bio in(BIO_new_mem_buf(pem.open.data(), static_cast<int>(pem.open.size())));
    const openssl::Key key(PEM_read_bio_PUBKEY(in.get(), nullptr, nullptr, nullptr));
    EVP_PKEY_set_utf8_string_param(key.get(), "point-format", "compressed");
    const openssl::Bio out(BIO_new(BIO_s_mem()));
    PEM_write_bio_PUBKEY(out.get(), key.get());
    char* data = nullptr;
    const auto size = BIO_get_mem_data(out.get(), &data);
    const std::string compressed(data, static_cast<std::size_t>(size));
    ASSERT_NE(compressed, pem.open);
    EXPECT_EQ(EcPublicKey::parse(compressed, "k.pub").value().hint(), open.hint());
}

TEST_P(Ecdsa, EncryptedKeyNeedsItsPassphrase) {
    const auto pem = generate_ec_pair(GetParam(), "opensesame").value();
    const auto with = [&](const std::string& word) {
        return EcSigningKey::parse(pem.secret, "k.key",
                                   [=](const std::string&) -> Result<std::string> { return word; });
    };
    EXPECT_TRUE(with("opensesame").ok());
    const auto wrong = with("closesesame");
    ASSERT_FALSE(wrong.ok());
    EXPECT_EQ(wrong.error().kind, ErrorKind::mismatch);
}

std::string pem_of_type(const char* type, const char* group, bool secret) {
    const openssl::Key key(group == nullptr ? EVP_PKEY_Q_keygen(nullptr, nullptr, type)
                                            : EVP_PKEY_Q_keygen(nullptr, nullptr, type, group));
    const openssl::Bio bio(BIO_new(BIO_s_mem()));
    if (secret) {
        PEM_write_bio_PrivateKey(bio.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr);
    } else {
        PEM_write_bio_PUBKEY(bio.get(), key.get());
    }
    char* data = nullptr;
    const auto size = BIO_get_mem_data(bio.get(), &data);
    return {data, static_cast<std::size_t>(size)};
}

TEST(EcKeys, OfOtherTypesAreRefusedByName) {
    const auto refused = [](const std::string& pem) {
        const auto key = EcPublicKey::parse(pem, "k.pub");
        return key.ok() ? std::string() : key.error().message;
    };
    EXPECT_THAT(refused(pem_of_type("EC", "secp256k1", false)), HasSubstr("on the curve secp256k1"));
    EXPECT_THAT(refused(pem_of_type("EC", "P-224", false)), HasSubstr("secp224r1"));
    EXPECT_THAT(refused(pem_of_type("ED25519", nullptr, false)), HasSubstr("of type ED25519"));
    EXPECT_THAT(refused(pem_of_type("EC", "P-256", true)), HasSubstr("is a private key"));
    const auto secret = EcSigningKey::parse(pem_of_type("EC", "P-256", false), "k.key", nobody);
    ASSERT_FALSE(secret.ok());
    EXPECT_THAT(secret.error().message, HasSubstr("holds a public key"));
}

TEST(EcKeys, InTheOlderFormAreRead) {
    const openssl::Key key(EVP_EC_gen("P-256"));
    const openssl::Bio bio(BIO_new(BIO_s_mem()));
    PEM_write_bio_PrivateKey_traditional(bio.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr);
    char* data = nullptr;
    const auto size = BIO_get_mem_data(bio.get(), &data);
    const std::string pem(data, static_cast<std::size_t>(size));
    ASSERT_THAT(pem, HasSubstr("BEGIN EC PRIVATE KEY"));
    EXPECT_TRUE(EcSigningKey::parse(pem, "k.key", nobody).ok());
}

}  // namespace
}  // namespace modelseal::crypto
