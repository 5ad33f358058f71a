// The registry file, and what is refused of one.
#include "identity/registry.h"

#include <functional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "formats/reader.h"
#include "io/rfc3339.h"
#include "tests/support/models/small_mark.h"
#include "tests/support/models/small_models.h"

namespace modelseal::identity {
namespace {

using testing::HasSubstr;

Registry small_registry() {
    Registry registry{.name = "small",
                      .vendor = test::test_key().public_key(),
                      .ledger = std::string(64, 'f'),
                      .number = 9,
                      .made = 1'795'219'200,
                      .next = 1'797'811'200,
                      .marks = {test::small_mark(2)},
                      .identities = {}};
    registry.marks[0].id = "0011223344556677";
    registry.marks[0].made = "2026-11-20T00:00:00Z";
    registry.marks[0].finished = true;
    for (const char* user : {"alice", "größer"}) {
        IssuedIdentity identity{.serial = {},
                                .user = user,
                                .mark = registry.marks[0].id,
                                .issued = "2026-11-20T01:00:00Z",
                                .expires = {}};
        identity.serial = std::string(15, '0') + std::to_string(registry.identities.size());
        registry.identities.push_back(identity);
    }
    registry.identities[1].expires = "2027-01-01T00:00:00Z";
    registry.identities[1].revoked = "2026-11-20T02:00:00Z";
    return registry;
}

std::vector<std::byte> bytes_of(const Registry& registry, const SigningKey& key = test::test_key()) {
    return encode_registry(registry, key).value();
}

Result<Registry> load(const std::vector<std::byte>& bytes) {
    return load_registry(formats::MemorySource("users.registry", bytes));
}

TEST(IdentityRegistry, ComesBackAsItWas) {
    for (const bool with_images : {true, false}) {
        auto registry = small_registry();
        registry.with_key_images = with_images;
        const auto back = load(bytes_of(registry));
        ASSERT_TRUE(back.ok()) << back.error().message;
        EXPECT_EQ(back->vendor, registry.vendor);
        EXPECT_EQ(back->ledger, registry.ledger);
        EXPECT_EQ(back->number, 9u);
        EXPECT_EQ(back->made, registry.made);
        EXPECT_EQ(back->next, registry.next);
        EXPECT_EQ(back->with_key_images, with_images);
        ASSERT_EQ(back->marks.size(), 1u);
        EXPECT_EQ(back->marks[0].id, "0011223344556677");
        EXPECT_EQ(back->marks[0].made, "2026-11-20T00:00:00Z");
        EXPECT_EQ(back->marks[0].shape, registry.marks[0].shape);
        EXPECT_EQ(back->marks[0].mean, registry.marks[0].mean);
        EXPECT_EQ(back->marks[0].key_images.size(), with_images ? 2u : 0u);
        ASSERT_EQ(back->identities.size(), 2u);
        EXPECT_EQ(back->identities[1].user, "größer");
        EXPECT_EQ(back->identities[1].serial, "0000000000000001");
        EXPECT_EQ(back->identities[1].mark, "0011223344556677");
        EXPECT_EQ(back->identities[1].expires, "2027-01-01T00:00:00Z");
        EXPECT_EQ(back->identities[1].revoked, "2026-11-20T02:00:00Z");
        EXPECT_EQ(back->identities[0].revoked, "");
    }
}

TEST(IdentityRegistry, OfAKeyOnP256ComesBack) {
    const auto key = SigningKey::generate(KeyType::p256);
    const auto back = load(bytes_of(small_registry(), key));
    ASSERT_TRUE(back.ok()) << back.error().message;
    EXPECT_EQ(back->vendor, key.public_key());
}

TEST(IdentityRegistry, IsSpoiledByEveryChangedByte) {
    auto registry = small_registry();
    registry.with_key_images = false;
    const auto good = bytes_of(registry);
    for (std::size_t i = 0; i < good.size(); ++i) {
        auto bytes = good;
        bytes[i] ^= std::byte{0x10};
        EXPECT_FALSE(load(bytes).ok()) << "byte " << i;
    }
    for (std::size_t size = 0; size < good.size(); size += 5) {
        EXPECT_FALSE(load({good.begin(), good.begin() + static_cast<std::ptrdiff_t>(size)}).ok()) << size;
    }
    auto longer = good;
    longer.push_back(std::byte{0});
    EXPECT_THAT(load(longer).error().message, HasSubstr("unexplained bytes after the registry"));
}

TEST(IdentityRegistry, StatesWhyItIsRefused) {
    auto bytes = bytes_of(small_registry());
    bytes[7] = std::byte{'7'};
    EXPECT_THAT(load(bytes).error().message, HasSubstr("users.registry: unknown version of the registry"));
    bytes = bytes_of(small_registry());
    bytes.back() ^= std::byte{1};
    const auto forged = load(bytes);
    EXPECT_EQ(forged.error().kind, ErrorKind::mismatch);
    EXPECT_THAT(forged.error().message, HasSubstr("changed or forged"));
    EXPECT_THAT(load(std::vector<std::byte>(300)).error().message, HasSubstr("not a registry of identities"));
}

struct SpoiledRegistry {
    std::string name;
    std::function<void(Registry&)> spoil;
    std::string message;
};

class SignedRegistry : public testing::TestWithParam<SpoiledRegistry> {};

// As a vendor's own program with an error in it would write.
TEST_P(SignedRegistry, IsRefusedWithTheReason) {
    auto registry = small_registry();
    GetParam().spoil(registry);
    const auto refused = load(bytes_of(registry));
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().kind, ErrorKind::malformed);
    EXPECT_THAT(refused.error().message, HasSubstr(GetParam().message));
}

INSTANTIATE_TEST_SUITE_P(
    Each, SignedRegistry,
    testing::Values(SpoiledRegistry{"TwoMarksOfOneId", [](auto& each) { each.marks.push_back(each.marks[0]); },
                                    "a mark twice"},
                    SpoiledRegistry{"ASerialTwice",
                                    [](auto& each) { each.identities.push_back(each.identities[0]); },
                                    "a serial twice"},
                    SpoiledRegistry{"AnInputThatCannotBe",
                                    [](auto& each) {
                                        each.marks[0].shape = {2, 28, 28};
                                    },
                                    "a mark with an input of 3 extents that is not a picture"},
                    SpoiledRegistry{"AUserOfControls", [](auto& each) { each.identities[0].user = "a\x1b"; },
                                    "a name that is empty"},
                    SpoiledRegistry{"AUserWithoutName", [](auto& each) { each.identities[0].user.clear(); },
                                    "a name that is empty"},
                    SpoiledRegistry{"ANextDateBefore", [](auto& each) { each.next = each.made - 1; },
                                    "does not fit its version"}),
    [](const auto& given) { return given.param.name; });

TEST(IdentityRegistry, GoesOutOfDate) {
    const auto registry = small_registry();
    EXPECT_TRUE(must_be_current(registry, registry.next).ok());
    const auto late = must_be_current(registry, registry.next + 1);
    EXPECT_EQ(late.error().kind, ErrorKind::unsupported);
    EXPECT_EQ(late.error().message,
              "small: out of date: made on 2026-11-21T00:00:00Z, and another was due by 2026-12-21T00:00:00Z");
    EXPECT_TRUE(must_be_current({.name = "ledger", .vendor = {}, .ledger = {}, .marks = {}, .identities = {}},
                                io::kLastSecond)
                    .ok());
}

TEST(IdentityRegistry, IsNotMadeOfWhatHasNoRoom) {
    auto registry = small_registry();
    registry.identities[0].mark = "ffffffffffffffff";
    EXPECT_EQ(encode_registry(registry, test::test_key()).error().kind, ErrorKind::usage);
    registry = small_registry();
    registry.number.reset();
    EXPECT_FALSE(encode_registry(registry, test::test_key()).ok());
}

}  // namespace
}  // namespace modelseal::identity
