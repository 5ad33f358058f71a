// identity, as its users run it: words, exit codes, JSON, pages.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/support/models/small_mark.h"
#include "tests/support/models/small_models.h"
#include "tests/support/run.h"
#include "tests/support/scratch.h"
#include "tests/support/services/marked_program.h"
#include <modelseal/ledger.h>

namespace modelseal {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

class IdentityCommand : public testing::Test {
  protected:
    void SetUp() override {
        if (!test::installed("python3")) GTEST_SKIP() << "no python3, which answers for the model";
        folder_.write("v.key", *signing_key_pem(key_, ""));
        folder_.write("v.pub", public_key_pem(key_.public_key()));
        folder_.write("other.pub", public_key_pem(test::test_key(2).public_key()));
        auto ledger = std::move(Ledger::open_or_create(folder_ / "book", key_)).value();
        mark_id_ = *ledger.begin_mark(mark_);
        ASSERT_TRUE(ledger.finish_mark(mark_id_).ok());
    }
    test::Outcome of(test::Words words, const std::string& ledger = "") const {
        words.insert(words.begin(), "identity");
        test::Surroundings surroundings{.folder = folder_.path()};
        if (!ledger.empty()) surroundings.variables["MODELSEAL_LEDGER"] = ledger;
        return test::run(test::modelseal(std::move(words)), surroundings);
    }
    test::Outcome vendor(test::Words words) const {
        words.insert(words.end(), {"-k", "v.key", "--ledger", "book"});
        return of(std::move(words));
    }
    test::Outcome verify(const std::string& image, test::Words more) const {
        more.insert(more.begin(), {"verify", target(), "--image", image});
        return of(std::move(more));
    }
    void issue(const std::string& user) const {
        const auto done = vendor({"issue", user, "-o", user + ".png"});
        ASSERT_EQ(done.code, 0) << done.err;
    }
    std::string target(const std::string& mode = "marked") const {
        return test::marked_program(folder_, mark_, mode);
    }
    bool there(const char* file) const { return std::filesystem::exists(folder_ / file); }

