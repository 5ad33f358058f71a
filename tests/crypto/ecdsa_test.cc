// ECDSA signatures on every curve: of each only one spelling passes.
#include "crypto/ecdsa.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/bn.h>
#include <openssl/ec.h>

#include "crypto/keys/pem.h"
#include "crypto/openssl.h"
#include "tests/support/hex.h"
#include <modelseal/signer.h>

namespace modelseal::crypto {
namespace {

using testing::HasSubstr;
using Bytes = std::vector<std::byte>;

struct Pair {
    SigningKey secret;
    PublicKey open = secret.public_key();
    Bytes sign(std::span<const std::byte> message) const { return secret.signer().sign_der(message).value(); }
    bool verify(std::span<const std::byte> message, std::span<const std::byte> signature) const {
        return ecdsa_verify(open, message, signature);
    }
};

Pair make(KeyType type) {
    return {SigningKey::generate(type)};
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

std::string order_of(KeyType type, int more) {
    const int nid = type == KeyType::p256   ? NID_X9_62_prime256v1
                    : type == KeyType::p384 ? NID_secp384r1
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

class Ecdsa : public testing::TestWithParam<KeyType> {};
INSTANTIATE_TEST_SUITE_P(Curves, Ecdsa, testing::Values(KeyType::p256, KeyType::p384, KeyType::p521),
                         [](const auto& row) { return std::string(name_of(row.param)).erase(1, 1); });

TEST_P(Ecdsa, SignatureIsByThisKeyOverThisMessage) {
    const auto key = make(GetParam()), other = make(GetParam());
    EXPECT_EQ(key.open.type(), GetParam());
    EXPECT_NE(key.open, other.open);
    const auto message = test::as_bytes("a message");
    for (int i = 0; i < 20; ++i) {
        const auto signature = key.sign(message);
        EXPECT_TRUE(key.verify(message, signature));
        EXPECT_FALSE(key.verify(test::as_bytes("a massage"), signature));
        EXPECT_FALSE(other.verify(message, signature));
    }
}

TEST_P(Ecdsa, SignatureWithOneBitFlippedIsRefused) {
    const auto key = make(GetParam());
    const auto message = test::as_bytes("a message");
    const auto signature = key.sign(message);
    for (std::size_t bit = 0; bit < signature.size() * 8; ++bit) {
        auto spoiled = signature;
        spoiled[bit / 8] ^= static_cast<std::byte>(1 << bit % 8);
        ASSERT_FALSE(key.verify(message, spoiled)) << bit;
    }
    for (std::size_t size = 0; size < signature.size(); ++size) {
        ASSERT_FALSE(key.verify(message, std::span(signature).first(size))) << size;
    }
}

TEST_P(Ecdsa, IntegersAreInRange) {
    const auto key = make(GetParam());
    const auto curve = GetParam();
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
            EXPECT_FALSE(key.verify(test::as_bytes("a message"), signature)) << to_hex(signature);
        }
    }
}

// The same two integers in every spelling that a lax reader would take, and some that none would.
TEST_P(Ecdsa, SignatureHasOneSpelling) {
    const auto key = make(GetParam());
    const auto curve = GetParam();
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
    const auto width = PublicKey::size_of(GetParam()) - 1;
    EXPECT_FALSE(der_signature(GetParam(), Bytes(2 * width, std::byte{1})));
}

// The published hash is over what OpenSSL prints, whatever form the file has.
TEST_P(Ecdsa, IdIsOfTheUncompressedPem) {
    const auto open = make(GetParam()).open;
    const auto pem = public_key_pem(open);
    const openssl::Bio in(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
    const openssl::Key key(PEM_read_bio_PUBKEY(in.get(), nullptr, nullptr, nullptr));
    EVP_PKEY_set_utf8_string_param(key.get(), "point-format", "compressed");
    const openssl::Bio out(BIO_new(BIO_s_mem()));
    PEM_write_bio_PUBKEY(out.get(), key.get());
    char* data = nullptr;
    const auto size = BIO_get_mem_data(out.get(), &data);
    const std::string compressed(data, static_cast<std::size_t>(size));
    ASSERT_NE(compressed, pem);
    const auto again = parse_public_key(compressed, "k.pub").value();
    EXPECT_EQ(again, open);
    EXPECT_EQ(again.id(), open.id());
    EXPECT_EQ(public_key_pem(again), pem);
}

TEST(Ed25519Keys, MakeAndVerifyNoSignaturesOfFiles) {
    const auto key = SigningKey::generate(KeyType::ed25519);
    const auto other = make(KeyType::p256);
    const auto message = test::as_bytes("a message");
    EXPECT_FALSE(ecdsa_verify(key.public_key(), message, other.sign(message)));
    const auto signature = key.signer().sign_der(message);
    ASSERT_FALSE(signature.ok());
    EXPECT_EQ(signature.error().kind, ErrorKind::unsupported);
    EXPECT_THAT(signature.error().message, HasSubstr("is an Ed25519 key, which is for seals"));
}

}  // namespace
}  // namespace modelseal::crypto
