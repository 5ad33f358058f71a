// Ed25519 against the vectors of RFC 8032, section 7.1, and against OpenSSL; and what must not verify.
#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/sha.h>

#include "crypto/keystream.h"
#include "tests/support/hex.h"
#include <modelseal/keys.h>

namespace modelseal {
namespace {

using test::as_bytes;
using test::from_hex;

template <std::size_t N>
std::array<std::byte, N> array_of(const std::string& hex) {
    const auto bytes = from_hex(hex);
    std::array<std::byte, N> out{};
    if (bytes.size() != N) throw std::invalid_argument("wrong length: " + hex);
    std::ranges::copy(bytes, out.begin());
    return out;
}

SigningKey key_of(const std::string& hex) {
    const auto seed = array_of<32>(hex);
    return SigningKey(Secret32(seed));
}

const unsigned char* raw(std::span<const std::byte> bytes) {
    return reinterpret_cast<const unsigned char*>(bytes.data());
}

struct KeyVector {
    const char* name;
    const char* seed;
    const char* open;
    const char* message;
    const char* signature;
};

const KeyVector kRfc8032[] = {
    {"Test1", "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
     "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
     "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f05"
     "95bbe24"
     "655141438e7a100b"},
    {"Test2", "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
     "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
     "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb"
     "4302aee"
     "b00d291612bb0c00"},
    {"Test3", "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
     "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
     "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e97"
     "16ed28d"
     "c027beceea1ec40a"},
    {"TestShaAbc", "833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42",
     "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
     "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d44236"
     "43ce80e"
     "2a9ac94fa54ca49f",
     "dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b58909351fc9ac90b3ecfdfbc7c66431e0303dca179c1"
     "38ac17a"
     "d9bef1177331a704"},
};

class Rfc8032 : public testing::TestWithParam<KeyVector> {};

TEST_P(Rfc8032, MatchesTheVectorsOfTheRfc) {
    const SigningKey key = key_of(GetParam().seed);
    const auto message = from_hex(GetParam().message);
    const auto signature = array_of<64>(GetParam().signature);
    EXPECT_EQ(to_hex(key.public_key().bytes()), GetParam().open);
    EXPECT_EQ(key.sign(message).value(), signature);
    EXPECT_TRUE(key.public_key().verify(message, signature));
}

INSTANTIATE_TEST_SUITE_P(Section71, Rfc8032, testing::ValuesIn(kRfc8032),
                         [](const auto& each) { return std::string(each.param.name); });

TEST(SigningKey, AgreesWithOpensslOnMessagesOfManyLengths) {
    const auto seed = array_of<32>(kRfc8032[1].seed);
    const SigningKey key(Secret32{seed});
    EVP_PKEY* other = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, raw(seed), seed.size());
    for (std::size_t size = 0; size < 1100; size += 37) {
        const std::vector<std::byte> message(size, std::byte{0xA5});
        SignatureBytes theirs{};
        std::size_t length = theirs.size();
        EVP_MD_CTX* context = EVP_MD_CTX_new();
        ASSERT_EQ(EVP_DigestSignInit(context, nullptr, nullptr, nullptr, other), 1);
        ASSERT_EQ(EVP_DigestSign(context, reinterpret_cast<unsigned char*>(theirs.data()), &length,
                                 raw(message), size),
                  1);
        EVP_MD_CTX_free(context);
        EXPECT_EQ(key.sign(message).value(), theirs) << size;
    }
    EVP_PKEY_free(other);
}

TEST(SigningKey, IsNewEachTime) {
    EXPECT_NE(SigningKey::generate().public_key(), SigningKey::generate().public_key());
}

TEST(PublicKey, RefusesASignatureWithAnyBitChanged) {
    const SigningKey key = key_of(kRfc8032[2].seed);
    const auto message = as_bytes("model");
    const SignatureBytes good = key.sign(message).value();
    ASSERT_TRUE(key.public_key().verify(message, good));
    for (std::size_t bit = 0; bit < 8 * good.size(); ++bit) {
        SignatureBytes spoiled = good;
        spoiled[bit / 8] ^= std::byte{1} << (bit % 8);
        EXPECT_FALSE(key.public_key().verify(message, spoiled)) << bit;
    }
}

TEST(PublicKey, RefusesAnotherMessageAndAnotherKey) {
    const SigningKey key = SigningKey::generate();
    const SignatureBytes signature = key.sign(as_bytes("model")).value();
    EXPECT_FALSE(key.public_key().verify(as_bytes("modem"), signature));
    EXPECT_FALSE(key.public_key().verify(as_bytes(""), signature));
    EXPECT_FALSE(SigningKey::generate().public_key().verify(as_bytes("model"), signature));
}

// S + L is the same number modulo the group's order: a second signature that nobody made.
TEST(PublicKey, RefusesTheSecondSpellingOfASignature) {
    const SigningKey key = key_of(kRfc8032[0].seed);
    SignatureBytes signature = key.sign({}).value();
    const auto order = array_of<32>("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010");
    unsigned carry = 0;
    for (std::size_t i = 0; i < 32; ++i) {
        const unsigned sum =
            std::to_integer<unsigned>(signature[32 + i]) + std::to_integer<unsigned>(order[i]) + carry;
        signature[32 + i] = static_cast<std::byte>(sum & 0xFF);
        carry = sum >> 8;
    }
    ASSERT_EQ(carry, 0u);
    EXPECT_FALSE(key.public_key().verify({}, signature));
}

// With a key of small order, S = 0 and R = key would be a signature of every message.
TEST(PublicKey, RefusesKeysOfSmallOrder) {
    for (const char* point : {"0100000000000000000000000000000000000000000000000000000000000000",
                              "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
                              "0000000000000000000000000000000000000000000000000000000000000000",
                              "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
                              "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"}) {
        const PublicKey key = PublicKey::of(array_of<32>(point)).value();
        SignatureBytes signature{};
        std::ranges::copy(key.bytes(), signature.begin());
        EXPECT_FALSE(key.verify(as_bytes("anything"), signature)) << point;
        signature = {};
        signature[0] = std::byte{1};  // R is the neutral element
        EXPECT_FALSE(key.verify(as_bytes("anything"), signature)) << point;
    }
}

TEST(PublicKey, IdIsTheFirstBytesOfTheDigestOfItsPem) {
    const PublicKey key = SigningKey::generate().public_key();
    unsigned char digest[SHA256_DIGEST_LENGTH];
    const auto pem = public_key_pem(key);
    SHA256(reinterpret_cast<const unsigned char*>(pem.data()), pem.size(), digest);
    EXPECT_EQ(to_hex(key.id()), to_hex(std::as_bytes(std::span(digest)).first<8>()));
}

TEST(CheckKey, OfThePublicIsDerivedFromTheVendorsKeyAlone) {
    const PublicKey vendor = SigningKey::generate().public_key();
    const CheckKey key = public_check_key(vendor);
    std::array<std::byte, 32> expected;
    crypto::hkdf_sha256(vendor.bytes(), {}, "modelseal/1 public check key", expected);
    EXPECT_TRUE(std::ranges::equal(key.secret.bytes(), expected));
    EXPECT_EQ(key.vendor, vendor);
    EXPECT_EQ(key.customer, "");
    const CheckKey other = public_check_key(SigningKey::generate().public_key());
    EXPECT_FALSE(std::ranges::equal(key.secret.bytes(), other.secret.bytes()));
}

TEST(CheckKey, ACopyHasTheSameSecretAndOutlivesTheOriginal) {
    const auto bytes = array_of<32>(kRfc8032[0].seed);
    auto first = std::make_unique<CheckKey>(SigningKey::generate().public_key(), "acme", Secret32(bytes));
    CheckKey second;
    second = *first;
    EXPECT_EQ(second.vendor, first->vendor);
    EXPECT_NE(second.secret.bytes().data(), first->secret.bytes().data());
    first.reset();
    EXPECT_EQ(second.customer, "acme");
    EXPECT_TRUE(std::ranges::equal(second.secret.bytes(), bytes));
}

TEST(Secret32, IsWipedWhenItIsMovedFrom) {
    const auto bytes = array_of<32>(kRfc8032[0].seed);
    Secret32 first(bytes);
    Secret32 second(std::move(first));
    EXPECT_TRUE(std::ranges::equal(second.bytes(), bytes));
    EXPECT_TRUE(std::ranges::all_of(first.bytes(), [](std::byte b) { return b == std::byte{0}; }));
    Secret32 third;
    third = std::move(second);
    EXPECT_TRUE(std::ranges::equal(third.bytes(), bytes));
    EXPECT_TRUE(std::ranges::all_of(second.bytes(), [](std::byte b) { return b == std::byte{0}; }));
    EXPECT_TRUE(std::ranges::equal(third.clone().bytes(), bytes));
}

TEST(Secret32, IsWipedWhenItIsDestroyed) {
    alignas(Secret32) std::array<std::byte, sizeof(Secret32)> memory;
    const auto bytes = array_of<32>(kRfc8032[0].seed);
    auto* secret = new (memory.data()) Secret32(bytes);
    const std::byte* inside = secret->bytes().data();
    std::destroy_at(secret);
    EXPECT_TRUE(std::all_of(inside, inside + 32, [](std::byte b) { return b == std::byte{0}; }));
}

}  // namespace
}  // namespace modelseal
