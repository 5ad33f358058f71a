// A ledger that a past release made keeps opening; tests/golden/README.md tells its story.
#include <cstdlib>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/models/small_models.h"
#include "tests/support/scratch.h"
#include <modelseal/ledger.h>

namespace modelseal {
namespace {

using testing::ElementsAre;

const std::filesystem::path kGolden = std::filesystem::path(MODELSEAL_SOURCE_DIR) / "tests" / "golden" / "v1";

void write_golden(const std::filesystem::path& file) {
    const auto key = test::test_key();
    auto ledger = std::move(Ledger::open_or_create(file, key)).value();
    for (const char* name : {"acme", "größer"}) ASSERT_TRUE(ledger.add(key, name).ok());
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
    std::ofstream(kGolden / "acme.check") << *ledger.check_key_text("acme");
}

TEST(GoldenLedger, OfVersion1StillOpens) {
    if (std::getenv("MODELSEAL_UPDATE_GOLDENS") != nullptr) write_golden(kGolden / "customers.ledger");
    const test::Scratch folder;
    std::filesystem::copy_file(kGolden / "customers.ledger", folder / "ledger");
    const auto ledger = Ledger::open(folder / "ledger", test::test_key());
    ASSERT_TRUE(ledger.ok()) << ledger.error().message;
    const auto customers = ledger->customers();
    ASSERT_TRUE(customers.ok()) << customers.error().message;
    ASSERT_EQ(customers->size(), 2u);
    EXPECT_EQ((*customers)[0].name, "acme");
    EXPECT_EQ((*customers)[0].seals, 1u);
    EXPECT_EQ((*customers)[1].name, "größer");
    EXPECT_EQ((*customers)[1].reason, "left us");
    EXPECT_EQ((*customers)[1].revoked, "2026-11-21T00:00:00Z");
    EXPECT_EQ(*ledger->check_key_text("acme"), test::content_of(kGolden / "acme.check"));
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

}  // namespace
}  // namespace modelseal
