// The memory of the newest state of each ledger.
#include "identity/newest.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/models/small_models.h"
#include "tests/support/scratch.h"

namespace modelseal::identity {
namespace {

using testing::HasSubstr;

Registry of(std::uint64_t number, char ledger = 'a', std::uint8_t vendor = 1) {
    return {.name = "r",
            .vendor = test::test_key(vendor).public_key(),
            .ledger = std::string(64, ledger),
            .number = number,
            .marks = {},
            .identities = {}};
}

TEST(NewestState, IsRememberedForEachLedgerAndVendor) {
    const test::Scratch folder;
    const auto file = folder / "newest";
    EXPECT_TRUE(remember(file, of(5)).ok());
    EXPECT_TRUE(remember(file, of(5)).ok());
    EXPECT_TRUE(remember(file, of(7)).ok());
    EXPECT_TRUE(remember(file, of(1, 'b')).ok());
    EXPECT_TRUE(remember(file, of(2, 'a', 2)).ok());
    const auto earlier = remember(file, of(6));
    ASSERT_FALSE(earlier.ok());
    EXPECT_EQ(earlier.error().kind, ErrorKind::mismatch);
    EXPECT_EQ(
        earlier.error().message,
        "r: was put back to an earlier state: it has the state after change 6, and the state after change 7 "
        "was seen before");
    EXPECT_TRUE(remember(file, of(7)).ok());
    EXPECT_EQ(decode_newest(test::content_of(file), "")->size(), 3u);
}

TEST(NewestState, ThatCannotBeReadIsAnErrorAndStays) {
    const test::Scratch folder;
    for (const char* text :
         {"", "{}", "[]", R"({"schema": "modelseal-newest/2", "ledgers": []})",
          R"({"schema": "modelseal-newest/1", "ledgers": [{"vendor": "zz", "ledger": "aa", "number": 1}]})",
          R"({"schema": "modelseal-newest/1", "ledgers": [{"vendor": "aa", "ledger": "aa", "number": -1}]})",
          R"({"schema": "modelseal-newest/1", "ledgers": [{"vendor": "aa", "ledger": "aa", "number": 1},
              {"vendor": "aa", "ledger": "aa", "number": 2}]})"}) {
        const auto file = folder.write("newest", text);
        const auto refused = remember(file, of(5));
        ASSERT_FALSE(refused.ok()) << text;
        EXPECT_EQ(refused.error().kind, ErrorKind::malformed) << text;
        EXPECT_EQ(test::content_of(file), text);
    }
}

TEST(NewestState, IsUnknownOfALedgerWithoutItsKey) {
    const test::Scratch folder;
    auto registry = of(5);
    registry.number.reset();
    EXPECT_EQ(remember(folder / "newest", registry).error().remedy, Remedy::give_vendor_key);
    EXPECT_FALSE(std::filesystem::exists(folder / "newest"));
}

}  // namespace
}  // namespace modelseal::identity
