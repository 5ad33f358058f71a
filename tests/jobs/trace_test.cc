// For whom a leaked model was sealed, and what the ledger knows of it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "crypto/keys/check_key.h"
#include "tests/support/models/small_models.h"
#include "tests/support/scratch.h"
#include "tests/support/tamper.h"
#include <modelseal/seal.h>
#include <modelseal/trace.h>

namespace modelseal {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using TraceOutcome = TraceReport::Outcome;

class Trace : public testing::Test {
  protected:
    Trace() {
        const std::string names[] = {"acme", "beta", "gamma", "delta"};
        if (!ledger_.add(key_, names).ok()) throw std::runtime_error("no customers");
        // Every block of it is a place of a customer's mark, so that what is left of it always has some.
        scratch_.write("net",
                       test::safetensors_file({{"a", "F32", {240, 1024}, test::float_weights(245'760, 1)},
                                               {"b", "F32", {240, 1024}, test::float_weights(245'760, 2)}}));
    }
    // For a customer, or for everybody.
    void seal(const std::string& whom, const std::string& out, bool put_down = true,
              const std::string& version = "1") {
        const auto check =
            whom.empty() ? public_check_key(key_.public_key()) : std::move(ledger_.check_key(whom)).value();
        const auto done = seal_model(scratch_ / "net", scratch_ / out,
                                     {.key = key_,
                                      .check = check,
                                      .stamp = {{"version", version}},
                                      .ledger = put_down ? &ledger_ : nullptr});
        ASSERT_TRUE(done.ok()) << done.error().message;
    }
    TraceReport trace(const std::string& file) {
        auto report = trace_model(scratch_ / file, ledger_);
        if (!report.ok()) throw std::runtime_error(report.error().message);
        return std::move(*report);
    }
    void damage(const std::string& file, test::Damage damage, unsigned seed = 1) {
        scratch_.write(file, test::damaged(test::content_of(scratch_ / file), damage, 8192, seed));
    }
    const test::Scratch scratch_;
    const SigningKey key_ = test::test_key();
    Ledger ledger_ = std::move(Ledger::open_or_create(scratch_ / "ledger", key_)).value();
};

TEST_F(Trace, NamesTheCustomerAndTheEntryOfAnIntactFile) {
    seal("beta", "one", true, "1");
    seal("gamma", "leaked", true, "1");
    seal("gamma", "other", true, "2");
    const auto report = trace("leaked");
    EXPECT_EQ(report.outcome, TraceOutcome::customer);
    EXPECT_EQ(report.customers_asked, 4u);
    ASSERT_EQ(report.marks.size(), 1u);
    const auto& mark = report.marks.front();
    EXPECT_EQ(mark.customer, "gamma");
    EXPECT_EQ(mark.places, mark.places_whole);
    EXPECT_LT(mark.chance, 1e-9);
    ASSERT_TRUE(mark.seal.has_value());
    EXPECT_EQ(mark.seal->outcome, SealFinding::Outcome::intact);
    EXPECT_TRUE(mark.entry_certain);
    ASSERT_EQ(mark.entries.size(), 1u);
    EXPECT_EQ(mark.entries.front().output, (scratch_ / "leaked").string());
}

TEST_F(Trace, NamesTheCustomerIfATenthOfTheFileIsLeft) {
    for (const auto kind : {test::Damage::random_blocks, test::Damage::front, test::Damage::back}) {
        seal("delta", "leaked");
        damage("leaked", kind);
        const auto report = trace("leaked");
        ASSERT_EQ(report.outcome, TraceOutcome::customer);
        EXPECT_EQ(report.marks.front().customer, "delta");
        EXPECT_LT(report.marks.front().places_whole, report.marks.front().places / 2);
        EXPECT_FALSE(report.marks.front().entries.empty());
    }
}

TEST_F(Trace, ListsPossibleEntriesIfTheSealCannotBeRead) {
    seal("acme", "leaked", true, "1");
    seal("acme", "like it", true, "2");
    seal("acme", "unlike it", true, "a version of another length");
    seal("beta", "another's", true, "1");
    for (unsigned seed = 0; seed < 4; ++seed) damage("leaked", test::Damage::some_values, seed);
    const auto report = trace("leaked");
    ASSERT_EQ(report.outcome, TraceOutcome::customer);
    const auto& mark = report.marks.front();
    EXPECT_FALSE(mark.seal.has_value());
    EXPECT_FALSE(mark.entry_certain);
    std::vector<std::string> outputs;
    for (const auto& each : mark.entries) outputs.push_back(std::filesystem::path(each.output).filename());
    EXPECT_THAT(outputs, testing::ElementsAre("leaked", "like it"));
}

TEST_F(Trace, NamesARevokedCustomerAsRevoked) {
    seal("beta", "leaked");
    ASSERT_TRUE(ledger_.revoke("beta", "").ok());
    const auto report = trace("leaked");
    EXPECT_EQ(report.marks.front().customer, "beta");
    EXPECT_NE(report.marks.front().revoked, "");
}

TEST_F(Trace, NamesACustomerEvenIfNoEntryWasRecorded) {
    seal("beta", "leaked", false);
    const auto report = trace("leaked");
    EXPECT_EQ(report.marks.front().customer, "beta");
    EXPECT_THAT(report.marks.front().entries, IsEmpty());
}

TEST_F(Trace, DistinguishesASealForEverybodyFromACustomers) {
    seal("", "leaked");
    const auto report = trace("leaked");
    EXPECT_EQ(report.outcome, TraceOutcome::everybody);
    ASSERT_EQ(report.marks.size(), 1u);
    EXPECT_EQ(report.marks.front().customer, "");
    ASSERT_EQ(report.marks.front().entries.size(), 1u);
    EXPECT_EQ(report.marks.front().entries.front().output, (scratch_ / "leaked").string());
}

TEST_F(Trace, NamesNobodyForAFileThatIsUnsealedOrByAnotherVendor) {
    EXPECT_EQ(trace("net").outcome, TraceOutcome::none);
    EXPECT_THAT(trace("net").marks, IsEmpty());
    const auto stranger = test::test_key(2);
    const auto check = crypto::parse_check_key(*new_check_key(stranger, "acme"), "");
    ASSERT_TRUE(seal_model(scratch_ / "net", scratch_ / "strange", {.key = stranger, .check = *check}).ok());
    EXPECT_EQ(trace("strange").outcome, TraceOutcome::none);
    // By this vendor, for somebody whom the ledger does not have.
    const auto unknown = crypto::parse_check_key(*new_check_key(key_, "omega"), "");
    ASSERT_TRUE(seal_model(scratch_ / "net", scratch_ / "unknown", {.key = key_, .check = *unknown}).ok());
    EXPECT_EQ(trace("unknown").outcome, TraceOutcome::none);
    seal("acme", "gone");
    damage("gone", test::Damage::all);
    EXPECT_EQ(trace("gone").outcome, TraceOutcome::none);
}

TEST_F(Trace, DoesNotDependOnTheNumberOfThreads) {
    seal("delta", "leaked");
    damage("leaked", test::Damage::random_blocks);
    const auto one = trace_model(scratch_ / "leaked", ledger_, {.jobs = 1});
    const auto three = trace_model(scratch_ / "leaked", ledger_, {.jobs = 3});
    EXPECT_EQ(one->marks.front().places_whole, three->marks.front().places_whole);
    EXPECT_EQ(one->marks.front().chance, three->marks.front().chance);
    EXPECT_EQ(one->marks.size(), three->marks.size());
}

TEST_F(Trace, NeedsAModelAndAKey) {
    EXPECT_EQ(trace_model(scratch_ / "none", ledger_).error().kind, ErrorKind::unreadable);
    EXPECT_FALSE(trace_model(scratch_ / "ledger", ledger_).ok());
    const auto looked = Ledger::open_unverified(scratch_ / "ledger");
    EXPECT_EQ(trace_model(scratch_ / "net", *looked).error().kind, ErrorKind::usage);
}

}  // namespace
}  // namespace modelseal
