// Outputs that are recorded in a ledger: the order of the steps, and the message when one fails.
#include "jobs/recorded.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/models/small_models.h"
#include "tests/support/scratch.h"
#include "tests/support/sql.h"

namespace modelseal::jobs {
namespace {

using testing::HasSubstr;

class Recorded : public testing::Test {
  protected:
    Recorded() {
        if (!ledger_.add(key_, "acme").ok()) throw std::runtime_error("no customer");
    }
    Result<void> commit(const std::function<Result<void>()>& commit) {
        return commit_recorded(&ledger_, {.customer = "acme"}, "folder/net/", "out", commit);
    }
    void spoil() const { test::sql(file_, "UPDATE ledger SET state = x'00'"); }
    std::vector<std::string> finished() const { return test::sql(file_, "SELECT finished FROM entries"); }
    const test::Scratch scratch_;
    const std::filesystem::path file_ = scratch_ / "ledger";
    const SigningKey key_ = test::test_key();
    Ledger ledger_ = std::move(Ledger::open_or_create(file_, key_)).value();
};

TEST_F(Recorded, AnEntryIsThereBeforeItsOutputAndFinishedAfterIt) {
    std::vector<std::string> then;
    const auto done = commit([&]() -> Result<void> {
        then = finished();
        return {};
    });
    ASSERT_TRUE(done.ok());
    EXPECT_EQ(then, std::vector<std::string>{"0"});
    EXPECT_EQ(finished(), std::vector<std::string>{"1"});
    EXPECT_EQ(ledger_.entries()->front().model, "net");
    EXPECT_EQ(ledger_.entries()->front().output, "out");
}

TEST_F(Recorded, NothingIsWrittenThatCannotBeRecorded) {
    spoil();
    bool called = false;
    const auto done = commit([&]() -> Result<void> {
        called = true;
        return {};
    });
    ASSERT_FALSE(done.ok());
    EXPECT_FALSE(called);
    EXPECT_THAT(done.error().message, HasSubstr("; out was not written"));
}

TEST_F(Recorded, AnOutputThatFailsStaysAsBegun) {
    const auto done = commit([]() -> Result<void> {
        return Error{ErrorKind::unreadable, "the disk is full", {}};
    });
    ASSERT_FALSE(done.ok());
    EXPECT_EQ(done.error().message, "the disk is full");
    EXPECT_EQ(finished(), std::vector<std::string>{"0"});
}

TEST_F(Recorded, AnOutputThatExistsIsNamedIfTheLedgerCannotRecordIt) {
    const auto done = commit([&]() -> Result<void> {
        spoil();
        return {};
    });
    ASSERT_FALSE(done.ok());
    EXPECT_THAT(done.error().message,
                HasSubstr("; out was written, but entry 1 of the ledger is not marked as finished"));
}

TEST_F(Recorded, OnlyALedgerOfTheSigningKeyIsAccepted) {
    const auto check = public_check_key(key_.public_key());
    EXPECT_TRUE(allow(nullptr, key_, check).ok());
    EXPECT_TRUE(allow(&ledger_, key_, check).ok());
    EXPECT_EQ(allow(&ledger_, test::test_key(2), check).error().kind, ErrorKind::mismatch);
    const auto looked = Ledger::open_unverified(file_);
    EXPECT_EQ(allow(&*looked, key_, check).error().kind, ErrorKind::mismatch);
}

}  // namespace
}  // namespace modelseal::jobs
