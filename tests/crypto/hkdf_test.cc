// HKDF-SHA-256 against the vectors of RFC 5869, appendix A, and against OpenSSL's.
#include <stdexcept>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <openssl/core_names.h>
#include <openssl/kdf.h>
#include <openssl/params.h>

#include "crypto/keystream.h"
#include "tests/support/hex.h"

namespace modelseal {
namespace {

using test::from_hex;

std::string text_from(const std::vector<std::byte>& bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

struct Vector {
    const char* name;
    const char* secret;
    const char* salt;
    const char* info;
    const char* output;
};

const Vector kRfc5869[] = {
    {"A1", "0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "000102030405060708090a0b0c", "f0f1f2f3f4f5f6f7f8f9",
     "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865"},
    {"A2",
     "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f"
     "303132333435363738393a3b3c3d3e3f404142434445464748494a4b4c4d4e4f",
     "606162636465666768696a6b6c6d6e6f707172737475767778797a7b7c7d7e7f808182838485868788898a8b8c8d8e8f"
     "909192939495969798999a9b9c9d9e9fa0a1a2a3a4a5a6a7a8a9aaabacadaeaf",
     "b0b1b2b3b4b5b6b7b8b9babbbcbdbebfc0c1c2c3c4c5c6c7c8c9cacbcccdcecfd0d1d2d3d4d5d6d7d8d9dadbdcdddedf"
     "e0e1e2e3e4e5e6e7e8e9eaebecedeeeff0f1f2f3f4f5f6f7f8f9fafbfcfdfeff",
     "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c59045a99cac7827271cb41c65e590e09"
     "da3275600c2f09b8367793a9aca3db71cc30c58179ec3e87c14c01d5c1f3434f1d87"},
    {"A3", "0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "", "",
     "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8"},
};

class Rfc5869 : public testing::TestWithParam<Vector> {};

TEST_P(Rfc5869, MatchesTheVectorsOfTheRfc) {
    const auto expected = from_hex(GetParam().output);
    std::vector<std::byte> out(expected.size());
    crypto::hkdf_sha256(from_hex(GetParam().secret), from_hex(GetParam().salt),
                        text_from(from_hex(GetParam().info)), out);
    EXPECT_EQ(out, expected);
}

INSTANTIATE_TEST_SUITE_P(AppendixA, Rfc5869, testing::ValuesIn(kRfc5869),
                         [](const auto& each) { return std::string(each.param.name); });

std::vector<std::byte> openssl_hkdf(std::span<const std::byte> secret, std::span<const std::byte> salt,
                                    std::string_view info, std::size_t size) {
    EVP_KDF* kdf = EVP_KDF_fetch(nullptr, "HKDF", nullptr);
    EVP_KDF_CTX* context = EVP_KDF_CTX_new(kdf);
    const auto octets = [](const char* key, const void* data, std::size_t bytes) {
        return OSSL_PARAM_construct_octet_string(key, const_cast<void*>(data), bytes);
    };
    char digest[] = "SHA256";
    const OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0),
                                 octets(OSSL_KDF_PARAM_KEY, secret.data(), secret.size()),
                                 octets(OSSL_KDF_PARAM_SALT, salt.data(), salt.size()),
                                 octets(OSSL_KDF_PARAM_INFO, info.data(), info.size()),
                                 OSSL_PARAM_construct_end()};
    std::vector<std::byte> out(size);
    EXPECT_EQ(EVP_KDF_derive(context, reinterpret_cast<unsigned char*>(out.data()), size, params), 1);
    EVP_KDF_CTX_free(context);
    EVP_KDF_free(kdf);
    return out;
}

TEST(Hkdf, AgreesWithOpensslAtEveryLengthAroundABlock) {
    const auto secret =
        test::as_bytes("a secret of some length, longer than one block of the hash function: 64 bytes");
    for (const std::size_t size : {1u, 31u, 32u, 33u, 63u, 64u, 65u, 1000u, 8160u}) {
        std::vector<std::byte> out(size);
        crypto::hkdf_sha256(secret, test::as_bytes("salt"), "layers.0.weight", out);
        EXPECT_EQ(out, openssl_hkdf(secret, test::as_bytes("salt"), "layers.0.weight", size)) << size;
    }
}

TEST(Hkdf, GivesSeveralOutputsOfOneSecretInTwoSteps) {
    const crypto::Hkdf hkdf(test::as_bytes("secret"), test::as_bytes("salt"));
    for (const char* info : {"one", "two", ""}) {
        std::vector<std::byte> at_once(100), in_steps(100);
        crypto::hkdf_sha256(test::as_bytes("secret"), test::as_bytes("salt"), info, at_once);
        hkdf.expand(info, in_steps);
        EXPECT_EQ(at_once, in_steps) << info;
    }
}

TEST(Hkdf, TakesAnInfoLongerThanOpensslWould) {
    std::vector<std::byte> one(32), other(32);
    crypto::hkdf_sha256(test::as_bytes("secret"), {}, std::string(65536, 'x') + "1", one);
    crypto::hkdf_sha256(test::as_bytes("secret"), {}, std::string(65536, 'x') + "2", other);
    EXPECT_NE(one, other);
}

TEST(Hkdf, RefusesMoreThanTheRfcAllows) {
    std::vector<std::byte> out(8161);
    EXPECT_THROW(crypto::hkdf_sha256({}, {}, "", out), std::length_error);
}

}  // namespace
}  // namespace modelseal
