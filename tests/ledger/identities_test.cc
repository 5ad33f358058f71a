// Marks and identities in a ledger: what it records, what it refuses, and what it notices.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/models/small_mark.h"
#include "tests/support/models/small_models.h"
#include "tests/support/scratch.h"
#include "tests/support/sql.h"
#include <modelseal/ledger.h>

namespace modelseal {
namespace {

using testing::HasSubstr;

class IdentityLedger : public testing::Test {
  protected:
    std::string have_mark(std::size_t images = 2) {
        const auto id = ledger_.begin_mark(test::small_mark(images));
        EXPECT_TRUE(id.ok()) << id.error().message;
        EXPECT_TRUE(ledger_.finish_mark(*id).ok());
        return *id;
    }
    Result<BegunIdentity> issue(const std::string& user, std::optional<std::string> mark = {}) {
        return ledger_.begin_identity(key_, {.user = user, .mark = std::move(mark), .output = "out.png"});
    }
    const test::Scratch scratch_;
    const std::filesystem::path path_ = scratch_ / "ledger";
    const SigningKey key_ = test::test_key();
    Ledger ledger_ = std::move(Ledger::open_or_create(path_, key_)).value();
};

TEST_F(IdentityLedger, KeepsMarksWithTheirKeyImages) {
    const auto id = have_mark(3);
    const auto mark = Ledger::open(path_, key_)->mark();
    ASSERT_TRUE(mark.ok()) << mark.error().message;
    EXPECT_EQ(mark->id, id);
    EXPECT_EQ(mark->key_images, test::small_mark(3).key_images);
    EXPECT_EQ(mark->shape, (std::vector<std::int64_t>{1, 28, 28}));
    EXPECT_EQ(mark->std, std::vector<float>{0.5f});
    EXPECT_EQ(mark->high, 1.0f);
}

TEST_F(IdentityLedger, AddsTheUserOfAnIdentityToItsCustomers) {
    have_mark();
    const auto begun = issue("alice");
    ASSERT_TRUE(begun.ok()) << begun.error().message;
    EXPECT_TRUE(begun->user_added);
    EXPECT_TRUE(ledger_.check_key("alice").ok());
    EXPECT_FALSE(issue("alice")->user_added);
    EXPECT_EQ(ledger_.customer("alice")->identities, 2u);
}

TEST_F(IdentityLedger, GivesEachIdentityTheKeyImageThatTheFewestHave) {
    have_mark(2);
    const auto first = issue("a"), second = issue("b"), third = issue("c");
    EXPECT_EQ(first->identity.key_image, 0u);
    EXPECT_EQ(second->identity.key_image, 1u);
    EXPECT_EQ(second->key_image, test::small_mark(2).key_images[1]);
    EXPECT_FALSE(second->image_used);
    EXPECT_EQ(third->identity.key_image, 0u);
    EXPECT_TRUE(third->image_used);
}

TEST_F(IdentityLedger, NumbersTheChangeThatIssuedAnIdentity) {
    have_mark();
    const auto before = *ledger_.identity_records()->changes;
    EXPECT_EQ(issue("alice")->change, before + 1);
    EXPECT_EQ(ledger_.identity_records()->changes, before + 1);
    EXPECT_FALSE(Ledger::open_unverified(path_)->identity_records()->changes.has_value());
}

TEST_F(IdentityLedger, KeepsWhatIsSaidWhenAnIdentityIsFinished) {
    const auto mark = have_mark();
    const auto begun = ledger_.begin_identity(
        key_, {.user = "alice", .expires = "2030-01-01T00:00:00Z", .output = "alice.png"});
    ASSERT_TRUE(ledger_.finish_identity(begun->identity.serial, std::string(64, 'a')).ok());
    const auto records = Ledger::open(path_, key_)->identity_records();
    ASSERT_EQ(records->identities.size(), 1u);
    const auto& identity = records->identities.front();
    EXPECT_EQ(identity.serial, begun->identity.serial);
    EXPECT_EQ(identity.user, "alice");
    EXPECT_EQ(identity.mark, mark);
    EXPECT_EQ(identity.expires, "2030-01-01T00:00:00Z");
    EXPECT_EQ(identity.revoked, "");
    EXPECT_TRUE(identity.finished);
    EXPECT_EQ(identity.digest, std::string(64, 'a'));
    EXPECT_EQ(identity.output, "alice.png");
}

TEST_F(IdentityLedger, RevokesTheIdentitiesOfARevokedCustomer) {
    have_mark();
    ASSERT_TRUE(issue("alice").ok());
    ASSERT_TRUE(issue("bob").ok());
    ASSERT_TRUE(ledger_.revoke("alice", "").ok());
    const auto records = ledger_.identity_records();
    EXPECT_NE(records->identities[0].revoked, "");
    EXPECT_EQ(records->identities[1].revoked, "");
    EXPECT_THAT(issue("alice").error().message, HasSubstr("'alice' was revoked on"));
    EXPECT_EQ(ledger_.identity_records()->identities.size(), 2u);
}

TEST_F(IdentityLedger, RevokesOneIdentityOfAUser) {
    have_mark();
    const auto lost = issue("alice"), kept = issue("alice");
    ASSERT_TRUE(ledger_.revoke_identity(lost->identity.serial).ok());
    EXPECT_NE(ledger_.identity_records()->identities[0].revoked, "");
    EXPECT_EQ(ledger_.identity_records()->identities[1].revoked, "");
    EXPECT_EQ(ledger_.customer("alice")->revoked, "");
    EXPECT_THAT(ledger_.revoke_identity(lost->identity.serial).error().message, HasSubstr("already revoked"));
    EXPECT_THAT(ledger_.revoke_identity("0011223344556677").error().message, HasSubstr("no identity"));
    EXPECT_THAT(ledger_.revoke_identity("x\x1b").error().message, HasSubstr("'x\\x1b'"));
}

TEST_F(IdentityLedger, AsksWhichOfSeveralMarks) {
    EXPECT_THAT(issue("alice").error().message, HasSubstr("has no mark that is finished"));
    const auto begun = ledger_.begin_mark(test::small_mark(1));
    EXPECT_THAT(issue("alice").error().message, HasSubstr("has no mark that is finished"));
    EXPECT_TRUE(issue("alice", *begun).ok());
    const auto one = have_mark();
    EXPECT_TRUE(issue("alice").ok());
    have_mark();
    const auto refused = issue("alice");
    EXPECT_THAT(refused.error().message, HasSubstr("has several marks"));
    EXPECT_EQ(refused.error().remedy, Remedy::choose_mark);
    EXPECT_EQ(issue("alice", one)->mark.id, one);
    EXPECT_THAT(issue("alice", "0011223344556677").error().message, HasSubstr("no mark '0011223344556677'"));
}

TEST_F(IdentityLedger, AddsNobodyIfNoIdentityCanBeIssued) {
    EXPECT_FALSE(issue("alice").ok());
    EXPECT_TRUE(ledger_.customers()->empty());
}

TEST_F(IdentityLedger, RefusesMarksThatCannotBe) {
    const auto refused = [&](const std::function<void(IdentityMark&)>& spoil) {
        auto mark = test::small_mark(1);
        spoil(mark);
        const auto begun = ledger_.begin_mark(mark);
        return begun.ok() ? "accepted" : begun.error().message;
    };
    EXPECT_THAT(refused([](auto& mark) { mark.key_images.clear(); }), HasSubstr("0 key images"));
    EXPECT_THAT(refused([](auto& mark) {
                    mark.shape = {1, 28, 29};
                }),
                HasSubstr("a key image of 28 x 28 pixels of 1 channel; its inputs have 29 x 28"));
    EXPECT_THAT(refused([](auto& mark) { mark.shape = {784}; }), HasSubstr("is not a picture"));
    EXPECT_THAT(refused([](auto& mark) { mark.shape = {1, 0, 28}; }), HasSubstr("without elements"));
    EXPECT_THAT(refused([](auto& mark) { mark.extra_class = 0; }), HasSubstr("additional class 0"));
    EXPECT_THAT(refused([](auto& mark) { mark.low = 1; }), HasSubstr("a range of inputs"));
    EXPECT_THAT(refused([](auto& mark) { mark.std = {0}; }), HasSubstr("not above 0"));
    EXPECT_THAT(refused([](auto& mark) { mark.mean = {0, 0}; }), HasSubstr("a scaling"));
    EXPECT_THAT(refused([](auto& mark) { mark.digest = "e"; }), HasSubstr("a digest"));
    EXPECT_THAT(refused([](auto& mark) { mark.key_images[0].resize(40); }), HasSubstr("key image 0: "));
    EXPECT_THAT(refused([](auto& mark) {
                    mark.shape = {1, 27, 28};
                    mark.key_images = {io::encode_png(test::noise_picture(28, 27, 1, 1))};
                }),
                HasSubstr("in which an identity of 784 bits has no room"));
    EXPECT_TRUE(ledger_.identity_records()->marks.empty());
}

struct SpoiledRow {
    std::string name, sql, message;
    ErrorKind kind = ErrorKind::mismatch;
};

class SpoiledIdentityLedger : public testing::TestWithParam<SpoiledRow> {};

TEST_P(SpoiledIdentityLedger, IsRefusedWithTheReason) {
    const test::Scratch folder;
    const auto file = folder / "ledger";
    const auto key = test::test_key();
    {
        auto ledger = std::move(Ledger::open_or_create(file, key)).value();
        ASSERT_TRUE(ledger.finish_mark(*ledger.begin_mark(test::small_mark(2))).ok());
        for (const char* user : {"alice", "bob"})
            ASSERT_TRUE(ledger.begin_identity(key, {.user = user, .output = ""}).ok());
        ASSERT_TRUE(ledger.revoke("bob", "").ok());
    }
    test::sql(file, GetParam().sql);
    const auto read = [&]() -> Result<IdentityRecords> {
        MODELSEAL_TRY_ASSIGN(const auto ledger, Ledger::open(file, key));
        return ledger.identity_records();
    };
    const auto records = read();
    ASSERT_FALSE(records.ok());
    EXPECT_THAT(records.error().message, HasSubstr(GetParam().message));
    EXPECT_EQ(records.error().kind, GetParam().kind) << records.error().message;
}

const SpoiledRow kSpoiledRows[] = {
    {"AnIdentityOfAnother", "UPDATE identities SET customer = 1 WHERE id = 2", "row 2 of identities"},
    {"AnIdentityForEver", "UPDATE identities SET expires = 9 WHERE id = 1", "row 1 of identities"},
    {"AnIdentityOfAnotherMark", "UPDATE identities SET mark = 2 WHERE id = 1", "row 1 of identities"},
    {"AnotherSerial", "UPDATE identities SET serial = zeroblob(8) WHERE id = 1", "row 1 of identities"},
    {"AnIdentityLess", "DELETE FROM identities WHERE id = 1",
     "it has 1 mark, 2 key images and 1 identity, its state has 1, 2 and 2"},
    {"AMarkOfAnotherClass", "UPDATE marks SET class = 3", "row 1 of marks"},
    {"AMarkLess", "DELETE FROM marks", "0 marks"},
    {"AnotherKeyImage", "UPDATE key_images SET png = x'00' WHERE id = 2", "row 2 of key_images"},
    {"KeyImagesExchanged",
     "UPDATE key_images SET number = 7 WHERE id = 1; UPDATE key_images SET number = 0 WHERE id = 2",
     "row 1 of key_images"},
    {"ACustomerNotRevoked", "UPDATE customers SET revoked = 0 WHERE name = 'bob'", "row 2 of customers"},
    {"AShortSerial", "UPDATE identities SET serial = x'00' WHERE id = 1", "a serial that does not have 8 bytes",
     ErrorKind::malformed},
    {"AnImpossibleImage", "UPDATE identities SET image = 9999 WHERE id = 1", "an impossible key image",
     ErrorKind::malformed},
    {"AnImpossibleClass", "UPDATE marks SET class = 0", "an impossible additional class", ErrorKind::malformed},
    {"ALongInput", "UPDATE marks SET input = zeroblob(5000)", "an input that is too long",
     ErrorKind::malformed},
    {"AnOutputOfControls", "UPDATE identities SET output = char(7)", "a name that is not printable text",
     ErrorKind::malformed},
    {"AnEarlierVersion",
     "DROP TABLE marks; DROP TABLE identities; DROP TABLE key_images; PRAGMA user_version = 1",
     "its state cannot be decrypted"},
};

INSTANTIATE_TEST_SUITE_P(Each, SpoiledIdentityLedger, testing::ValuesIn(kSpoiledRows),
                         [](const auto& given) { return given.param.name; });

}  // namespace
}  // namespace modelseal
