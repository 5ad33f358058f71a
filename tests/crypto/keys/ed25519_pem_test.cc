#include "crypto/keys/ed25519_pem.h"

#include <gtest/gtest.h>
#include <openssl/pem.h>

#include "crypto/keys/evp_keys.h"
#include "crypto/keys/pem.h"
#include "tests/support/models/small_models.h"

namespace modelseal::crypto {
namespace {

std::string written_by_openssl(const PublicKey& key) {
    const auto evp = evp_key_of(key);
    const openssl::Bio bio(BIO_new(BIO_s_mem()));
    EXPECT_EQ(PEM_write_bio_PUBKEY(bio.get(), evp.get()), 1);
    char* data = nullptr;
    const auto size = BIO_get_mem_data(bio.get(), &data);
    return {data, static_cast<std::size_t>(size)};
}

TEST(Ed25519Pem, IsWhatOpenSslWrites) {
    for (unsigned seed = 0; seed < 20; ++seed) {
        const auto key = test::test_key(seed).public_key();
        EXPECT_EQ(ed25519_pem(key), written_by_openssl(key));
        EXPECT_EQ(ed25519_key_of_pem(written_by_openssl(key)), key);
    }
}

TEST(Ed25519Pem, LeavesOtherSpellingsToOpenSsl) {
    const auto key = test::test_key().public_key();
    const auto text = ed25519_pem(key);
    for (const auto& other : {text + "\n", "\n" + text, text.substr(0, text.size() - 1), text + text}) {
        EXPECT_FALSE(ed25519_key_of_pem(other)) << other;
    }
    EXPECT_EQ(parse_public_key("a comment\n" + text, "k").value(), key);
    EXPECT_EQ(parse_public_key(text + text, "k").error().kind, ErrorKind::malformed);
    EXPECT_FALSE(ed25519_key_of_pem(""));
    EXPECT_FALSE(ed25519_key_of_pem("-----BEGIN PUBLIC KEY-----\n-----END PUBLIC KEY-----\n"));
    EXPECT_FALSE(ed25519_key_of_pem(public_key_pem(test::test_key_p256().public_key())));
}

// The neutral element, and bytes that are no point at all.
TEST(Ed25519Pem, OfWhatIsNoKeyIsRefused) {
    for (const auto first : {std::byte{1}, std::byte{2}}) {
        std::array<std::byte, 32> point{};
        point[0] = first;
        const auto text = ed25519_pem(PublicKey::of(point).value());
        EXPECT_FALSE(ed25519_key_of_pem(text));
        EXPECT_EQ(parse_public_key(text, "k").error().kind, ErrorKind::malformed);
    }
}

}  // namespace
}  // namespace modelseal::crypto
