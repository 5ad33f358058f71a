// The promises of a ledger to a holder of the vendor's key.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "crypto/keys/check_key.h"
#include "ledger/database.h"
#include "tests/support/models/small_models.h"
#include "tests/support/scratch.h"
#include "tests/support/sql.h"
#include <modelseal/ledger.h>

namespace modelseal {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class LedgerTest : public testing::Test {
  protected:
    Ledger open() { return std::move(Ledger::open(path_, key_)).value(); }
    Ledger made() { return std::move(Ledger::open_or_create(path_, key_)).value(); }
    static std::vector<std::string> names(const Ledger& ledger) {
        std::vector<std::string> names;
        const auto customers = ledger.customers();
        for (const auto& each : customers.value()) names.push_back(each.name);
        return names;
    }
    test::Scratch scratch_;
    std::filesystem::path path_ = scratch_ / "customers.ledger";
    SigningKey key_ = test::test_key();
};

TEST_F(LedgerTest, KeepsCustomersAndTheirCheckKeys) {
    {
        auto ledger = made();
        ASSERT_TRUE(ledger.add(key_, "beta").ok());
        ASSERT_TRUE(ledger.add(key_, "acme & söhne").ok());
    }
    const auto ledger = open();
    EXPECT_THAT(names(ledger), ElementsAre("acme & söhne", "beta"));
    const auto text = ledger.check_key_text("beta");
    ASSERT_TRUE(text.ok());
    const auto told = crypto::parse_check_key(*text, "beta");
    ASSERT_TRUE(told.ok()) << told.error().message;
    EXPECT_EQ(told->customer, "beta");
    const auto key = ledger.check_key("beta");
    EXPECT_TRUE(std::ranges::equal(key->secret.bytes(), told->secret.bytes()));
    EXPECT_TRUE(key->vendor == key_.public_key());
    const auto keys = ledger.check_keys();
    ASSERT_EQ(keys->size(), 2u);
    EXPECT_TRUE(std::ranges::equal((*keys)[1].secret.bytes(), told->secret.bytes()));
}

TEST_F(LedgerTest, GivesAllRecordsOfOneMoment) {
    auto ledger = made();
    ASSERT_TRUE(ledger.add(key_, "beta").ok());
    ASSERT_TRUE(ledger.add(key_, "acme").ok());
    const auto records = ledger.records().value();
    EXPECT_EQ(records.customers.size(), 2u);
    EXPECT_EQ(records.customers[0].name, "acme");
    const auto keys = ledger.check_keys().value();
    ASSERT_EQ(records.check_keys.size(), keys.size());
    for (std::size_t i = 0; i < keys.size(); ++i) {
        EXPECT_EQ(records.check_keys[i].customer, records.customers[i].name);
        EXPECT_TRUE(std::ranges::equal(records.check_keys[i].secret.bytes(), keys[i].secret.bytes()));
    }
    EXPECT_EQ(records.entries.size(), ledger.entries().value().size());
    EXPECT_EQ(Ledger::open_unverified(path_)->records().error().kind, ErrorKind::usage);
}

TEST_F(LedgerTest, IsOneFileThatOnlyItsOwnerReads) {
    ASSERT_TRUE(made().add(key_, "acme").ok());
    struct stat status {};
    ASSERT_EQ(::stat(path_.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777, 0600u);
    std::vector<std::string> files;
    for (const auto& each : std::filesystem::directory_iterator(scratch_.path()))
        files.push_back(each.path().filename());
    EXPECT_THAT(files, ElementsAre("customers.ledger"));
}

TEST_F(LedgerTest, HidesCheckKeysFromHoldersOfTheFileAlone) {
    auto ledger = made();
    ASSERT_TRUE(ledger.add(key_, "acme").ok());
    const auto secret = ledger.check_key("acme");
    const auto text = ledger.check_key_text("acme");
    const auto bytes = test::content_of(path_);
    const std::string raw(reinterpret_cast<const char*>(secret->secret.bytes().data()), 32);
    EXPECT_EQ(bytes.find(raw), std::string::npos);
    EXPECT_EQ(bytes.find(text->substr(40, 60)), std::string::npos);
    const auto looked = Ledger::open_unverified(path_);
    ASSERT_TRUE(looked.ok());
    EXPECT_FALSE(looked->verified());
    EXPECT_THAT(names(*looked), ElementsAre("acme"));
    EXPECT_EQ(looked->check_key("acme").error().kind, ErrorKind::usage);
    EXPECT_EQ(looked->check_keys().error().kind, ErrorKind::usage);
}

TEST_F(LedgerTest, WritesNothingWithoutTheKey) {
    ASSERT_TRUE(made().add(key_, "acme").ok());
    const auto before = test::content_of(path_);
    auto looked = Ledger::open_unverified(path_);
    EXPECT_EQ(looked->add(key_, "beta").error().kind, ErrorKind::usage);
    EXPECT_EQ(looked->revoke("acme", "").error().kind, ErrorKind::usage);
    EXPECT_EQ(looked->begin({}).error().kind, ErrorKind::usage);
    EXPECT_EQ(test::content_of(path_), before);
}

TEST_F(LedgerTest, AcceptsAKeyThatTheCustomerHasAlready) {
    auto ledger = made();
    const auto text = new_check_key(key_, "acme");
    ASSERT_TRUE(ledger.add_existing(*text, "acme.check").ok());
    EXPECT_EQ(*ledger.check_key_text("acme"), *text);
    const auto strange = new_check_key(test::test_key(2), "beta");
    EXPECT_EQ(ledger.add_existing(*strange, "beta.check").error().kind, ErrorKind::mismatch);
}

TEST_F(LedgerTest, RefusesNamesThatAreTakenOrCannotBeShown) {
    auto ledger = made();
    ASSERT_TRUE(ledger.add(key_, "acme").ok());
    EXPECT_THAT(ledger.add(key_, "acme").error().message, HasSubstr(": customer 'acme' already exists"));
    for (const auto& name : {std::string(), std::string("a\nb"), std::string("\xff"), std::string(256, 'a')}) {
        EXPECT_EQ(ledger.add(key_, name).error().kind, ErrorKind::usage) << name;
    }
    EXPECT_THAT(names(ledger), ElementsAre("acme"));
    EXPECT_THAT(ledger.customer("acne").error().message, HasSubstr("no customer 'acne'"));
}

TEST_F(LedgerTest, RevokesOnceAndKeepsTheKey) {
    auto ledger = made();
    ASSERT_TRUE(ledger.add(key_, "acme").ok());
    const auto key = ledger.check_key("acme");
    EXPECT_TRUE(ledger.allow(*key).ok());
    ASSERT_TRUE(ledger.revoke("acme", "left us").ok());
    const auto customer = ledger.customer("acme");
    EXPECT_NE(customer->revoked, "");
    EXPECT_EQ(customer->reason, "left us");
    EXPECT_THAT(ledger.revoke("acme", "").error().message, HasSubstr("' was already revoked on"));
    EXPECT_THAT(ledger.allow(*key).error().message, HasSubstr("was revoked on"));
    EXPECT_THAT(ledger.begin({.customer = "acme"}).error().message, HasSubstr("was revoked on"));
    EXPECT_TRUE(std::ranges::equal(ledger.check_key("acme")->secret.bytes(), key->secret.bytes()));
    EXPECT_EQ(ledger.revoke("nobody", "").error().kind, ErrorKind::unreadable);
}

TEST_F(LedgerTest, RefusesCheckKeysThatItDoesNotKnow) {
    auto ledger = made();
    ASSERT_TRUE(ledger.add(key_, "acme").ok());
    const auto another = crypto::parse_check_key(*new_check_key(key_, "acme"), "");
    const auto stranger = crypto::parse_check_key(*new_check_key(key_, "beta"), "");
    EXPECT_THAT(ledger.allow(*another).error().message, HasSubstr(": has another check key for 'acme'"));
    EXPECT_THAT(ledger.allow(*stranger).error().message, HasSubstr("no customer 'beta'"));
    EXPECT_TRUE(ledger.allow(public_check_key(key_.public_key())).ok());
}

TEST_F(LedgerTest, KeepsEntries) {
    const std::string root(64, 'a'), print(64, 'b');
    {
        auto ledger = made();
        ASSERT_TRUE(ledger.add(key_, "acme").ok());
        LedgerEntry seal{.customer = "acme",
                         .model = "net.onnx",
                         .output = "out/net.onnx",
                         .root = root,
                         .stamp = {{"name", "net"}, {"note", "größer"}},
                         .cell_head = std::vector<std::byte>(6, std::byte{1})};
        EXPECT_EQ(*ledger.begin(seal), 1u);
        EXPECT_EQ(*ledger.begin({.kind = LedgerEntry::Kind::fingerprint, .root = root, .fingerprint = print}),
                  2u);
        ASSERT_TRUE(ledger.finish(1).ok());
        EXPECT_EQ(ledger.finish(3).error().kind, ErrorKind::unreadable);
    }
    const auto ledger = open();
    const auto all = ledger.entries();
    ASSERT_EQ(all->size(), 2u);
    const auto& seal = all->front();
    EXPECT_EQ(seal.number, 1u);
    EXPECT_TRUE(seal.finished);
    EXPECT_EQ(seal.customer, "acme");
    EXPECT_EQ(seal.model, "net.onnx");
    EXPECT_EQ(seal.output, "out/net.onnx");
    EXPECT_EQ(seal.root, root);
    EXPECT_THAT(seal.stamp, ElementsAre(std::pair("name", "net"), std::pair("note", "größer")));
    EXPECT_EQ(seal.cell_head.size(), 6u);
    const auto& fingerprint = all->back();
    EXPECT_EQ(fingerprint.kind, LedgerEntry::Kind::fingerprint);
    EXPECT_FALSE(fingerprint.finished);
    EXPECT_EQ(fingerprint.customer, "");
    EXPECT_EQ(fingerprint.fingerprint, print);
    EXPECT_EQ(ledger.entries("acme")->size(), 1u);
    EXPECT_EQ(ledger.customer("acme")->seals, 1u);
    EXPECT_THAT(*ledger.entries("nobody"), IsEmpty());
}

TEST_F(LedgerTest, EscapesTextsFromOutside) {
    auto ledger = made();
    ASSERT_TRUE(ledger.begin({.model = "a\x1b[2Jb\xff", .output = std::string(10'000, 'x')}).ok());
    const auto entries = ledger.entries();
    EXPECT_EQ(entries->front().model, "a\\x1b[2Jb\\xff");
    EXPECT_EQ(entries->front().output.size(), 4096u);
}

TEST_F(LedgerTest, OfAnotherVendorIsRefused) {
    ASSERT_TRUE(made().add(key_, "acme").ok());
    const auto refused = Ledger::open(path_, test::test_key(2));
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().kind, ErrorKind::mismatch);
    EXPECT_THAT(refused.error().message,
                HasSubstr(": the ledger is for vendor key " + to_hex(key_.public_key().id())));
    EXPECT_FALSE(Ledger::open_or_create(path_, test::test_key(2)).ok());
}

TEST_F(LedgerTest, MayBelongToAKeyOnP256) {
    const auto vendor = SigningKey::generate(KeyType::p256);
    ASSERT_TRUE(Ledger::open_or_create(path_, vendor)->add(vendor, "acme").ok());
    const auto ledger = Ledger::open(path_, vendor);
    ASSERT_TRUE(ledger.ok()) << ledger.error().message;
    EXPECT_THAT(names(*ledger), ElementsAre("acme"));
    EXPECT_TRUE(ledger->check_key("acme")->vendor == vendor.public_key());
    EXPECT_EQ(Ledger::open(path_, SigningKey::generate(KeyType::p256)).error().kind, ErrorKind::mismatch);
    EXPECT_EQ(Ledger::open(path_, key_).error().kind, ErrorKind::mismatch);
}

TEST_F(LedgerTest, IsNotCreatedByReading) {
    EXPECT_THAT(Ledger::open(path_, key_).error().message, HasSubstr("not found"));
    EXPECT_THAT(Ledger::open_unverified(path_).error().message, HasSubstr("not found"));
    EXPECT_FALSE(std::filesystem::exists(path_));
    EXPECT_THAT(Ledger::open(scratch_.path(), key_).error().message, HasSubstr("not a regular file"));
    EXPECT_THAT(Ledger::open_or_create(scratch_ / "no" / "folder", key_).error().message,
                HasSubstr("there is no folder"));
}

// As many processes as there are letters, at once, on a ledger that is not there yet.
TEST_F(LedgerTest, LosesNothingWhenSeveralProcessesWriteAtOnce) {
    constexpr int kProcesses = 4, kEach = 12;
    std::vector<pid_t> children;
    for (int process = 0; process < kProcesses; ++process) {
        const auto child = ::fork();
        ASSERT_GE(child, 0);
        if (child == 0) {
            auto ledger = Ledger::open_or_create(path_, key_);
            bool done = ledger.ok();
            for (int i = 0; i < kEach && done; ++i) {
                const auto name = std::string(1, static_cast<char>('a' + process)) + std::to_string(i);
                done = ledger->add(key_, name).ok();
                const auto entry = ledger->begin({.customer = name});
                done = done && entry.ok() && ledger->finish(*entry).ok();
            }
            ::_exit(done ? 0 : 1);
        }
        children.push_back(child);
    }
    for (const auto child : children) {
        int status = 0;
        ::waitpid(child, &status, 0);
        EXPECT_EQ(status, 0);
    }
    const auto ledger = open();
    EXPECT_EQ(names(ledger).size(), static_cast<std::size_t>(kProcesses * kEach));
    const auto entries = ledger.entries();
    ASSERT_TRUE(entries.ok()) << entries.error().message;
    EXPECT_EQ(entries->size(), static_cast<std::size_t>(kProcesses * kEach));
}

TEST_F(LedgerTest, ReportsAnotherProgramThatWritesForTooLong) {
    ASSERT_TRUE(made().add(key_, "acme").ok());
    const auto first = ledger::Database::open(path_);
    const auto second = ledger::Database::open(path_);
    const auto writing = ledger::Transaction::begin(*first, ledger::Transaction::Kind::write);
    ASSERT_TRUE(writing.ok());
    ASSERT_TRUE(second->run("PRAGMA busy_timeout = 10").ok());
    const auto refused = ledger::Transaction::begin(*second, ledger::Transaction::Kind::write);
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().kind, ErrorKind::unreadable);
    EXPECT_THAT(refused.error().message, HasSubstr(": another program has held the file for"));
}

TEST_F(LedgerTest, ReportsAFullDisk) {
    ASSERT_TRUE(made().add(key_, "acme").ok());
    const auto database = ledger::Database::open(path_);
    ASSERT_TRUE(database->run("PRAGMA max_page_count = 1").ok());  // that is, as many as there are
    const auto refused = database->run("UPDATE customers SET reason = zeroblob(100000) || ''");
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().kind, ErrorKind::unreadable);
    EXPECT_THAT(refused.error().message, HasSubstr("no space left on the device"));
    EXPECT_THAT(names(open()), ElementsAre("acme"));
}

}  // namespace
}  // namespace modelseal
