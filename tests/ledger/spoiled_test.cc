// Ledgers spoiled in one place by a holder of the file without the key: all are refused. Each row has the
// message and the kind of error.
#include <functional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/models/small_models.h"
#include "tests/support/scratch.h"
#include "tests/support/sql.h"
#include <modelseal/ledger.h>

namespace modelseal {
namespace {

using testing::HasSubstr;
using File = std::filesystem::path;

struct Spoiled {
    std::string name;
    std::function<void(const File&)> spoil;
    std::string message;
    ErrorKind kind = ErrorKind::malformed;
};

std::function<void(const File&)> by_sql(const std::string& statements) {
    return [statements](const File& file) { test::sql(file, statements); };
}

std::function<void(const File&)> by_bytes(const std::function<void(std::string&)>& change) {
    return [change](const File& file) {
        auto bytes = test::content_of(file);
        change(bytes);
        std::ofstream(file, std::ios::binary | std::ios::trunc) << bytes;
    };
}

// In the text of the schema itself, which no statement may change.
std::function<void(const File&)> in_schema(const std::string& statements) {
    return by_sql("PRAGMA writable_schema = ON; " + statements);
}

// A ledger of three customers, one of them revoked, and two entries.
void make(const File& file, const SigningKey& key) {
    auto ledger = std::move(Ledger::open_or_create(file, key)).value();
    for (const char* name : {"acme", "beta", "gamma"}) ASSERT_TRUE(ledger.add(key, name).ok());
    ASSERT_TRUE(ledger.revoke("gamma", "left us").ok());
    for (const char* name : {"acme", "beta"}) {
        const auto number = ledger.begin({.customer = name, .model = "net", .root = std::string(64, 'a')});
        ASSERT_TRUE(ledger.finish(*number).ok());
    }
}

// A row as it was before the customer was revoked, in the place of the row of today.
void put_back(const File& file) {
    const auto key = test::test_key();
    const File old = file.string() + ".old";
    std::filesystem::copy_file(file, old);
    ASSERT_TRUE(Ledger::open(file, key)->revoke("acme", "").ok());
    test::sql(file,
              "ATTACH '" + old.string() +
                  "' AS old; REPLACE INTO main.customers SELECT * FROM old.customers WHERE name = 'acme'");
}

// A customer of another ledger of the same vendor, who has one more.
void transplant(const File& file) {
    const File other = file.string() + ".other";
    make(other, test::test_key());
    test::sql(file, "ATTACH '" + other.string() +
                        "' AS other; DELETE FROM main.customers WHERE id = 1; "
                        "INSERT INTO main.customers SELECT * FROM other.customers WHERE id = 1");
}

const Spoiled kSpoiled[] = {
    {"Empty", by_bytes([](auto& bytes) { bytes.clear(); }), "empty, not a ledger"},
    {"Text", by_bytes([](auto& bytes) { bytes = std::string(5000, 'x'); }), "not a ledger"},
    {"FewBytes", by_bytes([](auto& bytes) { bytes.resize(20); }), "not a ledger"},
    {"CutShort", by_bytes([](auto& bytes) { bytes.resize(bytes.size() / 2); }), "damaged"},
    {"CutByAPage", by_bytes([](auto& bytes) { bytes.resize(bytes.size() - 4096); }), "damaged"},
    {"APageOfZeros", by_bytes([](auto& bytes) { bytes.replace(4096, 4096, std::string(4096, '\0')); }),
     "damaged"},
    {"APageOfOnes", by_bytes([](auto& bytes) { bytes.replace(8192, 4096, std::string(4096, '\xff')); }),
     "damaged"},
    {"FreePagesThatAreNot",
     by_bytes([](auto& bytes) { bytes.replace(32, 8, std::string("\0\0\0\2\0\0\0\1", 8)); }), "damaged"},
    {"AnotherApplication", by_sql("PRAGMA application_id = 7"), ": is an SQLite database, but not a ledger"},
    {"NoApplication", by_sql("PRAGMA application_id = 0"), ": is an SQLite database, but not a ledger"},
    {"ALaterVersion", by_sql("PRAGMA user_version = 3"),
     "ledgers of version 3 are not supported; versions 1 to 2 are", ErrorKind::unsupported},
    {"AVersionBelow", by_sql("PRAGMA user_version = 0"),
     "ledgers of version 0 are not supported; versions 1 to 2 are", ErrorKind::unsupported},
    {"AWriteAheadLog", by_sql("PRAGMA journal_mode = WAL"),
     ": uses a write-ahead log, which a ledger must not"},
    {"OneMoreTable", by_sql("CREATE TABLE more (x)"), "'more' is not as defined for ledgers of version"},
    {"OneMoreIndex", by_sql("CREATE INDEX more ON customers (added)"),
     "'more' is not as defined for ledgers of version"},
    {"AView", by_sql("CREATE VIEW a AS SELECT * FROM customers"),
     "'a' is not as defined for ledgers of version"},
    {"ATrigger", by_sql("CREATE TRIGGER t AFTER INSERT ON entries BEGIN DELETE FROM entries; END"),
     "'t' is not as defined for ledgers of version"},
    {"ATableLess", by_sql("DROP TABLE entries"), "'identities' is not as defined for ledgers of version"},
    {"AnIndexLess", by_sql("DROP INDEX entries_of_customer"),
     "'identities' is not as defined for ledgers of version"},
    {"AColumnMore", by_sql("ALTER TABLE customers ADD COLUMN more TEXT"),
     "'customers' is not as defined for ledgers of version"},
    {"AnotherIndex", by_sql("DROP INDEX entries_of_customer; CREATE INDEX entries_of_customer ON entries (id)"),
     "'entries_of_customer' is not as defined for ledgers of version"},
    {"NotStrict",
     in_schema("UPDATE sqlite_schema SET sql = replace(sql, ' STRICT', '') WHERE name = 'entries'"),
     "'entries' is not as defined for ledgers of version"},
    {"ATableThatIsAView",
     in_schema("UPDATE sqlite_schema SET type = 'view', sql = 'CREATE VIEW entries AS SELECT 1' WHERE name = "
               "'entries'"),
     "damaged: malformed database schema"},
    {"TwoTablesOnOnePage",
     in_schema(
         "UPDATE sqlite_schema SET rootpage = (SELECT rootpage FROM sqlite_schema WHERE name = 'customers') "
         "WHERE name = 'entries'"),
     "damaged"},
    {"NoHead", by_sql("DELETE FROM ledger"), "its vendor is missing"},
    {"TwoHeads", by_sql("INSERT INTO ledger SELECT 2, vendor, name, salt, state FROM ledger"),
     "it has two vendors"},
    {"AHeadOfAnotherRow", by_sql("UPDATE ledger SET id = 5"), "its header has fields of a wrong length"},
    {"AShortVendor", by_sql("UPDATE ledger SET vendor = x'00'"), "its header has fields of a wrong length"},
    {"ALongName", by_sql("UPDATE ledger SET name = zeroblob(33)"), "its header has fields of a wrong length"},
    {"AnotherVendor", by_sql("UPDATE ledger SET vendor = zeroblob(32)"), ": the ledger is for vendor key",
     ErrorKind::mismatch},
    {"AnotherName", by_sql("UPDATE ledger SET name = zeroblob(32)"), "its state cannot be decrypted",
     ErrorKind::mismatch},
    {"AnotherSalt", by_sql("UPDATE ledger SET salt = zeroblob(32)"), "its state cannot be decrypted",
     ErrorKind::mismatch},
    {"AnotherState", by_sql("UPDATE ledger SET state = zeroblob(72)"), "its state cannot be decrypted",
     ErrorKind::mismatch},
    {"NoState", by_sql("UPDATE ledger SET state = x''"), "its state cannot be decrypted", ErrorKind::mismatch},
    {"ACustomerOfAnotherName", by_sql("UPDATE customers SET name = 'zeta' WHERE id = 1"), "row 1 of customers",
     ErrorKind::mismatch},
    {"ACustomerNotRevoked", by_sql("UPDATE customers SET revoked = 0 WHERE id = 3"), "row 3 of customers",
     ErrorKind::mismatch},
    {"AnotherReason", by_sql("UPDATE customers SET reason = 'no' WHERE id = 3"), "row 3 of customers",
     ErrorKind::mismatch},
    {"AddedAnotherDay", by_sql("UPDATE customers SET added = 1 WHERE id = 2"), "row 2 of customers",
     ErrorKind::mismatch},
    {"KeysSwapped",
     by_sql("UPDATE customers AS c SET (salt, key) = (SELECT o.salt, o.key FROM customers AS o WHERE o.id = 3 "
            "- c.id) "
            "WHERE c.id < 3"),
     "row 1 of customers", ErrorKind::mismatch},
    {"NamesSwapped",
     by_sql("UPDATE customers SET name = 'x' WHERE id = 1; UPDATE customers SET name = 'acme' WHERE id = 2; "
            "UPDATE customers SET name = 'beta' WHERE id = 1"),
     "row 1 of customers", ErrorKind::mismatch},
    {"ACustomerOfAnotherId", by_sql("UPDATE customers SET id = 7 WHERE id = 1"), "row 7 of customers",
     ErrorKind::mismatch},
    {"ACustomerTwice",
     by_sql("INSERT INTO customers SELECT 9, 'delta', added, revoked, reason, salt, key, mac FROM customers "
            "WHERE id = 1"),
     "row 9 of customers", ErrorKind::mismatch},
    {"ACustomerLess", by_sql("DELETE FROM customers WHERE id = 3"),
     "2 customers and 2 entries, its state has 3 and 2", ErrorKind::mismatch},
    {"NoRowsAtAll", by_sql("DELETE FROM customers; DELETE FROM entries"), "0 customers and 0 entries",
     ErrorKind::mismatch},
    {"ACustomerAsTheyWere", put_back, "its state has", ErrorKind::mismatch},
    {"ACustomerOfAnotherLedger", transplant, "row 1 of customers", ErrorKind::mismatch},
    {"AKeyThatIsTooLong", by_sql("UPDATE customers SET key = zeroblob(5000) WHERE id = 1"),
     "a key that is too long"},
    {"AShortSalt", by_sql("UPDATE customers SET salt = x'00' WHERE id = 1"),
     "a salt that does not have 32 bytes"},
    {"AShortMac", by_sql("UPDATE customers SET mac = x'00' WHERE id = 1"), "a MAC that does not have 32 bytes"},
    {"ANameOfControls", by_sql("UPDATE customers SET name = 'a' || char(27) || '[2J' WHERE id = 1"),
     "a name that is not printable text"},
    {"ANameThatIsNotUtf8", by_sql("UPDATE customers SET name = CAST(x'61ff' AS TEXT) WHERE id = 1"),
     "a name that is not printable text"},
    {"NoName", by_sql("UPDATE customers SET name = '' WHERE id = 1"), "a name that is not printable text"},
    {"AReasonOfControls", by_sql("UPDATE customers SET reason = char(10) WHERE id = 1"),
     "a reason that is not printable text"},
    {"ATimeBefore", by_sql("UPDATE customers SET added = -1 WHERE id = 1"),
     "a time outside the years 1970 to 9999"},
    {"ATimeAfter", by_sql("UPDATE customers SET revoked = 253402300800 WHERE id = 1"),
     "a time outside the years 1970 to 9999"},
    {"AnIdBelow", by_sql("UPDATE customers SET id = -1 WHERE id = 1"), "invalid id"},
    {"AnEntryForAnother", by_sql("UPDATE entries SET customer = 2 WHERE id = 1"), "row 1 of entries",
     ErrorKind::mismatch},
    {"AnEntryForEverybody", by_sql("UPDATE entries SET customer = 0 WHERE id = 1"), "row 1 of entries",
     ErrorKind::mismatch},
    {"AnEntryOfAnotherRoot", by_sql("UPDATE entries SET root = zeroblob(32) WHERE id = 2"), "row 2 of entries",
     ErrorKind::mismatch},
    {"AnEntryOfAnotherModel", by_sql("UPDATE entries SET model = 'nets' WHERE id = 2"), "row 2 of entries",
     ErrorKind::mismatch},
    {"AnEntryNotFinished", by_sql("UPDATE entries SET finished = 0 WHERE id = 2"), "row 2 of entries",
     ErrorKind::mismatch},
    {"AnEntryLess", by_sql("DELETE FROM entries WHERE id = 1"), "3 customers and 1 entry", ErrorKind::mismatch},
    {"EntriesMoved", by_sql("UPDATE entries SET id = id + 10"), "row 11 of entries", ErrorKind::mismatch},
    {"AnEntryOfAnotherKind", by_sql("UPDATE entries SET kind = 3 WHERE id = 1"),
     "not a seal and not a fingerprint"},
    {"AnEntryHalfFinished", by_sql("UPDATE entries SET finished = 2 WHERE id = 1"), "its state is unknown"},
    {"AShortRoot", by_sql("UPDATE entries SET root = x'00' WHERE id = 1"),
     "a digest that does not have 32 bytes"},
    {"AShortHead", by_sql("UPDATE entries SET head = x'00' WHERE id = 1"), "the head of a cell"},
    {"ALongStamp", by_sql("UPDATE entries SET stamp = zeroblob(4097) WHERE id = 1"),
     "a stamp that is too long"},
    {"AModelOfControls", by_sql("UPDATE entries SET model = char(7) WHERE id = 1"),
     "a name that is not printable text"},
    {"AnEntryOfATimeAfter", by_sql("UPDATE entries SET made = 9223372036854775807 WHERE id = 1"),
     "a time outside the years 1970 to 9999"},
    {"AValueOfMegabytes", by_sql("UPDATE entries SET stamp = zeroblob(3000000) WHERE id = 1"), "damaged"},
};

// The first error on the way from opening to reading all of it.
Result<void> use(const File& file) {
    MODELSEAL_TRY_ASSIGN(const auto ledger, Ledger::open(file, test::test_key()));
    MODELSEAL_TRY(ledger.customers());
    MODELSEAL_TRY(ledger.entries());
    MODELSEAL_TRY(ledger.check_keys());
    return {};
}

class SpoiledLedger : public testing::TestWithParam<Spoiled> {};

TEST_P(SpoiledLedger, IsRefusedWithTheReason) {
    const test::Scratch folder;
    const auto file = folder / "ledger";
    make(file, test::test_key());
    ASSERT_TRUE(use(file).ok());
    GetParam().spoil(file);
    const auto refused = use(file);
    ASSERT_FALSE(refused.ok());
    EXPECT_THAT(refused.error().message, HasSubstr(GetParam().message));
    EXPECT_EQ(refused.error().kind, GetParam().kind) << refused.error().message;
    EXPECT_FALSE(refused.error().hint.empty());
}

INSTANTIATE_TEST_SUITE_P(Each, SpoiledLedger, testing::ValuesIn(kSpoiled),
                         [](const auto& given) { return given.param.name; });

// The limits of protection in modelseal-ledger(5).
TEST(EarlierLedger, RollbackOfTheCompleteFileGoesUnnoticed) {
    const test::Scratch folder;
    const auto file = folder / "ledger";
    make(file, test::test_key());
    const auto earlier = test::content_of(file);
    ASSERT_TRUE(Ledger::open(file, test::test_key())->revoke("acme", "").ok());
    folder.write("ledger", earlier);
    EXPECT_TRUE(use(file).ok());
    EXPECT_EQ(Ledger::open(file, test::test_key())->customer("acme")->revoked, "");
}

}  // namespace
}  // namespace modelseal
