// customer, and --ledger of the commands that write into one, as their users run them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/support/models/script_file.h"
#include "tests/support/models/small_models.h"
#include "tests/support/run.h"
#include "tests/support/scratch.h"
#include "tests/support/services/worker.h"
#include "tests/support/sql.h"
#include "tests/support/tamper.h"

namespace modelseal {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

class CustomerCommand : public testing::Test {
  protected:
    CustomerCommand() {
        scratch_.write("v.key", *signing_key_pem(test::test_key(), ""));
        scratch_.write("v.pub", public_key_pem(test::test_key().public_key()));
        scratch_.write("other.key", *signing_key_pem(test::test_key(2), ""));
        scratch_.write("net",
                       test::safetensors_file({{"w", "F32", {128, 256}, test::float_weights(1 << 15, 1)}}));
    }
    test::Outcome run(test::Words words) const {
        return test::run(test::modelseal(std::move(words)),
                         {.folder = scratch_.path(), .variables = {{"MODELSEAL_LEDGER", "book"}}});
    }
    test::Outcome customer(test::Words words) const {
        words.insert(words.begin(), "customer");
        words.insert(words.end(), {"-k", "v.key"});
        return run(std::move(words));
    }
    void have(const std::string& name) const {
        const auto done = customer({"add", name});
        ASSERT_EQ(done.code, 0) << done.err;
    }
    json show(const std::string& name) const { return json::parse(customer({"show", name, "--json"}).out); }
    bool there(const char* file) const { return std::filesystem::exists(scratch_ / file); }
    const test::Scratch scratch_;
};

TEST_F(CustomerCommand, AddsListsShowsAndRevokes) {
    const auto added = customer({"add", "acme", "-o", "acme.check"});
    EXPECT_EQ(added.code, 0) << added.err;
    EXPECT_THAT(added.out, StartsWith("book: added acme\nacme.check  check key of acme"));
    have("beta");
    const auto list = customer({"list"});
    EXPECT_EQ(list.code, 0);
    EXPECT_THAT(list.out,
                StartsWith("book: 2 customers of vendor key " + to_hex(test::test_key().public_key().id())));
    EXPECT_EQ(list.err, "");
    EXPECT_THAT(customer({"revoke", "beta", "--reason", "left us"}).out, StartsWith("beta: revoked"));
    const auto both = json::parse(customer({"list", "--json"}).out);
    EXPECT_EQ(both["schema"], "modelseal-customers/1");
    EXPECT_EQ(both["verified"], true);
    EXPECT_EQ(both["customers"][0]["name"], "acme");
    EXPECT_TRUE(both["customers"][0]["revoked"].is_null());
    EXPECT_EQ(both["customers"][1]["reason"], "left us");
    EXPECT_THAT(customer({"show", "beta"}).out, HasSubstr("revoked 20"));
}

TEST_F(CustomerCommand, ListsWithoutTheKeyWithAWarning) {
    have("acme");
    const auto list = run({"customer", "list"});
    EXPECT_EQ(list.code, 0);
    EXPECT_THAT(list.out, HasSubstr("acme"));
    EXPECT_THAT(list.err, HasSubstr("the ledger is not verified"));
    EXPECT_EQ(json::parse(run({"customer", "show", "acme", "--json"}).out)["verified"], false);
    EXPECT_EQ(run({"customer", "show", "acme", "-o", "acme.check"}).code, 2);
}

TEST_F(CustomerCommand, SealsForANameAndRecordsIt) {
    have("acme");
    const auto sealed =
        run({"seal", "net", "-k", "v.key", "-o", "out", "--for", "acme", "--stamp", "version=2"});
    ASSERT_EQ(sealed.code, 0) << sealed.err;
    ASSERT_EQ(customer({"show", "acme", "-o", "acme.check"}).code, 0);
    EXPECT_EQ(run({"check", "out", "--key", "acme.check"}).code, 0);
    EXPECT_EQ(run({"check", "out", "--pub", "v.pub"}).code, 4);
    ASSERT_EQ(run({"seal", "net", "-k", "v.key", "-o", "all"}).code, 0);
    ASSERT_EQ(run({"seal", "net", "-k", "v.key", "-o", "again", "--for", "acme.check"}).code, 0);
    const auto shown = show("acme");
    EXPECT_EQ(shown["customer"]["seals"], 2);
    ASSERT_EQ(shown["entries"].size(), 2u);
    const auto& entry = shown["entries"][0];
    EXPECT_EQ(entry["kind"], "seal");
    EXPECT_EQ(entry["customer"], "acme");
    EXPECT_EQ(entry["model"], "net");
    EXPECT_EQ(entry["output"], "out");
    EXPECT_EQ(entry["finished"], true);
    EXPECT_EQ(entry["stamp"]["version"], "2");
    EXPECT_THAT(sealed.out, HasSubstr("root: " + entry["root"].get<std::string>()));
    EXPECT_THAT(customer({"show", "acme"}).out, HasSubstr("net 2"));
    EXPECT_EQ(test::sql(scratch_ / "book", "SELECT count(*) FROM entries WHERE customer = 0"),
              std::vector<std::string>{"1"});
}

TEST_F(CustomerCommand, RecordsMarksOfThePublishedScheme) {
    have("acme");
    ASSERT_EQ(run({"seal", "net", "-k", "v.key", "-o", "out", "--for", "acme", "--scheme", "deepisign"}).code,
              0);
    EXPECT_TRUE(show("acme")["entries"][0]["root"].is_null());
}

TEST_F(CustomerCommand, RecordsFingerprints) {
    MODELSEAL_NEED_TORCH();
    const auto bytes = test::small_network().build();
    scratch_.write("net.pt", {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
    have("acme");
    const auto made = run({"fingerprint", "net.pt", "-k", "v.key", "-o", "net.fp", "--pairs", "4",
                           "--input-shape", "2,5,5", "--device", "cpu", "--for", "acme", "--json"});
    ASSERT_EQ(made.code, 0) << made.err;
    const auto entry = show("acme")["entries"][0];
    EXPECT_EQ(entry["kind"], "fingerprint");
    EXPECT_EQ(entry["fingerprint"], json::parse(made.out)["id"]);
    EXPECT_EQ(entry["root"], json::parse(made.out)["root"]);
    EXPECT_EQ(entry["finished"], true);
}

TEST_F(CustomerCommand, RefusesRevokedAndUnknownCustomers) {
    have("acme");
    have("beta");
    ASSERT_EQ(customer({"show", "beta", "-o", "beta.check"}).code, 0);
    ASSERT_EQ(customer({"revoke", "beta"}).code, 0);
    ASSERT_EQ(run({"keygen", "gamma", "--type", "check", "-k", "v.key"}).code, 0);
    ASSERT_EQ(run({"keygen", "acme", "--type", "check", "-k", "v.key"}).code, 0);
    const std::tuple<std::string, int, std::string> refused[] = {
        {"beta", 3, "customer 'beta' was revoked"},
        {"beta.check", 3, "customer 'beta' was revoked"},
        {"gamma.check", 3, "no customer 'gamma'"},
        {"acme.check", 1, ": has another check key for 'acme'"},
        {"acne", 3, "did you mean 'acme'?"},
        {"somebody", 3, "no customer 'somebody', and no file of that name"}};
    for (const auto& [whom, code, message] : refused) {
        for (const char* command : {"seal", "fingerprint"}) {
            const auto outcome = run({command, "net", "-k", "v.key", "-o", "out", "--for", whom});
            EXPECT_EQ(outcome.code, code) << command << " --for " << whom;
            EXPECT_THAT(outcome.err, HasSubstr(message));
            EXPECT_FALSE(there("out"));
        }
    }
    EXPECT_EQ(test::sql(scratch_ / "book", "SELECT count(*) FROM entries"), std::vector<std::string>{"0"});
}

TEST_F(CustomerCommand, TracesALeak) {
    for (const char* name : {"acme", "beta", "gamma"}) have(name);
    ASSERT_EQ(run({"seal", "net", "-k", "v.key", "-o", "leaked", "--for", "beta"}).code, 0);
    ASSERT_EQ(run({"seal", "net", "-k", "v.key", "-o", "all"}).code, 0);
    const auto whole = customer({"trace", "leaked"});
    EXPECT_EQ(whole.code, 0) << whole.err;
    EXPECT_THAT(whole.out, StartsWith("leaked: sealed for beta\n"));
    EXPECT_THAT(whole.out, HasSubstr("the seal: intact, sealed as net for beta"));
    EXPECT_THAT(whole.out, HasSubstr("entry 1: net, made 20"));
    scratch_.write("leaked",
                   test::damaged(test::content_of(scratch_ / "leaked"), test::Damage::some_values, 1024, 1));
    const auto changed = json::parse(customer({"trace", "leaked", "--json"}).out);
    EXPECT_EQ(changed["schema"], "modelseal-trace/1");
    EXPECT_EQ(changed["outcome"], "customer");
    EXPECT_EQ(changed["customers_asked"], 3);
    EXPECT_EQ(changed["marks"][0]["customer"], "beta");
    EXPECT_LT(changed["marks"][0]["chance"], 1e-9);
    const auto everybody = customer({"trace", "all"});
    EXPECT_EQ(everybody.code, 4);
    EXPECT_THAT(everybody.out, StartsWith("all: sealed by this vendor for everybody"));
    const auto none = customer({"trace", "net"});
    EXPECT_EQ(none.code, 4);
    EXPECT_EQ(none.out, "net: no mark of any of 3 customers\n");
    EXPECT_EQ(customer({"trace", "v.pub"}).code, 3);
    EXPECT_EQ(run({"customer", "trace", "leaked"}).code, 2);
    EXPECT_EQ(run({"customer", "trace", "leaked", "-k", "other.key"}).code, 1);
}

TEST_F(CustomerCommand, AcceptsACheckKeyThatIsInUse) {
    ASSERT_EQ(run({"keygen", "acme", "--type", "check", "-k", "v.key"}).code, 0);
    EXPECT_EQ(customer({"add", "beta", "--check-key", "acme.check"}).code, 1);
    ASSERT_EQ(customer({"add", "acme", "--check-key", "acme.check"}).code, 0);
    ASSERT_EQ(customer({"show", "acme", "-o", "again.check"}).code, 0);
    EXPECT_EQ(test::content_of(scratch_ / "again.check"), test::content_of(scratch_ / "acme.check"));
}

TEST_F(CustomerCommand, OverwritesNothing) {
    have("acme");
    const auto key = test::content_of(scratch_ / "v.key");
    const auto book = test::content_of(scratch_ / "book");
    EXPECT_EQ(customer({"add", "beta", "-o", "v.key"}).code, 3);
    EXPECT_EQ(customer({"show", "acme", "-o", "v.key"}).code, 3);
    EXPECT_EQ(run({"seal", "net", "-k", "v.key", "-o", "book", "--for", "acme"}).code, 2);
    EXPECT_EQ(customer({"add", "acme"}).code, 3);
    EXPECT_EQ(test::content_of(scratch_ / "v.key"), key);
    EXPECT_EQ(test::content_of(scratch_ / "book"), book);
}

TEST_F(CustomerCommand, ExitCodesShowWhatWentWrong) {
    have("acme");
    const auto wrong_key = run({"customer", "list", "-k", "other.key"});
    EXPECT_EQ(wrong_key.code, 1);
    EXPECT_THAT(wrong_key.err, HasSubstr("book: the ledger is for vendor key"));
    EXPECT_EQ(run({"seal", "net", "-k", "other.key", "-o", "out"}).code, 1);
    EXPECT_FALSE(there("out"));
    EXPECT_EQ(run({"customer"}).code, 2);
    EXPECT_EQ(run({"customer", "ad", "x"}).code, 2);
    EXPECT_EQ(run({"customer", "add", "x"}).code, 2);
    EXPECT_EQ(customer({"add", "a\nb"}).code, 2);
    EXPECT_EQ(customer({"show", "nobody"}).code, 3);
    const auto no_ledger = run({"customer", "list", "--ledger", "none"});
    EXPECT_EQ(no_ledger.code, 3);
    EXPECT_THAT(no_ledger.err, Not(HasSubstr("not verified")));
    EXPECT_THAT(customer({"show", "acmee"}).err, HasSubstr("hint: did you mean 'acme'?"));
    EXPECT_THAT(customer({"revoke", "acmee"}).err, HasSubstr("hint: did you mean 'acme'?"));
    EXPECT_EQ(customer({"list", "--ledger", "v.pub"}).code, 3);
    EXPECT_EQ(customer({"list", "--ledger", "."}).code, 3);
    test::sql(scratch_ / "book", "UPDATE customers SET name = 'beta'");
    EXPECT_EQ(customer({"list"}).code, 1);
    test::sql(scratch_ / "book", "PRAGMA user_version = 3");
    const auto later = customer({"list"});
    EXPECT_EQ(later.code, 3);
    EXPECT_THAT(later.err, HasSubstr("hint: a newer modelseal may read it"));
    EXPECT_EQ(test::run(test::modelseal({"customer", "list"}), {.folder = scratch_.path()}).code, 2);
}

// A limit on the size of files stands for the full disk: the ledger cannot grow.
TEST_F(CustomerCommand, OnAFullDiskFailsAndLosesNothing) {
    have("acme");
    const auto size = std::filesystem::file_size(scratch_ / "book");
    const auto limited = [&](const std::string& command) {
        return test::run({"sh", "-c",
                          "trap '' XFSZ; ulimit -f " + std::to_string(size / 512) + "; exec " +
                              test::modelseal({}).front() + " " + command},
                         {.folder = scratch_.path(), .variables = {{"MODELSEAL_LEDGER", "book"}}});
    };
    test::Outcome outcome;
    for (int i = 0; i < 200 && outcome.code <= 0; ++i) {
        outcome = limited("customer add c" + std::to_string(i) + " -k v.key --quiet");
    }
    EXPECT_EQ(outcome.code, 3);
    EXPECT_THAT(outcome.err, HasSubstr("book: cannot write: the file would be larger than the system allows"));
    EXPECT_THAT(outcome.err, Not(HasSubstr("bug")));
    EXPECT_EQ(customer({"list"}).code, 0);
    EXPECT_EQ(test::sql(scratch_ / "book", "PRAGMA integrity_check"), std::vector<std::string>{"ok"});
}

TEST_F(CustomerCommand, WritesNoOutputThatTheLedgerCannotRecord) {
    have("acme");
    test::sql(scratch_ / "book", "UPDATE ledger SET state = x'00'");
    const auto outcome = run({"seal", "net", "-k", "v.key", "-o", "out", "--for", "acme"});
    EXPECT_EQ(outcome.code, 1);
    EXPECT_FALSE(there("out"));
}

// A pipeline that runs again finds what it made.
TEST_F(CustomerCommand, WhatIsThereAlreadyIsLeftIfAskedFor) {
    for (int time = 0; time < 2; ++time) {
        const auto added = customer({"add", "acme", "--if-missing", "-o", "acme.check"});
        EXPECT_EQ(added.code, 0) << added.err;
        EXPECT_THAT(added.out, StartsWith(time == 0 ? "book: added acme" : "book: has acme already\n"));
    }
    EXPECT_EQ(customer({"add", "acme"}).code, 3);
    // Another key of theirs is not the one in the ledger.
    ASSERT_EQ(run({"keygen", "acme-2", "--type", "check", "--customer", "acme", "-k", "v.key"}).code, 0);
    EXPECT_EQ(customer({"add", "acme", "--if-missing", "--check-key", "acme-2.check"}).code, 1);
    EXPECT_EQ(customer({"add", "acme", "--if-missing", "--check-key", "acme.check"}).code, 0);
    std::filesystem::remove(scratch_ / "acme.check");
    EXPECT_EQ(customer({"add", "acme", "--if-missing", "-o", "acme.check"}).code, 0);
    EXPECT_TRUE(there("acme.check"));
    for (int time = 0; time < 2; ++time) {
        const auto revoked = customer({"revoke", "acme", "--if-missing"});
        EXPECT_EQ(revoked.code, 0) << revoked.err;
        EXPECT_THAT(revoked.out, StartsWith(time == 0 ? "acme: revoked" : "acme: was revoked on "));
    }
    EXPECT_EQ(customer({"revoke", "acme"}).code, 3);
    const auto gone = customer({"add", "acme", "--if-missing"});
    EXPECT_EQ(gone.code, 3) << "nothing can be sealed for them";
    EXPECT_THAT(gone.err, HasSubstr("was revoked on"));
}

}  // namespace
}  // namespace modelseal