    const test::Scratch folder_;
    const SigningKey key_ = test::test_key();
    const IdentityMark mark_ = test::small_mark(6);
    std::string mark_id_;
};

TEST_F(IdentityCommand, IssuesAnImageAndAdmitsItsUser) {
    const auto issued = vendor({"issue", "alice", "-o", "alice.png", "--expires", "2100-01-01"});
    EXPECT_EQ(issued.code, 0) << issued.err;
    EXPECT_THAT(issued.out, StartsWith("issued alice.png\n"));
    EXPECT_THAT(issued.out, HasSubstr("until 2100-01-01T23:59:59Z"));
    EXPECT_THAT(issued.err, HasSubstr("added alice to the customers of the ledger"));
    const auto admitted = verify("alice.png", {"--ledger", "book", "-k", "v.key"});
    EXPECT_EQ(admitted.code, 0) << admitted.err;
    EXPECT_THAT(admitted.out,
                StartsWith("alice.png: admitted, alice, and the model answers with the additional class 10\n"));
    EXPECT_EQ(admitted.err, "");
    const auto unverified = of({"verify", target(), "--image", "alice.png"}, "book");
    EXPECT_EQ(unverified.code, 0);
    EXPECT_THAT(unverified.err, HasSubstr("warning: book: not verified"));
}

TEST_F(IdentityCommand, RefusesWithExitCode1AndTheReason) {
    issue("alice");
    ASSERT_EQ(test::run(test::modelseal({"customer", "revoke", "alice", "-k", "v.key", "--ledger", "book"}),
                        {.folder = folder_.path()})
                  .code,
              0);
    const auto revoked = verify("alice.png", {"--ledger", "book", "-k", "v.key", "--json"});
    EXPECT_EQ(revoked.code, 1);
    const auto report = json::parse(revoked.out);
    EXPECT_EQ(report["schema"], "modelseal-identity/1");
    EXPECT_EQ(report["command"], "verify");
    EXPECT_EQ(report["outcome"], "refused");
    EXPECT_EQ(report["reason"], "revoked");
    EXPECT_EQ(report["exit_code"], 1);
    EXPECT_EQ(report["identity"]["user"], "alice");
    EXPECT_TRUE(report["label"].is_null());
    EXPECT_EQ(report["registry"]["verified"], true);
    EXPECT_EQ(report["mark"]["id"], mark_id_);
}

TEST_F(IdentityCommand, RevokesOneIdentity) {
    const auto issued = vendor({"issue", "alice", "-o", "alice.png", "--json"});
    const auto serial = json::parse(issued.out)["identity"]["serial"].get<std::string>();
    EXPECT_THAT(vendor({"revoke", serial}).out, HasSubstr("identity " + serial + " revoked"));
    EXPECT_EQ(vendor({"revoke", serial}).code, 3);
    EXPECT_EQ(verify("alice.png", {"--ledger", "book"}).code, 1);
    const auto shown =
        test::run(test::modelseal({"customer", "show", "alice", "-k", "v.key", "--ledger", "book", "--json"}),
                  {.folder = folder_.path()});
    const auto identities = json::parse(shown.out)["identities"];
    ASSERT_EQ(identities.size(), 1u);
    EXPECT_EQ(identities[0]["serial"], serial);
    EXPECT_FALSE(identities[0]["revoked"].is_null());
    EXPECT_EQ(json::parse(shown.out)["customer"]["identities"], 1);
}

TEST_F(IdentityCommand, VerifiesWithAnExportedRegistry) {
    issue("alice");
    const auto exported = vendor({"export", "-o", "r", "--json"});
    EXPECT_EQ(exported.code, 0) << exported.err;
    EXPECT_EQ(json::parse(exported.out)["identities"], 1);
    EXPECT_EQ(verify("alice.png", {"--registry", "r", "--pub", "v.pub"}).code, 0);
    EXPECT_EQ(verify("alice.png", {"--registry", "r", "--pub", "other.pub"}).code, 1);
    const auto without = verify("alice.png", {"--registry", "r"});
    EXPECT_EQ(without.code, 2);
    EXPECT_THAT(without.err, HasSubstr("--registry has no effect without --pub"));
    EXPECT_EQ(verify("alice.png", {"--registry", "r", "--pub", "v.pub", "--ledger", "book"}).code, 2);
    EXPECT_EQ(verify("alice.png", {}).code, 2);
    issue("bob");
    const auto older = verify("bob.png", {"--registry", "r", "--pub", "v.pub", "--json"});
    EXPECT_EQ(older.code, 3);
    EXPECT_THAT(older.err, HasSubstr("older than this identity"));
    EXPECT_THAT(older.err, HasSubstr("'modelseal identity export' writes a new registry"));
    EXPECT_EQ(json::parse(older.out)["outcome"], "error");
    // Put back to an earlier state, of which the memory knows better.
    std::filesystem::copy_file(folder_ / "r", folder_ / "old");
    ASSERT_EQ(vendor({"export", "-o", "r"}).code, 0);
    const test::Words remembering = {"--pub", "v.pub", "--newest", "seen", "--registry"};
    const auto with = [&](const char* registry) {
        auto words = remembering;
        words.emplace_back(registry);
        return verify("alice.png", words).code;
    };
    EXPECT_EQ(with("old"), 0);
    EXPECT_EQ(with("r"), 0);
    EXPECT_EQ(with("old"), 1);
}

TEST_F(IdentityCommand, DoesNotAdmitWhatItCannotRead) {
    folder_.write("x.png", "x");
    EXPECT_EQ(verify("x.png", {"--ledger", "book"}).code, 3);
    EXPECT_EQ(verify("none.png", {"--ledger", "book"}).code, 3);
    issue("alice");
    EXPECT_EQ(of({"verify", "exec:false", "--image", "alice.png", "--ledger", "book"}).code, 3);
    EXPECT_EQ(of({"verify", "none.onnx", "--image", "alice.png", "--ledger", "book"}).code, 3);
}

TEST_F(IdentityCommand, ShowsThePictureOnAPageWithoutTheIdentity) {
    issue("alice");
    ASSERT_EQ(verify("alice.png", {"--ledger", "book", "-k", "v.key", "--html", "r.html"}).code, 0);
    const auto page = test::content_of(folder_ / "r.html");
    EXPECT_THAT(page, StartsWith("<!doctype html>"));
    EXPECT_THAT(page, HasSubstr("data:image/png;base64,"));
    EXPECT_THAT(page, HasSubstr("Admitted"));
    EXPECT_THAT(page, Not(HasSubstr("<script")));
    EXPECT_EQ(std::filesystem::status(folder_ / "r.html").permissions(),
              std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
    const auto image = test::content_of(folder_ / "alice.png");
    EXPECT_EQ(verify("alice.png", {"--ledger", "book", "--html", "alice.png"}).code, 2);
    EXPECT_EQ(test::content_of(folder_ / "alice.png"), image);
}

TEST_F(IdentityCommand, ClaimsTheMarkedModel) {
    const auto claimed = of({"claim", target(), "--ledger", "book", "-k", "v.key", "--html", "c.html"});
    EXPECT_EQ(claimed.code, 0) << claimed.err;
    EXPECT_THAT(claimed.out,
                HasSubstr(": is the marked model, 6 of 6 key images answered with the additional"));
    EXPECT_THAT(claimed.out, HasSubstr("0 of 200 controls"));
    EXPECT_THAT(claimed.out, HasSubstr("supposes that a model without the mark"));
    EXPECT_THAT(test::content_of(folder_ / "c.html"), HasSubstr("Marked model"));
    const auto plain = of({"claim", target("plain"), "--ledger", "book", "-k", "v.key", "--json"});
    EXPECT_EQ(plain.code, 1);
    const auto report = json::parse(plain.out);
    EXPECT_EQ(report["outcome"], "not-shown");
    EXPECT_EQ(report["outputs"], 10);
    EXPECT_EQ(report["chance"], 1);
    ASSERT_EQ(vendor({"export", "-o", "r"}).code, 0);
    const auto without = of({"claim", target(), "--registry", "r", "--pub", "v.pub"});
    EXPECT_EQ(without.code, 3);
    EXPECT_THAT(without.err, HasSubstr("--with-key-images"));
    ASSERT_EQ(vendor({"export", "-o", "r", "--with-key-images"}).code, 0);
    EXPECT_EQ(of({"claim", target(), "--registry", "r", "--pub", "v.pub"}).code, 0);
}

TEST_F(IdentityCommand, InspectsImagesAndRegistries) {
    issue("alice");
    ASSERT_EQ(vendor({"export", "-o", "r"}).code, 0);
    const auto inspect = [&](test::Words words) {
        words.insert(words.begin(), {"inspect", "--json"});
        const auto outcome = test::run(test::modelseal(words), {.folder = folder_.path()});
        EXPECT_EQ(outcome.code, 0) << outcome.err;
        return json::parse(outcome.out);
    };
    auto image = inspect({"alice.png"});
    EXPECT_EQ(image["kind"], "identity-image");
    EXPECT_EQ(image["mark"], mark_id_);
    EXPECT_EQ(image["expires"], "never");
    EXPECT_EQ(image["verified"], false);
    EXPECT_THAT(image["warnings"][0].get<std::string>(), HasSubstr("not verified"));
    EXPECT_EQ(inspect({"alice.png", "--pub", "v.pub"})["verified"], true);
    EXPECT_EQ(inspect({"alice.png", "--pub", "other.pub"})["verified"], false);
    auto registry = inspect({"r", "--pub", "v.pub"});
    EXPECT_EQ(registry["kind"], "identity-registry");
    EXPECT_EQ(registry["verified"], true);
    EXPECT_EQ(registry["identities"], 1);
    EXPECT_EQ(inspect({"r"})["verified"], false);
    EXPECT_EQ(inspect({"book"})["marks"], 1);
    EXPECT_THAT(inspect({"book"})["mark_1"].get<std::string>(), StartsWith(mark_id_));
}

TEST_F(IdentityCommand, NeverOverwritesAnImageOrAKey) {
    issue("alice");
    EXPECT_EQ(vendor({"issue", "bob", "-o", "alice.png"}).code, 3);
    EXPECT_EQ(vendor({"issue", "bob", "-o", "v.key"}).code, 2);
    EXPECT_EQ(vendor({"export", "-o", "book"}).code, 2);
    EXPECT_FALSE(there("bob.png"));
    EXPECT_THAT(vendor({"issue", "bob", "-o", "bob.png", "--expires", "2001-01-01"}).err,
                HasSubstr("in the past"));
}

}  // namespace
}  // namespace modelseal
