// A ledger that a past release made keeps opening; tests/golden/README.md tells its story.
#include <cstdlib>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/models/small_mark.h"
#include "tests/support/models/small_models.h"
#include "tests/support/scratch.h"
#include "tests/support/sql.h"
#include <modelseal/ledger.h>

namespace modelseal {
namespace {

using testing::ElementsAre;

const std::filesystem::path kGolden = std::filesystem::path(MODELSEAL_SOURCE_DIR) / "tests" / "golden";

void write_golden(const std::filesystem::path& folder) {
    const auto key = test::test_key();
    auto ledger = std::move(Ledger::open_or_create(folder / "customers.ledger", key)).value();
    for (const char* name : {"acme", "größer"}) ASSERT_TRUE(ledger.add(key, name).ok());
    const auto mark = ledger.begin_mark(test::small_mark(2));
    ASSERT_TRUE(ledger.finish_mark(*mark).ok());
    const auto first = ledger.begin_identity(key, {.user = "acme", .output = "acme.png"});
    ASSERT_TRUE(ledger.finish_identity(first->identity.serial, std::string(64, 'd')).ok());
    ASSERT_TRUE(
        ledger.begin_identity(key, {.user = "größer", .expires = "2100-01-01T00:00:00Z", .output = "g.png"})
            .ok());
    ASSERT_TRUE(ledger.revoke("größer", "left us").ok());
    const auto seal = ledger.begin({.customer = "acme",
                                    .model = "net.onnx",
                                    .output = "out/net.onnx",
                                    .root = std::string(64, 'a'),
                                    .stamp = {{"name", "net"}, {"version", "1"}, {"colour", "blue"}},
                                    .cell_head = std::vector<std::byte>(6, std::byte{7})});
    ASSERT_TRUE(ledger.finish(*seal).ok());
    ASSERT_TRUE(ledger
                    .begin({.kind = LedgerEntry::Kind::fingerprint,
                            .root = std::string(64, 'b'),
                            .fingerprint = std::string(64, 'c')})
                    .ok());
    std::ofstream(folder / "acme.check") << *ledger.check_key_text("acme");
}

std::string version_of(const std::filesystem::path& file) {
    return test::sql(file, "PRAGMA user_version").at(0);
}

// What every version has: two customers, a seal and a fingerprint.
void expect_customers_and_entries(const Ledger& opened, const std::filesystem::path& folder) {
    const auto* ledger = &opened;
    const auto customers = ledger->customers();
    ASSERT_TRUE(customers.ok()) << customers.error().message;
    ASSERT_EQ(customers->size(), 2u);
    EXPECT_EQ((*customers)[0].name, "acme");
    EXPECT_EQ((*customers)[0].seals, 1u);
    EXPECT_EQ((*customers)[1].name, "größer");
    EXPECT_EQ((*customers)[1].reason, "left us");
    EXPECT_EQ((*customers)[1].revoked, "2026-11-21T00:00:00Z");
    EXPECT_EQ(*ledger->check_key_text("acme"), test::content_of(folder / "acme.check"));
    const auto entries = ledger->entries();
    ASSERT_EQ(entries->size(), 2u);
    const auto& seal = entries->front();
    EXPECT_TRUE(seal.finished);
    EXPECT_EQ(seal.customer, "acme");
    EXPECT_EQ(seal.made, "2026-11-21T00:00:00Z");
    EXPECT_EQ(seal.model, "net.onnx");
    EXPECT_EQ(seal.output, "out/net.onnx");
    EXPECT_EQ(seal.root, std::string(64, 'a'));
    EXPECT_THAT(seal.stamp,
                ElementsAre(std::pair("name", "net"), std::pair("version", "1"), std::pair("colour", "blue")));
    EXPECT_EQ(seal.cell_head, std::vector<std::byte>(6, std::byte{7}));
    const auto& fingerprint = entries->back();
    EXPECT_EQ(fingerprint.kind, LedgerEntry::Kind::fingerprint);
    EXPECT_FALSE(fingerprint.finished);
    EXPECT_EQ(fingerprint.customer, "");
    EXPECT_EQ(fingerprint.fingerprint, std::string(64, 'c'));
}

TEST(GoldenLedger, OfVersion1StillOpens) {
    const test::Scratch folder;
    std::filesystem::copy_file(kGolden / "v1" / "customers.ledger", folder / "ledger");
    const auto ledger = Ledger::open(folder / "ledger", test::test_key());
    ASSERT_TRUE(ledger.ok()) << ledger.error().message;
    expect_customers_and_entries(*ledger, kGolden / "v1");
    const auto records = ledger->identity_records();
    ASSERT_TRUE(records.ok()) << records.error().message;
    EXPECT_TRUE(records->marks.empty());
    EXPECT_TRUE(records->identities.empty());
    EXPECT_EQ(records->changes, 6u);
    EXPECT_EQ(version_of(folder / "ledger"), "1");
}

TEST(GoldenLedger, OfVersion1BecomesOneOfVersion2WithTheFirstChange) {
    const test::Scratch folder;
    const auto file = folder / "ledger";
    std::filesystem::copy_file(kGolden / "v1" / "customers.ledger", file);
    auto reader = Ledger::open(file, test::test_key());  // which stays open meanwhile
    auto ledger = Ledger::open(file, test::test_key());
    ASSERT_TRUE(ledger->begin_mark(test::small_mark(2)).ok());
    EXPECT_EQ(version_of(file), "2");
    for (const auto* opened : {&*reader, &*ledger}) {
        expect_customers_and_entries(*opened, kGolden / "v1");
        EXPECT_EQ(opened->identity_records()->marks.size(), 1u);
    }
    EXPECT_TRUE(reader->add(test::test_key(), "beta").ok());
    EXPECT_EQ(Ledger::open(file, test::test_key())->customers()->size(), 3u);
}

TEST(GoldenLedger, OfVersion2StillOpens) {
    if (std::getenv("MODELSEAL_UPDATE_GOLDENS") != nullptr) write_golden(kGolden / "v2");
    const test::Scratch folder;
    std::filesystem::copy_file(kGolden / "v2" / "customers.ledger", folder / "ledger");
    const auto ledger = Ledger::open(folder / "ledger", test::test_key());
    ASSERT_TRUE(ledger.ok()) << ledger.error().message;
    expect_customers_and_entries(*ledger, kGolden / "v2");
    const auto records = ledger->identity_records();
    ASSERT_TRUE(records.ok()) << records.error().message;
    ASSERT_EQ(records->marks.size(), 1u);
    const auto& mark = records->marks.front();
    const auto expected = test::small_mark(2);
    EXPECT_TRUE(mark.finished);
    EXPECT_EQ(mark.made, "2026-11-21T00:00:00Z");
    EXPECT_EQ(mark.model, expected.model);
    EXPECT_EQ(mark.digest, expected.digest);
    EXPECT_EQ(mark.extra_class, 10u);
    EXPECT_EQ(mark.shape, expected.shape);
    EXPECT_EQ(mark.mean, expected.mean);
    EXPECT_EQ(mark.key_images.size(), 2u);
    ASSERT_EQ(records->identities.size(), 2u);
    const auto& first = records->identities.front();
    EXPECT_TRUE(first.finished);
    EXPECT_EQ(first.user, "acme");
    EXPECT_EQ(first.mark, mark.id);
    EXPECT_EQ(first.revoked, "");
    EXPECT_EQ(first.digest, std::string(64, 'd'));
    const auto& second = records->identities.back();
    EXPECT_FALSE(second.finished);
    EXPECT_EQ(second.key_image, 1u);
    EXPECT_EQ(second.expires, "2100-01-01T00:00:00Z");
    EXPECT_EQ(second.revoked, "2026-11-21T00:00:00Z");
}

}  // namespace
}  // namespace modelseal
