// Keys in files as commands take them: one id for a key everywhere, each file read once, and a file that is for
// something else is named with what it is for.
#include <thread>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <sys/stat.h>
#include <unistd.h>

#include "crypto/hash.h"
#include "tests/support/models/small_models.h"
#include "tests/support/run.h"
#include "tests/support/scratch.h"
#include <modelseal/keys.h>

namespace modelseal {
namespace {

using test::Outcome;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class KeyFiles : public testing::Test {
  protected:
    KeyFiles() {
        scratch.write("net/w.safetensors",
                      test::safetensors_file({{"w", "F32", {200, 300}, test::float_weights(60'000, 1)}}));
    }
    Outcome run(test::Words words) {
        return test::run(test::modelseal(std::move(words)), {.folder = scratch.path()});
    }
    nlohmann::json json_of(test::Words words) {
        words.emplace_back("--json");
        const auto outcome = run(std::move(words));
        const auto printed = nlohmann::json::parse(outcome.out, nullptr, false);
        EXPECT_FALSE(printed.is_discarded()) << outcome.err;
        return printed;
    }
    // What keygen calls the pair NAME that it makes.
    std::string make(const std::string& name, const std::string& type) {
        const auto outcome = run({"keygen", name, "--type", type, "--no-passphrase"});
        EXPECT_EQ(outcome.code, 0) << outcome.err;
        const auto at = outcome.out.find("key id ");
        return at == std::string::npos ? "" : outcome.out.substr(at + 7, 16);
    }
    std::string refused(test::Words words) {
        const auto outcome = run(std::move(words));
        EXPECT_NE(outcome.code, 0);
        return outcome.err;
    }

    test::Scratch scratch;
};

class KeyIds : public KeyFiles, public testing::WithParamInterface<const char*> {};
INSTANTIATE_TEST_SUITE_P(Types, KeyIds, testing::Values("ed25519", "p256", "p384", "p521"),
                         [](const auto& row) { return std::string(row.param); });

TEST_P(KeyIds, AreTheSameInKeygenAndInspectAndBeginTheHashOfTheFile) {
    const auto id = make("k", GetParam());
    const auto pem = test::content_of(scratch / "k.pub");
    EXPECT_EQ(id, to_hex(crypto::Sha256().update(std::as_bytes(std::span(pem))).finish()).substr(0, 16));
    EXPECT_EQ(json_of({"inspect", "k.pub"})["key_id"], id);
    EXPECT_EQ(json_of({"inspect", "k.key"})["key_id"], id);
}

TEST_P(KeyIds, OfSignersAreTheSameInSignVerifyCheckAndInspect) {
    if (std::string_view(GetParam()) == "ed25519") GTEST_SKIP() << "signs no files";
    const auto id = make("k", GetParam()), other = make("other", "p256");
    EXPECT_THAT(run({"sign", "net", "-k", "k.key"}).out, HasSubstr("\n  key " + id + "\n"));
    EXPECT_EQ(json_of({"sign", "net", "-k", "k.key"})["signer"], id);
    const test::Words verify = {"verify", "net", "--signature", "net.sig", "--pub", "k.pub"};
    EXPECT_THAT(run(verify).out, HasSubstr("signed by key " + id + "\n"));
    EXPECT_EQ(json_of(verify)["checks"][0]["signer"], id);
    EXPECT_EQ(json_of({"check", "net", "--signer", "k.pub"})["checks"][0]["signer"], id);
    EXPECT_EQ(json_of({"inspect", "net.sig"})["key_id"], id);
    const auto wrong = run({"verify", "net", "--signature", "net.sig", "--pub", "other.pub"});
    EXPECT_EQ(wrong.code, 1);
    EXPECT_THAT(wrong.out, HasSubstr("net.sig: signed with key " + id + "; given: key " + other + "\n"));
}

TEST_P(KeyIds, OfVendorsAreTheSameInSealsCheckKeysAndReceipts) {
    const std::string_view type = GetParam();
    if (type != "ed25519" && type != "p256") GTEST_SKIP() << "seals nothing";
    const auto id = make("k", GetParam());
    const auto check_key = run({"keygen", "acme", "--type", "check", "-k", "k.key"});
    EXPECT_THAT(check_key.out, HasSubstr("vendor key id " + id + "\n"));
    EXPECT_EQ(json_of({"inspect", "acme.check"})["vendor_key"], id);
    for (const char* scheme : {"modelseal", "deepisign"}) {
        test::Words seal = {"seal", "net/w.safetensors", "-k", "k.key", "-o", "sealed", "--scheme", scheme};
        if (std::string_view(scheme) == "modelseal") seal.insert(seal.end(), {"--receipt", "receipt"});
        const auto done = run(seal);
        ASSERT_EQ(done.code, 0) << done.err;
        const auto check = json_of({"check", "sealed", "--pub", "k.pub", "--scheme", scheme});
        EXPECT_EQ(check["checks"][0]["vendor_key"], id) << scheme;
    }
    EXPECT_EQ(json_of({"inspect", "receipt"})["vendor_key"], id);
}

// A file that can be read once: a named pipe, whose name is gone before its content has ended.
class ReadOnce {
  public:
    ReadOnce(std::filesystem::path path, const std::string& content) : path_(std::move(path)) {
        EXPECT_EQ(::mkfifo(path_.c_str(), 0600), 0);
        writer_ = std::thread([path = path_, content] {
            const int pipe = ::open(path.c_str(), O_WRONLY);  // waits for a reader
            ::unlink(path.c_str());
            EXPECT_EQ(::write(pipe, content.data(), content.size()), static_cast<ssize_t>(content.size()));
            ::close(pipe);
        });
    }
    ReadOnce(const ReadOnce&) = delete;
    ReadOnce& operator=(const ReadOnce&) = delete;
    ~ReadOnce() {
        const int nobody_came = ::open(path_.c_str(), O_RDONLY | O_NONBLOCK);
        writer_.join();
        if (nobody_came >= 0) ::close(nobody_came);
    }

  private:
    std::filesystem::path path_;
    std::thread writer_;
};

TEST_F(KeyFiles, OfACheckWithASignatureAreReadOnce) {
    make("k", "p256");
    ASSERT_EQ(run({"keygen", "acme", "--type", "check", "-k", "k.key"}).code, 0);
    ASSERT_EQ(run({"seal", "net/w.safetensors", "-k", "k.key", "-o", "sealed"}).code, 0);
    ASSERT_EQ(run({"sign", "sealed", "-k", "k.key", "-o", "sealed.sig"}).code, 0);
    const ReadOnce open(scratch / "pipe.pub", test::content_of(scratch / "k.pub"));
    const ReadOnce check(scratch / "pipe.check", test::content_of(scratch / "acme.check"));
    const auto report = json_of({"check", "sealed", "sealed", "--pub", "pipe.pub", "--key", "pipe.check",
                                 "--key", "pipe.check", "--signer", "pipe.pub"});
    ASSERT_EQ(report.size(), 2u);
    for (const auto& each : report) {
        EXPECT_EQ(each["verdict"], "intact");
        EXPECT_EQ(each["checks"][1]["outcome"], "valid");
    }
    EXPECT_FALSE(std::filesystem::exists(scratch / "pipe.pub"));
    EXPECT_FALSE(std::filesystem::exists(scratch / "pipe.check"));
}

TEST_F(KeyFiles, OfTheOtherUseAreNamedWithWhatTheyAreFor) {
    make("vendor", "ed25519");
    make("signer", "p384");
    ASSERT_EQ(run({"sign", "net", "-k", "signer.key"}).code, 0);
    const std::string vendor =
        "vendor.pub: is an Ed25519 key, which is for seals; a signature of files needs a P-256, P-384 or P-521 "
        "key";
    const std::string ask = "'modelseal check --pub' looks for a seal with it; for a signature, ask the signer";
    EXPECT_THAT(refused({"verify", "net", "--pub", "vendor.pub"}), AllOf(HasSubstr(vendor), HasSubstr(ask)));
    EXPECT_THAT(refused({"check", "net", "--signer", "vendor.pub"}), AllOf(HasSubstr(vendor), HasSubstr(ask)));
    EXPECT_THAT(refused({"check", "net", "--pub", "signer.pub"}),
                AllOf(HasSubstr("signer.pub: is a P-384 key, which is for signatures of files; a seal needs"),
                      HasSubstr("'modelseal check --signer'")));
    EXPECT_THAT(refused({"seal", "net/w.safetensors", "-k", "signer.key", "-o", "out"}),
                AllOf(HasSubstr("signer.key: is a P-384 key, which is for signatures of files"),
                      HasSubstr("--type p256")));
    EXPECT_THAT(
        refused({"sign", "net", "-k", "vendor.key", "-o", "x.sig"}),
        AllOf(HasSubstr("vendor.key: is an Ed25519 key, which is for seals"), HasSubstr("--type p256")));
}

TEST_F(KeyFiles, OfTheOtherHalfAreNamedWithTheRightOne) {
    make("k", "p256");
    ASSERT_EQ(run({"keygen", "acme", "--type", "check", "-k", "k.key"}).code, 0);
    EXPECT_THAT(refused({"check", "net", "--pub", "k.key"}),
                AllOf(HasSubstr("k.key: is a private key; a public key is needed"),
                      HasSubstr("use the .pub file next to it")));
    EXPECT_THAT(refused({"check", "net", "--pub", "acme.check"}),
                AllOf(HasSubstr("acme.check: is a check key; a public key"), HasSubstr("with --key")));
    EXPECT_THAT(refused({"seal", "net/w.safetensors", "-k", "k.pub", "-o", "out"}),
                AllOf(HasSubstr("k.pub: is a public key; a private key"), HasSubstr("use the .key file next")));
    EXPECT_THAT(refused({"sign", "net", "-k", "acme.check"}),
                AllOf(HasSubstr("acme.check: is a check key"), HasSubstr("a check key only checks")));
}

TEST_F(KeyFiles, ThatOthersCanReadAreWarnedOf) {
    make("k", "p256");
    const test::Words words = {"seal", "net/w.safetensors", "-k", "k.key", "-o", "out"};
    EXPECT_THAT(run(words).err, Not(HasSubstr("warning")));
    using std::filesystem::perms;
    for (const auto more : {perms::group_read, perms::others_read}) {
        std::filesystem::permissions(scratch / "k.key", perms::owner_read | more);
        const auto outcome = run(words);
        EXPECT_EQ(outcome.code, 0) << outcome.err;
        EXPECT_THAT(outcome.err, HasSubstr("modelseal: warning: k.key: other users can read this private key"));
    }
}

TEST_F(KeyFiles, TakeTheirPassphraseFromStandardInput) {
    const auto with = [&](test::Words words, const std::string& input) {
        words.insert(words.end(), {"--passphrase-file", "-"});
        return test::run(test::modelseal(std::move(words)), {.folder = scratch.path(), .input = input});
    };
    ASSERT_EQ(with({"keygen", "k"}, "open sesame\r\nmore\n").code, 0);
    const test::Words words = {"seal", "net/w.safetensors", "-k", "k.key", "-o", "out"};
    EXPECT_EQ(with(words, "open sesame").code, 0);
    EXPECT_EQ(with(words, "sesame\n").code, 1);
    const auto empty = with(words, "");
    EXPECT_EQ(empty.code, 2);
    EXPECT_THAT(empty.err, HasSubstr("standard input: the first line is empty"));
}

TEST_F(KeyFiles, AreTriedAgainAfterAMistypedPassphrase) {
    scratch.write("word", "open sesame\n");
    ASSERT_EQ(run({"keygen", "k", "--passphrase-file", "word"}).code, 0);
    const test::Words words = test::modelseal({"seal", "net/w.safetensors", "-k", "k.key", "-o", "out"});
    const std::string question = "passphrase of k.key: ";
    const auto typed = [&](const std::vector<std::string>& answers) {
        std::vector<test::Answer> all;
        for (const auto& answer : answers) all.emplace_back(question, answer + "\n");
        return test::run_on_terminal(words, all, {.folder = scratch.path()});
    };
    const auto second = typed({"open sesam", "open sesame"});
    EXPECT_EQ(second.code, 0) << second.out;
    EXPECT_THAT(second.out, HasSubstr("wrong passphrase"));
    EXPECT_EQ(typed({"a", "b", "c"}).code, 1);
}

}  // namespace
}  // namespace modelseal
