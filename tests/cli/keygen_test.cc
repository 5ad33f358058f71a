#include <filesystem>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/run.h"
#include "tests/support/scratch.h"
#include <modelseal/keys.h>

namespace modelseal {
namespace {

using test::modelseal;
using test::Outcome;
using test::run;
using test::run_on_terminal;
using test::Surroundings;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

Passphrase always(const std::string& word) {
    return [word](const std::string&) -> Result<std::string> { return word; };
}

unsigned mode_of(const std::filesystem::path& path) {
    return static_cast<unsigned>(std::filesystem::status(path).permissions());
}

std::size_t files_in(const test::Scratch& scratch) {
    const std::filesystem::directory_iterator files(scratch.path());
    return static_cast<std::size_t>(std::distance(begin(files), end(files)));
}

TEST(Keygen, MakesAPairThatBelongsTogether) {
    const test::Scratch scratch;
    const Outcome outcome = run(modelseal({"keygen", "vendor"}),
                                {.folder = scratch.path(), .variables = {{"MODELSEAL_PASSPHRASE", "word"}}});
    ASSERT_EQ(outcome.code, 0) << outcome.err;
    const auto key = load_signing_key(scratch / "vendor.key", always("word"));
    const auto open = load_public_key(scratch / "vendor.pub");
    ASSERT_TRUE(key.ok()) << key.error().message;
    ASSERT_TRUE(open.ok()) << open.error().message;
    EXPECT_EQ(key->public_key(), *open);
    EXPECT_THAT(outcome.out, HasSubstr(to_hex(open->id())));
    EXPECT_EQ(mode_of(scratch / "vendor.key"), 0600u);
    EXPECT_EQ(files_in(scratch), 2u);
}

TEST(Keygen, EncryptsByDefault) {
    const test::Scratch scratch;
    const Surroundings here{.folder = scratch.path(), .variables = {{"MODELSEAL_PASSPHRASE", "word"}}};
    ASSERT_EQ(run(modelseal({"keygen", "secret"}), here).code, 0);
    ASSERT_EQ(run(modelseal({"keygen", "open", "--no-passphrase"}), here).code, 0);
    EXPECT_THAT(test::content_of(scratch / "secret.key"), HasSubstr("BEGIN ENCRYPTED PRIVATE KEY"));
    EXPECT_THAT(test::content_of(scratch / "open.key"), HasSubstr("BEGIN PRIVATE KEY"));
    EXPECT_EQ(mode_of(scratch / "open.key"), 0600u);
}

TEST(Keygen, ReadsTheFirstLineOfThePassphraseFile) {
    const test::Scratch scratch;
    const auto file = scratch.write("word.txt", "from file\r\nsecond line\n");
    const Surroundings here{.folder = scratch.path(), .variables = {{"MODELSEAL_PASSPHRASE", "from variable"}}};
    ASSERT_EQ(run(modelseal({"keygen", "v", "--passphrase-file", file}), here).code, 0);
    EXPECT_TRUE(load_signing_key(scratch / "v.key", always("from file")).ok());
}

TEST(Keygen, StatesThePurposeOfAKey) {
    const test::Scratch scratch;
    const auto made = [&](const std::string& type) {
        return run(modelseal({"keygen", type, "--type", type, "--no-passphrase"}), {.folder = scratch.path()})
            .out;
    };
    EXPECT_THAT(made("ed25519"), AllOf(HasSubstr("secret key: seals models;"), HasSubstr("key id ")));
    EXPECT_THAT(made("p256"), AllOf(HasSubstr("secret key: seals and signs models;"), HasSubstr("key id ")));
    EXPECT_THAT(made("p384"), AllOf(HasSubstr("secret key: signs models;"), HasSubstr("key id ")));
}

TEST(Keygen, MakesKeysThatOpensslOpens) {
    if (!test::installed("openssl")) GTEST_SKIP() << "no openssl program";
    const test::Scratch scratch;
    const Surroundings here{.folder = scratch.path(), .variables = {{"MODELSEAL_PASSPHRASE", "word"}}};
    const std::pair<const char*, const char*> types[] = {
        {"ed25519", "ED25519"}, {"p256", "prime256v1"}, {"p384", "secp384r1"}, {"p521", "secp521r1"}};
    for (const auto& [type, theirs] : types) {
        ASSERT_EQ(run(modelseal({"keygen", type, "--type", type}), here).code, 0);
        const std::string name = type;
        const Outcome text =
            run({"openssl", "pkey", "-in", name + ".key", "-passin", "pass:word", "-noout", "-text"}, here);
        EXPECT_THAT(text.out, HasSubstr(theirs)) << text.err;
        const Outcome open =
            run({"openssl", "pkey", "-in", name + ".key", "-passin", "pass:word", "-pubout"}, here);
        EXPECT_EQ(open.out, test::content_of(scratch / (name + ".pub")));
        EXPECT_NE(run({"openssl", "pkey", "-in", name + ".key", "-passin", "pass:wrong", "-noout"}, here).code,
                  0);
    }
}

TEST(Keygen, BindsACheckKeyToAKeyThatOpensslMade) {
    if (!test::installed("openssl")) GTEST_SKIP() << "no openssl program";
    const test::Scratch scratch;
    const Surroundings here{.folder = scratch.path(), .variables = {{"MODELSEAL_PASSPHRASE", "word"}}};
    const test::Words genpkey = {"openssl", "genpkey", "-algorithm", "ed25519", "-out"};
    for (const bool encrypted : {false, true}) {
        const std::string name = encrypted ? "encrypted" : "plain";
        test::Words words = genpkey;
        words.push_back(name + ".pem");
        if (encrypted) words.insert(words.end(), {"-aes256", "-pass", "pass:word"});
        ASSERT_EQ(run(words, here).code, 0);
        const Outcome outcome = run(modelseal({"keygen", name, "--type", "check", "-k", name + ".pem"}), here);
        ASSERT_EQ(outcome.code, 0) << outcome.err;
        const auto key = load_check_key(scratch / (name + ".check"));
        ASSERT_TRUE(key.ok()) << key.error().message;
        EXPECT_EQ(key->customer, name);
        EXPECT_EQ(key->vendor, load_signing_key(scratch / (name + ".pem"), always("word"))->public_key());
        EXPECT_EQ(mode_of(scratch / (name + ".check")), 0600u);
    }
}

TEST(Keygen, WritesTheGivenNameOfTheCustomer) {
    const test::Scratch scratch;
    const Surroundings here{.folder = scratch.path()};
    ASSERT_EQ(run(modelseal({"keygen", "v", "--no-passphrase"}), here).code, 0);
    std::filesystem::create_directory(scratch / "keys");
    ASSERT_EQ(run(modelseal({"keygen", "keys/a", "--type", "check", "-k", "v.key"}), here).code, 0);
    ASSERT_EQ(
        run(modelseal({"keygen", "b", "--type", "check", "-k", "v.key", "--customer", "ACME, Inc."}), here)
            .code,
        0);
    EXPECT_EQ(load_check_key(scratch / "keys/a.check")->customer, "a");
    EXPECT_EQ(load_check_key(scratch / "b.check")->customer, "ACME, Inc.");
}

TEST(Keygen, NeverOverwritesEitherFile) {
    for (const char* existing : {"v.key", "v.pub", "v.check"}) {
        const test::Scratch scratch;
        const Surroundings here{.folder = scratch.path()};
        const bool check = std::string(existing) == "v.check";
        test::Words words = {"keygen", "v", "--no-passphrase"};
        if (check) {
            ASSERT_EQ(run(modelseal({"keygen", "vendor", "--no-passphrase"}), here).code, 0);
            words = {"keygen", "v", "--type", "check", "-k", "vendor.key"};
        }
        scratch.write(existing, "precious");
        const std::size_t before = files_in(scratch);
        const Outcome outcome = run(modelseal(words), here);
        EXPECT_EQ(outcome.code, 3);
        EXPECT_THAT(outcome.err, HasSubstr(existing));
        EXPECT_EQ(test::content_of(scratch / existing), "precious");
        EXPECT_EQ(files_in(scratch), before) << existing;
    }
}

TEST(Keygen, DoesNotFollowALinkThatLeadsNowhere) {
    const test::Scratch scratch;
    std::filesystem::create_symlink(scratch / "elsewhere", scratch / "v.pub");
    EXPECT_EQ(run(modelseal({"keygen", "v", "--no-passphrase"}), {.folder = scratch.path()}).code, 3);
    EXPECT_FALSE(std::filesystem::exists(scratch / "elsewhere"));
    EXPECT_FALSE(std::filesystem::exists(scratch / "v.key"));
}

TEST(Keygen, RefusesAFolderThatDoesNotExist) {
    const test::Scratch scratch;
    const Outcome outcome =
        run(modelseal({"keygen", "no/such/v", "--no-passphrase"}), {.folder = scratch.path()});
    EXPECT_EQ(outcome.code, 3);
    EXPECT_EQ(outcome.err,
              "modelseal: no/such/v.key: cannot be written: there is no folder 'no/such'\n"
              "modelseal: hint: 'mkdir -p no/such' makes it\n");
    EXPECT_EQ(files_in(scratch), 0u);
}

struct Refused {
    const char* name;
    test::Words words;
    int code;
    const char* says;
};

const Refused kRefused[] = {
    {"NoTerminal", {"keygen", "v"}, 2, "there is no terminal to ask for it"},
    {"EndingGiven", {"keygen", "v.key", "--no-passphrase"}, 2, "modelseal keygen v"},
    {"CheckWithoutVendor", {"keygen", "v", "--type", "check"}, 2, "-k VENDOR.key"},
    {"VendorWithoutCheck", {"keygen", "v", "-k", "vendor.key"}, 2, "--type check"},
    {"CustomerWithoutCheck",
     {"keygen", "v", "--customer", "acme"},
     2,
     "--customer has no effect without --type check"},
    {"CheckWithoutPassphrase",
     {"keygen", "v", "--type", "check", "-k", "vendor.key", "--no-passphrase"},
     2,
     "leave out --no-passphrase"},
    {"BothWays", {"keygen", "v", "--no-passphrase", "--passphrase-file", "empty"}, 2, "--passphrase-file"},
    {"EmptyPassphraseFile", {"keygen", "v", "--passphrase-file", "empty"}, 2, "first line is empty"},
    {"NoPassphraseFile", {"keygen", "v", "--passphrase-file", "missing"}, 3, "missing"},
    {"NoVendorKey", {"keygen", "v", "--type", "check", "-k", "missing.key"}, 3, "missing.key"},
    {"VendorKeyIsPublic",
     {"keygen", "v", "--type", "check", "-k", "vendor.pub"},
     3,
     "vendor.pub: is a public key; a private key"},
    {"VendorKeyIsOnP384",
     {"keygen", "v", "--type", "check", "-k", "ec.key"},
     3,
     "ec.key: is a P-384 key, which is for signatures of files"},
    {"WrongPassphrase",
     {"keygen", "v", "--type", "check", "-k", "locked.key", "--passphrase-file", "wrong"},
     1,
     "locked.key: wrong passphrase"},
    {"CustomerNotUtf8",
     {"keygen", "v", "--type", "check", "-k", "vendor.key", "--customer", "a\xff"},
     2,
     "not UTF-8"},
};

class KeygenRefused : public testing::TestWithParam<Refused> {};

TEST_P(KeygenRefused, StatesTheReasonAndMakesNothing) {
    const test::Scratch scratch;
    const Surroundings here{.folder = scratch.path()};
    ASSERT_EQ(run(modelseal({"keygen", "vendor", "--no-passphrase"}), here).code, 0);
    ASSERT_EQ(run(modelseal({"keygen", "ec", "--type", "p384", "--no-passphrase"}), here).code, 0);
    scratch.write("empty", "\nsecond line\n");
    scratch.write("right", "right\n");
    scratch.write("wrong", "wrong\n");
    if (std::string(GetParam().name) == "WrongPassphrase") {
        ASSERT_EQ(run(modelseal({"keygen", "locked", "--passphrase-file", "right"}), here).code, 0);
    }
    const std::size_t before = files_in(scratch);
    const Outcome outcome = run(modelseal(GetParam().words), here);
    EXPECT_EQ(outcome.code, GetParam().code) << outcome.err;
    EXPECT_THAT(outcome.err, HasSubstr(GetParam().says));
    EXPECT_EQ(outcome.out, "");
    EXPECT_EQ(files_in(scratch), before);
}

INSTANTIATE_TEST_SUITE_P(Table, KeygenRefused, testing::ValuesIn(kRefused),
                         [](const auto& each) { return std::string(each.param.name); });

TEST(PassphrasePrompt, AsksTwiceAndShowsNothing) {
    const test::Scratch scratch;
    const Outcome outcome = run_on_terminal(
        modelseal({"keygen", "v"}), {{"new passphrase for v.key: ", "hunter2\n"}, {"repeat it: ", "hunter2\n"}},
        {.folder = scratch.path()});
    EXPECT_EQ(outcome.code, 0) << outcome.out;
    EXPECT_THAT(outcome.out, Not(HasSubstr("hunter2")));
    EXPECT_TRUE(load_signing_key(scratch / "v.key", always("hunter2")).ok());
}

TEST(PassphrasePrompt, AsksOnTheTerminalThoughTheInputIsAFile) {
    const test::Scratch scratch;
    const Outcome outcome = run_on_terminal(
        {"sh", "-c", "\"$0\" keygen v < /dev/null > out.txt", MODELSEAL_PROGRAM},
        {{"new passphrase for v.key: ", "word\n"}, {"repeat it: ", "word\n"}}, {.folder = scratch.path()});
    EXPECT_EQ(outcome.code, 0) << outcome.out;
    EXPECT_THAT(test::content_of(scratch / "out.txt"), HasSubstr("key id"));
}

TEST(PassphrasePrompt, AsksOnceForAKeyThatExists) {
    const test::Scratch scratch;
    const Surroundings here{.folder = scratch.path(), .variables = {{"MODELSEAL_PASSPHRASE", "word"}}};
    ASSERT_EQ(run(modelseal({"keygen", "v"}), here).code, 0);
    const Outcome outcome = run_on_terminal(modelseal({"keygen", "acme", "--type", "check", "-k", "v.key"}),
                                            {{"passphrase of v.key: ", "word\n"}}, {.folder = scratch.path()});
    EXPECT_EQ(outcome.code, 0) << outcome.out;
    EXPECT_TRUE(load_check_key(scratch / "acme.check").ok());
}

TEST(PassphrasePrompt, RefusesADifferentOrEmptyOrMissingAnswer) {
    const std::pair<std::vector<test::Answer>, const char*> cases[] = {
        {{{"new passphrase", "one\n"}, {"repeat it", "two\n"}}, "the two passphrases differ"},
        {{{"new passphrase", "\n"}}, "the passphrase is empty"},
        {{{"new passphrase", "\x04"}}, "no passphrase was given"},
    };
    for (const auto& [answers, says] : cases) {
        const test::Scratch scratch;
        const Outcome outcome =
            run_on_terminal(modelseal({"keygen", "v"}), answers, {.folder = scratch.path()});
        EXPECT_EQ(outcome.code, 2);
        EXPECT_THAT(outcome.out, HasSubstr(says));
        EXPECT_EQ(files_in(scratch), 0u);
    }
}

TEST(PassphrasePrompt, LeavesTheEchoAsItWasWhenInterrupted) {
    const test::Scratch scratch;
    const Outcome outcome = run_on_terminal(
        {"bash", "-c", "trap : INT; \"$0\" keygen v; echo code $?; stty -a | grep -o -- '-*echo ' | head -1",
         MODELSEAL_PROGRAM},
        {{"new passphrase", "\x03"}}, {.folder = scratch.path()});
    EXPECT_THAT(outcome.out, HasSubstr("code 130"));
    EXPECT_THAT(outcome.out, Not(HasSubstr("-echo ")));
    EXPECT_THAT(outcome.out, HasSubstr("echo "));
    EXPECT_EQ(files_in(scratch), 0u);
}

}  // namespace
}  // namespace modelseal
