// Check keys: signed by the vendor, one spelling only.
#include "crypto/keys/check_key.h"

#include <algorithm>
#include <functional>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "crypto/keys/armor.h"
#include "crypto/keys/pem.h"
#include "tests/support/hex.h"
#include "tests/support/models/small_models.h"
#include "tests/support/scratch.h"

namespace modelseal::crypto {
namespace {

using testing::HasSubstr;
using Bytes = std::vector<std::byte>;

SigningKey vendor() {
    return SigningKey(Secret32(std::array<std::byte, 32>{std::byte{7}}));
}

void append(Bytes& to, std::span<const std::byte> bytes) {
    to.insert(to.end(), bytes.begin(), bytes.end());
}

// The body as modelseal-seal(5) describes it, without its signature.
Bytes unsigned_body(const std::string& customer, const SigningKey& key = vendor()) {
    Bytes body{key.public_key().type() == KeyType::p256 ? std::byte{2} : std::byte{1}};
    append(body, key.public_key().bytes());
    body.push_back(static_cast<std::byte>(customer.size()));
    append(body, test::as_bytes(customer));
    append(body, Bytes(32, std::byte{0x5E}));
    return body;
}

Bytes signed_by(const SigningKey& key, Bytes body, std::string_view domain = "modelseal/1 check key") {
    Bytes message;
    append(message, test::as_bytes(domain));
    append(message, body);
    append(body, key.sign(message).value());
    return body;
}

std::string text_of(const Bytes& body) {
    return armor(kCheckKeyLabel, body);
}

TEST(CheckKeyFile, RoundTrips) {
    for (const std::string& customer :
         {std::string("acme"), std::string("Müller & Söhne, 東京"), std::string(255, 'n')}) {
        const auto text = new_check_key(vendor(), customer);
        ASSERT_TRUE(text.ok()) << text.error().message;
        const auto key = parse_check_key(*text, "acme.check");
        ASSERT_TRUE(key.ok()) << key.error().message;
        EXPECT_EQ(key->customer, customer);
        EXPECT_EQ(key->vendor, vendor().public_key());
    }
}

TEST(CheckKeyFile, HoldsASecretOfItsOwn) {
    const auto one = parse_check_key(*new_check_key(vendor(), "acme"), "1");
    const auto other = parse_check_key(*new_check_key(vendor(), "acme"), "2");
    EXPECT_FALSE(std::ranges::equal(one->secret.bytes(), other->secret.bytes()));
    EXPECT_FALSE(
        std::ranges::equal(one->secret.bytes(), public_check_key(vendor().public_key()).secret.bytes()));
}

TEST(CheckKeyFile, IsReadFromTheBytesThatThePageDescribes) {
    const auto key = parse_check_key(text_of(signed_by(vendor(), unsigned_body("acme"))), "acme.check");
    ASSERT_TRUE(key.ok()) << key.error().message;
    EXPECT_EQ(key->customer, "acme");
    EXPECT_TRUE(std::ranges::all_of(key->secret.bytes(), [](std::byte b) { return b == std::byte{0x5E}; }));
}

TEST(CheckKeyFile, IsRefusedWithAnyBitChanged) {
    for (const auto& key : {vendor(), test::test_key_p256()}) {
        const Bytes good = signed_by(key, unsigned_body("acme", key));
        EXPECT_TRUE(parse_check_key(text_of(good), "acme.check").ok());
        for (std::size_t bit = 0; bit < 8 * good.size(); ++bit) {
            Bytes spoiled = good;
            spoiled[bit / 8] ^= std::byte{1} << (bit % 8);
            EXPECT_FALSE(parse_check_key(text_of(spoiled), "acme.check").ok()) << bit;
        }
    }
}

// What editors, mail and version control do to a text on the way.
TEST(CheckKeyFile, IsReadWithOtherLineEnds) {
    const std::string good = text_of(signed_by(vendor(), unsigned_body("acme")));
    std::string windows;
    for (const char each : good) windows += each == '\n' ? "\r\n" : std::string(1, each);
    for (const auto& text : {windows, "\xEF\xBB\xBF" + windows, good.substr(0, good.size() - 1), good + "\n\n",
                             "\n" + good, good.substr(0, good.size() - 1) + "  \n"}) {
        const auto key = parse_check_key(text, "acme.check");
        ASSERT_TRUE(key.ok()) << key.error().message;
        EXPECT_EQ(key->customer, "acme");
    }
}

TEST(CheckKeyFile, IsRefusedWithAnyCharacterChanged) {
    const std::string good = text_of(signed_by(vendor(), unsigned_body("acme")));
    for (std::size_t at = 0; at < good.size(); ++at) {
        for (const char other : {'A', ' ', '\n', '='}) {
            if (good[at] == other) continue;
            std::string spoiled = good;
            spoiled[at] = other;
            if (tidy_armor(spoiled) == good) continue;
            EXPECT_FALSE(parse_check_key(spoiled, "acme.check").ok()) << at << " '" << other << "'";
        }
        const bool only_the_end = at + 1 == good.size();
        EXPECT_EQ(parse_check_key(good.substr(0, at), "acme.check").ok(), only_the_end) << "cut at " << at;
        const auto broken = std::string(good).insert(at, 1, '\n');
        EXPECT_EQ(parse_check_key(broken, "acme.check").ok(), tidy_armor(broken) == good) << at;
    }
}

struct Spoiled {
    const char* name;
    std::function<std::string()> text;
    ErrorKind kind;
    const char* says;
};

const Spoiled kSpoiled[] = {
    {"Empty", [] { return std::string(); }, ErrorKind::malformed, "the file is empty; a check key is needed"},
    {"PublicKey", [] { return public_key_pem(vendor().public_key()); }, ErrorKind::malformed,
     "is a public key; a check key is needed"},
    {"TextAfter", [] { return *new_check_key(vendor(), "acme") + "x\n"; }, ErrorKind::malformed,
     "the check key is damaged"},
    {"TextBefore", [] { return "x\n" + *new_check_key(vendor(), "acme"); }, ErrorKind::malformed,
     "the check key is damaged"},
    {"NoBody", [] { return text_of({}); }, ErrorKind::malformed, "0 bytes is too short"},
    {"TooShort", [] { return text_of(Bytes(129, std::byte{1})); }, ErrorKind::malformed,
     "129 bytes is too short"},
    {"TooLong", [] { return text_of(Bytes(1000, std::byte{1})); }, ErrorKind::malformed,
     "the check key is damaged"},
    {"VersionOfTheOtherKeys",
     [] {
         Bytes body = unsigned_body("acme");
         body[0] = std::byte{2};
         return text_of(signed_by(vendor(), body));
     },
     ErrorKind::malformed, "contains a vendor key that is not a point on P-256"},
    {"LaterVersion",
     [] {
         Bytes body = unsigned_body("acme");
         body[0] = std::byte{3};
         return text_of(signed_by(vendor(), body));
     },
     ErrorKind::unsupported, "version 3"},
    {"TrailingByte",
     [] {
         Bytes body = unsigned_body("acme");
         body.push_back(std::byte{0});
         return text_of(signed_by(vendor(), body));
     },
     ErrorKind::malformed, "its fields need"},
    {"NameLongerThanFile",
     [] {
         Bytes body = unsigned_body("acme");
         body[33] = std::byte{255};
         return text_of(signed_by(vendor(), body));
     },
     ErrorKind::malformed, "its fields need 385"},
    {"NoName", [] { return text_of(signed_by(vendor(), unsigned_body(""))); }, ErrorKind::malformed,
     "too short"},
    {"ControlInName", [] { return text_of(signed_by(vendor(), unsigned_body("ac\x1bme"))); },
     ErrorKind::malformed, "control characters"},
    {"BrokenUtf8InName", [] { return text_of(signed_by(vendor(), unsigned_body("ac\xffme"))); },
     ErrorKind::malformed, "not UTF-8"},
    {"SignedByAnother", [] { return text_of(signed_by(SigningKey::generate(), unsigned_body("acme"))); },
     ErrorKind::mismatch, "not signed by the vendor"},
    {"SignedForAnotherPurpose",
     [] { return text_of(signed_by(vendor(), unsigned_body("acme"), "modelseal/1 seal")); },
     ErrorKind::mismatch, "not signed by the vendor"},
};

class SpoiledCheckKey : public testing::TestWithParam<Spoiled> {};

TEST_P(SpoiledCheckKey, IsRefused) {
    const auto key = parse_check_key(GetParam().text(), "acme.check");
    ASSERT_FALSE(key.ok());
    EXPECT_EQ(key.error().kind, GetParam().kind) << key.error().message;
    EXPECT_THAT(key.error().message, HasSubstr("acme.check: "));
    EXPECT_THAT(key.error().message, HasSubstr(GetParam().says));
}

INSTANTIATE_TEST_SUITE_P(Table, SpoiledCheckKey, testing::ValuesIn(kSpoiled),
                         [](const auto& each) { return std::string(each.param.name); });

TEST(NewCheckKey, RefusesInvalidNames) {
    for (const std::string& name :
         {std::string(), std::string(256, 'n'), std::string("a\nb"), std::string("\xc3")}) {
        const auto text = new_check_key(vendor(), name);
        ASSERT_FALSE(text.ok());
        EXPECT_EQ(text.error().kind, ErrorKind::usage);
    }
}

TEST(LoadCheckKey, ReadsAKeyThatKeygenMade) {
    const test::Scratch scratch;
    const auto key = load_check_key(scratch.write("acme.check", *new_check_key(vendor(), "acme")));
    ASSERT_TRUE(key.ok()) << key.error().message;
    EXPECT_EQ(key->customer, "acme");
}

}  // namespace
}  // namespace modelseal::crypto
