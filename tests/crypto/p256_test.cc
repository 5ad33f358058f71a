// Vendor's keys on P-256: signatures of 64 bytes, of which there is one spelling.
#include <algorithm>
#include <array>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "crypto/ecdsa.h"
#include "crypto/hash.h"
#include "crypto/keys/signers.h"
#include "crypto/keystream.h"
#include "tests/support/hex.h"
#include <modelseal/signer.h>

namespace modelseal {
namespace {

using test::as_bytes;
using test::from_hex;

// RFC 6979, A.2.5.
constexpr const char* kPoint = "0360fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6";
constexpr const char* kR = "f1abb023518351cd71d881567b1ea663ed3efcf6c5132b354f28d3b0b7d38367";
constexpr const char* kLowS = "019f4113742a2b14bd25926b49c649155f267e60d3814b4c0cc84250e46f0083";
constexpr const char* kHighS = "fe60beeb8bd5d4ec42da6d94b639b6ea5dc07c4cd3965338e6f1887217f424ce";  // n less it

constexpr const char* kZero = "0000000000000000000000000000000000000000000000000000000000000000";
constexpr const char* kOne = "0000000000000000000000000000000000000000000000000000000000000001";
constexpr const char* kHalf = "7fffffff800000007fffffffffffffffde737d56d38bcf4279dce5617e3192a8";
constexpr const char* kAboveHalf = "7fffffff800000007fffffffffffffffde737d56d38bcf4279dce5617e3192a9";
constexpr const char* kOrderLessOne = "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632550";
constexpr const char* kOrder = "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551";
constexpr const char* kAll = "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff";

SignatureBytes signature_of(const std::string& r, const std::string& s) {
    SignatureBytes out;
    std::ranges::copy(from_hex(r + s), out.begin());
    return out;
}

TEST(P256, VerifiesTheSignaturesOfTheRfc) {
    const auto key = PublicKey::of(from_hex(kPoint));
    ASSERT_TRUE(key);
    EXPECT_EQ(key->type(), KeyType::p256);
    EXPECT_EQ(to_hex(key->bytes()), kPoint);
    EXPECT_TRUE(key->verify(as_bytes("test"), signature_of(kR, kLowS)));
    EXPECT_FALSE(key->verify(as_bytes("tess"), signature_of(kR, kLowS)));
}

TEST(P256, RefusesTheSecondSpellingOfASignature) {
    EXPECT_FALSE(PublicKey::of(from_hex(kPoint))->verify(as_bytes("test"), signature_of(kR, kHighS)));
}

TEST(P256, SignaturesAreInRangeAndLow) {
    EXPECT_TRUE(crypto::der_of_p1363(signature_of(kOne, kOne)));
    EXPECT_TRUE(crypto::der_of_p1363(signature_of(kOrderLessOne, kHalf)));
    for (const auto& [r, s] : {std::pair{kZero, kOne},
                               {kOne, kZero},
                               {kZero, kZero},
                               {kOrder, kOne},
                               {kAll, kOne},
                               {kOne, kAboveHalf},
                               {kOne, kOrderLessOne},
                               {kOne, kOrder},
                               {kOne, kAll}}) {
        EXPECT_FALSE(crypto::der_of_p1363(signature_of(r, s))) << r << " " << s;
    }
}

TEST(P256, WritesTheLowerOfTheTwoSpellings) {
    const auto der = [](const std::string& r, const std::string& s) {
        const std::string pad_r = r[0] > '7' ? "022100" : "0220", pad_s = s[0] > '7' ? "022100" : "0220";
        const auto body = from_hex(pad_r + r + pad_s + s);
        auto out = from_hex("30" + to_hex(std::array{static_cast<std::byte>(body.size())}));
        out.insert(out.end(), body.begin(), body.end());
        return out;
    };
    EXPECT_EQ(crypto::p1363_of_der(der(kR, kHighS)), signature_of(kR, kLowS));
    EXPECT_EQ(crypto::p1363_of_der(der(kR, kAboveHalf)), signature_of(kR, kHalf));
    EXPECT_EQ(crypto::p1363_of_der(der(kR, kHalf)), signature_of(kR, kHalf));
    EXPECT_EQ(crypto::p1363_of_der(der(kR, kOrder)), std::nullopt);
    EXPECT_EQ(crypto::p1363_of_der({}), std::nullopt);
}

TEST(P256, SignaturesVerifyUnderItsPublicKey) {
    const auto key = SigningKey::generate(KeyType::p256);
    for (int i = 0; i < 50; ++i) {
        const auto signature = key.sign(as_bytes("model"));
        ASSERT_TRUE(signature.ok()) << signature.error().message;
        EXPECT_TRUE(key.public_key().verify(as_bytes("model"), *signature));
        EXPECT_FALSE(key.public_key().verify(as_bytes("modem"), *signature));
    }
}

TEST(KeyUse, OfATypeIsSealsOrSignaturesOfFilesOrBoth) {
    using enum KeyUse;
    const std::tuple<KeyType, bool, bool> uses[] = {{KeyType::ed25519, true, false},
                                                    {KeyType::p256, true, true},
                                                    {KeyType::p384, false, true},
                                                    {KeyType::p521, false, true}};
    for (const auto& [type, of_seals, of_files] : uses) {
        const auto key = SigningKey::generate(type);
        EXPECT_EQ(key.serves(seals), of_seals) << name_of(type);
        EXPECT_EQ(key.public_key().serves(file_signatures), of_files) << name_of(type);
        EXPECT_EQ(key.sign(as_bytes("model")).ok(), of_seals) << name_of(type);
        EXPECT_EQ(key.derive("label").ok(), of_seals) << name_of(type);
        EXPECT_EQ(new_check_key(key, "acme").ok(), of_seals) << name_of(type);
        EXPECT_EQ(key.signer().sign_der(as_bytes("model")).ok(), of_files) << name_of(type);
        EXPECT_EQ(must_serve(key.public_key(), seals, "k").ok(), of_seals) << name_of(type);
    }
}

TEST(KeyUse, OfAKeyIsNamedWithWhatIsNeeded) {
    const auto message = [](KeyType type, KeyUse use) {
        return must_serve(SigningKey::generate(type).public_key(), use, "k.pub").error().message;
    };
    EXPECT_EQ(message(KeyType::p384, KeyUse::seals),
              "k.pub: is a P-384 key, which is for signatures of files; a seal needs an Ed25519 or P-256 key");
    EXPECT_EQ(
        message(KeyType::ed25519, KeyUse::file_signatures),
        "k.pub: is an Ed25519 key, which is for seals; a signature of files needs a P-256, P-384 or P-521 key");
}

TEST(P256, RefusesASignatureWithAnyBitChanged) {
    const auto key = SigningKey::generate(KeyType::p256);
    const auto good = key.sign(as_bytes("model")).value();
    for (std::size_t bit = 0; bit < 8 * good.size(); ++bit) {
        auto spoiled = good;
        spoiled[bit / 8] ^= std::byte{1} << (bit % 8);
        EXPECT_FALSE(key.public_key().verify(as_bytes("model"), spoiled)) << bit;
    }
}

TEST(PublicKey, HasTheLengthOfItsTypeAndIsAPointOnItsCurve) {
    for (const auto type : {KeyType::p256, KeyType::p384, KeyType::p521}) {
        const auto key = SigningKey::generate(type).public_key();
        EXPECT_EQ(key.bytes().size(), PublicKey::size_of(type));
        EXPECT_EQ(PublicKey::of(key.bytes()), key);
        std::vector<std::byte> bytes(key.bytes().begin(), key.bytes().end());
        std::fill(bytes.begin() + 1, bytes.end(), std::byte{0xff});  // above the field's prime
        EXPECT_FALSE(PublicKey::of(bytes)) << name_of(type);
    }

    EXPECT_EQ(PublicKey::of(std::vector<std::byte>(32))->type(), KeyType::ed25519);
    auto point = from_hex(kPoint);
    EXPECT_TRUE(PublicKey::of(point));
    for (const unsigned first : {0u, 1u, 4u, 5u, 6u, 7u, 0x83u}) {
        point[0] = static_cast<std::byte>(first);
        EXPECT_FALSE(PublicKey::of(point)) << first;
    }
    // x^3 - 3x + b is no square for x = 1; p itself is no coordinate.
    EXPECT_FALSE(PublicKey::of(from_hex(std::string("02") + kOne)));
    EXPECT_FALSE(PublicKey::of(from_hex("02ffffffff00000001000000000000000000000000ffffffffffffffffffffffff")));
    for (const std::size_t size : {0u, 1u, 31u, 34u, 48u, 50u, 65u, 66u, 68u}) {
        EXPECT_FALSE(PublicKey::of(std::vector<std::byte>(size, std::byte{2}))) << size;
    }
}

TEST(DerivationPoint, IsTheFirstDigestThatIsAPoint) {
    const std::byte counter{0};
    const auto digest =
        crypto::Sha256().update(as_bytes("modelseal/1 derive")).update(std::span(&counter, 1)).finish();
    EXPECT_EQ(to_hex(crypto::derivation_point()), "02" + to_hex(digest));
    EXPECT_TRUE(PublicKey::of(crypto::derivation_point()));
}

TEST(SigningKey, DerivesTheSameSecretForALabelAndNoOther) {
    for (const auto type : {KeyType::ed25519, KeyType::p256}) {
        const auto key = SigningKey::generate(type), other = SigningKey::generate(type);
        const auto again = SigningKey(key);
        const auto hex = [](const SigningKey& of, const char* label) {
            return to_hex(of.derive(label).value().bytes());
        };
        EXPECT_EQ(hex(key, "ledger"), hex(again, "ledger"));
        EXPECT_NE(hex(key, "ledger"), hex(key, "ledges"));
        EXPECT_NE(hex(key, "ledger"), hex(other, "ledger"));
    }
}

// Releases to come must open what this one locked.
TEST(SigningKey, DerivesWhatItDerivedBefore) {
    std::array<std::byte, 32> seed;
    seed.fill(std::byte{1});
    EXPECT_EQ(to_hex(SigningKey(Secret32(seed)).derive("label").value().bytes()),
              "3ccb0352c62f45bd83b8094a8cd6f299eaf97734ff1cf1442934b0004599c8b4");
}

}  // namespace
}  // namespace modelseal
